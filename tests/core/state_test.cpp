// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/state.h"

#include <limits>
#include <string>

#include "linnet/core/error.h"
#include "support/check_close.h"
#include "support/fixtures.h"

using namespace linnet;

namespace {

State sample() {
  return {{"weight", Tensor::from({1, 2})},
          {"step", 3},
          {"lr", 0.5},
          {"name", "adam"},
          {"inner", State{{"a", Tensor::ones({2, 2}, f64)}}}};
}

}  // namespace

TEST_CASE("a state keeps its entries in order and finds them by name") {
  const State state = sample();
  CHECK(state.size() == 5);
  CHECK_FALSE(state.empty());
  std::string order;
  for (const auto& [name, value] : state) order += name + " " + value.kind() + "; ";
  CHECK(order == "weight tensor; step integer; lr real; name text; inner state; ");
  CHECK(state["weight"].tensor().data<float>()[1] == 2.0f);
  CHECK(state["step"].integer() == 3);
  CHECK(state["lr"].real() == 0.5);
  CHECK(state["name"].text() == "adam");
  CHECK(state["inner"].state()["a"].tensor().dtype() == f64);
  CHECK(state.has("lr"));
  CHECK(state.find("momentum") == nullptr);
  CHECK(State().empty());
}

TEST_CASE("a state is equal to another with the same names, kinds and bytes in the same order") {
  CHECK(sample() == sample());
  State longer = sample();
  longer.set("more", 1);
  CHECK(longer != sample());
  const auto differ = [](StateValue a, StateValue b) { return State{{"x", a}} != State{{"x", b}}; };
  CHECK(differ(1, 2));
  CHECK(differ(1, 1.0));
  CHECK(differ("a", "b"));
  CHECK(differ(0.0, -0.0));
  CHECK_FALSE(differ(std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::quiet_NaN()));
  CHECK(differ(Tensor::from({1, 2}), Tensor::from({1, 3})));
  CHECK(differ(Tensor::from({1, 2}), Tensor::from({1, 2}, f64)));
  CHECK(differ(Tensor::from({1, 2}), Tensor::from({1, 2}, Shape{2, 1})));
  CHECK(differ(Tensor::from({1, 2}), Tensor()));
  CHECK(differ(State{{"a", 1}}, State{{"b", 1}}));
  CHECK(State{{"a", 1}, {"b", 2}} != State{{"b", 2}, {"a", 1}});
}

TEST_CASE("reading an entry that is absent or of another kind is refused") {
  const State state = sample();
  CHECK_THROWS_TEXT(state["beta"], StateError,
                    "state: there is no 'beta'. It has: weight, step, lr, name, inner.");
  CHECK_THROWS_TEXT(State()["beta"], StateError, "state: there is no 'beta'. It has: nothing.");
  CHECK_THROWS_TEXT(state["step"].tensor(), StateError,
                    "state: expected a value of kind tensor, got integer.");
  CHECK_THROWS_TEXT(state["lr"].integer(), StateError, "state: expected a value of kind integer, got real.");
  CHECK_THROWS_TEXT(state["name"].real(), StateError, "state: expected a value of kind real, got text.");
  CHECK_THROWS_TEXT(state["inner"].text(), StateError, "state: expected a value of kind text, got state.");
  CHECK_THROWS_TEXT(state["weight"].state(), StateError,
                    "state: expected a value of kind state, got tensor.");
}

TEST_CASE("a name can be there only once") {
  State state = sample();
  CHECK_THROWS_TEXT(state.set("lr", 1.0), StateError, "state: the name 'lr' is there already.");
  CHECK(state == sample());
  CHECK_THROWS_TEXT((State{{"a", 1}, {"a", 2}}), StateError, "state: the name 'a' is there already.");
}

TEST_CASE("loading copies contents and keeps the handles") {
  const Tensor weight = Tensor::zeros({2}), steps = Tensor::zeros({1}, i64), alias = weight;
  NamedTensors targets{{"weight", weight}, {"steps", steps}};
  const State source{{"steps", Tensor::from({7}, i64)}, {"weight", Tensor::from({1, 2})}};
  load_tensors("model", targets, source);
  CHECK_SAME_BITS(alias, Tensor::from({1, 2}));
  CHECK_SAME_BITS(steps, Tensor::from({7}, i64));
  targets[0].second.mul_(2.0);
  CHECK_SAME_BITS(source["weight"].tensor(), Tensor::from({1, 2}));
}

TEST_CASE("loading prints the whole difference at once and changes nothing") {
  NamedTensors targets{{"good", Tensor::zeros({2})},      {"absent", Tensor::zeros({3, 4})},
                       {"shape", Tensor::zeros({2, 3})},  {"type", Tensor::zeros({1})},
                       {"kind", Tensor::zeros({1}, i64)}, {"empty", Tensor::zeros({5}, f64)}};
  const State source{{"good", Tensor::ones({2})},
                     {"shape", Tensor::ones({3, 2})},
                     {"type", Tensor::ones({1}, f64)},
                     {"kind", 1},
                     {"empty", Tensor()},
                     {"extra", Tensor::ones({9}, u8)},
                     {"note", "text"}};
  CHECK_THROWS_TEXT(load_tensors("net", targets, source), StateError,
                    "net: the state does not fit:\n"
                    "  missing: absent [3, 4] f32\n"
                    "  shape of shape: expected [2, 3], got [3, 2]\n"
                    "  type of type: expected f32, got f64\n"
                    "  kind of kind: expected tensor, got integer\n"
                    "  undefined: empty [5] f64\n"
                    "  unexpected: extra [9] u8\n"
                    "  unexpected: note text\n"
                    "Was it saved from another model?");
  CHECK_SAME_BITS(targets[0].second, Tensor::zeros({2}));
}
