// SPDX-License-Identifier: Apache-2.0
#include "linnet/nn/activation.h"

#include <limits>

#include "layer_checker.h"

namespace linnet::test {
namespace {

TEST_CASE("activations do what every layer does") {
  check_layer({.describe = "ReLU", .sample = {3, 7}}, [] { return std::make_unique<nn::ReLU>(); });
  check_layer({.describe = "LeakyReLU 0.01", .sample = {21}},
              [] { return std::make_unique<nn::LeakyReLU>(); });
  check_layer({.describe = "LeakyReLU 0.3", .sample = {21}},
              [] { return std::make_unique<nn::LeakyReLU>(0.3); });
  check_layer({.describe = "Sigmoid", .sample = {5, 2, 3}}, [] { return std::make_unique<nn::Sigmoid>(); });
  check_layer({.describe = "Tanh", .sample = {19}}, [] { return std::make_unique<nn::Tanh>(); });
  check_layer({.describe = "Softmax over axis -1", .sample = {10}},
              [] { return std::make_unique<nn::Softmax>(); });
  check_layer({.describe = "Softmax over axis 1", .sample = {5, 3}},
              [] { return std::make_unique<nn::Softmax>(1); });
  check_layer({.describe = "Softmax over axis 0", .sample = {5}, .whole_batch = true},
              [] { return std::make_unique<nn::Softmax>(0); });
}

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
