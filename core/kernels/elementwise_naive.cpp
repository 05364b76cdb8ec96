// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/kernels/elementwise_table.h"
#include "linnet/core/kernels/scalar_math.h"

namespace linnet::kernels {
namespace scalar {

template <class T>
void scale(const T* x, T* y, std::ptrdiff_t n, T factor) {
  for (std::ptrdiff_t i = 0; i < n; ++i) y[i] = factor * x[i];
}

template <class T>
void accumulate(const T* x, T* y, std::ptrdiff_t n, T factor) {
  for (std::ptrdiff_t i = 0; i < n; ++i) y[i] += factor * x[i];
}

template <class T>
bool all_finite(const T* x, std::ptrdiff_t n) {
  for (std::ptrdiff_t i = 0; i < n; ++i)
    if (!std::isfinite(x[i])) return false;
  return true;
}

#include "linnet/core/kernels/elementwise_rows.inl"

template <class T>
struct Loops {
  template <class Row>
  struct Unary {
    static void value(const T* x, T* y, std::ptrdiff_t n, T p, T q) {
      for (std::ptrdiff_t i = 0; i < n; ++i) y[i] = Row::value(x[i], p, q);
    }
    static void grad(const T* x, const T* y, const T* dy, T* dx, std::ptrdiff_t n, T p, T q) {
      for (std::ptrdiff_t i = 0; i < n; ++i)
        dx[i] = dy[i] * Row::slope(Row::kNeeds == X ? x[i] : T(0), Row::kNeeds == Y ? y[i] : T(0), p, q);
    }
  };

  template <class Row>
  struct Binary {
    static void value(const T* a, const T* b, T* y, const Plane& plane) {
      for (std::ptrdiff_t row = 0; row < plane.rows; ++row, a += plane.a_row, b += plane.b_row)
        for (std::ptrdiff_t i = 0; i < plane.n; ++i)
          *y++ = Row::value(a[i * plane.a_step], b[i * plane.b_step]);
    }
    template <int kSide>
    static void grad(const T* a, const T* b, const T* dy, T* dx, const Plane& plane) {
      for (std::ptrdiff_t row = 0; row < plane.rows; ++row)
        for (std::ptrdiff_t i = 0; i < plane.n; ++i) {
          const bool read = Row::kNeeds == AB;
          const T va = read ? a[row * plane.a_row + i * plane.a_step] : T(0);
          const T vb = read ? b[row * plane.b_row + i * plane.b_step] : T(0);
          *dx++ = *dy++ * Row::template slope<kSide>(va, vb);
        }
    }
  };
};

}  // namespace scalar

template <class T>
const ElementwiseKernels<T>& naive_elementwise() {
  using Loops = scalar::Loops<T>;
  static constexpr auto table = scalar::elementwise_table<T, Loops::template Unary, Loops::template Binary>();
  return table;
}
template const ElementwiseKernels<float>& naive_elementwise<float>();
template const ElementwiseKernels<double>& naive_elementwise<double>();

}  // namespace linnet::kernels
