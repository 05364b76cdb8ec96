// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/kernels/pool_table.h"
#include "linnet/core/kernels/vec.h"

namespace linnet::kernels::LINNET_ISA {
namespace {

using Index = std::ptrdiff_t;

LINNET_INLINE F load_first(const float* p, Index n) { return n == kLanes ? F::load(p) : F::load(p, n); }
LINNET_INLINE void store_first(F x, float* p, Index n) {
  if (n == kLanes)
    x.store(p);
  else
    x.store(p, n);
}

/// Places are counted in floats: exact up to 2^24.
template <class T>
LINNET_INLINE F load_places(const T* p, Index n) {
  float lanes[kLanes] = {};
  if (n == kLanes)
    for (int i = 0; i < kLanes; ++i) lanes[i] = static_cast<float>(p[i]);
  else
    for (Index i = 0; i < n; ++i) lanes[i] = static_cast<float>(p[i]);
  return F::load(lanes);
}
template <class T>
LINNET_INLINE void store_places(F places, T* p, Index n) {
  float lanes[kLanes];
  places.store(lanes);
  if (n == kLanes)
    for (int i = 0; i < kLanes; ++i) p[i] = static_cast<T>(lanes[i]);
  else
    for (Index i = 0; i < n; ++i) p[i] = static_cast<T>(lanes[i]);
}

/// The part of a window that lies in the image: taps [first, end) of one axis; never empty, as padding is
/// smaller than the kernel.
struct Taps {
  Index first, end;
};
LINNET_INLINE Taps taps_inside(Index origin, Index kernel, Index size) {
  return {origin < 0 ? -origin : 0, origin + kernel > size ? size - origin : kernel};
}

/// Calls body(place of y, offset of the window's corner in x, taps) for all of y.
template <class Body>
LINNET_INLINE void for_each_place(const PoolSizes& p, Body body) {
  for (Index i = 0; i < p.YH; ++i) {
    const Index h = i * p.stride_h - p.top;
    const Taps rows = taps_inside(h, p.KH, p.H);
    for (Index j = 0; j < p.YW; ++j) {
      const Index w = j * p.stride_w - p.left;
      body((i * p.YW + j) * p.C, (h * p.W + w) * p.C, rows, taps_inside(w, p.KW, p.W));
    }
  }
}

template <class T>
void max_forward(const PoolSizes& p, const float* x, float* y, T* index) {
  const Index row = p.W * p.C, pixel = p.C;
  for_each_place(
      p, [&](Index to, Index from, Taps rows, Taps columns) __attribute__((always_inline)) {
        for (Index c = 0; c < p.C; c += kLanes) {
          const Index n = p.C - c < kLanes ? p.C - c : kLanes;
          F best = load_first(x + (from + rows.first * row + columns.first * pixel + c), n);
          F place(static_cast<float>(rows.first * p.KW + columns.first));
          for (Index kh = rows.first; kh < rows.end; ++kh)
            for (Index kw = columns.first; kw < columns.end; ++kw) {
              const F value = load_first(x + (from + kh * row + kw * pixel + c), n);
              // A NaN takes over (the comparison is false) and is never given up.
              const F place_here(static_cast<float>(kh * p.KW + kw));
              const F next_place = m::where(value <= best, place, m::where(best == best, place_here, place));
              best = m::where(value <= best, best, m::where(best == best, value, best));
              place = next_place;
            }
          store_first(best, y + to + c, n);
          if (index) store_places(place, index + to + c, n);
        }
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
template <bool kApart>
LINNET_INLINE void give(F share, float* place, Index n) {
  store_first(kApart ? share : load_first(place, n) + share, place, n);
}

template <bool kApart, class T>
void send_to_maxima(const PoolSizes& p, const float* dy, const T* index, float* dx) {
  const Index row = p.W * p.C, pixel = p.C;
  for_each_place(
      p, [&](Index from, Index to, Taps rows, Taps columns) __attribute__((always_inline)) {
        for (Index c = 0; c < p.C; c += kLanes) {
          const Index n = p.C - c < kLanes ? p.C - c : kLanes;
          const F gradient = load_first(dy + from + c, n), place = load_places(index + from + c, n);
          for (Index kh = rows.first; kh < rows.end; ++kh)
            for (Index kw = columns.first; kw < columns.end; ++kw) {
              const Mask here = place == F(static_cast<float>(kh * p.KW + kw));
              give<kApart>(m::where(here, gradient, F(0.0f)), dx + (to + kh * row + kw * pixel + c), n);
            }
        }
      });
}

template <bool kApart>
void spread_evenly(const PoolSizes& p, const float* dy, float* dx) {
  const Index row = p.W * p.C, pixel = p.C;
  for_each_place(
      p, [&](Index from, Index to, Taps rows, Taps columns) __attribute__((always_inline)) {
        const F count(static_cast<float>((rows.end - rows.first) * (columns.end - columns.first)));
        for (Index c = 0; c < p.C; c += kLanes) {
          const Index n = p.C - c < kLanes ? p.C - c : kLanes;
          const F share = load_first(dy + from + c, n) / count;
          for (Index kh = rows.first; kh < rows.end; ++kh)
            for (Index kw = columns.first; kw < columns.end; ++kw)
              give<kApart>(share, dx + (to + kh * row + kw * pixel + c), n);
        }
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
      p, [&](Index to, Index from, Taps rows, Taps columns) __attribute__((always_inline)) {
        const F count(static_cast<float>((rows.end - rows.first) * (columns.end - columns.first)));
        for (Index c = 0; c < p.C; c += kLanes) {
          const Index n = p.C - c < kLanes ? p.C - c : kLanes;
          F sum(0.0f);
          for (Index kh = rows.first; kh < rows.end; ++kh)
            for (Index kw = columns.first; kw < columns.end; ++kw)
              sum += load_first(x + (from + kh * row + kw * pixel + c), n);
          store_first(sum / count, y + to + c, n);
        }
      });
}

}  // namespace

extern const PoolTable pool = {
    max_forward<std::uint8_t>,  max_forward<std::int32_t>, max_backward<std::uint8_t>,
    max_backward<std::int32_t>, average_forward,           average_backward};

}  // namespace linnet::kernels::LINNET_ISA
