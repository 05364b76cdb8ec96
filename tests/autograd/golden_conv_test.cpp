// SPDX-License-Identifier: Apache-2.0
// Transposed convolution and resizing against PyTorch: tests/golden/conv.json, made by
// scripts/golden/conv.py.
#include "golden/golden.h"
#include "support/fixtures.h"

namespace linnet::test {
namespace {

using nlohmann::json;

TEST_CASE("transposed convolution, resizing and their gradients agree with PyTorch") {
  check_golden_file("conv.json",
                    {{"conv_transpose2d",
                      [](const json& a, const GoldenInput& in) {
                        return conv_transpose2d(in("x"), in("weight"), in("bias"),
                                                {.stride = golden_pair(a["stride"]),
                                                 .dilation = golden_pair(a["dilation"]),
                                                 .padding = golden_padding(a["padding"]),
                                                 .output_padding = golden_pair(a["output_padding"]),
                                                 .groups = a["groups"].get<std::int64_t>()});
                      }},
                     {"upsample2d", [](const json& a, const GoldenInput& in) {
                        return upsample2d(
                            in("x"), golden_pair(a["size"]),
                            a["mode"] == "nearest" ? Interpolation::nearest : Interpolation::bilinear);
                      }}});
}

TEST_CASE("a transposed convolution is the input gradient of a convolution, bit for bit") {
  // The weight of the way back has inputs and outputs exchanged.
  const Tensor weight = random_tensor({1, 3, 2, 5}, 1), x = random_tensor({2, 4, 3, 5}, 2);
  Tensor image = random_tensor({2, 9, 8, 1}, 3).set_requires_grad(true);
  const Tensor back = conv2d(image, transpose(weight, {3, 1, 2, 0}), {}, {.stride = {2, 3}});
  REQUIRE(back.shape() == x.shape());
  backward(back, {.gradient = x});
  CHECK_SAME_BITS(conv_transpose2d(x, weight, {}, {.stride = {2, 3}}), image.grad());
}

TEST_CASE("upsampling by nearest repeats, and bilinear keeps constants and the corners") {
  const Tensor x = Tensor::from({1, 2, 3, 4}, {1, 2, 2, 1});
  CHECK_SAME_BITS(upsample2d(x, {4, 4}, Interpolation::nearest).reshape({4, 4}),
                  Tensor::from({1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4}, {4, 4}));
  CHECK_CLOSE(
      upsample2d(x, {4, 4}, Interpolation::bilinear).reshape({4, 4}),
      Tensor::from({1, 1.25, 1.75, 2, 1.5, 1.75, 2.25, 2.5, 2.5, 2.75, 3.25, 3.5, 3, 3.25, 3.75, 4}, {4, 4}),
      tol::exact);
  for (const Interpolation mode : {Interpolation::nearest, Interpolation::bilinear}) {
    CHECK_CLOSE(upsample2d(Tensor::full({2, 3, 5, 3}, 0.75), {7, 4}, mode), Tensor::full({2, 7, 4, 3}, 0.75),
                tol::f32);
    CHECK_SAME_BITS(upsample2d(x, {2, 2}, mode), x);
  }
}

TEST_CASE("channel shuffle deals the channels of the groups in turn, and another shuffle undoes it") {
  const Tensor x = Tensor::arange(12).reshape({2, 1, 6});
  const Tensor y = channel_shuffle(x, 2);
  CHECK_SAME_BITS(y, Tensor::from({0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11}, {2, 1, 6}));
  CHECK_SAME_BITS(channel_shuffle(y, 3), x);
}

TEST_CASE("transposed convolution, resizing and channel shuffle explain what does not fit") {
  const Tensor x = Tensor::ones({1, 5, 5, 4});
  const auto ones = [](const Shape& shape) { return Tensor::ones(shape); };
  CHECK_THROWS_TEXT(conv_transpose2d(ones({5, 5, 4}), ones({8, 3, 3, 4})), ShapeError,
                    "conv_transpose2d: x must have 4 axes, got shape [5, 5, 4].");
  CHECK_THROWS_TEXT(
      conv_transpose2d(x, ones({4, 3, 3, 8})), ShapeError,
      "conv_transpose2d: x [1, 5, 5, 4] has 4 channels, weight [4, 3, 3, 8] with 1 group(s) expects 8. "
      "Images are [N, H, W, C], weights [O, kh, kw, C/groups].");
  CHECK_THROWS_TEXT(conv_transpose2d(x, ones({8, 3, 3, 1}), {}, {.groups = 3}), ValueError,
                    "conv_transpose2d: groups must divide 4 input and 8 output channels, got 3.");
  CHECK_THROWS_TEXT(conv_transpose2d(x, ones({8, 3, 3, 4}), ones({4})), ShapeError,
                    "conv_transpose2d: bias must have shape [8], got [4].");
  CHECK_THROWS_TEXT(
      conv_transpose2d(x, ones({8, 3, 3, 4}), {}, {.stride = 2, .output_padding = {1, 2}}), ValueError,
      "conv_transpose2d: output_padding must be at least 0 and smaller than the stride, and 0 with same "
      "padding: got [1, 2] with stride [2, 2].");
  CHECK_THROWS_TEXT(
      conv_transpose2d(x, ones({8, 3, 3, 4}), {},
                       {.stride = 2, .padding = Padding::same_size(), .output_padding = 1}),
      ValueError,
      "conv_transpose2d: output_padding must be at least 0 and smaller than the stride, and 0 with same "
      "padding: got [1, 1] with stride [2, 2].");
  CHECK_THROWS_TEXT(
      conv_transpose2d(ones({1, 1, 5, 4}), ones({8, 3, 3, 4}), {}, {.padding = {2, 2, 0, 0}}), ShapeError,
      "conv_transpose2d: the padding leaves nothing of x [1, 1, 5, 4]: the result would be [-1, 7]. Use "
      "less padding?");
  CHECK_THROWS_TEXT(conv_transpose2d(ones({1, 0, 5, 4}), ones({8, 3, 3, 4})), ShapeError,
                    "conv_transpose2d: the images are empty: [1, 0, 5, 4].");
  CHECK_THROWS_TEXT(conv_transpose2d(x, ones({8, 3, 3, 4}), {}, {.stride = std::int64_t{1} << 60}),
                    ShapeError,
                    "conv_transpose2d: the result of size 5 with stride 1152921504606846976 is too large.");

  const auto nearest = Interpolation::nearest;
  CHECK_THROWS_TEXT(upsample2d(ones({5, 5, 4}), 2, nearest), ShapeError,
                    "upsample2d: x must have 4 axes, got shape [5, 5, 4].");
  CHECK_THROWS_TEXT(upsample2d(ones({1, 5, 0, 4}), 2, nearest), ShapeError,
                    "upsample2d: the images are empty: [1, 5, 0, 4].");
  CHECK_THROWS_TEXT(upsample2d(x, {0, 3}, nearest), ValueError,
                    "upsample2d: the size must be in 1..2^24, got [0, 3].");
  CHECK_THROWS_TEXT(channel_shuffle(ones({4}), 2), ShapeError,
                    "channel_shuffle: x must have a batch axis and channels, got shape [4].");
  CHECK_THROWS_TEXT(channel_shuffle(x, 3), ValueError,
                    "channel_shuffle: groups must divide the 4 channels of x [1, 5, 5, 4], got 3.");
}

}  // namespace
}  // namespace linnet::test
