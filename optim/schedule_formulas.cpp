// SPDX-License-Identifier: Apache-2.0
// The schedules that are a function of the count alone.
#include <algorithm>
#include <cmath>

#include "linnet/core/error.h"
#include "linnet/core/math.h"
#include "linnet/optim/schedule_form_impl.h"

namespace linnet::optim {
namespace {

struct Formula final : Schedule::Form {
  Formula(const char* name, std::function<double(std::int64_t)> f) : called(name), function(std::move(f)) {}
  std::string name() const override { return called; }
  double factor(std::int64_t t) const override { return function(t); }
  std::unique_ptr<Form> clone() const override { return std::make_unique<Formula>(*this); }

  const char* called;
  std::function<double(std::int64_t)> function;
};

template <class F>
Schedule make(const char* name, F function) {
  return Schedule(std::make_unique<Formula>(name, std::move(function)));
}

void check_factor(const char* schedule, const char* option, double value) {
  check<ValueError>(std::isfinite(value) && value >= 0.0, schedule, ": ", option,
                    " must be finite and not negative, got ", value, ".");
}

void check_steps(const char* schedule, const char* option, std::int64_t value, std::int64_t least = 1) {
  check<ValueError>(value >= least, schedule, ": ", option, " must be at least ", least, ", got ", value,
                    ".");
}

double power(double gamma, std::int64_t exponent) { return math::pow(gamma, static_cast<double>(exponent)); }

double share(std::int64_t t, std::int64_t steps) {
  return static_cast<double>(t) / static_cast<double>(steps);
}

/// Half a cosine from `from` at share 0 to `to` at share 1, exactly at both.
double cosine(double from, double to, double share) {
  const double s = (1.0 - math::cos_turn(0.5 * share)) / 2.0;
  return from * (1.0 - s) + to * s;
}

}  // namespace

Schedule constant_lr(const ConstantOptions& o) {
  check_factor("constant_lr", "factor", o.factor);
  check_steps("constant_lr", "steps", o.steps);
  return make("constant_lr", [o](std::int64_t t) { return t < o.steps ? o.factor : 1.0; });
}

Schedule step_lr(const StepOptions& o) {
  check_steps("step_lr", "every", o.every);
  check_factor("step_lr", "gamma", o.gamma);
  return make("step_lr", [o](std::int64_t t) { return power(o.gamma, t / o.every); });
}

Schedule multi_step_lr(const MultiStepOptions& o) {
  check_factor("multi_step_lr", "gamma", o.gamma);
  check<ValueError>(!o.milestones.empty(), "multi_step_lr: no milestones given.");
  for (std::size_t i = 0; i < o.milestones.size(); ++i)
    check<ValueError>(o.milestones[i] > (i == 0 ? 0 : o.milestones[i - 1]),
                      "multi_step_lr: milestones must be above 0 and increasing, got ", o.milestones[i],
                      " at ", i, ".");
  return make("multi_step_lr", [o](std::int64_t t) {
    std::int64_t passed = 0;
    for (const std::int64_t milestone : o.milestones) passed += milestone <= t;
    return power(o.gamma, passed);
  });
}

Schedule exponential_lr(const ExponentialOptions& o) {
  check<ValueError>(o.gamma >= 0.0 && o.gamma <= 1.0, "exponential_lr: gamma must be in [0, 1], got ",
                    o.gamma, ".");
  return make("exponential_lr", [o](std::int64_t t) { return power(o.gamma, t); });
}

Schedule linear_lr(const LinearOptions& o) {
  check_factor("linear_lr", "start", o.start);
  check_factor("linear_lr", "end", o.end);
  check_steps("linear_lr", "steps", o.steps);
  return make("linear_lr", [o](std::int64_t t) {
    return t < o.steps ? o.start + (o.end - o.start) * share(t, o.steps) : o.end;
  });
}

Schedule polynomial_lr(const PolynomialOptions& o) {
  check_steps("polynomial_lr", "steps", o.steps);
  check<ValueError>(std::isfinite(o.power) && o.power > 0.0, "polynomial_lr: power must be above 0, got ",
                    o.power, ".");
  return make("polynomial_lr", [o](std::int64_t t) {
    return t < o.steps ? math::pow(1.0 - share(t, o.steps), o.power) : 0.0;
  });
}

Schedule cosine_lr(const CosineOptions& o) {
  check_steps("cosine_lr", "steps", o.steps);
  check_factor("cosine_lr", "end", o.end);
  return make("cosine_lr", [o](std::int64_t t) { return cosine(1.0, o.end, share(t, o.steps)); });
}

Schedule cosine_restarts_lr(const CosineRestartsOptions& o) {
  check_steps("cosine_restarts_lr", "steps", o.steps);
  check_steps("cosine_restarts_lr", "lengthen", o.lengthen);
  check_factor("cosine_restarts_lr", "end", o.end);
  return make("cosine_restarts_lr", [o](std::int64_t t) {
    std::int64_t period = o.steps;
    if (o.lengthen == 1) t %= period;
    while (t >= period) {
      t -= period;
      period *= o.lengthen;
    }
    return cosine(1.0, o.end, share(t, period));
  });
}

Schedule one_cycle_lr(const OneCycleOptions& o) {
  check_steps("one_cycle_lr", "steps", o.steps, 2);
  check<ValueError>(o.rise >= 0.0 && o.rise <= 1.0, "one_cycle_lr: rise must be in [0, 1], got ", o.rise,
                    ".");
  check<ValueError>(!o.three_phases || o.rise <= 0.5,
                    "one_cycle_lr: with three phases rise is at most 0.5, got ", o.rise,
                    ". The way down is as long.");
  for (const double divisor : {o.start_divisor, o.end_divisor})
    check<ValueError>(std::isfinite(divisor) && divisor >= 1.0,
                      "one_cycle_lr: start_divisor and end_divisor must be at least 1, got ", divisor, ".");

  struct Phase {
    double end, from, to;  ///< the count at the end, which need not be whole; the factors
  };
  const double start = 1.0 / o.start_divisor, last = start / o.end_divisor;
  const auto steps = static_cast<double>(o.steps);
  const double peak = o.rise * steps - 1.0;
  std::vector<Phase> phases{{peak, start, 1.0}};
  if (o.three_phases) phases.push_back({2.0 * o.rise * steps - 2.0, 1.0, start});
  phases.push_back({steps - 1.0, o.three_phases ? start : 1.0, last});
  return make("one_cycle_lr", [o, phases](std::int64_t count) {
    const double t = static_cast<double>(std::min(count, o.steps - 1));
    std::size_t i = 0;
    while (i + 1 < phases.size() && t > phases[i].end) ++i;
    const double begin = i == 0 ? 0.0 : phases[i - 1].end;
    const auto [end, from, to] = phases[i];
    const double part = end > begin ? (t - begin) / (end - begin) : 1.0;
    if (o.anneal == Anneal::linear) return from + (to - from) * part;
    return cosine(from, to, part);
  });
}

Schedule lambda_lr(std::function<double(std::int64_t)> function) {
  check<ValueError>(static_cast<bool>(function), "lambda_lr: no function given.");
  return make("lambda_lr", [function = std::move(function)](std::int64_t t) {
    const double factor = function(t);
    check<ValueError>(std::isfinite(factor) && factor >= 0.0,
                      "lambda_lr: the factor must be finite and not negative, got ", factor, " at ", t, ".");
    return factor;
  });
}

}  // namespace linnet::optim
