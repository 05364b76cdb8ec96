// SPDX-License-Identifier: Apache-2.0
// Philox4x32-10 (core/random.h), one block in each 64-bit lane: only the low half of a lane counts, the upper
// one holds whatever the multiplication left there.
#include "linnet/core/kernels/random_fill_table.h"
#include "linnet/core/kernels/vec_loop.h"

namespace linnet::kernels::LINNET_ISA {

inline constexpr int kBlocks = kLanes / 2;
typedef std::uint64_t Words __attribute__((vector_size(8 * kBlocks)));

// Lanes of a and b by turns: the first half of them, and the last.
#if defined(__AVX512F__) || defined(LINNET_ISA_WIDE)
#define LINNET_FIRST_PAIRS 0, 8, 1, 9, 2, 10, 3, 11
#define LINNET_LAST_PAIRS 4, 12, 5, 13, 6, 14, 7, 15
#elif defined(__AVX2__)
#define LINNET_FIRST_PAIRS 0, 4, 1, 5
#define LINNET_LAST_PAIRS 2, 6, 3, 7
#else
#define LINNET_FIRST_PAIRS 0, 2
#define LINNET_LAST_PAIRS 1, 3
#endif

/// The low halves multiplied to 64 bits.
LINNET_INLINE Words multiply(Words a, std::uint64_t factor) {
  const Words b = factor - Words{};
#if defined(__AVX512F__)
  return reinterpret_cast<Words>(
      _mm512_maskz_mul_epu32(0xff, reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(b)));
#elif defined(LINNET_ISA_WIDE)
  return (a & 0xffffffffu) * b;
#elif defined(__AVX2__)
  return reinterpret_cast<Words>(
      _mm256_mul_epu32(reinterpret_cast<__m256i>(a), reinterpret_cast<__m256i>(b)));
#elif defined(__x86_64__)
  return reinterpret_cast<Words>(_mm_mul_epu32(reinterpret_cast<__m128i>(a), reinterpret_cast<__m128i>(b)));
#else
  return reinterpret_cast<Words>(
      vmull_u32(vmovn_u64(reinterpret_cast<uint64x2_t>(a)), vmovn_u64(reinterpret_cast<uint64x2_t>(b))));
#endif
}

/// kGroups kBlocks blocks from `first` on: chains of rounds side by side, as each waits for its products.
template <int kGroups>
LINNET_INLINE void philox(std::uint64_t seed, std::uint64_t call, std::uint64_t first, std::uint32_t* words) {
  Words lane, x0[kGroups], x1[kGroups], x2[kGroups], x3[kGroups];
  for (int i = 0; i < kBlocks; ++i) lane[i] = static_cast<std::uint64_t>(i);
  for (int g = 0; g < kGroups; ++g) {
    x0[g] = first + static_cast<std::uint64_t>(g * kBlocks) + lane;
    x1[g] = x0[g] >> 32;
    x2[g] = call - Words{};
    x3[g] = x2[g] >> 32;
  }
  Words k0 = seed - Words{}, k1 = (seed >> 32) - Words{};
  LINNET_UNROLL
  for (int round = 0; round < 10; ++round) {
    for (int g = 0; g < kGroups; ++g) {
      const Words p0 = multiply(x0[g], 0xD2511F53u), p1 = multiply(x2[g], 0xCD9E8D57u);
      x0[g] = (p1 >> 32) ^ x1[g] ^ k0;
      x1[g] = p1;
      x2[g] = (p0 >> 32) ^ x3[g] ^ k1;
      x3[g] = p0;
    }
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  for (int g = 0; g < kGroups; ++g) {
    // Little-endian: the lower half of a pair comes first in memory.
    const Words a = (x0[g] & 0xffffffffu) | (x1[g] << 32), b = (x2[g] & 0xffffffffu) | (x3[g] << 32);
    const Words pairs[2] = {__builtin_shufflevector(a, b, LINNET_FIRST_PAIRS),
                            __builtin_shufflevector(a, b, LINNET_LAST_PAIRS)};
    __builtin_memcpy(words + 4 * kBlocks * g, pairs, sizeof pairs);
  }
}

static void philox_words(std::uint64_t seed, std::uint64_t call, std::uint64_t first_block,
                         std::ptrdiff_t blocks, std::uint32_t* words) {
  constexpr int kGroups = 4;
  std::ptrdiff_t done = 0;
  for (; done + kGroups * kBlocks <= blocks; done += kGroups * kBlocks)
    philox<kGroups>(seed, call, first_block + static_cast<std::uint64_t>(done), words + 4 * done);
  for (; done < blocks; done += kBlocks) {
    std::uint32_t last[4 * kBlocks];
    philox<1>(seed, call, first_block + static_cast<std::uint64_t>(done), last);
    for (std::ptrdiff_t i = 0; i < 4 * kBlocks && 4 * done + i < 4 * blocks; ++i)
      words[4 * done + i] = last[i];
  }
}

static void keep(const float* x, const std::uint32_t* words, float* y, std::ptrdiff_t n,
                 std::uint32_t threshold, float factor) {
  const F f(factor);
  // Unsigned order is signed order after flipping the highest bit.
  const std::int32_t flip = static_cast<std::int32_t>(0x80000000u);
  const std::int32_t limit = static_cast<std::int32_t>(threshold) ^ flip;
  for_vectors(n, [=](std::ptrdiff_t i, auto at) LINNET_INLINE_LAMBDA {
    NativeInt word;
    __builtin_memcpy(&word, words + i, sizeof word);
    at.store(m::where(Mask{(word ^ flip) >= limit}, at.load(x + i) * f, F(0)), y + i);
  });
}

constinit const RandomFillKernels random_fill = {philox_words, keep};

}  // namespace linnet::kernels::LINNET_ISA
