// SPDX-License-Identifier: Apache-2.0
#pragma once
// Pooling as its formula reads, one place after the other: what f64 runs on, and the twin of the fast
// kernels.

#include <algorithm>
#include <cstdint>

#include "linnet/core/kernels/pool_table.h"

namespace linnet::kernels::naive {

/// Calls body(place in y, place in x, number of the tap, counted taps) for every tap inside the image.
template <class Body>
void for_each_tap(const PoolSizes& p, Body body) {
  for (std::ptrdiff_t i = 0; i < p.YH; ++i)
    for (std::ptrdiff_t j = 0; j < p.YW; ++j) {
      const std::ptrdiff_t h = i * p.stride_h - p.top, w = j * p.stride_w - p.left;
      const std::ptrdiff_t h0 = std::max<std::ptrdiff_t>(h, 0), h1 = std::min(h + p.KH, p.H);
      const std::ptrdiff_t w0 = std::max<std::ptrdiff_t>(w, 0), w1 = std::min(w + p.KW, p.W);
      for (std::ptrdiff_t r = h0; r < h1; ++r)
        for (std::ptrdiff_t q = w0; q < w1; ++q)
          for (std::ptrdiff_t c = 0; c < p.C; ++c)
            body((i * p.YW + j) * p.C + c, (r * p.W + q) * p.C + c, (r - h) * p.KW + (q - w),
                 (h1 - h0) * (w1 - w0));
    }
}

template <class T, class I>
void max_forward(const PoolSizes& p, const T* x, T* y, I* index) {
  std::fill_n(index, p.YH * p.YW * p.C, I(-1));
  for_each_tap(p, [&](std::ptrdiff_t to, std::ptrdiff_t from, std::ptrdiff_t tap, std::ptrdiff_t) {
    const bool first = index[to] == I(-1);
    const bool larger = !(x[from] <= y[to]) && y[to] == y[to];  // a NaN wins and stays
    if (!first && !larger) return;
    y[to] = x[from];
    index[to] = static_cast<I>(tap);
  });
}

template <class T, class I>
void max_backward(const PoolSizes& p, const T* dy, const I* index, T* dx) {
  std::fill_n(dx, p.H * p.W * p.C, T(0));
  for_each_tap(p, [&](std::ptrdiff_t from, std::ptrdiff_t to, std::ptrdiff_t tap, std::ptrdiff_t) {
    if (index[from] == static_cast<I>(tap)) dx[to] += dy[from];
  });
}

template <class T>
void average_forward(const PoolSizes& p, const T* x, T* y) {
  std::fill_n(y, p.YH * p.YW * p.C, T(0));
  for_each_tap(p, [&](std::ptrdiff_t to, std::ptrdiff_t from, std::ptrdiff_t, std::ptrdiff_t taps) {
    y[to] += x[from] / static_cast<T>(taps);
  });
}

template <class T>
void average_backward(const PoolSizes& p, const T* dy, T* dx) {
  std::fill_n(dx, p.H * p.W * p.C, T(0));
  for_each_tap(p, [&](std::ptrdiff_t from, std::ptrdiff_t to, std::ptrdiff_t, std::ptrdiff_t taps) {
    dx[to] += dy[from] / static_cast<T>(taps);
  });
}

}  // namespace linnet::kernels::naive
