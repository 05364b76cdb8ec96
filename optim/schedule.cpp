// SPDX-License-Identifier: Apache-2.0
// Schedule itself, and the schedules that remember or hold others.
#include "linnet/optim/schedule.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "linnet/core/error.h"
#include "linnet/optim/schedule_form_impl.h"

namespace linnet::optim {

Schedule::Schedule() = default;
Schedule::Schedule(std::unique_ptr<Form> form) : form_(std::move(form)) {}
Schedule::Schedule(const Schedule& other)
    : form_(other.form_ ? other.form_->clone() : nullptr), count_(other.count_) {}
Schedule::Schedule(Schedule&&) noexcept = default;
Schedule& Schedule::operator=(Schedule other) noexcept {
  form_ = std::move(other.form_);
  count_ = other.count_;
  return *this;
}
Schedule::~Schedule() = default;

double Schedule::factor() const { return form_ ? form_->factor(count_) : 1.0; }

std::string Schedule::name() const { return form_ ? form_->name() : "none"; }

bool Schedule::wants_figure() const { return form_ && form_->wants_figure(); }

void Schedule::step() {
  if (wants_figure()) fail<ValueError>(name(), ": step() needs the figure that is watched. Call step(loss).");
  ++count_;
}

void Schedule::step(double figure) {
  if (form_) form_->observe(count_, figure);
  ++count_;
}

State Schedule::state() const {
  State state{{"schedule", name()}, {"count", count_}};
  if (!form_) return state;
  for (const auto& [key, value] : form_->state()) state.set(key, value);
  return state;
}

void Schedule::load(const State& state) {
  const std::string& saved_by = state["schedule"].text();
  check<StateError>(saved_by == name(), "Schedule: cannot load the state of ", saved_by, " into ", name(),
                    ". Make the schedule that the state was saved from.");
  const std::int64_t count = state["count"].integer();
  check<StateError>(count >= 0, "Schedule: count must be at least 0, got ", count, ".");
  if (form_) {
    std::unique_ptr<Form> loaded = form_->clone();
    loaded->load(state);
    form_ = std::move(loaded);
  }
  count_ = count;
}

namespace {

/// ReduceLROnPlateau of PyTorch, on the factor.
struct Plateau final : Schedule::Form {
  explicit Plateau(const PlateauOptions& options) : o(options) {}

  std::string name() const override { return "plateau_lr"; }
  double factor(std::int64_t) const override { return now; }
  std::unique_ptr<Form> clone() const override { return std::make_unique<Plateau>(*this); }
  bool wants_figure() const override { return true; }

  bool progress(double figure) const {
    if (std::isinf(best)) return o.maximize ? figure > best : figure < best;
    const double margin = o.relative ? o.threshold * best : o.threshold;
    return o.maximize ? figure > best + margin : figure < best - margin;
  }

  void observe(std::int64_t, double figure) override {
    if (progress(figure)) {
      best = figure;
      without = 0;
    } else {
      ++without;
    }
    if (cooling > 0) {
      --cooling;
      without = 0;
    }
    if (without <= o.patience) return;
    now = std::max(now * o.factor, o.lowest);
    cooling = o.cooldown;
    without = 0;
  }

  State state() const override {
    return {{"factor", now}, {"best", best}, {"without_progress", without}, {"cooling", cooling}};
  }
  void load(const State& state) override {
    now = state["factor"].real();
    best = state["best"].real();
    without = state["without_progress"].integer();
    cooling = state["cooling"].integer();
    check<StateError>(std::isfinite(now) && now >= 0.0,
                      "plateau_lr: factor must be finite and not negative, got ", now, ".");
    check<StateError>(!std::isnan(best) && without >= 0 && cooling >= 0 &&
                          without < std::numeric_limits<std::int64_t>::max(),
                      "plateau_lr: the state is damaged: best ", best, ", without_progress ", without,
                      ", cooling ", cooling, ".");
  }

  PlateauOptions o;
  double now = 1.0;
  double best = (o.maximize ? -1.0 : 1.0) * std::numeric_limits<double>::infinity();
  std::int64_t without = 0, cooling = 0;
};

/// Base of those that hold others. Their states are under "0", "1", ...
struct Composition : Schedule::Form {
  Composition(const char* called, const std::vector<Schedule>& schedules) : kind(called) {
    check<ValueError>(!schedules.empty(), called, ": no schedules given.");
    for (const Schedule& schedule : schedules) {
      check<ValueError>(static_cast<bool>(schedule), called, ": schedule ", parts.size(), " is none.");
      parts.push_back(schedule.form().clone());
    }
  }
  Composition(const Composition& other) : kind(other.kind) {
    for (const auto& part : other.parts) parts.push_back(part->clone());
  }

  std::string name() const override {
    std::string text;
    for (const auto& part : parts) text += (text.empty() ? "" : ", ") + part->name();
    return kind + "(" + text + ")";
  }
  bool wants_figure() const override {
    return std::any_of(parts.begin(), parts.end(), [](const auto& part) { return part->wants_figure(); });
  }
  State state() const override {
    State state;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      State inner = parts[i]->state();
      if (!inner.empty()) state.set(std::to_string(i), std::move(inner));
    }
    return state;
  }
  void load(const State& state) override {
    for (std::size_t i = 0; i < parts.size(); ++i)
      if (!parts[i]->state().empty()) parts[i]->load(state[std::to_string(i)].state());
  }

  std::string kind;
  std::vector<std::unique_ptr<Form>> parts;
};

struct Chain final : Composition {
  explicit Chain(const std::vector<Schedule>& schedules) : Composition("chain", schedules) {}

  double factor(std::int64_t t) const override {
    double product = 1.0;
    for (const auto& part : parts) product *= part->factor(t);
    return product;
  }
  void observe(std::int64_t t, double figure) override {
    for (const auto& part : parts) part->observe(t, figure);
  }
  std::unique_ptr<Form> clone() const override { return std::make_unique<Chain>(*this); }
};

struct Sequence final : Composition {
  Sequence(const std::vector<Schedule>& schedules, const std::vector<std::int64_t>& starts)
      : Composition("sequence", schedules), milestones(starts) {
    check<ValueError>(starts.size() + 1 == schedules.size(), "sequence: ", schedules.size(),
                      " schedules need ", schedules.size() - 1, " milestones, got ", starts.size(), ".");
    for (std::size_t i = 0; i < starts.size(); ++i)
      check<ValueError>(starts[i] > (i == 0 ? 0 : starts[i - 1]),
                        "sequence: milestones must be above 0 and increasing, got ", starts[i], " at ", i,
                        ".");
  }

  std::size_t active(std::int64_t t) const {
    return static_cast<std::size_t>(std::upper_bound(milestones.begin(), milestones.end(), t) -
                                    milestones.begin());
  }
  std::int64_t start(std::size_t part) const { return part == 0 ? 0 : milestones[part - 1]; }

  double factor(std::int64_t t) const override {
    const std::size_t part = active(t);
    return parts[part]->factor(t - start(part));
  }
  void observe(std::int64_t t, double figure) override {
    const std::size_t part = active(t);
    parts[part]->observe(t - start(part), figure);
  }
  std::unique_ptr<Form> clone() const override { return std::make_unique<Sequence>(*this); }

  std::vector<std::int64_t> milestones;
};

}  // namespace

Schedule plateau_lr(const PlateauOptions& o) {
  check<ValueError>(o.factor > 0.0 && o.factor < 1.0, "plateau_lr: factor must be in (0, 1), got ", o.factor,
                    ".");
  check<ValueError>(o.patience >= 0 && o.cooldown >= 0,
                    "plateau_lr: patience and cooldown must be at least 0, got ", o.patience, " and ",
                    o.cooldown, ".");
  check<ValueError>(std::isfinite(o.threshold) && o.threshold >= 0.0,
                    "plateau_lr: threshold must be finite and not negative, got ", o.threshold, ".");
  check<ValueError>(o.lowest >= 0.0 && o.lowest <= 1.0, "plateau_lr: lowest must be in [0, 1], got ",
                    o.lowest, ".");
  return Schedule(std::make_unique<Plateau>(o));
}

Schedule chain(const std::vector<Schedule>& schedules) {
  return Schedule(std::make_unique<Chain>(schedules));
}

Schedule sequence(const std::vector<Schedule>& schedules, const std::vector<std::int64_t>& milestones) {
  return Schedule(std::make_unique<Sequence>(schedules, milestones));
}

}  // namespace linnet::optim
