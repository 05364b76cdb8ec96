// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/window.h"

#include "linnet/core/error.h"
#include "support/check_close.h"

using namespace linnet;

namespace {

const Shape kImages{2, 9, 7, 3};

Window window(Pair kernel, Pair stride, Pair dilation, const Padding& padding) {
  return make_window("conv2d", kImages, kernel, stride, dilation, padding);
}

}  // namespace

TEST_CASE("a window without padding fits whole kernels only") {
  const Window w = window({3, 2}, {2, 3}, 1, {});
  CHECK(w.in == Pair(9, 7));
  CHECK(w.out == Pair(4, 2));  // (9 - 3) / 2 + 1, (7 - 2) / 3 + 1
  CHECK(w.top + w.bottom + w.left + w.right == 0);
}

TEST_CASE("explicit padding widens the input on each side by its own count") {
  const Window w = window(3, 1, 1, Padding(2, 0, 1, 2));
  CHECK(w.out == Pair(9, 8));
  CHECK(w.top == 2);
  CHECK(w.bottom == 0);
  CHECK(w.left == 1);
  CHECK(w.right == 2);
}

TEST_CASE("same padding gives ceil(size / stride) outputs and puts the odd one at the end") {
  for (std::int64_t stride : {1, 2, 3, 4})
    for (std::int64_t kernel : {1, 2, 3, 4, 5})
      for (std::int64_t dilation : {1, 2}) {
        const Window w = window(kernel, stride, dilation, Padding::same_size());
        CHECK(w.out == Pair((9 + stride - 1) / stride, (7 + stride - 1) / stride));
        CHECK(w.bottom - w.top >= 0);
        CHECK(w.bottom - w.top <= 1);
        CHECK(w.right - w.left >= 0);
        CHECK(w.right - w.left <= 1);
      }
  // TensorFlow, size 9, kernel 4, stride 2: total (5 - 1) 2 + 4 - 9 = 3.
  const Window w = window({4, 1}, {2, 1}, 1, Padding::same_size());
  CHECK(w.top == 1);
  CHECK(w.bottom == 2);
}

TEST_CASE("dilation spreads the kernel") { CHECK(window(3, 1, {4, 2}, {}).out == Pair(1, 3)); }

TEST_CASE("strides whose product no shape could hold are fine") {
  CHECK(window(3, {std::int64_t{1} << 40, std::int64_t{1} << 40}, 1, {}).out == Pair(1));
}

TEST_CASE("the window of a transposed convolution leads back to its input") {
  const Shape x{1, 4, 5, 1};
  for (std::int64_t kernel : {1, 2, 3, 5})
    for (std::int64_t stride : {1, 2, 3})
      for (std::int64_t extra = 0; extra < stride; ++extra)
        for (const Padding& padding : {Padding(), Padding::same_size(), Padding(kernel / 2)}) {
          const bool same = padding.kind == Padding::Kind::same;
          const Window w =
              make_transposed_window("op", x, kernel, {stride, 1}, {1, 2}, padding, {same ? 0 : extra, 0});
          CHECK(w.out == Pair(4, 5));
          CHECK(w.in.h == (same ? 4 * stride : 3 * stride + kernel - 2 * padding.top + extra));
        }
}

TEST_CASE("padding and dilation that would make the padded image overflow are refused") {
  const std::int64_t big = std::int64_t{1} << 30;
  const Padding padding{big, big - 1, big, big - 1};
  const char* text =
      "op: the padded input is too large: [2147483648, 2147483648]. Use less padding or dilation?";
  CHECK_THROWS_TEXT(make_window("op", {1, 1, 1, 4}, 2, 1, 2 * big - 1, padding), ShapeError, text);
  CHECK_THROWS_TEXT(make_transposed_window("op", {1, 1, 1, 8}, 2, 1, 2 * big - 1, padding, 0), ShapeError,
                    text);
}

TEST_CASE("windows that cannot be are refused") {
  CHECK_THROWS_TEXT(make_window("conv2d", Shape{9, 7, 3}, 3, 1, 1, {}), ShapeError,
                    "conv2d: expected x [N, H, W, C], got [9, 7, 3].");
  CHECK_THROWS_TEXT(make_window("conv2d", Shape{2, 0, 7, 3}, 1, 1, 1, {}), ShapeError,
                    "conv2d: the images are empty: [2, 0, 7, 3].");
  CHECK_THROWS_TEXT(window({0, 3}, 1, 1, {}), ValueError, "conv2d: kernel must be at least 1, got [0, 3].");
  CHECK_THROWS_TEXT(window(3, {1, 0}, 1, {}), ValueError, "conv2d: stride must be at least 1, got [1, 0].");
  CHECK_THROWS_TEXT(window(3, 1, 0, {}), ValueError, "conv2d: dilation must be at least 1, got [0, 0].");
  CHECK_THROWS_TEXT(
      window(3, 1, 1, Padding(0, 0, 3, 0)), ValueError,
      "conv2d: padding must be at least 0 and smaller than the kernel: top 0, bottom 0, left 3, right 0 "
      "with kernel [3, 3]. Pad the input instead?");
  CHECK_THROWS_TEXT(
      window(3, 1, 1, Padding(-1)), ValueError,
      "conv2d: padding must be at least 0 and smaller than the kernel: top -1, bottom -1, left -1, "
      "right -1 with kernel [3, 3]. Pad the input instead?");
  CHECK_THROWS_TEXT(window(3, {1, -1}, 1, {}), ValueError, "conv2d: stride must be at least 1, got [1, -1].");
  CHECK_THROWS_TEXT(
      window({3, 5}, 1, {1, 2}, Padding(0, 0, 0, 1)), ShapeError,
      "conv2d: the kernel is larger than the padded input: kernel [3, 9], input [9, 8]. Use a smaller "
      "kernel or same padding?");
}
