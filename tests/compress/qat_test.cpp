// SPDX-License-Identifier: Apache-2.0
#include "linnet/compress/qat.h"

#include <cmath>
#include <csignal>
#include <map>
#include <set>

#include "linnet/core/constraint.h"
#include "linnet/core/quantizer.h"
#include "linnet/io/checkpoint.h"
#include "quantize_models.h"
#include "support/check_close.h"

namespace linnet {
namespace {

using compress::QatSchedule;
using compress::QuantMode;
using graph::GraphModule;

const data::TensorDataset& samples() {
  static const data::TensorDataset dataset = test::corners(600, 1);
  return dataset;
}

State copied(const State& state) {
  State copy;
  for (const auto& [name, value] : state) copy.set(name, value.tensor().clone());
  return copy;
}

TEST_CASE("training with the rounding recovers a net that 2 bits spoil") {
  const GraphModule& model = test::trained_corner_net();
  const double before = test::accuracy_of(model, test::unseen_corners());
  manual_seed(1);
  GraphModule q = compress::prepare_qat(model, {.weight_bits = 2});
  CHECK(q.parameter_count() == model.parameter_count());
  test::fit(q, samples(), 1, 0.0);  // the ranges alone
  const double spoiled = test::accuracy_of(q, test::unseen_corners());
  test::fit(q, samples(), 6, 0.005, {.step_callbacks = {compress::freeze_on_schedule(q)}});
  const double recovered = test::accuracy_of(q, test::unseen_corners());
  CAPTURE(before);
  CAPTURE(spoiled);
  CAPTURE(recovered);
  CHECK(spoiled < before - 0.1);
  CHECK(recovered > before - 0.05);
}

TEST_CASE("ranges and statistics move until their epochs have passed, and then no more") {
  manual_seed(1);
  GraphModule q = compress::prepare_qat(test::trained_corner_net());
  std::map<std::int64_t, State> begins;  // by epoch
  const auto look = [&](const train::StepPlace& at) {
    if (!begins.count(at.epoch)) begins.emplace(at.epoch, copied(q.state()));
  };
  test::fit(q, samples(), 4, 0.01,
            {.step_callbacks = {compress::freeze_on_schedule(q, {.observers = 2, .batch_norm = 1}), look}});
  const auto moved = [&](const char* name, std::int64_t epoch) {
    const State& next = epoch == 4 ? q.state() : begins.at(epoch + 1);
    return !test::bit_difference(next[name].tensor(), begins.at(epoch)[name].tensor()).empty();
  };
  for (std::int64_t epoch = 1; epoch <= 4; ++epoch) {
    CAPTURE(epoch);
    CHECK(moved("0.weight", epoch));
    CHECK(moved("0/range", epoch) == (epoch <= 2));
    CHECK(moved("5.weight/range", epoch) == (epoch <= 2));
    CHECK(moved("1.running_mean", epoch) == (epoch <= 1));
    CHECK(moved("1.running_var", epoch) == (epoch <= 1));
  }
}

TEST_CASE("a run that is stopped in the middle and resumed ends with the same bytes") {
  const test::TemporaryFolder folder;
  const QatSchedule schedule{.observers = 1, .batch_norm = 1};
  const auto run = [&](const std::string& file, std::int64_t stop_at) {
    GraphModule q = compress::prepare_qat(test::trained_corner_net());
    const auto stop = [stop_at](const train::StepPlace& at) {
      if (at.step == stop_at) std::raise(SIGTERM);
    };
    test::fit(q, samples(), 3, 0.01,
              {.checkpoint = folder / file,
               .resume = true,
               .step_callbacks = {compress::freeze_on_schedule(q, schedule), stop}});
    return copied(q.state());
  };
  manual_seed(9);
  const State whole = run("whole.ckpt", -1);
  manual_seed(9);
  run("parts.ckpt", 7);   // in the first epoch: nothing is frozen
  run("parts.ckpt", 30);  // in the second: all is
  manual_seed(77);
  const State resumed = run("parts.ckpt", -1);
  for (const auto& [name, value] : whole) {
    const std::string& label = name;  // clang 14 captures no structured binding
    CAPTURE(label);
    CHECK_SAME_BITS(resumed[name].tensor(), value.tensor());
  }
}

TEST_CASE(
    "zeros and shared values of a pruned and clustered net stay through training, as zeros and integers") {
  manual_seed(3);
  GraphModule model = test::copy_of(test::trained_corner_net());
  for (const auto& [name, weight] : model.parameters()) {
    if (weight.rank() < 2) continue;
    Tensor mask = Tensor::ones(weight.shape(), u8), groups = Tensor::zeros(weight.shape(), u8);
    for (std::int64_t i = 0; i < weight.size(); ++i) {
      const float w = weight.data<float>()[static_cast<std::size_t>(i)];
      if (std::fabs(w) < 0.05f) mask.mutable_data<std::uint8_t>()[static_cast<std::size_t>(i)] = 0;
      groups.mutable_data<std::uint8_t>()[static_cast<std::size_t>(i)] =
          static_cast<std::uint8_t>(std::clamp(8.0f + 16.0f * w, 0.0f, 15.0f));
    }
    set_constraint(weight, {.mask = mask, .groups = groups});
  }
  GraphModule q = compress::prepare_qat(model);
  test::fit(q, samples(), 2, 0.005);
  CHECK(test::accuracy_of(q, test::unseen_corners()) > 0.85);
  const State state = q.state();
  for (const auto& [name, weight] : q.parameters()) {
    if (weight.rank() < 2) continue;
    const std::string& label = name;  // clang 14 captures no structured binding
    CAPTURE(label);
    const Tensor range = state[name + "/range"].tensor(), mask = state[name + "/mask"].tensor();
    REQUIRE(range.shape() == Shape{1});
    const Quantizer by = symmetric_quantizer(static_cast<double>(range.data<float>()[0]), 8);
    std::set<long> integers;
    for (std::size_t i = 0; i < static_cast<std::size_t>(weight.size()); ++i) {
      const long integer = std::lrint(weight.data<float>()[i] / by.scale);
      CHECK(std::labs(integer) <= 127);
      if (mask.data<std::uint8_t>()[i] == 0)
        CHECK(weight.data<float>()[i] == 0.0f);
      else
        integers.insert(integer);
    }
    CHECK(integers.size() <= 16);
    CHECK(integers.size() >= 2);
  }
}

TEST_CASE("what is being trained is saved and loaded as any other graph") {
  manual_seed(1);
  GraphModule q = compress::prepare_qat(test::trained_corner_net(), {.mode = QuantMode::int8_dynamic});
  test::fit(q, samples(), 1);
  const GraphModule back = GraphModule::from(q.graph().state(), q.state());
  for (const auto& [name, value] : q.state()) CHECK_SAME_BITS(back.state()[name].tensor(), value.tensor());
}

TEST_CASE("options of training with rounding are checked") {
  const GraphModule& model = test::trained_corner_net();
  CHECK_THROWS_TEXT(compress::prepare_qat(model, {.mode = QuantMode::float16_weights}), ValueError,
                    "prepare_qat: there is nothing to train with float16_weights.");
  CHECK_THROWS_TEXT(compress::prepare_qat(model, {.weight_bits = 1}), ValueError,
                    "prepare_qat: weight_bits must be in 2..8, or 0 for those of the mode, got 1.");
  CHECK_THROWS_TEXT(compress::prepare_qat(model, {.momentum = 0.0}), ValueError,
                    "prepare_qat: momentum must be in (0, 1], got 0.");
  CHECK_THROWS_TEXT(compress::prepare_qat(model, {.keep_float = {"*"}}), GraphError,
                    "prepare_qat: the model has no weights that could be quantized.");
  CHECK_THROWS_TEXT(compress::prepare_qat(model, {.keep_float = {"head"}}), ValueError,
                    "quantize: no layer is named \"head\". There are: 0, 5, 7.");
  GraphModule q = compress::prepare_qat(model);
  CHECK_THROWS_TEXT(compress::prepare_qat(q), GraphError, "prepare_qat: the model is quantized already.");
  CHECK_THROWS_TEXT(compress::freeze_on_schedule(q, {.observers = -1}), ValueError,
                    "freeze_on_schedule: epochs must be at least 0, got -1 and 3.");
}

}  // namespace
}  // namespace linnet
