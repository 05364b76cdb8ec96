// SPDX-License-Identifier: Apache-2.0
#include "linnet/nn/conv2d.h"

#include "layer_checker.h"

namespace linnet::test {
namespace {

void check_conv(const std::string& describe, std::int64_t parameters, const Shape& sample, std::int64_t in,
                std::int64_t out, const nn::Conv2DOptions& options) {
  check_layer({.describe = describe, .parameters = parameters, .sample = sample},
              [&] { return std::make_unique<nn::Conv2D>(in, out, options); });
}

TEST_CASE("Conv2D does what every layer does, with every option") {
  check_conv("Conv2D 2 -> 3, kernel 3x3", 57, {5, 6, 2}, 2, 3, {});
  check_conv("Conv2D 1 -> 4, kernel 5x5, no bias", 100, {7, 5, 1}, 1, 4, {.kernel = 5, .bias = false});
  check_conv("Conv2D 3 -> 2, kernel 3x2, stride 2x1", 38, {6, 4, 3}, 3, 2,
             {.kernel = {3, 2}, .stride = {2, 1}});
  check_conv("Conv2D 2 -> 2, kernel 3x3, dilation 2x2, padding same", 38, {5, 4, 2}, 2, 2,
             {.dilation = 2, .padding = nn::same});
  check_conv("Conv2D 2 -> 3, kernel 3x3, stride 2x2, padding same", 57, {6, 5, 2}, 2, 3,
             {.stride = 2, .padding = nn::same});
  check_conv("Conv2D 2 -> 2, kernel 3x3, padding 1", 38, {4, 4, 2}, 2, 2, {.padding = 1});
  check_conv("Conv2D 2 -> 2, kernel 3x3, padding 1/2/0/1", 38, {4, 4, 2}, 2, 2, {.padding = {1, 2, 0, 1}});
  check_conv("Conv2D 4 -> 6, kernel 3x3, 2 groups", 114, {4, 5, 4}, 4, 6, {.groups = 2});
  check_conv("Conv2D 5 -> 5, kernel 3x3, padding same, 5 groups", 50, {4, 4, 5}, 5, 5,
             {.padding = nn::same, .groups = 5});
  check_conv("Conv2D 7 -> 3, kernel 1x1", 24, {3, 4, 7}, 7, 3, {.kernel = 1});
}

TEST_CASE("Conv2D sums over its window, and `same` keeps the size") {
  nn::Conv2D layer(1, 1, {.padding = nn::same, .weight_init = nn::init::constant(1.0)});
  layer.bias.fill_(0.5);
  CHECK_CLOSE(layer(Tensor::ones({1, 3, 3, 1})).reshape({3, 3}),
              Tensor::from({{4.5, 6.5, 4.5}, {6.5, 9.5, 6.5}, {4.5, 6.5, 4.5}}), tol::exact);
}

TEST_CASE("Conv2D starts Glorot uniform with bias 0; fans count the window") {
  manual_seed(3);
  const nn::Conv2D layer(4, 6, {.groups = 2});
  manual_seed(3);
  CHECK_SAME_BITS(layer.weight.detach(), nn::init::glorot_uniform({6, 3, 3, 2}));
  CHECK_SAME_BITS(layer.bias.detach(), Tensor::zeros({6}));
}

TEST_CASE("Conv2D refuses options that make no sense, and draws nothing for them") {
  manual_seed(1);
  const State generator = rng_state();
  using nn::Conv2D;
  CHECK_THROWS_TEXT(
      Conv2D(0, 8), ValueError,
      "Conv2D: channels must be at least 1: in 0, out 8. The channels of x [N, H, W, C] are its last axis.");
  CHECK_THROWS_TEXT(Conv2D(1, 8, {.kernel = {3, 0}}), ValueError,
                    "Conv2D: kernel must be at least 1x1, got 3x0.");
  CHECK_THROWS_TEXT(Conv2D(1, 8, {.stride = 0}), ValueError, "Conv2D: stride must be at least 1x1, got 0x0.");
  CHECK_THROWS_TEXT(Conv2D(1, 8, {.dilation = -1}), ValueError,
                    "Conv2D: dilation must be at least 1x1, got -1x-1.");
  CHECK_THROWS_TEXT(Conv2D(1, 8, {.padding = {0, -1, 0, 0}}), ValueError,
                    "Conv2D: padding must not be negative, got 0/-1/0/0. Use slice to cut a border off.");
  for (const std::int64_t groups : {0, -2, 3, 5})
    CHECK_THROWS_TEXT(Conv2D(6, 10, {.groups = groups}), ValueError,
                      concat({"Conv2D: groups must divide the input and output channels: ", groups,
                              " groups, in 6, out 10."}));
  CHECK(rng_state() == generator);
}

}  // namespace
}  // namespace linnet::test
