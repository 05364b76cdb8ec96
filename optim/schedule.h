// SPDX-License-Identifier: Apache-2.0
#pragma once
// Learning-rate schedules. A schedule is a factor that multiplies the learning rate of every group of an
// optimizer, as a function of a count that starts at 0. It does not know what is counted: steps or epochs,
// whichever the loop calls step() for, and "steps" below means either.
//
//   optim::AdamW adamw(model.parameters(), {.lr = 1e-3});
//   optim::Schedule schedule = optim::one_cycle_lr({.steps = 1000});
//   for (...) {
//     adamw.set_lr_factor(schedule.factor());
//     adamw.step();
//     schedule.step();
//   }
//
// The factors are those of PyTorch's lr_scheduler of the same name, over the learning rate given to the
// optimizer (OneCycleLR: over max_lr). They are built from + - * / and the formulas of core/math.h: the same
// bits on every machine. t below is the count.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "linnet/core/state.h"

namespace linnet::optim {

/// A value: a copy counts on by itself.
class Schedule {
 public:
  /// None: the factor is 1, and nothing is saved.
  Schedule();
  Schedule(const Schedule& other);
  Schedule(Schedule&&) noexcept;
  Schedule& operator=(Schedule other) noexcept;
  ~Schedule();

  explicit operator bool() const { return form_ != nullptr; }
  /// Not negative; finite unless the options let it grow without end.
  double factor() const;
  std::int64_t count() const { return count_; }
  /// "cosine_lr"; of compositions "sequence(linear_lr, cosine_lr)".
  std::string name() const;

  /// Whether step() needs a figure, as plateau_lr does.
  bool wants_figure() const;
  /// Counts one on. ValueError without the figure that it wants.
  void step();
  void step(double figure);

  /// {"schedule", "count"} and what the form remembers. Options are not saved: make the schedule with the
  /// same ones, or with others, as for a longer run.
  State state() const;
  /// All or nothing; StateError for the state of another kind of schedule.
  void load(const State& state);

  struct Form;
  explicit Schedule(std::unique_ptr<Form> form);
  const Form& form() const { return *form_; }

 private:
  std::unique_ptr<Form> form_;
  std::int64_t count_ = 0;
};

// Each function below throws ValueError for options outside the ranges named: factors are finite and not
// negative, steps at least 1.

struct ConstantOptions {
  double factor = 1.0 / 3.0;
  std::int64_t steps = 5;
};
/// factor for the first steps, then 1.
Schedule constant_lr(const ConstantOptions& options = {});

struct StepOptions {
  std::int64_t every = 10;
  double gamma = 0.1;
};
/// gamma^floor(t / every).
Schedule step_lr(const StepOptions& options = {});

struct MultiStepOptions {
  std::vector<std::int64_t> milestones = {};  ///< at least one, above 0, increasing
  double gamma = 0.1;
};
/// gamma^(milestones at or before t).
Schedule multi_step_lr(const MultiStepOptions& options);

struct ExponentialOptions {
  double gamma = 0.95;
};
/// gamma^t.
Schedule exponential_lr(const ExponentialOptions& options = {});

struct LinearOptions {
  double start = 1.0 / 3.0;
  double end = 1.0;
  std::int64_t steps = 5;
};
/// From start to end in a straight line, then end: a warm-up, or a decay with {.start = 1, .end = 0}.
Schedule linear_lr(const LinearOptions& options = {});

struct PolynomialOptions {
  std::int64_t steps = 5;
  double power = 1.0;  ///< above 0
};
/// (1 - t / steps)^power, then 0.
Schedule polynomial_lr(const PolynomialOptions& options = {});

struct CosineOptions {
  std::int64_t steps = 50;
  double end = 0.0;  ///< factor at the end
};
/// end + (1 - end) (1 + cos(pi t / steps)) / 2. After the end it rises again (cosine annealing; Loshchilov,
/// Hutter: "SGDR", 2016).
Schedule cosine_lr(const CosineOptions& options = {});

struct CosineRestartsOptions {
  std::int64_t steps = 10;    ///< of the first period
  std::int64_t lengthen = 1;  ///< each period is so many times as long as the one before; at least 1
  double end = 0.0;
};
/// The same cosine, from its start again after every period.
Schedule cosine_restarts_lr(const CosineRestartsOptions& options = {});

enum class Anneal { cosine, linear };

struct OneCycleOptions {
  std::int64_t steps = 100;  ///< of the whole run, at least 2
  double rise = 0.3;         ///< share of the steps before the peak, in [0, 1]
  Anneal anneal = Anneal::cosine;
  double start_divisor = 25.0;  ///< the first factor is 1 / start_divisor; at least 1
  double end_divisor = 1e4;     ///< the last is 1 / (start_divisor end_divisor); at least 1
  bool three_phases = false;    ///< down as it went up, then further down
};
/// Up to the optimizer's learning rate and down below the start; after the end it stays (Smith, Topin:
/// "Super-Convergence", 2017). Momentum is not cycled. Counts steps.
Schedule one_cycle_lr(const OneCycleOptions& options = {});

struct PlateauOptions {
  double factor = 0.1;         ///< in (0, 1)
  std::int64_t patience = 10;  ///< so many figures without progress are borne; at least 0
  double threshold = 1e-4;     ///< progress is more than this share of the best figure (or this much)
  bool relative = true;
  bool maximize = false;      ///< the larger figure is the better one
  std::int64_t cooldown = 0;  ///< figures after a reduction that do not count; at least 0
  double lowest = 0.0;        ///< limit of the factor
};
/// Multiplies by `factor` when the figure given to step() has not improved for longer than `patience`. A
/// figure that is NaN is no progress. Counts epochs.
Schedule plateau_lr(const PlateauOptions& options = {});

/// function(t), which must be finite and not negative: ValueError when it is asked and is not.
Schedule lambda_lr(std::function<double(std::int64_t)> function);

/// The product of the factors: all count together.
Schedule chain(const std::vector<Schedule>& schedules);
/// One after the other: schedule i + 1 starts, at 0, when milestones[i] have been counted. As many milestones
/// as there are schedules, less one; above 0 and increasing.
///   sequence({linear_lr({.start = 0.1, .steps = 5}), cosine_lr({.steps = 45})}, {5})
Schedule sequence(const std::vector<Schedule>& schedules, const std::vector<std::int64_t>& milestones);

}  // namespace linnet::optim
