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
  check<ValueError>(pair.h >= 1 && pair.w >= 1, op, ": ", what, " must be at least 1, got ",
                    Shape{pair.h, pair.w}, ".");
}

void check_padding(const char* op, const Padding& p, Pair reach) {
  const auto fits = [](std::int64_t padding, std::int64_t limit) { return padding >= 0 && padding < limit; };
  const bool ok =
      fits(p.top, reach.h) && fits(p.bottom, reach.h) && fits(p.left, reach.w) && fits(p.right, reach.w);
  check<ValueError>(ok, op, ": padding must be at least 0 and smaller than the kernel: top ", p.top,
                    ", bottom ", p.bottom, ", left ", p.left, ", right ", p.right, " with kernel ",
                    Shape{reach.h, reach.w}, ". Pad the input instead?");
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
  const Shape padded{x[1] + h.before + h.after, x[2] + w.before + w.after};
  check<ShapeError>(h.out >= 1 && w.out >= 1 && padded[0] >= reach.h && padded[1] >= reach.w, op,
                    ": the kernel is larger than the padded input: kernel ", Shape{reach.h, reach.w},
                    ", input ", padded, ". Use a smaller kernel or same padding?");
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

}  // namespace linnet
