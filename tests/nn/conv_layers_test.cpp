// SPDX-License-Identifier: Apache-2.0
// Values, starts and refusals of the convolutions beyond Conv2D.
#include <cmath>

#include "linnet/autograd/ops.h"
#include "linnet/nn/nn.h"
#include "support/check_close.h"
#include "support/fixtures.h"

namespace linnet::test {
namespace {

TEST_CASE("a depthwise convolution is one convolution a channel") {
  nn::DepthwiseConv2D layer(3, {.padding = nn::same, .multiplier = 2});
  const Tensor x = random_tensor({2, 5, 4, 3}, 1), y = layer(x);
  for (std::int64_t c = 0; c < 3; ++c) {
    const Tensor one = conv2d(slice(x, 3, c, c + 1), slice(layer.weight, 0, 2 * c, 2 * c + 2),
                              slice(layer.bias, 0, 2 * c, 2 * c + 2), {.padding = nn::same});
    CHECK_CLOSE(slice(y, 3, 2 * c, 2 * c + 2), one, tol::f32);
  }
}

TEST_CASE("depthwise weights start Glorot uniform of one channel, whatever their number") {
  manual_seed(3);
  const nn::DepthwiseConv2D layer(500);
  const double bound = std::sqrt(3.0 / 9.0);
  const Tensor largest = max(abs(layer.weight.detach()));
  CHECK(largest.item() <= bound);
  CHECK(largest.item() > 0.99 * bound);
  CHECK_SAME_BITS(layer.bias.detach(), Tensor::zeros({500}));
}

TEST_CASE("Conv1D runs along T, and padding before it makes it causal") {
  nn::Conv1D layer(1, 1, {.padding = {2, 0}, .weight_init = nn::init::constant(1.0)});
  CHECK_SAME_BITS(layer(Tensor::from({1, 2, 3, 4}, {1, 4, 1})), Tensor::from({1, 3, 6, 9}, {1, 4, 1}));
}

TEST_CASE("a transposed convolution undoes the change of size of a convolution with the same options") {
  const Tensor x = random_tensor({1, 12, 9, 2}, 1);
  for (const Padding& padding : {nn::same, nn::valid, Padding(1)}) {
    const Pair stride(2, 3);
    const Tensor y = nn::Conv2D(2, 3, {.stride = stride, .padding = padding})(x);
    const Tensor back = nn::ConvTranspose2D(3, 2, {.stride = stride, .padding = padding})(y);
    CHECK(nn::Conv2D(2, 3, {.stride = stride, .padding = padding})(back).shape() == y.shape());
  }
  CHECK(nn::ConvTranspose2D(2, 1, {.stride = {2, 3}, .padding = nn::same})(x).shape() == Shape{1, 24, 27, 1});
}

TEST_CASE("convolution layers refuse options that make no sense, and draw nothing for them") {
  manual_seed(1);
  const State generator = rng_state();
  CHECK_THROWS_TEXT(nn::DepthwiseConv2D(0), ValueError,
                    "DepthwiseConv2D: channels and multiplier must be at least 1: channels 0, multiplier 1.");
  CHECK_THROWS_TEXT(nn::DepthwiseConv2D(4, {.kernel = {3, 0}}), ValueError,
                    "DepthwiseConv2D: kernel must be at least 1x1, got 3x0.");
  CHECK_THROWS_TEXT(nn::SeparableConv2D(3, 4, {.multiplier = 0}), ValueError,
                    "DepthwiseConv2D: channels and multiplier must be at least 1: channels 3, multiplier 0.");
  CHECK_THROWS_TEXT(
      nn::DepthwiseConv1D(3, {.multiplier = -1}), ValueError,
      "DepthwiseConv1D: channels and multiplier must be at least 1: channels 3, multiplier -1.");
  CHECK_THROWS_TEXT(
      nn::Conv1D(2, 0), ValueError,
      "Conv1D: channels must be at least 1: in 2, out 0. The channels of x [N, T, C] are its last axis.");
  CHECK_THROWS_TEXT(nn::Conv1D(2, 2, {.kernel = 0}), ValueError, "Conv1D: kernel must be at least 1, got 0.");
  CHECK_THROWS_TEXT(nn::Conv1D(2, 2, {.stride = -1}), ValueError,
                    "Conv1D: stride must be at least 1, got -1.");
  CHECK_THROWS_TEXT(nn::DepthwiseConv1D(2, {.dilation = 0}), ValueError,
                    "DepthwiseConv1D: dilation must be at least 1, got 0.");
  CHECK_THROWS_TEXT(nn::Conv1D(2, 2, {.padding = {1, -2}}), ValueError,
                    "Conv1D: padding must not be negative, got 1/-2. Use slice to cut an end off.");
  CHECK_THROWS_TEXT(nn::Conv1D(4, 6, {.groups = 4}), ValueError,
                    "Conv1D: groups must divide the input and output channels: 4 groups, in 4, out 6.");
  CHECK_THROWS_TEXT(
      nn::ConvTranspose2D(0, 1), ValueError,
      "ConvTranspose2D: channels must be at least 1: in 0, out 1. The channels of x [N, H, W, C] are "
      "its last axis.");
  CHECK_THROWS_TEXT(
      nn::ConvTranspose2D(2, 1, {.stride = 2, .output_padding = 2}), ValueError,
      "ConvTranspose2D: output_padding must be at least 0 and smaller than the stride, and 0 with same "
      "padding: got 2x2 with stride 2x2.");
  CHECK_THROWS_TEXT(
      nn::ConvTranspose2D(4, 6, {.groups = 3}), ValueError,
      "ConvTranspose2D: groups must divide the input and output channels: 3 groups, in 4, out 6.");
  CHECK(rng_state() == generator);
}

TEST_CASE("sequence layers refuse what is no sequence of their channels") {
  CHECK_THROWS_TEXT(nn::Conv1D(3, 2)(Tensor::ones({2, 5, 4})), ShapeError,
                    "Conv1D: x must be [N, T, 3], got [2, 5, 4].  in Conv1D 3 -> 2, kernel 3");
  CHECK_THROWS_TEXT(nn::DepthwiseConv1D(3)(Tensor::ones({5, 3})), ShapeError,
                    "DepthwiseConv1D: x must be [N, T, 3], got [5, 3].  in DepthwiseConv1D 3, kernel 3");
  CHECK_THROWS_TEXT(nn::MaxPool1D()(Tensor::ones({5, 3})), ShapeError,
                    "MaxPool1D: x must be [N, T, C], got [5, 3].  in MaxPool1D 2");
  CHECK_THROWS_TEXT(nn::AvgPool1D()(Tensor()), ValueError, "AvgPool1D: x is undefined.  in AvgPool1D 2");
  CHECK_THROWS_TEXT(nn::MaxPool1D({.kernel = 0}), ValueError, "MaxPool1D: kernel must be at least 1, got 0.");
  CHECK_THROWS_TEXT(nn::AvgPool1D({.padding = -1}), ValueError,
                    "AvgPool1D: padding must not be negative, got -1. Use slice to cut an end off.");
}

}  // namespace
}  // namespace linnet::test
