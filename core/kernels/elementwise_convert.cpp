// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <limits>
#include <utility>

#include "linnet/core/kernels/elementwise.h"
#include "linnet/core/kernels/loop_nest.h"
#include "linnet/core/tensor_impl.h"

namespace linnet::kernels {
namespace {

/// Whole numbers saturate, also when they come from floats; NaN becomes 0.
template <class To, class From>
To converted(From x) {
  using Limits = std::numeric_limits<To>;
  if constexpr (std::is_floating_point_v<To>) {
    return static_cast<To>(x);
  } else if constexpr (std::is_floating_point_v<From>) {
    // As doubles the limits of i64 are 2^63 and -2^63: every double strictly between them fits.
    if (x != x) return 0;
    if (static_cast<double>(x) <= static_cast<double>(Limits::min())) return Limits::min();
    if (static_cast<double>(x) >= static_cast<double>(Limits::max())) return Limits::max();
    return static_cast<To>(x);
  } else {
    if (std::cmp_less(x, Limits::min())) return Limits::min();
    if (std::cmp_greater(x, Limits::max())) return Limits::max();
    return static_cast<To>(x);
  }
}

}  // namespace

Tensor convert(const Tensor& x, DType dtype) {
  Tensor y = Tensor::empty(x.shape(), dtype);
  dispatch(x.dtype(), [&](auto from_zero) {
    using From = decltype(from_zero);
    dispatch(dtype, [&](auto to_zero) {
      using To = decltype(to_zero);
      for_tiles(x.size(), 1, [&](std::int64_t begin, std::int64_t n) {
        const From* from = readable<From>(x) + begin;
        To* to = writable<To>(y) + begin;
        for (std::int64_t i = 0; i < n; ++i) to[i] = converted<To>(from[i]);
      });
    });
  });
  return y;
}

}  // namespace linnet::kernels
