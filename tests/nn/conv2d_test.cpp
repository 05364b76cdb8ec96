// SPDX-License-Identifier: Apache-2.0
#include "linnet/nn/conv2d.h"

#include "support/check_close.h"
#include "support/fixtures.h"

namespace linnet::test {
namespace {

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
