// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/kernels/norm_table.h"
#include "linnet/core/kernels/vec_loop.h"

namespace linnet::kernels::LINNET_ISA {

using Size = std::ptrdiff_t;

// ---- columns: the sums of a column are in its own lane, so no width of vectors changes their order
// ----------

template <int kVectors, class At>
LINNET_INLINE void moments_of(const float* x, const Block& block, float* shift, float* sum, float* squares,
                              At at) {
  F first[kVectors], s[kVectors], q[kVectors];
  for (int v = 0; v < kVectors; ++v) {
    first[v] = at.load(x + v * kLanes);
    s[v] = q[v] = F(0);
  }
  for (Size r = 1; r < block.rows; ++r) {
    x += block.stride;
    for (int v = 0; v < kVectors; ++v) {
      const F d = at.load(x + v * kLanes) - first[v];
      s[v] += d;
      q[v] = madd(d, d, q[v]);
    }
  }
  for (int v = 0; v < kVectors; ++v) {
    at.store(first[v], shift + v * kLanes);
    at.store(s[v], sum + v * kLanes);
    at.store(q[v], squares + v * kLanes);
  }
}

static void column_moments(const float* x, const Block& block, float* shift, float* sum, float* squares) {
  Size c = 0;
  for (; c + 4 * kLanes <= block.columns; c += 4 * kLanes)
    moments_of<4>(x + c, block, shift + c, sum + c, squares + c, WholeVector{});
  for (; c + kLanes <= block.columns; c += kLanes)
    moments_of<1>(x + c, block, shift + c, sum + c, squares + c, WholeVector{});
  if (c < block.columns)
    moments_of<1>(x + c, block, shift + c, sum + c, squares + c, PartOfVector{block.columns - c});
}

/// The per-column numbers of a group of columns.
struct Coefficients {
  const float *mean, *scale, *offset;
};

template <int kVectors, class At>
LINNET_INLINE void grad_sums_of(const float* x, const float* dy, const Block& block, const Coefficients& of,
                                float* sum, float* product, At at) {
  F mean[kVectors], scale[kVectors], offset[kVectors], s[kVectors], p[kVectors];
  for (int v = 0; v < kVectors; ++v) {
    mean[v] = at.load(of.mean + v * kLanes);
    scale[v] = at.load(of.scale + v * kLanes);
    offset[v] = at.load(of.offset + v * kLanes);
    s[v] = p[v] = F(0);
  }
  for (Size r = 0; r < block.rows; ++r, x += block.stride, dy += block.stride)
    for (int v = 0; v < kVectors; ++v) {
      const F g = at.load(dy + v * kLanes);
      s[v] += g;
      p[v] = madd(g, madd(at.load(x + v * kLanes) - mean[v], scale[v], offset[v]), p[v]);
    }
  for (int v = 0; v < kVectors; ++v) {
    at.store(s[v], sum + v * kLanes);
    at.store(p[v], product + v * kLanes);
  }
}

static void column_grad_sums(const float* x, const float* dy, const Block& block, const float* mean,
                             const float* scale, const float* offset, float* sum, float* product) {
  Size c = 0;
  const auto of = [&](Size from) LINNET_INLINE_LAMBDA {
    return Coefficients{mean + from, scale + from, offset + from};
  };
  for (; c + 2 * kLanes <= block.columns; c += 2 * kLanes)
    grad_sums_of<2>(x + c, dy + c, block, of(c), sum + c, product + c, WholeVector{});
  for (; c + kLanes <= block.columns; c += kLanes)
    grad_sums_of<1>(x + c, dy + c, block, of(c), sum + c, product + c, WholeVector{});
  if (c < block.columns)
    grad_sums_of<1>(x + c, dy + c, block, of(c), sum + c, product + c, PartOfVector{block.columns - c});
}

static void column_apply(const float* x, float* y, const Block& block, const float* mean, const float* scale,
                         const float* offset) {
  for (Size r = 0; r < block.rows; ++r, x += block.stride, y += block.stride)
    for_vectors(block.columns, [=](Size i, auto at) LINNET_INLINE_LAMBDA {
      at.store(madd(at.load(x + i) - at.load(mean + i), at.load(scale + i), at.load(offset + i)), y + i);
    });
}

static void column_grad(const float* x, const float* dy, float* dx, const Block& block, const float* mean,
                        const float* a, const float* b, const float* c) {
  for (Size r = 0; r < block.rows; ++r, x += block.stride, dy += block.stride, dx += block.stride)
    for_vectors(block.columns, [=](Size i, auto at) LINNET_INLINE_LAMBDA {
      const F rest = madd(at.load(b + i), at.load(x + i) - at.load(mean + i), at.load(c + i));
      at.store(madd(at.load(a + i), at.load(dy + i), rest), dx + i);
    });
}

constinit const ColumnNormKernels<float> column_norm = {column_moments, column_grad_sums, column_apply,
                                                        column_grad};

// ---- rows ------------------------------------------------------------------------------------------------

static RowStatistics<float> statistics_of(const float* x, Size n, float eps) {
  const float mean =
      sum_of(n, [=](Size i, auto at) LINNET_INLINE_LAMBDA { return at.load(x + i); }) / static_cast<float>(n);
  const F shift(mean);
  const float sum = sum_of(n, [=](Size i, auto at) LINNET_INLINE_LAMBDA { return at.load(x + i) - shift; });
  const float rest = sum / static_cast<float>(n);
  const F left(rest);
  const float squares = sum_of(n, [=](Size i, auto at) LINNET_INLINE_LAMBDA {
    const F d = (at.load(x + i) - shift) - left;
    return d * d;
  });
  return {mean, rest, 1.0f / m::sqrt(F(squares / static_cast<float>(n) + eps)).v[0]};
}

template <class At>
LINNET_INLINE F xhat(const float* x, const RowStatistics<float>& row, At at) {
  return ((at.load(x) - F(row.mean)) - F(row.rest)) * F(row.inv_std);
}

static void row_apply(const float* x, const float* weight, const float* bias, float* y,
                      RowStatistics<float>* kept, Size rows, Size n, float eps) {
  for (Size r = 0; r < rows; ++r, x += n, y += n) {
    const RowStatistics<float> row = kept[r] = statistics_of(x, n, eps);
    if (weight)
      for_vectors(n, [=](Size i, auto at) LINNET_INLINE_LAMBDA {
        at.store(madd(xhat(x + i, row, at), at.load(weight + i), at.load(bias + i)), y + i);
      });
    else
      for_vectors(n, [=](Size i, auto at) LINNET_INLINE_LAMBDA { at.store(xhat(x + i, row, at), y + i); });
  }
}

/// The gradient that reaches xhat: dy weight.
struct Weighted {
  const float *dy, *weight;
  template <class At>
  LINNET_INLINE F operator()(Size i, At at) const {
    return at.load(dy + i) * at.load(weight + i);
  }
};
struct Unweighted {
  const float* dy;
  template <class At>
  LINNET_INLINE F operator()(Size i, At at) const {
    return at.load(dy + i);
  }
};

/// dx = inv_std (g - mean(g) - xhat mean(g xhat)).
template <class Gradient>
LINNET_INLINE void row_grad_of(const float* x, Gradient g, const RowStatistics<float>& row, float* dx,
                               Size n) {
  const float size = static_cast<float>(n);
  const F mean(sum_of(n, [=](Size i, auto at) LINNET_INLINE_LAMBDA { return g(i, at); }) / size);
  const F slope(
      sum_of(n, [=](Size i, auto at) LINNET_INLINE_LAMBDA { return g(i, at) * xhat(x + i, row, at); }) /
      size);
  const F inv_std(row.inv_std);
  for_vectors(n, [=](Size i, auto at) LINNET_INLINE_LAMBDA {
    at.store(inv_std * ((g(i, at) - mean) - xhat(x + i, row, at) * slope), dx + i);
  });
}

static void row_grad(const float* x, const float* dy, const float* weight, const RowStatistics<float>* kept,
                     float* dx, Size rows, Size n) {
  for (Size r = 0; r < rows; ++r, x += n, dy += n, dx += n) {
    if (weight)
      row_grad_of(x, Weighted{dy, weight}, kept[r], dx, n);
    else
      row_grad_of(x, Unweighted{dy}, kept[r], dx, n);
  }
}

static void row_grad_weight(const float* x, const float* dy, const RowStatistics<float>* kept, float* dweight,
                            float* dbias, Size rows, Size n) {
  for_vectors(n, [=](Size i, auto at) LINNET_INLINE_LAMBDA {
    F weight(0), bias(0);
    for (Size r = 0; r < rows; ++r) {
      const F g = at.load(dy + r * n + i);
      weight = madd(g, xhat(x + r * n + i, kept[r], at), weight);
      bias += g;
    }
    at.store(weight, dweight + i);
    at.store(bias, dbias + i);
  });
}

constinit const RowNormKernels<float> row_norm = {row_apply, row_grad, row_grad_weight};

}  // namespace linnet::kernels::LINNET_ISA
