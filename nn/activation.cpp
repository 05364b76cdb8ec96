// SPDX-License-Identifier: Apache-2.0
#include "linnet/nn/activation.h"

#include <cmath>

#include "linnet/autograd/ops.h"

namespace linnet::nn {

Tensor ReLU::forward(const Tensor& x) { return relu(x); }

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
