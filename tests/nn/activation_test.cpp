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
  CHECK_CLOSE(nn::ReLU6()(Tensor::from({-2, 0, 3, 7})), Tensor::from({0, 0, 3, 6}), tol::exact);
  CHECK_CLOSE(nn::HardSwish()(Tensor::from({-4, -1, 0, 2, 5})), Tensor::from({0, -1.0 / 3, 0, 5.0 / 3, 5}),
              tol::f32);
  CHECK_CLOSE(nn::SiLU()(x), Tensor::from({-0.23840584404423515, 0, 2.8577223804673}), tol::f32);
  CHECK_CLOSE(nn::GELU()(x), Tensor::from({-0.04550026389635842, 0, 2.9959503059051097}), tol::f32);
  CHECK_CLOSE(nn::Softplus()(x), Tensor::from({0.12692801104297263, 0.6931471805599453, 3.048587351573742}),
              tol::f32);
  CHECK_CLOSE(nn::ELU()(x), Tensor::from({-0.8646647167633873, 0, 3}), tol::f32);
  CHECK_CLOSE(nn::ELU(0.5)(x), Tensor::from({-0.43233235838169365, 0, 3}), tol::f32);
  CHECK_CLOSE(nn::PReLU()(x), Tensor::from({-0.5, 0, 3}), tol::exact);
  nn::PReLU slopes(3);
  slopes.weight.copy_(Tensor::from({0.5, 1, 0}));
  CHECK_CLOSE(slopes(Tensor::from({{-2, -2, -2}, {3, 3, 3}})), Tensor::from({{-1, -2, 0}, {3, 3, 3}}),
              tol::exact);
  CHECK_CLOSE(nn::Softmax()(Tensor::from({{0, 0}, {1000, 1000}})), Tensor::full({2, 2}, 0.5), tol::exact);
}

TEST_CASE("a slope that is no number is refused") {
  CHECK_THROWS_TEXT(nn::LeakyReLU(std::numeric_limits<double>::quiet_NaN()), ValueError,
                    "LeakyReLU: the slope must be finite, got nan.");
  CHECK_THROWS_TEXT(nn::ELU(std::numeric_limits<double>::infinity()), ValueError,
                    "ELU: alpha must be finite, got inf.");
  CHECK_THROWS_TEXT(nn::PReLU(3, std::numeric_limits<double>::quiet_NaN()), ValueError,
                    "PReLU: the starting slope must be finite, got nan.");
  CHECK_THROWS_TEXT(nn::PReLU(0), ValueError, "PReLU: channels must be at least 1, got 0.");
}

TEST_CASE("PReLU refuses other channels") {
  nn::PReLU layer(3);
  CHECK_THROWS_TEXT(
      layer(Tensor::ones({2, 1})), ShapeError,
      "PReLU: the last axis of x must have 3 channels, got shape [2, 1].  in PReLU of 3 channels");
}

}  // namespace
}  // namespace linnet::test
