// SPDX-License-Identifier: Apache-2.0
#include "linnet/nn/padding.h"

#include "linnet/core/error.h"

namespace linnet::nn {

std::string describe(const Pair& pair) { return concat({pair.h, "x", pair.w}); }

std::string describe(const Padding& padding) {
  if (padding.kind == Padding::Kind::same) return "same";
  if (padding == Padding(padding.top)) return concat({padding.top});
  return concat({padding.top, "/", padding.bottom, "/", padding.left, "/", padding.right});
}

std::string describe(const Padding1D& padding) {
  const Padding& p = padding.sides;
  if (p.kind == Padding::Kind::same) return "same";
  return p.left == p.right ? concat({p.left}) : concat({p.left, "/", p.right});
}

std::string describe_window(const Pair& kernel, const Pair& stride, const Pair& dilation,
                            const Padding& padding) {
  std::string text = ", kernel " + describe(kernel);
  if (stride != Pair(1)) text += ", stride " + describe(stride);
  if (dilation != Pair(1)) text += ", dilation " + describe(dilation);
  if (padding != valid) text += ", padding " + describe(padding);
  return text;
}

std::string describe_window(std::int64_t kernel, std::int64_t stride, std::int64_t dilation,
                            const Padding1D& padding) {
  std::string text = concat({", kernel ", kernel});
  if (stride != 1) text += concat({", stride ", stride});
  if (dilation != 1) text += concat({", dilation ", dilation});
  if (padding.sides != valid) text += ", padding " + describe(padding);
  return text;
}

void check_window(const char* layer, const Pair& kernel, const Pair& stride, const Pair& dilation,
                  const Padding& padding) {
  const auto positive = [&](const char* what, const Pair& pair) {
    check<ValueError>(pair.h >= 1 && pair.w >= 1, layer, ": ", what, " must be at least 1x1, got ",
                      describe(pair), ".");
  };
  positive("kernel", kernel);
  positive("stride", stride);
  positive("dilation", dilation);
  check<ValueError>(padding.top >= 0 && padding.bottom >= 0 && padding.left >= 0 && padding.right >= 0, layer,
                    ": padding must not be negative, got ", describe(padding),
                    ". Use slice to cut a border off.");
}

void check_window(const char* layer, std::int64_t kernel, std::int64_t stride, std::int64_t dilation,
                  const Padding1D& padding) {
  const auto positive = [&](const char* what, std::int64_t value) {
    check<ValueError>(value >= 1, layer, ": ", what, " must be at least 1, got ", value, ".");
  };
  positive("kernel", kernel);
  positive("stride", stride);
  positive("dilation", dilation);
  check<ValueError>(padding.sides.left >= 0 && padding.sides.right >= 0, layer,
                    ": padding must not be negative, got ", describe(padding),
                    ". Use slice to cut an end off.");
}

}  // namespace linnet::nn
