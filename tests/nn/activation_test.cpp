// SPDX-License-Identifier: Apache-2.0
#include "linnet/nn/activation.h"

#include <limits>

#include "support/check_close.h"

namespace linnet::test {
namespace {

TEST_CASE("activations have the values of their formulas") {
  const Tensor x = Tensor::from({-2, 0, 3});
  CHECK_CLOSE(nn::ReLU()(x), Tensor::from({0, 0, 3}), tol::exact);
  CHECK_CLOSE(nn::LeakyReLU(0.25)(x), Tensor::from({-0.5, 0, 3}), tol::exact);
  CHECK_CLOSE(nn::Sigmoid()(x), Tensor::from({0.11920292202211755, 0.5, 0.95257412682243336}), tol::f32);
  CHECK_CLOSE(nn::Tanh()(x), Tensor::from({-0.96402758007581688, 0, 0.99505475368673045}), tol::f32);
  CHECK_CLOSE(nn::Softmax()(Tensor::from({{0, 0}, {1000, 1000}})), Tensor::full({2, 2}, 0.5), tol::exact);
}

TEST_CASE("a slope that is no number is refused") {
  CHECK_THROWS_TEXT(nn::LeakyReLU(std::numeric_limits<double>::quiet_NaN()), ValueError,
                    "LeakyReLU: the slope must be finite, got nan.");
}

}  // namespace
}  // namespace linnet::test
