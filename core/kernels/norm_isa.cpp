// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/kernels/norm_table.h"
#include "linnet/core/kernels/vec_loop.h"

namespace linnet::kernels::LINNET_ISA {

using Size = std::ptrdiff_t;

// ---- columns ---------------------------------------------------------------------------------------------
// The sums of a column are in its own lane, so no width of vectors changes their order. They run through
// memory for a few rows at a time: rows are then read from end to end, as they lie.

constexpr Size kRowsAtOnce = 16;

/// body(first row, rows, first column, accessor) for all vectors of columns, band of rows by band of rows.
template <int kVectors, class Body>
LINNET_INLINE void for_bands(const Block& block, Body body) {
  for (Size row = 0; row < block.rows; row += kRowsAtOnce) {
    const Size rows = block.rows - row < kRowsAtOnce ? block.rows - row : kRowsAtOnce;
    Size c = 0;
    for (; c + kVectors * kLanes <= block.columns; c += kVectors * kLanes)
      body(row, rows, c, WholeVector{}, Count<kVectors>{});
    for (; c + kLanes <= block.columns; c += kLanes) body(row, rows, c, WholeVector{}, Count<1>{});
    if (c < block.columns) body(row, rows, c, PartOfVector{block.columns - c}, Count<1>{});
  }
}

template <int V, class At>
LINNET_INLINE void load_all(F (&to)[V], const float* from, At at) {
  for (int v = 0; v < V; ++v) to[v] = at.load(from + v * kLanes);
}
template <int V, class At>
LINNET_INLINE void store_all(const F (&from)[V], float* to, At at) {
  for (int v = 0; v < V; ++v) at.store(from[v], to + v * kLanes);
}

/// The same columns of the next band: in it, rows follow each other at a distance that processors do not
/// guess.
template <int V>
LINNET_INLINE void fetch_next_band(const float* x, Size stride) {
  for (int i = 0; i < V * kLanes; i += 16) __builtin_prefetch(x + kRowsAtOnce * stride + i);
}

static void set_zero(float* x, Size n) {
  for_vectors(n, [=](Size i, auto at) LINNET_INLINE_LAMBDA { at.store(F(0), x + i); });
}

static void column_moments(const float* x, const Block& block, float* shift, float* sum, float* squares) {
  for_vectors(block.columns,
              [=](Size i, auto at) LINNET_INLINE_LAMBDA { at.store(at.load(x + i), shift + i); });
  set_zero(sum, block.columns);
  set_zero(squares, block.columns);
  const Size stride = block.stride;
  for_bands<4>(block, [=](Size row, Size rows, Size c, auto at, auto vectors) LINNET_INLINE_LAMBDA {
    constexpr int V = vectors.count;
    F first[V], s[V], q[V];
    load_all(first, shift + c, at);
    load_all(s, sum + c, at);
    load_all(q, squares + c, at);
    const float* from = x + row * stride + c;
    for (Size r = 0; r < rows; ++r, from += stride) {
      fetch_next_band<V>(from, stride);
      for (int v = 0; v < V; ++v) {
        const F d = at.load(from + v * kLanes) - first[v];
        s[v] += d;
        q[v] = madd(d, d, q[v]);
      }
    }
    store_all(s, sum + c, at);
    store_all(q, squares + c, at);
  });
}

/// The gradient that reaches the normalised values: dy, or what a relu behind them lets through.
template <bool kRelu>
LINNET_INLINE F passed(F centred, F dy, F scale, F offset) {
  if constexpr (kRelu) return dy * m::where(madd(centred, scale, offset) > F(0), F(1), F(0));
  return dy;
}

template <bool kRelu>
LINNET_INLINE void grad_sums(const float* x, const float* dy, const Block& block, const Affine<float> by,
                             float* sum, float* product) {
  set_zero(sum, block.columns);
  set_zero(product, block.columns);
  const Size stride = block.stride;
  for_bands<2>(block, [=](Size row, Size rows, Size c, auto at, auto vectors) LINNET_INLINE_LAMBDA {
    constexpr int V = vectors.count;
    F mean[V], scale[V], offset[V], s[V], p[V];
    load_all(mean, by.mean + c, at);
    load_all(scale, by.scale + c, at);
    load_all(offset, by.offset + c, at);
    load_all(s, sum + c, at);
    load_all(p, product + c, at);
    const float *xs = x + row * stride + c, *gradients = dy + row * stride + c;
    for (Size r = 0; r < rows; ++r, xs += stride, gradients += stride) {
      fetch_next_band<V>(xs, stride);
      fetch_next_band<V>(gradients, stride);
      for (int v = 0; v < V; ++v) {
        const F centred = at.load(xs + v * kLanes) - mean[v];
        const F g = passed<kRelu>(centred, at.load(gradients + v * kLanes), scale[v], offset[v]);
        s[v] += g;
        p[v] = madd(g, centred, p[v]);
      }
    }
    store_all(s, sum + c, at);
    store_all(p, product + c, at);
  });
}

static void column_grad_sums(const float* x, const float* dy, const Block& block, const Affine<float>& by,
                             bool relu, float* sum, float* product) {
  if (relu)
    grad_sums<true>(x, dy, block, by, sum, product);
  else
    grad_sums<false>(x, dy, block, by, sum, product);
}

/// Row after row, as they lie: x may come from far away, so it is fetched early.
template <bool kRelu>
LINNET_INLINE void apply_rows(const float* x, float* y, const Block& block, const Affine<float> by) {
  constexpr Size kAhead = 2048;
  for (Size r = 0; r < block.rows; ++r, x += block.stride, y += block.stride) {
    for (Size i = 0; i < block.columns; i += 16) __builtin_prefetch(x + kAhead + i);
    for_vectors(block.columns, [=](Size i, auto at) LINNET_INLINE_LAMBDA {
      const F value =
          madd(at.load(x + i) - at.load(by.mean + i), at.load(by.scale + i), at.load(by.offset + i));
      at.store(kRelu ? m::relu(value) : value, y + i);
    });
  }
}

static void column_apply(const float* x, float* y, const Block& block, const Affine<float>& by, bool relu) {
  if (relu)
    apply_rows<true>(x, y, block, by);
  else
    apply_rows<false>(x, y, block, by);
}

template <bool kRelu>
LINNET_INLINE void grad_rows(const float* x, const float* dy, float* dx, const Block& block,
                             const Affine<float> by, const Slopes<float> k) {
  const Size stride = block.stride;
  for_bands<2>(block, [=](Size row, Size rows, Size c, auto at, auto vectors) LINNET_INLINE_LAMBDA {
    constexpr int V = vectors.count;
    F mean[V], scale[V], offset[V], slope_a[V], slope_b[V], slope_c[V];
    load_all(mean, by.mean + c, at);
    load_all(scale, by.scale + c, at);
    load_all(offset, by.offset + c, at);
    load_all(slope_a, k.a + c, at);
    load_all(slope_b, k.b + c, at);
    load_all(slope_c, k.c + c, at);
    const Size first = row * stride + c;
    const float *xs = x + first, *gradients = dy + first;
    float* to = dx + first;
    for (Size r = 0; r < rows; ++r, xs += stride, gradients += stride, to += stride) {
      fetch_next_band<V>(xs, stride);
      fetch_next_band<V>(gradients, stride);
      for (int v = 0; v < V; ++v) {
        const F centred = at.load(xs + v * kLanes) - mean[v];
        const F g = passed<kRelu>(centred, at.load(gradients + v * kLanes), scale[v], offset[v]);
        at.store(madd(slope_a[v], g, madd(slope_b[v], centred, slope_c[v])), to + v * kLanes);
      }
    }
  });
}

static void column_grad(const float* x, const float* dy, float* dx, const Block& block,
                        const Affine<float>& by, bool relu, const Slopes<float>& k) {
  if (relu)
    grad_rows<true>(x, dy, dx, block, by, k);
  else
    grad_rows<false>(x, dy, dx, block, by, k);
}

constinit const ColumnNormKernels<float> column_norm = {column_moments, column_apply, column_grad_sums,
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
