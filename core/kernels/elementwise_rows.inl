// SPDX-License-Identifier: Apache-2.0
// The rows of core/ops/*.def as structs that compute on V, for the namespace that includes this: it has m::
// for V.

enum Needs { NONE, X, Y, AB };

namespace rows {

// value(x, p, q) and slope(x, y, p, q) = dy/dx.
#define LINNET_UNARY_ROW(name, value_of_x, slope_of_x, needs)                                               \
  struct name {                                                                                             \
    static constexpr Needs kNeeds = needs;                                                                  \
    template <class V>                                                                                      \
    [[gnu::always_inline]] static V value(V x, [[maybe_unused]] V p, [[maybe_unused]] V q) {                \
      return value_of_x;                                                                                    \
    }                                                                                                       \
    template <class V>                                                                                      \
    [[gnu::always_inline]] static V slope([[maybe_unused]] V x, [[maybe_unused]] V y, [[maybe_unused]] V p, \
                                          [[maybe_unused]] V q) {                                           \
      return slope_of_x;                                                                                    \
    }                                                                                                       \
  };
#define UNARY(name, value, slope, needs, ...) LINNET_UNARY_ROW(name, value, slope, needs)
#define UNARY1(name, p_name, p_default, value, slope, needs, ...) LINNET_UNARY_ROW(name, value, slope, needs)
#define UNARY2(name, p_name, q_name, p_default, q_default, value, slope, needs, ...) \
  LINNET_UNARY_ROW(name, value, slope, needs)
#include "linnet/core/ops/unary.def"
#undef UNARY
#undef UNARY1
#undef UNARY2
#undef LINNET_UNARY_ROW

// value(a, b) and slope<side>(a, b): dy/da, dy/db.
#define BINARY(name, value_of_ab, slope_a, slope_b, needs, ...)                         \
  struct name {                                                                         \
    static constexpr Needs kNeeds = needs;                                              \
    template <class V>                                                                  \
    [[gnu::always_inline]] static V value(V a, V b) {                                   \
      return value_of_ab;                                                               \
    }                                                                                   \
    template <int kSide, class V>                                                       \
    [[gnu::always_inline]] static V slope([[maybe_unused]] V a, [[maybe_unused]] V b) { \
      if constexpr (kSide == 0)                                                         \
        return slope_a;                                                                 \
      else                                                                              \
        return slope_b;                                                                 \
    }                                                                                   \
  };
#include "linnet/core/ops/binary.def"
#undef BINARY

}  // namespace rows

/// The table of loops; scale, accumulate and all_finite come from the including namespace.
template <class T, template <class> class UnaryLoop, template <class> class BinaryLoop>
constexpr ElementwiseKernels<T> elementwise_table() {
  // clang-format off
  return {
#define UNARY(name, ...) UnaryLoop<rows::name>::value,
#define UNARY1(name, ...) UnaryLoop<rows::name>::value,
#define UNARY2(name, ...) UnaryLoop<rows::name>::value,
      {
#include "linnet/core/ops/unary.def"
      },
#undef UNARY
#undef UNARY1
#undef UNARY2
#define UNARY(name, ...) UnaryLoop<rows::name>::grad,
#define UNARY1(name, ...) UnaryLoop<rows::name>::grad,
#define UNARY2(name, ...) UnaryLoop<rows::name>::grad,
      {
#include "linnet/core/ops/unary.def"
      },
#undef UNARY
#undef UNARY1
#undef UNARY2
#define BINARY(name, ...) BinaryLoop<rows::name>::value,
      {
#include "linnet/core/ops/binary.def"
      },
#undef BINARY
#define BINARY(name, ...) BinaryLoop<rows::name>::template grad<0>,
      {{
#include "linnet/core/ops/binary.def"
       },
#undef BINARY
#define BINARY(name, ...) BinaryLoop<rows::name>::template grad<1>,
       {
#include "linnet/core/ops/binary.def"
       }},
#undef BINARY
      scale<T>, accumulate<T>, all_finite<T>};
  // clang-format on
}
