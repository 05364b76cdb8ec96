// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/kernels/conv_depthwise_table.h"
#include "linnet/core/kernels/vec_loop.h"

namespace linnet::kernels::LINNET_ISA {
namespace {

// Patches are copied to where no store can change them: their numbers then stay in registers.

/// A place's sources under a grid of at most 3 x 3 taps. Twice a number is an address of its own on x86, so
/// five numbers reach all nine.
struct Grid {
  Index step, line, diagonal, flat, steep;

  explicit Grid(const Patch& p)
      : step(p.tap_step),
        line(p.tap_line),
        diagonal(line + step),
        flat(line + 2 * step),
        steep(2 * line + step) {}
  LINNET_INLINE const float* at(const float* place, int i, int j) const {
    if (i == 0) return j == 0 ? place : j == 1 ? place + step : place + 2 * step;
    if (j == 0) return i == 1 ? place + line : place + 2 * line;
    if (i == j) return i == 1 ? place + diagonal : place + 2 * diagonal;
    return i == 1 ? place + flat : place + steep;
  }
};

/// A column of single places is a line of them, in the same order.
LINNET_INLINE Patch without_columns(const Patch& p) {
  Patch turned = p;
  if (p.places > 1) return turned;
  turned.lines = p.places;
  turned.places = p.lines;
  turned.source_step = p.source_line;
  turned.target_step = p.target_line;
  return turned;
}

template <class At>
LINNET_INLINE void finish(F sum, const Epilogue& end, float* target, At at) {
  if (end.bias) sum += at.load(end.bias);
  if (end.relu) sum = m::relu(sum);
  at.store(sum, target);
}

/// P places under H x W taps.
template <int H, int W, int P, class At>
LINNET_INLINE void apply_places(const Patch& patch, const Grid& grid, const float* source,
                                const F (&w)[H * W], const Epilogue& end, float* target, At at) {
  F sum[P];
  LINNET_UNROLL
  for (int p = 0; p < P; ++p) sum[p] = F(0);
  LINNET_UNROLL
  for (int t = 0; t < H * W; ++t) {
    LINNET_UNROLL
    for (int p = 0; p < P; ++p)
      sum[p] = madd(at.load(grid.at(source + p * patch.source_step, t / W, t % W)), w[t], sum[p]);
  }
  LINNET_UNROLL
  for (int p = 0; p < P; ++p) finish(sum[p], end, target + p * patch.target_step, at);
}

/// Lines of places under H x W taps, whose weights stay in registers.
template <int H, int W, class At>
LINNET_INLINE void apply_grid(const Patch patch, const Grid grid, const float* source, const float* weight,
                              const Epilogue end, float* target, Index lines, At at) {
  constexpr int kPlaces = 4;
  F w[H * W];
  LINNET_UNROLL
  for (int t = 0; t < H * W; ++t)
    w[t] = at.load(weight + t / W * patch.weight_line + t % W * patch.weight_step);
  for (; lines > 0; --lines, source += patch.source_line, target += patch.target_line) {
    const float* from = source;
    float* to = target;
    Index left = patch.places;
    for (; left >= kPlaces; left -= kPlaces) {
      apply_places<H, W, kPlaces>(patch, grid, from, w, end, to, at);
      from += kPlaces * patch.source_step;
      to += kPlaces * patch.target_step;
    }
    for (; left > 0; --left, from += patch.source_step, to += patch.target_step)
      apply_places<H, W, 1>(patch, grid, from, w, end, to, at);
  }
}

/// P places under any taps.
template <int P, class At>
LINNET_INLINE void apply_places(const Patch& patch, const float* source, const float* weight,
                                const Epilogue& end, float* target, At at) {
  F sum[P];
  for (F& s : sum) s = F(0);
  for (Index i = 0; i < patch.tap_lines; ++i)
    for (Index j = 0; j < patch.taps; ++j) {
      const F w = at.load(weight + i * patch.weight_line + j * patch.weight_step);
      const float* from = source + i * patch.tap_line + j * patch.tap_step;
      LINNET_UNROLL
      for (int p = 0; p < P; ++p) sum[p] = madd(at.load(from + p * patch.source_step), w, sum[p]);
    }
  LINNET_UNROLL
  for (int p = 0; p < P; ++p) finish(sum[p], end, target + p * patch.target_step, at);
}
template <class At>
LINNET_INLINE void apply_any(const Patch patch, const float* source, const float* weight, const Epilogue end,
                             float* target, Index lines, At at) {
  for (; lines > 0; --lines, source += patch.source_line, target += patch.target_line) {
    Index place = 0;
    for (; place + 6 <= patch.places; place += 6)
      apply_places<6>(patch, source + place * patch.source_step, weight, end,
                      target + place * patch.target_step, at);
    for (; place < patch.places; ++place)
      apply_places<1>(patch, source + place * patch.source_step, weight, end,
                      target + place * patch.target_step, at);
  }
}

/// body(source, weight, epilogue, target, lines, accessor): few lines at once, to stay in the first cache,
/// but no fewer than pay for loading the weights.
template <class Body>
LINNET_INLINE void for_lines(const Patch& patch, const float* weight, const Epilogue end, float* target,
                             Body body) {
  constexpr Index kPlacesAtOnce = 16;
  const Index at_once = patch.places < kPlacesAtOnce ? kPlacesAtOnce / patch.places : 1;
  for (Index l = 0; l < patch.lines; l += at_once) {
    const Index lines = patch.lines - l < at_once ? patch.lines - l : at_once;
    const float* source = patch.source + l * patch.source_line;
    float* to = target + l * patch.target_line;
    for_vectors(patch.channels, [=](Index c, auto at) LINNET_INLINE_LAMBDA {
      body(source + c, weight + c, Epilogue{end.bias ? end.bias + c : nullptr, end.relu}, to + c, lines, at);
    });
  }
}

template <int H, int W>
void apply_lines(const Patch& all, const float* weight, const Epilogue& epilogue, float* target) {
  const Patch patch = all;
  const Grid grid(patch);
  for_lines(patch, weight, epilogue, target,
            [=](const float* source, const float* w, const Epilogue end, float* to, Index lines, auto at)
                LINNET_INLINE_LAMBDA { apply_grid<H, W>(patch, grid, source, w, end, to, lines, at); });
}

/// Gradients of H x W taps: each gradient is read once for all of them, and their chains do not wait for each
/// other.
template <int H, int W>
void grad_grid(const Patch& all, const float* dtarget, float* dweight) {
  const Patch patch = all;
  const Grid grid(patch);
  for_vectors(patch.channels, [=](Index c, auto at) LINNET_INLINE_LAMBDA {
    F sum[H * W];
    LINNET_UNROLL
    for (int t = 0; t < H * W; ++t) sum[t] = F(0);
    for (Index line = 0; line < patch.lines; ++line) {
      const float* x = patch.source + c + line * patch.source_line;
      const float* dy = dtarget + c + line * patch.target_line;
      for (Index p = 0; p < patch.places; ++p, x += patch.source_step, dy += patch.target_step) {
        const F gradient = at.load(dy);
        LINNET_UNROLL
        for (int t = 0; t < H * W; ++t) sum[t] = madd(gradient, at.load(grid.at(x, t / W, t % W)), sum[t]);
      }
    }
    LINNET_UNROLL
    for (int t = 0; t < H * W; ++t) {
      float* place = dweight + c + t / W * patch.weight_line + t % W * patch.weight_step;
      at.store(at.load(place) + sum[t], place);
    }
  });
}

constexpr Index kGrid = 3;
using ApplyLines = void (*)(const Patch&, const float*, const Epilogue&, float*);
constexpr ApplyLines kApply[kGrid][kGrid] = {{apply_lines<1, 1>, apply_lines<1, 2>, apply_lines<1, 3>},
                                             {apply_lines<2, 1>, apply_lines<2, 2>, apply_lines<2, 3>},
                                             {apply_lines<3, 1>, apply_lines<3, 2>, apply_lines<3, 3>}};
using GradGrid = void (*)(const Patch&, const float*, float*);
constexpr GradGrid kGrad[kGrid][kGrid] = {{grad_grid<1, 1>, grad_grid<1, 2>, grad_grid<1, 3>},
                                          {grad_grid<2, 1>, grad_grid<2, 2>, grad_grid<2, 3>},
                                          {grad_grid<3, 1>, grad_grid<3, 2>, grad_grid<3, 3>}};

void apply(const Patch& given, const float* weight, const Epilogue& end, float* target) {
  const Patch patch = without_columns(given);
  const float* first = weight + patch.weight;
  const bool any = patch.tap_lines > 0 && patch.taps > 0;
  if (any && patch.tap_lines <= kGrid && patch.taps <= kGrid)
    return kApply[patch.tap_lines - 1][patch.taps - 1](patch, first, end, target);
  for_lines(patch, first, end, target,
            [=](const float* source, const float* w, const Epilogue own, float* to, Index lines, auto at)
                LINNET_INLINE_LAMBDA { apply_any(patch, source, w, own, to, lines, at); });
}

void grad_weight(const Patch& given, const float* dtarget, float* dweight) {
  const Patch all = without_columns(given);
  for (Index i = 0; i < all.tap_lines; i += kGrid)
    for (Index j = 0; j < all.taps; j += kGrid) {
      const Index lines = all.tap_lines - i < kGrid ? all.tap_lines - i : kGrid;
      const Index taps = all.taps - j < kGrid ? all.taps - j : kGrid;
      Patch part = all;
      part.source += i * all.tap_line + j * all.tap_step;
      kGrad[lines - 1][taps - 1](part, dtarget,
                                 dweight + all.weight + i * all.weight_line + j * all.weight_step);
    }
}

}  // namespace

extern const DepthwiseTable depthwise = {apply, grad_weight};

}  // namespace linnet::kernels::LINNET_ISA
