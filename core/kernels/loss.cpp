// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/kernels/loss.h"

#include <cmath>

#include "linnet/core/kernels/elementwise.h"
#include "linnet/core/kernels/loop_nest.h"
#include "linnet/core/kernels/reduce.h"
#include "linnet/core/kernels/select.h"
#include "linnet/core/tensor_impl.h"

namespace linnet::kernels {
namespace {

LINNET_FLOAT_TABLE(LossKernels, losses, naive_loss)

double divisor_of(const LossTerms& terms, const Tensor& a) {
  return terms.divisor > 0.0 ? terms.divisor : static_cast<double>(a.size());
}

template <class T>
const T* weights_from(const LossTerms& terms, std::int64_t begin) {
  return terms.weights.defined() ? readable<T>(terms.weights) + begin : nullptr;
}

template <class T>
double row_weight(const Tensor& weights, std::int64_t row) {
  return weights.defined() ? static_cast<double>(readable<T>(weights)[row]) : 1.0;
}

/// a.b, |a| and |b| of one row.
struct RowProducts {
  double dot = 0.0, a = 0.0, b = 0.0;
  bool directed() const { return !(a <= 1e-8 || b <= 1e-8); }  // NaN goes on
  double cosine() const { return directed() ? dot / (a * b) : 0.0; }
};

template <class T>
RowProducts row_products(const T* a, const T* b, std::int64_t n) {
  double dot = 0.0, aa = 0.0, bb = 0.0;
  for (std::int64_t i = 0; i < n; ++i) {
    const auto x = static_cast<double>(a[i]), y = static_cast<double>(b[i]);
    dot += x * y;
    aa += x * x;
    bb += y * y;
  }
  return {dot, std::sqrt(aa), std::sqrt(bb)};
}

}  // namespace

Tensor elementwise_loss(Loss loss, const Tensor& a, const Tensor& b, const LossTerms& terms) {
  const int which = static_cast<int>(loss);
  const std::int64_t n = a.size(), tiles = std::max<std::int64_t>(1, (n + kTileElements - 1) / kTileElements);
  Tensor partial = Tensor::empty({tiles}, a.dtype());
  dispatch_float("loss", a.dtype(), [&](auto zero) {
    using T = decltype(zero);
    for_tiles(n, 4, [&](std::int64_t begin, std::int64_t count) {
      writable<T>(partial)[begin / kTileElements] = losses_kernels<T>().sum[which](
          readable<T>(a) + begin, readable<T>(b) + begin, weights_from<T>(terms, begin), count,
          static_cast<T>(terms.parameter));
    });
  });
  return scale(sum(partial), 1.0 / divisor_of(terms, a));
}

Tensor elementwise_loss_grad(Loss loss, int side, const Tensor& a, const Tensor& b, const LossTerms& terms,
                             const Tensor& dy) {
  const int which = static_cast<int>(loss);
  Tensor dx = Tensor::empty(a.shape(), a.dtype());
  dispatch_float("loss", a.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T factor = static_cast<T>(static_cast<double>(*readable<T>(dy)) / divisor_of(terms, a));
    for_tiles(a.size(), 4, [&](std::int64_t begin, std::int64_t count) {
      losses_kernels<T>().grad[side][which](readable<T>(a) + begin, readable<T>(b) + begin,
                                            weights_from<T>(terms, begin), writable<T>(dx) + begin, count,
                                            static_cast<T>(terms.parameter), factor);
    });
  });
  return dx;
}

Tensor cosine_loss(const Tensor& a, const Tensor& b, const Tensor& weights) {
  const std::int64_t n = a.shape().back(), rows = a.size() / n;
  Tensor losses = Tensor::empty({rows}, a.dtype());
  dispatch_float("cosine_loss", a.dtype(), [&](auto zero) {
    using T = decltype(zero);
    for_row_tiles(rows, n, 4, [&](std::int64_t first, std::int64_t end) {
      for (std::int64_t r = first; r < end; ++r) {
        const double weight = row_weight<T>(weights, r);
        const RowProducts row = row_products(readable<T>(a) + r * n, readable<T>(b) + r * n, n);
        writable<T>(losses)[r] = static_cast<T>(weight == 0.0 ? 0.0 : weight * (1.0 - row.cosine()));
      }
    });
  });
  return scale(sum(losses), 1.0 / static_cast<double>(rows));
}

// d/da of -a.b / (|a| |b|) = (cos a / |a| - b / |b|) / |a|.
Tensor cosine_loss_grad(const Tensor& a, const Tensor& b, const Tensor& weights, const Tensor& dy) {
  const std::int64_t n = a.shape().back(), rows = a.size() / n;
  Tensor dx = Tensor::zeros(a.shape(), a.dtype());
  dispatch_float("cosine_loss", a.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const double scale = static_cast<double>(*readable<T>(dy)) / static_cast<double>(rows);
    for_row_tiles(rows, n, 6, [&](std::int64_t first, std::int64_t end) {
      for (std::int64_t r = first; r < end; ++r) {
        const double weight = row_weight<T>(weights, r), factor = scale * weight;
        if (weight == 0.0) continue;
        const T *x = readable<T>(a) + r * n, *y = readable<T>(b) + r * n;
        const RowProducts row = row_products(x, y, n);
        const double along_x = row.directed() ? factor * row.cosine() / (row.a * row.a) : 0.0;
        const double along_y = row.directed() ? factor / (row.a * row.b) : 0.0;
        for (std::int64_t i = 0; i < n; ++i)
          writable<T>(dx)[r * n + i] =
              static_cast<T>(along_x * static_cast<double>(x[i]) - along_y * static_cast<double>(y[i]));
      }
    });
  });
  return dx;
}

}  // namespace linnet::kernels
