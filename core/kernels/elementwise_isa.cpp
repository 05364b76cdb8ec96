// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/kernels/elementwise_table.h"
#include "linnet/core/kernels/vec_loop.h"

namespace linnet::kernels::LINNET_ISA {

template <class T>
void scale(const T* x, T* y, std::ptrdiff_t n, T factor) {
  const F f(factor);
  for_vectors(n,
              [=](std::ptrdiff_t i, auto at) LINNET_INLINE_LAMBDA { at.store(f * at.load(x + i), y + i); });
}

template <class T>
void accumulate(const T* x, T* y, std::ptrdiff_t n, T factor) {
  const F f(factor);
  for_vectors(n, [=](std::ptrdiff_t i, auto at)
                     LINNET_INLINE_LAMBDA { at.store(madd(f, at.load(x + i), at.load(y + i)), y + i); });
}

/// 0 x is NaN for an infinite x and for NaN, else a zero.
template <class T>
bool all_finite(const T* x, std::ptrdiff_t n) {
  const float zero =
      sum_of(n, [=](std::ptrdiff_t i, auto at) LINNET_INLINE_LAMBDA { return at.load(x + i) * F(0); });
  return zero == 0.0f;
}

#include "linnet/core/kernels/elementwise_rows.inl"

template <class Row>
struct UnaryLoop {
  static void value(const float* x, float* y, std::ptrdiff_t n, float p, float q) {
    const F vp(p), vq(q);
    for_vectors(n, [=](std::ptrdiff_t i, auto at)
                       LINNET_INLINE_LAMBDA { at.store(Row::value(at.load(x + i), vp, vq), y + i); });
  }

  static void grad(const float* x, const float* y, const float* dy, float* dx, std::ptrdiff_t n, float p,
                   float q) {
    const F vp(p), vq(q);
    for_vectors(n, [=](std::ptrdiff_t i, auto at) LINNET_INLINE_LAMBDA {
      const F vx = Row::kNeeds == X ? at.load(x + i) : F(0);
      const F vy = Row::kNeeds == Y ? at.load(y + i) : F(0);
      at.store(at.load(dy + i) * Row::slope(vx, vy, vp, vq), dx + i);
    });
  }
};

/// One operand of a row: its next vector, or the one value that stands for the whole row.
struct Moving {
  const float* p;
  template <class At>
  LINNET_INLINE F operator()(std::ptrdiff_t i, At at) const {
    return at.load(p + i);
  }
};
struct Still {
  F x;
  LINNET_INLINE explicit Still(const float* p) : x(*p) {}
  template <class At>
  LINNET_INLINE F operator()(std::ptrdiff_t, At) const {
    return x;
  }
};

/// body(a, b, row) for each row of the plane, with a and b each Moving or Still.
template <class Body>
LINNET_INLINE void for_rows(const float* a, const float* b, const Plane& plane, Body body) {
  for (std::ptrdiff_t row = 0; row < plane.rows; ++row, a += plane.a_row, b += plane.b_row) {
    if (plane.a_step && plane.b_step)
      body(Moving{a}, Moving{b}, row * plane.n);
    else if (plane.a_step)
      body(Moving{a}, Still(b), row * plane.n);
    else if (plane.b_step)
      body(Still(a), Moving{b}, row * plane.n);
    else
      body(Still(a), Still(b), row * plane.n);
  }
}

template <class Row>
struct BinaryLoop {
  static void value(const float* a, const float* b, float* y, const Plane& plane) {
    const std::ptrdiff_t n = plane.n;
    for_rows(a, b, plane, [=](auto va, auto vb, std::ptrdiff_t base) LINNET_INLINE_LAMBDA {
      for_vectors(n, [=](std::ptrdiff_t i, auto at)
                         LINNET_INLINE_LAMBDA { at.store(Row::value(va(i, at), vb(i, at)), y + base + i); });
    });
  }

  template <int kSide>
  static void grad(const float* a, const float* b, const float* dy, float* dx, const Plane& plane) {
    const std::ptrdiff_t n = plane.n;
    if constexpr (Row::kNeeds == NONE) {
      for_vectors(plane.rows * n, [=](std::ptrdiff_t i, auto at) LINNET_INLINE_LAMBDA {
        at.store(at.load(dy + i) * Row::template slope<kSide>(F(0), F(0)), dx + i);
      });
    } else {
      for_rows(a, b, plane, [=](auto va, auto vb, std::ptrdiff_t base) LINNET_INLINE_LAMBDA {
        for_vectors(n, [=](std::ptrdiff_t i, auto at) LINNET_INLINE_LAMBDA {
          const F slope = Row::template slope<kSide>(va(i, at), vb(i, at));
          at.store(at.load(dy + base + i) * slope, dx + base + i);
        });
      });
    }
  }
};

constinit const ElementwiseKernels<float> elementwise = elementwise_table<float, UnaryLoop, BinaryLoop>();

}  // namespace linnet::kernels::LINNET_ISA
