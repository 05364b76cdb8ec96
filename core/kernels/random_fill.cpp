// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/kernels/random_fill.h"

#include <algorithm>
#include <cmath>

#include "linnet/core/kernels/random_fill_table.h"
#include "linnet/core/kernels/select.h"
#include "linnet/core/math.h"
#include "linnet/core/parallel.h"
#include "linnet/core/tensor_impl.h"

namespace linnet::kernels {
namespace {

LINNET_SELECT_TABLE(RandomFillKernels, random_fill)

/// Words that a thread makes at once, on its stack. A multiple of 4; 16 more may be read behind the end.
constexpr std::int64_t kBatch = 512;
/// Words of a tile, which cost several times what an element of other loops does.
constexpr std::int64_t kTileWords = 4 * kBatch, kWordCost = 8;

/// body(begin, count, words) for parts of n elements; words[i] belongs to element begin + i.
template <class Body>
void for_words(std::int64_t n, RandomKey key, Body body) {
  parallel_for((n + kTileWords - 1) / kTileWords, n * kWordCost, [&](std::int64_t tile) {
    std::uint32_t words[kBatch + 16] = {};
    const std::int64_t end = std::min(n, (tile + 1) * kTileWords);
    for (std::int64_t begin = tile * kTileWords; begin < end; begin += kBatch) {
      const std::int64_t count = std::min(kBatch, end - begin);
      random_fill_kernels().philox_words(key.seed, key.call, static_cast<std::uint64_t>(begin / 4),
                                         (count + 3) / 4, words);
      body(begin, count, words);
    }
  });
}

/// In the middle of its 2^-32 wide interval, so never 0 or 1.
double open_fraction(std::uint32_t word) { return (static_cast<double>(word) + 0.5) * 0x1p-32; }

}  // namespace

void fill_uniform(Tensor& y, RandomKey key, double low, double high) {
  dispatch_float("uniform", y.dtype(), [&](auto zero) {
    using T = decltype(zero);
    // Rounding must not reach `high`, which is outside.
    const T limit = std::nextafter(static_cast<T>(high), static_cast<T>(low));
    for_words(y.size(), key, [&](std::int64_t begin, std::int64_t count, const std::uint32_t* words) {
      for (std::int64_t i = 0; i < count; ++i) {
        const T value = static_cast<T>(low + (high - low) * (static_cast<double>(words[i]) * 0x1p-32));
        writable<T>(y)[begin + i] = value < static_cast<T>(high) ? value : limit;
      }
    });
  });
  y.impl()->storage->bump_version();
}

// Box and Muller: r = sqrt(-2 log u), angle 2 pi v give two independent normals r cos, r sin.
void fill_normal(Tensor& y, RandomKey key) {
  dispatch_float("randn", y.dtype(), [&](auto zero) {
    using T = decltype(zero);
    for_words(y.size(), key, [&](std::int64_t begin, std::int64_t count, const std::uint32_t* words) {
      for (std::int64_t i = 0; i < count; i += 2) {
        const double r = std::sqrt(-2.0 * math::log(open_fraction(words[i])));
        const double turns = open_fraction(words[i + 1]);
        writable<T>(y)[begin + i] = static_cast<T>(r * math::cos_turn(turns));
        if (i + 1 < count) writable<T>(y)[begin + i + 1] = static_cast<T>(r * math::sin_turn(turns));
      }
    });
  });
  y.impl()->storage->bump_version();
}

Tensor dropout(const Tensor& x, double p, RandomKey key) {
  if (p >= 1.0) return Tensor::zeros(x.shape(), x.dtype());
  Tensor y = Tensor::empty(x.shape(), x.dtype());
  const auto threshold = static_cast<std::uint32_t>(p * 0x1p32);
  const double factor = 1.0 / (1.0 - p);
  dispatch_float("dropout", x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    for_words(x.size(), key, [&](std::int64_t begin, std::int64_t count, const std::uint32_t* words) {
      const T* from = readable<T>(x) + begin;
      T* to = writable<T>(y) + begin;
      if constexpr (std::is_same_v<T, float>) {
        random_fill_kernels().keep(from, words, to, count, threshold, static_cast<float>(factor));
      } else {
        for (std::int64_t i = 0; i < count; ++i) to[i] = words[i] >= threshold ? from[i] * factor : 0.0;
      }
    });
  });
  return y;
}

}  // namespace linnet::kernels
