// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/kernels/pool_table.h"
#include "linnet/core/kernels/vec.h"

namespace linnet::kernels::LINNET_ISA {
namespace {

using Index = std::ptrdiff_t;

/// The channels of one step: a whole vector, or the first n lanes of one.
struct Whole {};
struct Part {
  Index n;
};
LINNET_INLINE F load(const float* p, Whole) { return F::load(p); }
LINNET_INLINE F load(const float* p, Part part) { return F::load(p, part.n); }
LINNET_INLINE void store(F x, float* p, Whole) { x.store(p); }
LINNET_INLINE void store(F x, float* p, Part part) { x.store(p, part.n); }
LINNET_INLINE Index size(Whole) { return kLanes; }
LINNET_INLINE Index size(Part part) { return part.n; }

/// Places are counted in floats: exact up to 2^24.
template <class T, class Lanes>
LINNET_INLINE F load_places(const T* p, Lanes lanes) {
  float places[kLanes] = {};
  for (Index i = 0; i < size(lanes); ++i) places[i] = static_cast<float>(p[i]);
  return F::load(places);
}
template <class T, class Lanes>
LINNET_INLINE void store_places(F x, T* p, Lanes lanes) {
  float places[kLanes];
  x.store(places);
  for (Index i = 0; i < size(lanes); ++i) p[i] = static_cast<T>(places[i]);
}

/// The part of a window that lies in the image: taps [first, end) of one axis; never empty, as padding is
/// smaller than the kernel.
struct Taps {
  Index first, end;
};
LINNET_INLINE Taps taps_inside(Index origin, Index kernel, Index size) {
  return {origin < 0 ? -origin : 0, origin + kernel > size ? size - origin : kernel};
}

/// Calls body(place in y, place of the window's corner in x, taps, Whole or Part) for every vector of y. The
/// corner may lie outside the image: only the taps given are read.
template <class Body>
LINNET_INLINE void for_each_place(const PoolSizes& p, Body body) {
  for (Index i = 0; i < p.YH; ++i) {
    const Index h = i * p.stride_h - p.top;
    const Taps rows = taps_inside(h, p.KH, p.H);
    for (Index j = 0; j < p.YW; ++j) {
      const Index w = j * p.stride_w - p.left;
      const Taps columns = taps_inside(w, p.KW, p.W);
      const Index y = (i * p.YW + j) * p.C, corner = (h * p.W + w) * p.C;
      Index c = 0;
      for (; c + kLanes <= p.C; c += kLanes) body(y + c, corner + c, rows, columns, Whole{});
      if (c < p.C) body(y + c, corner + c, rows, columns, Part{p.C - c});
    }
  }
}

template <class T>
void max_forward(const PoolSizes& p, const float* x, float* y, T* index) {
  const Index row = p.W * p.C, pixel = p.C;
  for_each_place(
      p, [=](Index to, Index from, Taps rows, Taps columns, auto lanes) __attribute__((always_inline)) {
        F best = load(x + (from + rows.first * row + columns.first * pixel), lanes);
        F place(static_cast<float>(rows.first * p.KW + columns.first));
        for (Index kh = rows.first; kh < rows.end; ++kh)
          for (Index kw = columns.first; kw < columns.end; ++kw) {
            const F value = load(x + (from + kh * row + kw * pixel), lanes),
                    here(static_cast<float>(kh * p.KW + kw));
            // A NaN takes over (the comparison is false) and is never given up.
            const Mask keep = value <= best, number = best == best;
            place = m::where(keep, place, m::where(number, here, place));
            best = m::where(keep, best, m::where(number, value, best));
          }
        store(best, y + to, lanes);
        if (index) store_places(place, index + to, lanes);
      });
}

void set_zero(float* p, Index n) {
  for (Index i = 0; i < n; ++i) p[i] = 0.0f;
}

/// True when no two windows share a place: every place can then be written once instead of cleared and added
/// to.
bool windows_are_apart(const PoolSizes& p) { return p.stride_h >= p.KH && p.stride_w >= p.KW; }

/// Clears what no window reaches: the rows and columns between and behind windows that are apart.
void clear_gaps(const PoolSizes& p, float* dx) {
  const auto covered = [](Index at, Index before, Index stride, Index kernel, Index places) {
    const Index shifted = at + before;
    return shifted % stride < kernel && shifted / stride < places;
  };
  for (Index h = 0; h < p.H; ++h) {
    float* row = dx + h * p.W * p.C;
    if (!covered(h, p.top, p.stride_h, p.KH, p.YH)) {
      set_zero(row, p.W * p.C);
      continue;
    }
    for (Index w = 0; w < p.W; ++w)
      if (!covered(w, p.left, p.stride_w, p.KW, p.YW)) set_zero(row + w * p.C, p.C);
  }
}

/// Gives places their gradient; windows that overlap add theirs in order.
template <bool kApart, class Lanes>
LINNET_INLINE void give(F share, float* place, Lanes lanes) {
  store(kApart ? share : load(place, lanes) + share, place, lanes);
}

template <bool kApart, class T>
void send_to_maxima(const PoolSizes& p, const float* dy, const T* index, float* dx) {
  const Index row = p.W * p.C, pixel = p.C;
  for_each_place(
      p, [=](Index from, Index to, Taps rows, Taps columns, auto lanes) __attribute__((always_inline)) {
        const F gradient = load(dy + from, lanes), place = load_places(index + from, lanes);
        for (Index kh = rows.first; kh < rows.end; ++kh)
          for (Index kw = columns.first; kw < columns.end; ++kw) {
            const Mask here = place == F(static_cast<float>(kh * p.KW + kw));
            give<kApart>(m::where(here, gradient, F(0.0f)), dx + (to + kh * row + kw * pixel), lanes);
          }
      });
}

LINNET_INLINE F tap_count(Taps rows, Taps columns) {
  return F(static_cast<float>((rows.end - rows.first) * (columns.end - columns.first)));
}

template <bool kApart>
void spread_evenly(const PoolSizes& p, const float* dy, float* dx) {
  const Index row = p.W * p.C, pixel = p.C;
  for_each_place(
      p, [=](Index from, Index to, Taps rows, Taps columns, auto lanes) __attribute__((always_inline)) {
        const F share = load(dy + from, lanes) / tap_count(rows, columns);
        for (Index kh = rows.first; kh < rows.end; ++kh)
          for (Index kw = columns.first; kw < columns.end; ++kw)
            give<kApart>(share, dx + (to + kh * row + kw * pixel), lanes);
      });
}

template <class T>
void max_backward(const PoolSizes& p, const float* dy, const T* index, float* dx) {
  if (windows_are_apart(p)) {
    clear_gaps(p, dx);
    send_to_maxima<true>(p, dy, index, dx);
  } else {
    set_zero(dx, p.H * p.W * p.C);
    send_to_maxima<false>(p, dy, index, dx);
  }
}

void average_backward(const PoolSizes& p, const float* dy, float* dx) {
  if (windows_are_apart(p)) {
    clear_gaps(p, dx);
    spread_evenly<true>(p, dy, dx);
  } else {
    set_zero(dx, p.H * p.W * p.C);
    spread_evenly<false>(p, dy, dx);
  }
}

void average_forward(const PoolSizes& p, const float* x, float* y) {
  const Index row = p.W * p.C, pixel = p.C;
  for_each_place(
      p, [=](Index to, Index from, Taps rows, Taps columns, auto lanes) __attribute__((always_inline)) {
        F sum(0.0f);
        for (Index kh = rows.first; kh < rows.end; ++kh)
          for (Index kw = columns.first; kw < columns.end; ++kw)
            sum += load(x + (from + kh * row + kw * pixel), lanes);
        store(sum / tap_count(rows, columns), y + to, lanes);
      });
}

}  // namespace

extern const PoolTable pool = {
    max_forward<std::uint8_t>,  max_forward<std::int32_t>, max_backward<std::uint8_t>,
    max_backward<std::int32_t>, average_forward,           average_backward};

}  // namespace linnet::kernels::LINNET_ISA
