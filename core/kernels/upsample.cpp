// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/kernels/upsample.h"

#include <algorithm>
#include <array>

#include "linnet/core/parallel.h"
#include "linnet/core/tensor_impl.h"

namespace linnet::kernels {
namespace {

using Taps = std::vector<ResizeTap>;

/// The four places of x behind one of y, as offsets into an image, and their weights. Without shares only
/// the first counts.
template <class T>
struct Corners {
  std::array<std::int64_t, 4> place;
  std::array<T, 4> weight;
  int count;

  Corners(const ResizeTap& row, const ResizeTap& column, std::int64_t width, std::int64_t channels) {
    place = {(row.low * width + column.low) * channels, (row.low * width + column.high) * channels,
             (row.high * width + column.low) * channels, (row.high * width + column.high) * channels};
    const double r = row.share, c = column.share;
    weight = {static_cast<T>((1 - r) * (1 - c)), static_cast<T>((1 - r) * c), static_cast<T>(r * (1 - c)),
              static_cast<T>(r * c)};
    count = r == 0.0 && c == 0.0 ? 1 : 4;
  }
};

template <class T>
void forward(const T* x, std::int64_t width, std::int64_t channels, const Taps& rows, const Taps& columns,
             T* y) {
  for (const ResizeTap& row : rows)
    for (const ResizeTap& column : columns) {
      const Corners<T> at(row, column, width, channels);
      if (at.count == 1) {
        std::copy_n(x + at.place[0], channels, y);
      } else {
        const T *a = x + at.place[0], *b = x + at.place[1], *c = x + at.place[2], *d = x + at.place[3];
        for (std::int64_t i = 0; i < channels; ++i)
          y[i] = at.weight[0] * a[i] + at.weight[1] * b[i] + at.weight[2] * c[i] + at.weight[3] * d[i];
      }
      y += channels;
    }
}

template <class T>
void backward(const T* dy, std::int64_t width, std::int64_t channels, const Taps& rows, const Taps& columns,
              T* dx) {
  for (const ResizeTap& row : rows)
    for (const ResizeTap& column : columns) {
      const Corners<T> at(row, column, width, channels);
      for (int k = 0; k < at.count; ++k) {
        T* target = dx + at.place[k];
        for (std::int64_t i = 0; i < channels; ++i) target[i] += at.weight[k] * dy[i];
      }
      dy += channels;
    }
}

}  // namespace

std::vector<ResizeTap> nearest_taps(std::int64_t in, std::int64_t out) {
  Taps taps(static_cast<std::size_t>(out));
  for (std::int64_t i = 0; i < out; ++i) {
    const std::int64_t place = i * in / out;
    taps[static_cast<std::size_t>(i)] = {place, place, 0.0};
  }
  return taps;
}

std::vector<ResizeTap> linear_taps(std::int64_t in, std::int64_t out) {
  Taps taps(static_cast<std::size_t>(out));
  for (std::int64_t i = 0; i < out; ++i) {
    // (i + 1/2) in / out - 1/2 = ((2 i + 1) in - out) / (2 out)
    const std::int64_t above = std::max<std::int64_t>((2 * i + 1) * in - out, 0), low = above / (2 * out);
    const double share = static_cast<double>(above % (2 * out)) / static_cast<double>(2 * out);
    const bool last = low + 1 >= in;
    taps[static_cast<std::size_t>(i)] = {low, last ? low : low + 1, last ? 0.0 : share};
  }
  return taps;
}

Tensor upsample2d(const Tensor& x, const Taps& rows, const Taps& columns) {
  const auto height = static_cast<std::int64_t>(rows.size()),
             width = static_cast<std::int64_t>(columns.size());
  Tensor y = Tensor::empty({x.dim(0), height, width, x.dim(3)}, x.dtype());
  const std::int64_t from = x.dim(1) * x.dim(2) * x.dim(3), to = height * width * x.dim(3);
  dispatch_float("upsample2d", x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    parallel_for(x.dim(0), 4 * y.size(), [&](std::int64_t n) {
      forward(readable<T>(x) + n * from, x.dim(2), x.dim(3), rows, columns, writable<T>(y) + n * to);
    });
  });
  return y;
}

Tensor upsample2d_grad(const Tensor& dy, const Shape& x, const Taps& rows, const Taps& columns) {
  Tensor dx = Tensor::zeros(x, dy.dtype());
  const std::int64_t to = x[1] * x[2] * x[3], from = dy.dim(1) * dy.dim(2) * dy.dim(3);
  dispatch_float("upsample2d", dy.dtype(), [&](auto zero) {
    using T = decltype(zero);
    parallel_for(x[0], 4 * dy.size(), [&](std::int64_t n) {
      backward(readable<T>(dy) + n * from, x[2], x[3], rows, columns, writable<T>(dx) + n * to);
    });
  });
  return dx;
}

}  // namespace linnet::kernels
