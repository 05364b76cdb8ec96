// SPDX-License-Identifier: Apache-2.0
#pragma once
// Optimizer: turns gradients into steps. The base owns the loop, the checks and the state by parameter name;
// a subclass states only the update of one parameter.
//
//   optim::Adam adam(model.parameters(), {.lr = 1e-3});
//   adam.zero_grad();  backward(loss);  adam.step();

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "linnet/core/state.h"
#include "linnet/core/tensor.h"
#include "linnet/optim/parameter_group.h"

namespace linnet::optim {

class Optimizer {
 public:
  virtual ~Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  /// Updates every parameter that has a gradient, which then keeps to its constraint (core/constraint.h);
  /// others are left as they are. Gradients are only read.
  /// ShapeError, before any change, when a parameter has changed its shape or type since its last update.
  void step();
  /// Drops the gradients.
  void zero_grad();

  /// The learning rate, before the factor of a schedule, of parameters whose groups set none.
  double lr() const { return lr_; }
  /// What a schedule multiplies every learning rate by; 1 at first.
  double lr_factor() const { return lr_factor_; }
  /// ValueError unless finite and not negative.
  void set_lr(double lr);
  void set_lr_factor(double factor);
  /// How often step() has run.
  std::int64_t steps() const { return steps_; }
  /// "Adam".
  const std::string& name() const { return name_; }

  /// {"optimizer", "lr", "steps"}, "lr_factor" when it is not 1, and for each parameter "fc1.weight/steps"
  /// and, once it has been updated, what the optimizer remembers, as "fc1.weight/momentum". Shares the
  /// contents: save it, or clone what is to be kept, before training on.
  State state() const;
  /// All or nothing. StateError for the state of another kind of optimizer, and with the whole difference
  /// when names, shapes or types do not fit.
  void load(const State& state);

 protected:
  /// One parameter and what is remembered about it, in the order of the names given to the constructor.
  struct Slot {
    std::string name;
    Tensor parameter;
    std::optional<double> lr;  ///< of its groups
    double weight_decay = 0.0;
    std::vector<Tensor> tensors;   ///< zeros, like the parameter, at the first update
    std::vector<double> products;  ///< 1 at the first update
    std::int64_t steps = 0;        ///< updates before this one
  };

  struct Setup {
    double lr, weight_decay;
    std::vector<ParameterGroup> groups;
    std::vector<std::string> tensors;        ///< names of what is remembered about each parameter
    std::vector<std::string> products = {};  ///< likewise, of numbers
  };
  /// Parameters keep their handles. ValueError for none, repeated ones, unusable options and patterns that
  /// nothing matches, DTypeError unless they are f32 or f64.
  Optimizer(std::string name, const NamedTensors& parameters, Setup setup);
  /// The formula: changes slot.parameter and slot's memory, with everything checked and in place. Several
  /// threads call it at once, each for a slot of its own.
  virtual void update(Slot& slot, const Tensor& gradient) = 0;

  /// The learning rate of this step.
  double rate(const Slot& slot) const { return slot.lr.value_or(lr_) * lr_factor_; }

  /// ValueError naming the optimizer unless low <= value < high and value is finite.
  static void check_option(const std::string& optimizer, const char* option, double value, double low,
                           double high);
  /// ValueError unless eps, which is added to a divisor, is finite and above 0.
  static void check_eps(const std::string& optimizer, double eps);

 private:
  class Reader;
  void apply(const std::vector<ParameterGroup>& groups, const NamedTensors& parameters);
  void check_fit(const Slot& slot) const;
  void prepare(Slot& slot) const;

  std::string name_;
  double lr_, lr_factor_ = 1.0;
  std::int64_t steps_ = 0;
  std::vector<std::string> tensor_names_, product_names_;
  std::vector<Slot> slots_;
  std::vector<Tensor> first_gradients_;  ///< only room for them, until the first zero_grad() or step()
};

}  // namespace linnet::optim
