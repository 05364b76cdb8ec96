// SPDX-License-Identifier: Apache-2.0
#include "linnet/autograd/gradcheck.h"

#include <cmath>

#include "linnet/autograd/autograd.h"
#include "linnet/autograd/ops.h"
#include "linnet/core/error.h"
#include "linnet/core/random.h"

namespace linnet {
namespace {

/// Error of a sum of doubles in units of the sum of its absolute terms; two such sums are subtracted.
constexpr double kRounding = 4 * 0x1p-52;

using Function = std::function<Tensor(const std::vector<Tensor>&)>;

/// L(inputs) = sum of weights * function(inputs), with weights that do not depend on the inputs. The
/// generator is put back before each call, so that a function that draws random numbers draws the same ones.
class Objective {
 public:
  Objective(const Function& function, const std::vector<Tensor>& inputs)
      : function_(function), inputs_(inputs), generator_(rng_state()) {}
  ~Objective() { set_rng_state(generator_); }
  Objective(const Objective&) = delete;
  Objective& operator=(const Objective&) = delete;

  Tensor operator()() {
    set_rng_state(generator_);
    Tensor y = function_(inputs_);
    check<DTypeError>(y.dtype() == f64, "gradcheck: the function returned ", y.dtype(),
                      ", f64 was expected. Do not convert inside it.");
    if (!weights_.defined()) weights_ = draw(y.shape());
    Tensor terms = y * weights_;
    magnitude_ = 0.0;
    for (double term : terms.data<double>()) magnitude_ += std::abs(term);
    return sum(terms);
  }

  /// Sum of the absolute terms of the last value: what its rounding error is measured by.
  double magnitude() const { return magnitude_; }

 private:
  static Tensor draw(const Shape& shape) {
    Tensor weights = Tensor::empty(shape, f64);
    Rng rng(20, 0);
    for (double& w : weights.mutable_data<double>()) w = rng.uniform(0.5, 1.5);
    return weights;
  }

  const Function& function_;
  const std::vector<Tensor>& inputs_;
  State generator_;
  Tensor weights_;
  double magnitude_ = 0.0;
};

/// Takes the gradients off and puts them back.
class GradientScope {
 public:
  explicit GradientScope(std::vector<Tensor>& inputs) : inputs_(inputs) {
    for (Tensor& input : inputs) {
      kept_.push_back(input.grad());
      input.set_grad({});
    }
  }
  ~GradientScope() {
    for (std::size_t i = 0; i < inputs_.size(); ++i) inputs_[i].set_grad(kept_[i]);
  }
  GradientScope(const GradientScope&) = delete;
  GradientScope& operator=(const GradientScope&) = delete;

 private:
  std::vector<Tensor>& inputs_;
  std::vector<Tensor> kept_;
};

double numeric_gradient(Objective& objective, Tensor& input, std::int64_t i, double step) {
  NoGrad no_grad;
  double before = input.data<double>()[i];
  input.mutable_data<double>()[i] = before + step;
  double above = objective().item();
  input.mutable_data<double>()[i] = before - step;
  double below = objective().item();
  input.mutable_data<double>()[i] = before;
  return (above - below) / (2.0 * step);
}

void compare(GradcheckResult& result, const GradcheckOptions& options, double rounding, std::size_t input,
             std::int64_t i, double analytic, double numeric) {
  double allowed = options.absolute + rounding + options.relative * std::abs(numeric);
  double score = std::abs(analytic - numeric) / allowed;
  if (!(score > result.worst) && !std::isnan(score)) return;  // a NaN must count as a failure
  result.worst = std::isnan(score) ? INFINITY : score;
  if (result.worst <= 1.0) return;
  result.ok = false;
  result.report = concat({"gradcheck: input ", input, ", element ", i, ": backward gives ", analytic,
                          ", central differences give ", numeric, "."});
}

}  // namespace

GradcheckResult gradcheck(const Function& function, std::vector<Tensor> inputs,
                          const GradcheckOptions& options) {
  for (const Tensor& input : inputs)
    check<DTypeError>(!input.requires_grad() || input.dtype() == f64, "gradcheck: inputs must be f64, got ",
                      input.dtype(), ". Differences in f32 are too coarse.");
  GradientScope scope(inputs);

  GradcheckResult result;
  Objective objective(function, inputs);
  backward(objective());
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    if (!inputs[k].requires_grad()) continue;
    Tensor gradient = inputs[k].grad();
    for (std::int64_t i = 0; i < inputs[k].size(); ++i) {
      double analytic = gradient.defined() ? gradient.data<double>()[i] : 0.0;
      double numeric = numeric_gradient(objective, inputs[k], i, options.step);
      double rounding = kRounding * objective.magnitude() / options.step;
      compare(result, options, rounding, k, i, analytic, numeric);
    }
  }
  return result;
}

}  // namespace linnet
