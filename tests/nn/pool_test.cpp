// SPDX-License-Identifier: Apache-2.0
#include "linnet/nn/pool.h"

#include "support/check_close.h"

namespace linnet::test {
namespace {

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
