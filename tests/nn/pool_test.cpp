// SPDX-License-Identifier: Apache-2.0
#include "linnet/nn/pool.h"

#include "layer_checker.h"

namespace linnet::test {
namespace {

template <class Pool>
void check_pools(const std::string& name) {
  const auto with = [](const nn::Pool2DOptions& options) {
    return [=] { return std::make_unique<Pool>(options); };
  };
  check_layer({.describe = name + " 2x2", .sample = {5, 6, 3}}, with({}));
  check_layer({.describe = name + " 3x3, stride 2x2", .sample = {7, 8, 2}}, with({.kernel = 3, .stride = 2}));
  check_layer({.describe = name + " 2x3, stride 1x1, padding same", .sample = {4, 5, 2}},
              with({.kernel = {2, 3}, .stride = 1, .padding = nn::same}));
  check_layer({.describe = name + " 3x3, padding 1/0/2/1", .sample = {6, 7, 1}},
              with({.kernel = 3, .stride = 3, .padding = {1, 0, 2, 1}}));
}

TEST_CASE("pooling layers do what every layer does") {
  check_pools<nn::MaxPool2D>("MaxPool2D");
  check_pools<nn::AvgPool2D>("AvgPool2D");
}

TEST_CASE("pooling takes the largest value, or the mean of what lies inside the image") {
  const Tensor x = Tensor::from({-1, -2, -3, -4, -5, -6, -7, -8, -9}, {1, 3, 3, 1});
  CHECK_CLOSE(nn::MaxPool2D()(x), Tensor::from({-1}, {1, 1, 1, 1}), tol::exact);
  CHECK_CLOSE(nn::AvgPool2D()(x), Tensor::from({-3}, {1, 1, 1, 1}), tol::exact);
  const nn::Pool2DOptions same{.padding = nn::same};
  CHECK_CLOSE(nn::MaxPool2D(same)(x), Tensor::from({-1, -3, -7, -9}, {1, 2, 2, 1}), tol::exact);
  CHECK_CLOSE(nn::AvgPool2D(same)(x), Tensor::from({-3, -4.5, -7.5, -9}, {1, 2, 2, 1}), tol::exact);
}

TEST_CASE("pooling layers refuse options that make no sense") {
  CHECK_THROWS_TEXT(nn::MaxPool2D({.kernel = 0}), ValueError,
                    "MaxPool2D: kernel must be at least 1x1, got 0x0.");
  CHECK_THROWS_TEXT(nn::AvgPool2D({.stride = Pair{2, 0}}), ValueError,
                    "AvgPool2D: stride must be at least 1x1, got 2x0.");
  CHECK_THROWS_TEXT(nn::MaxPool2D({.padding = -1}), ValueError,
                    "MaxPool2D: padding must not be negative, got -1. Use slice to cut a border off.");
}

}  // namespace
}  // namespace linnet::test
