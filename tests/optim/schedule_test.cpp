// SPDX-License-Identifier: Apache-2.0
#include "linnet/optim/schedule.h"

#include <limits>
#include <set>

#include "golden/golden.h"
#include "linnet/core/error.h"
#include "linnet/optim/sgd.h"
#include "support/check_close.h"

namespace linnet::test {
namespace {

using nlohmann::json;
using optim::Schedule;

Schedule golden_schedule(const json& golden);

std::vector<Schedule> golden_parts(const json& golden) {
  std::vector<Schedule> parts;
  for (const json& part : golden.at("parts")) parts.push_back(golden_schedule(part));
  return parts;
}

Schedule golden_one_cycle(const json& o) {
  return optim::one_cycle_lr(
      {.steps = o.at("steps").get<std::int64_t>(),
       .rise = o.at("rise").get<double>(),
       .anneal = o.at("anneal") == "cos" ? optim::Anneal::cosine : optim::Anneal::linear,
       .start_divisor = o.at("start_divisor").get<double>(),
       .end_divisor = o.at("end_divisor").get<double>(),
       .three_phases = o.at("three_phases").get<bool>()});
}

Schedule golden_plateau(const json& o) {
  return optim::plateau_lr({.factor = o.at("factor").get<double>(),
                            .patience = o.at("patience").get<std::int64_t>(),
                            .threshold = o.at("threshold").get<double>(),
                            .relative = o.at("relative").get<bool>(),
                            .maximize = o.at("maximize").get<bool>(),
                            .cooldown = o.at("cooldown").get<std::int64_t>(),
                            .lowest = o.at("lowest").get<double>()});
}

Schedule golden_schedule(const json& golden) {
  const auto kind = golden.at("kind").get<std::string>();
  const json& o = golden.at("options");
  const auto real = [&o](const char* name) { return o.at(name).get<double>(); };
  const auto whole = [&o](const char* name) { return o.at(name).get<std::int64_t>(); };
  if (kind == "chain") return optim::chain(golden_parts(golden));
  if (kind == "sequence")
    return optim::sequence(golden_parts(golden), golden.at("milestones").get<std::vector<std::int64_t>>());
  if (kind == "constant_lr") return optim::constant_lr({.factor = real("factor"), .steps = whole("steps")});
  if (kind == "step_lr") return optim::step_lr({.every = whole("every"), .gamma = real("gamma")});
  if (kind == "multi_step_lr")
    return optim::multi_step_lr(
        {.milestones = o.at("milestones").get<std::vector<std::int64_t>>(), .gamma = real("gamma")});
  if (kind == "exponential_lr") return optim::exponential_lr({.gamma = real("gamma")});
  if (kind == "linear_lr")
    return optim::linear_lr({.start = real("start"), .end = real("end"), .steps = whole("steps")});
  if (kind == "polynomial_lr") return optim::polynomial_lr({.steps = whole("steps"), .power = real("power")});
  if (kind == "cosine_lr") return optim::cosine_lr({.steps = whole("steps"), .end = real("end")});
  if (kind == "cosine_restarts_lr")
    return optim::cosine_restarts_lr(
        {.steps = whole("steps"), .lengthen = whole("lengthen"), .end = real("end")});
  if (kind == "one_cycle_lr") return golden_one_cycle(o);
  REQUIRE(kind == "plateau_lr");
  return golden_plateau(o);
}

/// One step, with the figure of the case where it has them.
void advance(Schedule& schedule, const json& golden) {
  if (golden.contains("figures"))
    schedule.step(golden["figures"].at(static_cast<std::size_t>(schedule.count())).get<double>());
  else
    schedule.step();
}

/// Factors of the counts [schedule.count(), end).
std::vector<double> factors(Schedule& schedule, const json& golden, std::int64_t end) {
  std::vector<double> all;
  while (schedule.count() < end) {
    all.push_back(schedule.factor());
    advance(schedule, golden);
  }
  return all;
}

const std::set<std::string> kKinds{"constant_lr",  "step_lr",       "multi_step_lr", "exponential_lr",
                                   "linear_lr",    "polynomial_lr", "cosine_lr",     "cosine_restarts_lr",
                                   "one_cycle_lr", "plateau_lr",    "chain",         "sequence"};

}  // namespace

TEST_CASE("fifty steps of every schedule follow PyTorch to 1e-9 of the learning rate") {
  std::set<std::string> seen;
  for (const json& golden : golden_cases("schedules.json")) {
    CAPTURE(golden["name"].get<std::string>());
    seen.insert(golden["kind"].get<std::string>());
    Schedule schedule = golden_schedule(golden);
    std::vector<double> rates = factors(schedule, golden, 50);
    for (double& rate : rates) rate *= golden["lr"].get<double>();
    const Tensor expected = golden_tensor(golden["rates"], f64);
    REQUIRE(expected.size() == 50);
    // The file has 11 digits; one-cycle ends 250,000 times below its peak.
    CHECK_CLOSE(rates, expected.data<double>(), (Tolerance{1e-12, 1e-9}));
  }
  CHECK(seen == kKinds);
}

TEST_CASE("a schedule that is saved and loaded goes on with the same bits") {
  for (const json& golden : golden_cases("schedules.json")) {
    CAPTURE(golden["name"].get<std::string>());
    Schedule straight = golden_schedule(golden), first = golden_schedule(golden),
             second = golden_schedule(golden);
    const std::vector<double> whole = factors(straight, golden, 50);
    for (const std::int64_t stop : {1, 7, 23, 40}) {
      factors(first, golden, stop);
      second.load(first.state());
      CHECK(second.count() == stop);
      CHECK(second.state() == first.state());
      CHECK(factors(second, golden, 50) == std::vector<double>(whole.begin() + stop, whole.end()));
    }
  }
}

TEST_CASE("a copy of a schedule counts on by itself") {
  Schedule plateau = optim::chain({optim::plateau_lr({.factor = 0.5, .patience = 0})});
  plateau.step(1.0);
  Schedule copy = plateau;
  for (int i = 0; i < 3; ++i) copy.step(1.0);
  CHECK(copy.factor() == 0.125);
  CHECK(plateau.factor() == 1.0);
  CHECK(plateau.count() == 1);
  plateau = copy;
  CHECK(plateau.factor() == 0.125);
}

TEST_CASE("no schedule is the factor one") {
  Schedule none;
  CHECK_FALSE(none);
  none.step();
  none.step(3.0);
  CHECK(none.factor() == 1.0);
  CHECK(none.name() == "none");
  Schedule other;
  other.load(none.state());
  CHECK(other.count() == 2);
}

TEST_CASE("one-cycle peaks at the learning rate, starts and ends below, and stays after the end") {
  Schedule schedule = optim::one_cycle_lr({.steps = 100});
  const std::vector<double> all = factors(schedule, json::object(), 130);
  CHECK(all[0] == 1.0 / 25);
  CHECK(all[29] == 1.0);
  CHECK(all[99] == 1.0 / 25 / 1e4);
  CHECK(all[129] == all[99]);
  for (int t = 1; t < 100; ++t) CHECK((t <= 29 ? all[t] > all[t - 1] : all[t] < all[t - 1]));
}

TEST_CASE("lambda_lr is the function given, and refuses what is no factor") {
  Schedule schedule =
      optim::lambda_lr([](std::int64_t t) { return t < 3 ? 0.5 * static_cast<double>(t) : -1.0; });
  CHECK(factors(schedule, json::object(), 3) == std::vector<double>{0.0, 0.5, 1.0});
  CHECK_THROWS_TEXT(schedule.factor(), ValueError,
                    "lambda_lr: the factor must be finite and not negative, got -1 at 3.");
}

TEST_CASE("a plateau in a sequence sees the figures of its own part only") {
  Schedule schedule = optim::sequence(
      {optim::linear_lr({.start = 0.5, .steps = 2}), optim::plateau_lr({.factor = 0.5, .patience = 0})}, {2});
  CHECK(schedule.wants_figure());
  CHECK(schedule.name() == "sequence(linear_lr, plateau_lr)");
  const double nan = std::numeric_limits<double>::quiet_NaN();
  std::vector<double> all;
  for (const double figure : {3.0, 3.0, 2.0, 2.0, 1.0, nan, 0.5}) {
    all.push_back(schedule.factor());
    schedule.step(figure);
  }
  CHECK(all == std::vector<double>{0.5, 0.75, 1.0, 1.0, 0.5, 0.5, 0.25});
}

TEST_CASE("the factor multiplies the learning rate, is saved, and is one in states that have none") {
  Tensor w = Tensor::ones({1}, f64);
  optim::SGD sgd({{"w", w}}, {.lr = 0.5});
  sgd.set_lr_factor(0.25);
  w.set_grad(Tensor::ones({1}, f64));
  sgd.step();
  CHECK(w.item() == 0.875);
  CHECK(sgd.lr() == 0.5);
  const State saved = sgd.state();
  optim::SGD other({{"w", w}}), plain({{"w", w}});
  other.load(saved);
  CHECK(other.lr_factor() == 0.25);
  other.load(plain.state());
  CHECK(other.lr_factor() == 1.0);
  CHECK_FALSE(plain.state().has("lr_factor"));
  CHECK_THROWS_TEXT(sgd.set_lr_factor(-1.0), ValueError, "SGD: lr_factor must be in [0, inf), got -1.");
}

TEST_CASE("a state of another schedule is refused and changes nothing") {
  Schedule cosine = optim::cosine_lr({.steps = 10}), step = optim::step_lr();
  cosine.step();
  CHECK_THROWS_TEXT(cosine.load(step.state()), StateError,
                    "Schedule: cannot load the state of step_lr into cosine_lr. Make the schedule that the "
                    "state was saved from.");
  CHECK_THROWS_TEXT(cosine.load({{"schedule", "cosine_lr"}, {"count", -1}}), StateError,
                    "Schedule: count must be at least 0, got -1.");
  Schedule plateau = optim::plateau_lr();
  const State before = plateau.state();
  for (const auto& [best, without] : {std::pair{std::nan(""), 0}, std::pair{1.0, -1}})
    CHECK_THROWS_AS(plateau.load({{"schedule", "plateau_lr"},
                                  {"count", 4},
                                  {"factor", 0.5},
                                  {"best", best},
                                  {"without_progress", without},
                                  {"cooling", 0}}),
                    StateError);
  CHECK_THROWS_AS(plateau.load({{"schedule", "plateau_lr"}, {"count", 4}, {"factor", 0.5}}), StateError);
  CHECK_THROWS_TEXT(plateau.load({{"schedule", "plateau_lr"},
                                  {"count", 4},
                                  {"factor", -0.5},
                                  {"best", 1.0},
                                  {"without_progress", 0},
                                  {"cooling", 0}}),
                    StateError, "plateau_lr: factor must be finite and not negative, got -0.5.");
  CHECK(plateau.state() == before);
  CHECK(cosine.count() == 1);
}

TEST_CASE("schedule options outside their range are refused") {
  using namespace optim;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_TEXT(constant_lr({.factor = -1.0}), ValueError,
                    "constant_lr: factor must be finite and not negative, got -1.");
  CHECK_THROWS_TEXT(constant_lr({.steps = 0}), ValueError, "constant_lr: steps must be at least 1, got 0.");
  CHECK_THROWS_TEXT(step_lr({.every = 0}), ValueError, "step_lr: every must be at least 1, got 0.");
  CHECK_THROWS_TEXT(step_lr({.gamma = nan}), ValueError,
                    "step_lr: gamma must be finite and not negative, got nan.");
  CHECK_THROWS_TEXT(multi_step_lr({}), ValueError, "multi_step_lr: no milestones given.");
  CHECK_THROWS_TEXT(multi_step_lr({.milestones = {3, 3}}), ValueError,
                    "multi_step_lr: milestones must be above 0 and increasing, got 3 at 1.");
  CHECK_THROWS_TEXT(exponential_lr({.gamma = 1.5}), ValueError,
                    "exponential_lr: gamma must be in [0, 1], got 1.5.");
  CHECK_THROWS_TEXT(linear_lr({.start = -0.5}), ValueError,
                    "linear_lr: start must be finite and not negative, got -0.5.");
  CHECK_THROWS_TEXT(linear_lr({.end = nan}), ValueError,
                    "linear_lr: end must be finite and not negative, got nan.");
  CHECK_THROWS_TEXT(linear_lr({.steps = -3}), ValueError, "linear_lr: steps must be at least 1, got -3.");
  CHECK_THROWS_TEXT(polynomial_lr({.steps = 0}), ValueError,
                    "polynomial_lr: steps must be at least 1, got 0.");
  CHECK_THROWS_TEXT(polynomial_lr({.power = 0.0}), ValueError,
                    "polynomial_lr: power must be above 0, got 0.");
  CHECK_THROWS_TEXT(cosine_lr({.steps = 0}), ValueError, "cosine_lr: steps must be at least 1, got 0.");
  CHECK_THROWS_TEXT(cosine_lr({.end = -1.0}), ValueError,
                    "cosine_lr: end must be finite and not negative, got -1.");
  CHECK_THROWS_TEXT(cosine_restarts_lr({.lengthen = 0}), ValueError,
                    "cosine_restarts_lr: lengthen must be at least 1, got 0.");
  CHECK_THROWS_TEXT(one_cycle_lr({.steps = 1}), ValueError, "one_cycle_lr: steps must be at least 2, got 1.");
  CHECK_THROWS_TEXT(one_cycle_lr({.rise = 1.5}), ValueError,
                    "one_cycle_lr: rise must be in [0, 1], got 1.5.");
  CHECK_THROWS_TEXT(
      one_cycle_lr({.rise = 0.75, .three_phases = true}), ValueError,
      "one_cycle_lr: with three phases rise is at most 0.5, got 0.75. The way down is as long.");
  CHECK_THROWS_TEXT(one_cycle_lr({.end_divisor = 0.5}), ValueError,
                    "one_cycle_lr: start_divisor and end_divisor must be at least 1, got 0.5.");
  CHECK_THROWS_TEXT(plateau_lr({.factor = 1.0}), ValueError, "plateau_lr: factor must be in (0, 1), got 1.");
  CHECK_THROWS_TEXT(plateau_lr({.patience = -1}), ValueError,
                    "plateau_lr: patience and cooldown must be at least 0, got -1 and 0.");
  CHECK_THROWS_TEXT(plateau_lr({.threshold = -0.5}), ValueError,
                    "plateau_lr: threshold must be finite and not negative, got -0.5.");
  CHECK_THROWS_TEXT(plateau_lr({.lowest = 2.0}), ValueError, "plateau_lr: lowest must be in [0, 1], got 2.");
  CHECK_THROWS_TEXT(lambda_lr(nullptr), ValueError, "lambda_lr: no function given.");
  CHECK_THROWS_TEXT(chain({}), ValueError, "chain: no schedules given.");
  CHECK_THROWS_TEXT(chain({step_lr(), Schedule()}), ValueError, "chain: schedule 1 is none.");
  CHECK_THROWS_TEXT(sequence({step_lr(), step_lr()}, {}), ValueError,
                    "sequence: 2 schedules need 1 milestones, got 0.");
  CHECK_THROWS_TEXT(sequence({step_lr(), step_lr(), step_lr()}, {4, 2}), ValueError,
                    "sequence: milestones must be above 0 and increasing, got 2 at 1.");
  CHECK_THROWS_TEXT(plateau_lr().step(), ValueError,
                    "plateau_lr: step() needs the figure that is watched. Call step(loss).");
}

}  // namespace linnet::test
