// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/kernels/conv_depthwise_table.h"
#include "linnet/core/kernels/vec.h"

namespace linnet::kernels::LINNET_ISA {
namespace {

/// The first n of a vector's lanes, 1 <= n <= kLanes.
LINNET_INLINE F load_first(const float* p, Index n) { return n == kLanes ? F::load(p) : F::load(p, n); }
LINNET_INLINE void store_first(F x, float* p, Index n) {
  if (n == kLanes)
    x.store(p);
  else
    x.store(p, n);
}
LINNET_INLINE Index lanes_left(Index channels, Index c) {
  return channels - c < kLanes ? channels - c : kLanes;
}

/// P neighbouring pixels of y, n channels: each weight is read once for all of them.
template <int P>
LINNET_INLINE void forward_pixels(const Depthwise& d, const float* x, const float* weight, const float* bias,
                                  float* y, Index n) {
  F sum[P];
  for (F& s : sum) s = F(0.0f);
  for (Index kh = 0; kh < d.KH; ++kh)
    for (Index kw = 0; kw < d.KW; ++kw) {
      const F w = load_first(weight + (kh * d.KW + kw) * d.C, n);
      const float* from = x + kh * d.x_tap_line + kw * d.x_tap_pixel;
      for (int i = 0; i < P; ++i) sum[i] = madd(load_first(from + i * d.x_pixel, n), w, sum[i]);
    }
  for (int i = 0; i < P; ++i) store_first(bias ? sum[i] + load_first(bias, n) : sum[i], y + i * d.C, n);
}

void forward(const Depthwise& d, const float* x, const float* weight, const float* bias, float* y) {
  constexpr int kPixels = 4;
  for (Index i = 0; i < d.YH; ++i)
    for (Index c = 0; c < d.C; c += kLanes) {
      const Index n = lanes_left(d.C, c);
      const float* b = bias ? bias + c : nullptr;
      Index j = 0;
      for (; j + kPixels <= d.YW; j += kPixels)
        forward_pixels<kPixels>(d, x + i * d.x_line + j * d.x_pixel + c, weight + c, b,
                                y + (i * d.YW + j) * d.C + c, n);
      for (; j < d.YW; ++j)
        forward_pixels<1>(d, x + i * d.x_line + j * d.x_pixel + c, weight + c, b,
                          y + (i * d.YW + j) * d.C + c, n);
    }
}

void grad_input(const Depthwise& d, const float* dy, const float* weight, float* dx) {
  for (Index kh = 0; kh < d.KH; ++kh)
    for (Index kw = 0; kw < d.KW; ++kw)
      for (Index c = 0; c < d.C; c += kLanes) {
        const Index n = lanes_left(d.C, c);
        const F w = load_first(weight + (kh * d.KW + kw) * d.C + c, n);
        float* to = dx + kh * d.x_tap_line + kw * d.x_tap_pixel + c;
        for (Index i = 0; i < d.YH; ++i)
          for (Index j = 0; j < d.YW; ++j) {
            float* place = to + i * d.x_line + j * d.x_pixel;
            store_first(madd(load_first(dy + (i * d.YW + j) * d.C + c, n), w, load_first(place, n)), place,
                        n);
          }
      }
}

/// One tap, V vectors of channels whose last one has n lanes.
template <int V>
LINNET_INLINE void grad_weight_tap(const Depthwise& d, const float* dy, const float* x, float* dweight,
                                   Index n) {
  F sum[V];
  for (F& s : sum) s = F(0.0f);
  for (Index i = 0; i < d.YH; ++i)
    for (Index j = 0; j < d.YW; ++j)
      for (int v = 0; v < V; ++v) {
        const Index lanes = v == V - 1 ? n : kLanes;
        sum[v] = madd(load_first(dy + (i * d.YW + j) * d.C + v * kLanes, lanes),
                      load_first(x + i * d.x_line + j * d.x_pixel + v * kLanes, lanes), sum[v]);
      }
  for (int v = 0; v < V; ++v) {
    const Index lanes = v == V - 1 ? n : kLanes;
    float* place = dweight + v * kLanes;
    store_first(load_first(place, lanes) + sum[v], place, lanes);
  }
}

void grad_weight(const Depthwise& d, const float* dy, const float* x, float* dweight) {
  constexpr int kVectors = 4;  // chains that do not wait for each other
  for (Index kh = 0; kh < d.KH; ++kh)
    for (Index kw = 0; kw < d.KW; ++kw) {
      const float* from = x + kh * d.x_tap_line + kw * d.x_tap_pixel;
      float* to = dweight + (kh * d.KW + kw) * d.C;
      Index c = 0;
      for (; c + kVectors * kLanes <= d.C; c += kVectors * kLanes)
        grad_weight_tap<kVectors>(d, dy + c, from + c, to + c, kLanes);
      for (; c < d.C; c += kLanes) grad_weight_tap<1>(d, dy + c, from + c, to + c, lanes_left(d.C, c));
    }
}

}  // namespace

extern const DepthwiseTable depthwise = {forward, grad_input, grad_weight};

}  // namespace linnet::kernels::LINNET_ISA
