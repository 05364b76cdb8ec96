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

}  // namespace linnet::nn
