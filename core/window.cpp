// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/window.h"

#include <algorithm>

#include "linnet/core/error.h"

namespace linnet {
namespace {

/// One axis of a window, resolved.
struct Extent {
  std::int64_t out, before, after;
};

std::int64_t dilated(std::int64_t kernel, std::int64_t dilation) { return (kernel - 1) * dilation + 1; }

Extent same_extent(std::int64_t in, std::int64_t reach, std::int64_t stride) {
  const std::int64_t out = (in + stride - 1) / stride;
  const std::int64_t total = std::max<std::int64_t>((out - 1) * stride + reach - in, 0);
  return {out, total / 2, total - total / 2};
}

Extent given_extent(std::int64_t in, std::int64_t reach, std::int64_t stride, std::int64_t before,
                    std::int64_t after) {
  const std::int64_t room = in + before + after - reach;
  return {room < 0 ? 0 : room / stride + 1, before, after};
}

void check_positive(const char* op, const char* what, Pair pair) {
  check<ValueError>(pair.h >= 1 && pair.w >= 1, op, ": ", what, " must be at least 1, got [", pair.h, ", ",
                    pair.w, "].");
}

void check_padding(const char* op, const Padding& p, Pair reach) {
  const auto fits = [](std::int64_t padding, std::int64_t limit) { return padding >= 0 && padding < limit; };
  const bool ok =
      fits(p.top, reach.h) && fits(p.bottom, reach.h) && fits(p.left, reach.w) && fits(p.right, reach.w);
  check<ValueError>(ok, op, ": padding must be at least 0 and smaller than the kernel: top ", p.top,
                    ", bottom ", p.bottom, ", left ", p.left, ", right ", p.right, " with kernel [", reach.h,
                    ", ", reach.w, "]. Pad the input instead?");
}

/// Size of one axis after a transposed convolution with given padding.
std::int64_t transposed_size(const char* op, std::int64_t in, std::int64_t reach, std::int64_t stride,
                             std::int64_t padding, std::int64_t extra) {
  constexpr std::int64_t kLargest = std::int64_t{1} << 60;  // room for the terms that are added
  std::int64_t size = 0;
  check<ShapeError>(!__builtin_mul_overflow(in, stride, &size) && size < kLargest, op,
                    ": the result of size ", in, " with stride ", stride, " is too large.");
  return size - stride + reach - padding + extra;
}

}  // namespace

Window make_window(const char* op, const Shape& x, Pair kernel, Pair stride, Pair dilation,
                   const Padding& padding) {
  check<ShapeError>(x.rank() == 4, op, ": expected x [N, H, W, C], got ", x, ".");
  check<ShapeError>(x[1] >= 1 && x[2] >= 1, op, ": the images are empty: ", x, ".");
  check_positive(op, "kernel", kernel);
  check_positive(op, "stride", stride);
  check_positive(op, "dilation", dilation);
  const bool same = padding.kind == Padding::Kind::same;
  const Pair reach(dilated(kernel.h, dilation.h), dilated(kernel.w, dilation.w));
  if (!same) check_padding(op, padding, reach);

  const Extent h = same ? same_extent(x[1], reach.h, stride.h)
                        : given_extent(x[1], reach.h, stride.h, padding.top, padding.bottom);
  const Extent w = same ? same_extent(x[2], reach.w, stride.w)
                        : given_extent(x[2], reach.w, stride.w, padding.left, padding.right);
  const Pair padded(x[1] + h.before + h.after, x[2] + w.before + w.after);
  // Kernels keep a padded image in scratch: its size times any number of channels stays within 64 bits.
  constexpr std::int64_t kLargestImage = std::int64_t{1} << 32;
  check<ShapeError>(
      padded.h <= kLargestImage && padded.w <= kLargestImage / std::max<std::int64_t>(padded.h, 1), op,
      ": the padded input is too large: [", padded.h, ", ", padded.w, "]. Use less padding or dilation?");
  check<ShapeError>(h.out >= 1 && w.out >= 1 && padded.h >= reach.h && padded.w >= reach.w, op,
                    ": the kernel is larger than the padded input: kernel [", reach.h, ", ", reach.w,
                    "], input [", padded.h, ", ", padded.w, "]. Use a smaller kernel or same padding?");
  return {.in = Pair(x[1], x[2]),
          .out = Pair(h.out, w.out),
          .kernel = kernel,
          .stride = stride,
          .dilation = dilation,
          .top = h.before,
          .left = w.before,
          .bottom = h.after,
          .right = w.after};
}

Window make_transposed_window(const char* op, const Shape& x, Pair kernel, Pair stride, Pair dilation,
                              const Padding& padding, Pair extra) {
  check<ShapeError>(x.rank() == 4, op, ": expected x [N, H, W, C], got ", x, ".");
  check<ShapeError>(x[1] >= 1 && x[2] >= 1, op, ": the images are empty: ", x, ".");
  check_positive(op, "kernel", kernel);
  check_positive(op, "stride", stride);
  check_positive(op, "dilation", dilation);
  const bool same = padding.kind == Padding::Kind::same;
  const Pair most = same ? Pair(1) : stride;
  check<ValueError>(
      extra.h >= 0 && extra.w >= 0 && extra.h < most.h && extra.w < most.w, op,
      ": output_padding must be at least 0 and smaller than the stride, and 0 with same padding:"
      " got [",
      extra.h, ", ", extra.w, "] with stride [", stride.h, ", ", stride.w, "].");
  const Pair reach(dilated(kernel.h, dilation.h), dilated(kernel.w, dilation.w));
  if (!same) check_padding(op, padding, reach);
  const auto size = [&](std::int64_t in, std::int64_t r, std::int64_t s, std::int64_t pads, std::int64_t e) {
    return same ? transposed_size(op, in, s, s, 0, 0) : transposed_size(op, in, r, s, pads, e);
  };
  const Pair result(size(x[1], reach.h, stride.h, padding.top + padding.bottom, extra.h),
                    size(x[2], reach.w, stride.w, padding.left + padding.right, extra.w));
  check<ShapeError>(result.h >= 1 && result.w >= 1, op, ": the padding leaves nothing of x ", x,
                    ": the result would be [", result.h, ", ", result.w, "]. Use less padding?");
  return make_window(op, {x[0], result.h, result.w, x[3]}, kernel, stride, dilation, padding);
}

}  // namespace linnet
