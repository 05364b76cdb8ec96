// SPDX-License-Identifier: Apache-2.0
#pragma once
// Products and convolutions as their formulas read, for any element type: what f64 runs on (products without
// BLAS, and all convolutions), and the twin that the fast kernels are tested against.
//
// N images, H x W, C channels in, O out, G groups; x [N, H, W, C], weight [O, kh, kw, C/G], y [N, H', W', O].

#include <cstdint>

#include "linnet/core/window.h"

namespace linnet::kernels::naive {

/// c [rows, columns] = a x b; element (i, k) of a is a[i * a_row + k * a_term], (k, j) of b is b[k * b_term +
/// j * b_column].
template <class T>
void matmul(std::int64_t rows, std::int64_t columns, std::int64_t terms, const T* a, std::int64_t a_row,
            std::int64_t a_term, const T* b, std::int64_t b_term, std::int64_t b_column, T* c) {
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t j = 0; j < columns; ++j) {
      T sum = 0;
      for (std::int64_t k = 0; k < terms; ++k)
        sum += a[i * a_row + k * a_term] * b[k * b_term + j * b_column];
      c[i * columns + j] = sum;
    }
}

/// y = max(y, 0); NaN and -0 stay.
template <class T>
void relu(std::int64_t size, T* y) {
  for (std::int64_t i = 0; i < size; ++i) y[i] = T(0) > y[i] ? T(0) : y[i];
}

/// Calls body(output place, input place, weight place) for every product of a convolution. Output and weight
/// places are those of output channel o and input channel c.
template <class Body>
void for_each_product(std::int64_t images, std::int64_t channels, std::int64_t outputs, std::int64_t groups,
                      const Window& w, Body body) {
  const std::int64_t group_in = channels / groups, group_out = outputs / groups;
  for (std::int64_t n = 0; n < images; ++n)
    for (std::int64_t i = 0; i < w.out.h; ++i)
      for (std::int64_t j = 0; j < w.out.w; ++j)
        for (std::int64_t kh = 0; kh < w.kernel.h; ++kh)
          for (std::int64_t kw = 0; kw < w.kernel.w; ++kw) {
            const std::int64_t h = i * w.stride.h + kh * w.dilation.h - w.top;
            const std::int64_t v = j * w.stride.w + kw * w.dilation.w - w.left;
            if (h < 0 || h >= w.in.h || v < 0 || v >= w.in.w) continue;
            const std::int64_t y = ((n * w.out.h + i) * w.out.w + j) * outputs;
            const std::int64_t x = ((n * w.in.h + h) * w.in.w + v) * channels;
            for (std::int64_t o = 0; o < outputs; ++o)
              for (std::int64_t c = 0; c < group_in; ++c)
                body(y + o, x + o / group_out * group_in + c,
                     ((o * w.kernel.h + kh) * w.kernel.w + kw) * group_in + c);
          }
}

/// y starts as the bias or zeros, dx and dweight as zeros.
template <class T>
void conv2d(std::int64_t images, std::int64_t channels, std::int64_t outputs, std::int64_t groups,
            const Window& w, const T* x, const T* weight, T* y) {
  for_each_product(
      images, channels, outputs, groups, w,
      [&](std::int64_t to, std::int64_t from, std::int64_t place) { y[to] += x[from] * weight[place]; });
}
template <class T>
void conv2d_grad_input(std::int64_t images, std::int64_t channels, std::int64_t outputs, std::int64_t groups,
                       const Window& w, const T* dy, const T* weight, T* dx) {
  for_each_product(
      images, channels, outputs, groups, w,
      [&](std::int64_t to, std::int64_t from, std::int64_t place) { dx[from] += dy[to] * weight[place]; });
}
template <class T>
void conv2d_grad_weight(std::int64_t images, std::int64_t channels, std::int64_t outputs, std::int64_t groups,
                        const Window& w, const T* dy, const T* x, T* dweight) {
  for_each_product(
      images, channels, outputs, groups, w,
      [&](std::int64_t to, std::int64_t from, std::int64_t place) { dweight[place] += dy[to] * x[from]; });
}

}  // namespace linnet::kernels::naive
