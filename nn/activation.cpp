// SPDX-License-Identifier: Apache-2.0
#include "linnet/nn/activation.h"

#include <cmath>

#include "linnet/autograd/ops.h"

namespace linnet::nn {

Tensor ReLU::forward(const Tensor& x) { return relu(x); }

Tensor ReLU6::forward(const Tensor& x) { return relu6(x); }

Tensor HardSwish::forward(const Tensor& x) { return hard_swish(x); }

Tensor SiLU::forward(const Tensor& x) { return silu(x); }

Tensor GELU::forward(const Tensor& x) { return gelu(x); }

Tensor Softplus::forward(const Tensor& x) { return softplus(x); }

ELU::ELU(double alpha) : alpha_(alpha) {
  check<ValueError>(std::isfinite(alpha), "ELU: alpha must be finite, got ", alpha, ".");
}
std::string ELU::describe() const { return concat({"ELU ", alpha_}); }
Tensor ELU::forward(const Tensor& x) { return elu(x, alpha_); }

PReLU::PReLU(std::int64_t channels, double start) {
  check<ValueError>(channels >= 1, "PReLU: channels must be at least 1, got ", channels, ".");
  check<ValueError>(std::isfinite(start), "PReLU: the starting slope must be finite, got ", start, ".");
  weight = Tensor::full({channels}, start).set_requires_grad(true);
}
std::string PReLU::describe() const {
  return weight.size() == 1 ? "PReLU" : concat({"PReLU of ", weight.size(), " channels"});
}
Tensor PReLU::forward(const Tensor& x) {
  check<ValueError>(x.defined(), "PReLU: x is undefined.");
  check<ShapeError>(weight.size() == 1 || (x.rank() >= 1 && x.dim(-1) == weight.size()),
                    "PReLU: the last axis of x must have ", weight.size(), " channels, got shape ", x.shape(),
                    ".");
  return prelu(x, weight);
}

LeakyReLU::LeakyReLU(double slope) : slope_(slope) {
  check<ValueError>(std::isfinite(slope), "LeakyReLU: the slope must be finite, got ", slope, ".");
}
std::string LeakyReLU::describe() const { return concat({"LeakyReLU ", slope_}); }
Tensor LeakyReLU::forward(const Tensor& x) { return leaky_relu(x, slope_); }

Tensor Sigmoid::forward(const Tensor& x) { return sigmoid(x); }

Tensor Tanh::forward(const Tensor& x) { return tanh(x); }

std::string Softmax::describe() const { return concat({"Softmax over axis ", axis_}); }
Tensor Softmax::forward(const Tensor& x) { return softmax(x, axis_); }

}  // namespace linnet::nn
