// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/kernels/fake_quant.h"

#include <algorithm>

#include "linnet/core/kernels/loop_nest.h"
#include "linnet/core/parallel.h"
#include "linnet/core/pool_vector.h"
#include "linnet/core/tensor_impl.h"

namespace linnet::kernels {
namespace {

/// Added and taken away again they leave no bits behind the point, for numbers up to 2^22 and 2^51.
template <class T>
constexpr T kRounder = T(0x1.8p23);
template <>
constexpr double kRounder<double> = 0x1.8p52;

template <class T>
struct Staircase {
  T scale, low, high;
  explicit Staircase(const Quantizer& q)
      : scale(static_cast<T>(q.scale)),
        low(static_cast<T>(q.low - q.zero)),
        high(static_cast<T>(q.high - q.zero)) {}

  T operator()(T x) const {
    T v = x / scale;
    v = v < low ? low : v;
    v = v > high ? high : v;
    return (v + kRounder<T> - kRounder<T>)*scale;
  }
  bool passes(T x) const {
    const T v = x / scale;
    return v >= low - T(0.5) && v <= high + T(0.5);
  }
};

/// body(staircase, begin, end) over parts of all elements that have one quantizer.
template <class T, class Body>
void for_parts(const Tensor& x, std::span<const Quantizer> by, Body body) {
  const std::int64_t channels = static_cast<std::int64_t>(by.size()), size = x.size() / channels;
  const std::int64_t parts = std::max<std::int64_t>(1, (size + kTileElements - 1) / kTileElements);
  parallel_for(channels * parts, 8 * x.size(), [&](std::int64_t tile) {
    const std::int64_t channel = tile / parts, begin = tile % parts * kTileElements;
    body(Staircase<T>(by[static_cast<std::size_t>(channel)]), channel * size + begin,
         channel * size + std::min(size, begin + kTileElements));
  });
}

}  // namespace

Tensor fake_quant(const Tensor& x, std::span<const Quantizer> by) {
  Tensor y = Tensor::empty(x.shape(), x.dtype());
  dispatch_float("fake_quant", x.dtype(), [&](auto kind) {
    using T = decltype(kind);
    const T* from = readable<T>(x);
    T* to = writable<T>(y);
    for_parts<T>(x, by, [=](const Staircase<T>& stairs, std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) to[i] = stairs(from[i]);
    });
  });
  return y;
}

Tensor fake_quant_grad(const Tensor& x, Tensor dy, std::span<const Quantizer> by) {
  dispatch_float("fake_quant", x.dtype(), [&](auto kind) {
    using T = decltype(kind);
    const T* from = readable<T>(x);
    T* to = writable<T>(dy);
    for_parts<T>(x, by, [=](const Staircase<T>& stairs, std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) to[i] = stairs.passes(from[i]) ? to[i] : T(0);
    });
  });
  return dy;
}

namespace {

/// Of numbers and 0; lanes, so that the compiler may keep them in vectors.
template <class T>
Extent extent_of(const T* from, std::int64_t n) {
  constexpr std::int64_t kLanes = 16;
  T low[kLanes] = {}, high[kLanes] = {};
  const auto take = [&](std::int64_t lane, T v) {
    low[lane] = v < low[lane] ? v : low[lane];
    high[lane] = v > high[lane] ? v : high[lane];
  };
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    for (std::int64_t lane = 0; lane < kLanes; ++lane) take(lane, from[i + lane]);
  for (; i < n; ++i) take(i % kLanes, from[i]);
  return {static_cast<double>(*std::min_element(low, low + kLanes)),
          static_cast<double>(*std::max_element(high, high + kLanes))};
}

}  // namespace

void extents(const Tensor& x, std::span<Extent> channels) {
  const std::int64_t count = static_cast<std::int64_t>(channels.size()), size = x.size() / count;
  const std::int64_t parts = std::max<std::int64_t>(1, (size + kTileElements - 1) / kTileElements);
  PoolVector<Extent> tiles(static_cast<std::size_t>(count * parts));
  dispatch_float("fake_quant", x.dtype(), [&](auto kind) {
    using T = decltype(kind);
    const T* from = readable<T>(x);
    parallel_for(count * parts, x.size(), [&](std::int64_t tile) {
      const std::int64_t begin = tile % parts * kTileElements;
      tiles[static_cast<std::size_t>(tile)] =
          extent_of(from + tile / parts * size + begin, std::min(kTileElements, size - begin));
    });
  });
  for (std::int64_t c = 0; c < count; ++c)
    for (std::int64_t part = 0; part < parts; ++part) {
      const Extent& seen = tiles[static_cast<std::size_t>(c * parts + part)];
      Extent& all = channels[static_cast<std::size_t>(c)];
      all = part == 0 ? seen : Extent{std::min(all.low, seen.low), std::max(all.high, seen.high)};
    }
}

}  // namespace linnet::kernels
