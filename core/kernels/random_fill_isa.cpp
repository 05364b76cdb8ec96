// SPDX-License-Identifier: Apache-2.0
// Philox4x32-10 (core/random.h) for kLanes blocks side by side.
#include "linnet/core/kernels/random_fill_table.h"
#include "linnet/core/kernels/vec_loop.h"

namespace linnet::kernels::LINNET_ISA {

typedef std::uint32_t Words __attribute__((vector_size(4 * kLanes)));
typedef std::uint64_t Pairs __attribute__((vector_size(4 * kLanes)));

/// The low 32 bits of each pair, multiplied to 64.
LINNET_INLINE Pairs multiply_low(Words a, std::uint32_t factor) {
#if defined(__AVX512F__)
  const Words b = factor - Words{};
  return reinterpret_cast<Pairs>(
      _mm512_maskz_mul_epu32(0xff, reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(b)));
#elif defined(__AVX2__) && !defined(LINNET_ISA_WIDE)
  const Words b = factor - Words{};
  return reinterpret_cast<Pairs>(
      _mm256_mul_epu32(reinterpret_cast<__m256i>(a), reinterpret_cast<__m256i>(b)));
#elif defined(__x86_64__) && !defined(LINNET_ISA_WIDE)
  const Words b = factor - Words{};
  return reinterpret_cast<Pairs>(_mm_mul_epu32(reinterpret_cast<__m128i>(a), reinterpret_cast<__m128i>(b)));
#else
  return (reinterpret_cast<Pairs>(a) & 0xffffffffu) * static_cast<std::uint64_t>(factor);
#endif
}

struct Product {
  Words high, low;
};
LINNET_INLINE Product multiply(Words a, std::uint32_t b) {
  const Pairs even = multiply_low(a, b);
  const Pairs odd = multiply_low(reinterpret_cast<Words>(reinterpret_cast<Pairs>(a) >> 32), b);
  const std::uint64_t upper = 0xffffffff00000000u, lower = 0xffffffffu;
  return {reinterpret_cast<Words>((odd & upper) | (even >> 32)),
          reinterpret_cast<Words>((odd << 32) | (even & lower))};
}

struct Block {
  Words x[4];
};
/// kLanes blocks from `first` on.
LINNET_INLINE Block philox(std::uint64_t seed, std::uint64_t call, std::uint64_t first) {
  Block b;
  for (int i = 0; i < kLanes; ++i) {
    b.x[0][i] = static_cast<std::uint32_t>(first + static_cast<std::uint64_t>(i));
    b.x[1][i] = static_cast<std::uint32_t>((first + static_cast<std::uint64_t>(i)) >> 32);
  }
  b.x[2] = static_cast<std::uint32_t>(call) - Words{};
  b.x[3] = static_cast<std::uint32_t>(call >> 32) - Words{};
  std::uint32_t k0 = static_cast<std::uint32_t>(seed), k1 = static_cast<std::uint32_t>(seed >> 32);
  for (int round = 0; round < 10; ++round) {
    const Product p0 = multiply(b.x[0], 0xD2511F53u), p1 = multiply(b.x[2], 0xCD9E8D57u);
    b = {{p1.high ^ b.x[1] ^ k0, p1.low, p0.high ^ b.x[3] ^ k1, p0.low}};
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return b;
}

static void philox_words(std::uint64_t seed, std::uint64_t call, std::uint64_t first_block,
                         std::ptrdiff_t blocks, std::uint32_t* words) {
  for (std::ptrdiff_t done = 0; done < blocks; done += kLanes) {
    const Block b = philox(seed, call, first_block + static_cast<std::uint64_t>(done));
    const std::ptrdiff_t count = blocks - done < kLanes ? blocks - done : kLanes;
    std::uint32_t lanes[4][kLanes];
    for (int k = 0; k < 4; ++k) __builtin_memcpy(lanes[k], &b.x[k], sizeof b.x[k]);
    for (std::ptrdiff_t i = 0; i < count; ++i)
      for (int k = 0; k < 4; ++k) words[4 * (done + i) + k] = lanes[k][i];
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
