// SPDX-License-Identifier: Apache-2.0
#pragma once
// F: one vector of floats, as wide as the instruction set being compiled (isa_table.h), and the small math
// vocabulary m:: on it. scalar_math.h has m:: for double: a row of core/ops/*.def compiles with both.
//
// All is built from + - * / sqrt, comparisons, integer operations on the bits, and madd(), in one order. So
// the bits are equal on every set with a fused multiply-add (avx2, avx512, wide, neon); sse2 rounds twice in
// madd() and may differ in the last places. Denormal numbers are numbers; nothing sets a flush-to-zero mode.

#include <cstddef>
#include <cstdint>

#include "linnet/core/kernels/isa_table.h"
#include "linnet/core/math.h"

#if defined(__x86_64__)
#include <immintrin.h>
#else
#include <arm_neon.h>
#endif

#define LINNET_INLINE [[gnu::always_inline]] inline

// Loops over an array of vectors must disappear, or the array lives in memory.
#if defined(__clang__)
#define LINNET_UNROLL _Pragma("unroll")
#else
#define LINNET_UNROLL _Pragma("GCC unroll 16")
#endif

namespace linnet::kernels::LINNET_ISA {

#if defined(__AVX512F__) || defined(LINNET_ISA_WIDE)
inline constexpr int kLanes = 16;
#elif defined(__AVX2__)
inline constexpr int kLanes = 8;
#else
inline constexpr int kLanes = 4;
#endif

// Vector types of the compiler: + - * / and comparisons become single instructions.
typedef float Native __attribute__((vector_size(4 * kLanes)));
typedef std::int32_t NativeInt __attribute__((vector_size(4 * kLanes)));

/// What a comparison gives: all bits of a lane set, or none.
struct Mask {
  NativeInt v;
};

struct F {
  Native v;

  F() = default;
  LINNET_INLINE explicit F(Native native) : v(native) {}
  // x - 0 is x for every x; x + 0 is not, and would cost an addition.
  LINNET_INLINE explicit F(float x) : v(x - Native{}) {}
  LINNET_INLINE explicit F(double x) : F(static_cast<float>(x)) {}
  LINNET_INLINE explicit F(int x) : F(static_cast<float>(x)) {}

  LINNET_INLINE static F load(const float* p) {
    F x;
    __builtin_memcpy(&x.v, p, sizeof x.v);
    return x;
  }
  /// The first n elements, 0 <= n < kLanes, and `fill` behind them.
  LINNET_INLINE static F load(const float* p, std::ptrdiff_t n, float fill = 0.0f);
  LINNET_INLINE void store(float* p) const { __builtin_memcpy(p, &v, sizeof v); }
  /// The first n lanes, 0 <= n < kLanes.
  LINNET_INLINE void store(float* p, std::ptrdiff_t n) const;

  LINNET_INLINE friend F operator+(F a, F b) { return F(a.v + b.v); }
  LINNET_INLINE friend F operator-(F a, F b) { return F(a.v - b.v); }
  LINNET_INLINE friend F operator*(F a, F b) { return F(a.v * b.v); }
  LINNET_INLINE friend F operator/(F a, F b) { return F(a.v / b.v); }
  LINNET_INLINE friend F operator-(F a) { return F(-a.v); }
  LINNET_INLINE F& operator+=(F b) { return *this = *this + b; }
  LINNET_INLINE F& operator*=(F b) { return *this = *this * b; }

  LINNET_INLINE friend Mask operator<(F a, F b) { return {a.v < b.v}; }
  LINNET_INLINE friend Mask operator<=(F a, F b) { return {a.v <= b.v}; }
  LINNET_INLINE friend Mask operator>(F a, F b) { return {a.v > b.v}; }
  LINNET_INLINE friend Mask operator>=(F a, F b) { return {a.v >= b.v}; }
  LINNET_INLINE friend Mask operator==(F a, F b) { return {a.v == b.v}; }
};

LINNET_INLINE NativeInt bits(F x) { return reinterpret_cast<NativeInt>(x.v); }
LINNET_INLINE F from_bits(NativeInt i) { return F(reinterpret_cast<Native>(i)); }

/// The first n lanes, 0 <= n <= kLanes.
LINNET_INLINE Mask first_lanes(std::ptrdiff_t n) {
  NativeInt lane;
  for (int i = 0; i < kLanes; ++i) lane[i] = i;
  return {lane < static_cast<std::int32_t>(n)};
}

#if defined(__AVX512F__)
LINNET_INLINE F F::load(const float* p, std::ptrdiff_t n, float fill) {
  return F(_mm512_mask_loadu_ps(F(fill).v, static_cast<__mmask16>((1u << n) - 1), p));
}
LINNET_INLINE void F::store(float* p, std::ptrdiff_t n) const {
  _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1u << n) - 1), v);
}
#elif defined(__AVX2__) && !defined(LINNET_ISA_WIDE)
LINNET_INLINE F F::load(const float* p, std::ptrdiff_t n, float fill) {
  const NativeInt mask = first_lanes(n).v;
  const Native x = _mm256_maskload_ps(p, reinterpret_cast<__m256i>(mask));
  return F(mask ? x : F(fill).v);
}
LINNET_INLINE void F::store(float* p, std::ptrdiff_t n) const {
  _mm256_maskstore_ps(p, reinterpret_cast<__m256i>(first_lanes(n).v), v);
}
#else
LINNET_INLINE F F::load(const float* p, std::ptrdiff_t n, float fill) {
  float lanes[kLanes];
  for (int i = 0; i < kLanes; ++i) lanes[i] = i < n ? p[i] : fill;
  return load(lanes);
}
LINNET_INLINE void F::store(float* p, std::ptrdiff_t n) const {
  for (int i = 0; i < kLanes; ++i)
    if (i < n) p[i] = v[i];
}
#endif

/// x in the first n lanes, 0 behind them.
LINNET_INLINE F first(std::ptrdiff_t n, F x) { return F(first_lanes(n).v ? x.v : Native{}); }

/// a b + c, rounded once where the set can.
LINNET_INLINE F madd(F a, F b, F c) {
#if defined(__AVX512F__)
  return F(_mm512_fmadd_ps(a.v, b.v, c.v));
#elif defined(LINNET_ISA_WIDE)
  for (int half = 0; half < 2; ++half) {
    __m256 x, y, z;
    __builtin_memcpy(&x, reinterpret_cast<char*>(&a) + 32 * half, 32);
    __builtin_memcpy(&y, reinterpret_cast<char*>(&b) + 32 * half, 32);
    __builtin_memcpy(&z, reinterpret_cast<char*>(&c) + 32 * half, 32);
    z = _mm256_fmadd_ps(x, y, z);
    __builtin_memcpy(reinterpret_cast<char*>(&c) + 32 * half, &z, 32);
  }
  return c;
#elif defined(__FMA__)
  return F(_mm256_fmadd_ps(a.v, b.v, c.v));
#elif defined(__aarch64__)
  return F(vfmaq_f32(c.v, a.v, b.v));
#else
  return a * b + c;
#endif
}

namespace m {

LINNET_INLINE F where(Mask mask, F a, F b) { return F(mask.v ? a.v : b.v); }
LINNET_INLINE F abs(F x) { return from_bits(bits(x) & 0x7fffffff); }
/// |x| with the sign of s.
LINNET_INLINE F copysign(F x, F s) {
  return from_bits((bits(x) & 0x7fffffff) | (bits(s) & static_cast<std::int32_t>(0x80000000)));
}
/// 1, -1, or x itself when it is a zero or NaN.
LINNET_INLINE F sign(F x) { return where(x > F(0), F(1), where(x < F(0), F(-1), x)); }
/// NaN when either is NaN; b when they are equal (zeros of either sign are).
LINNET_INLINE F max(F a, F b) { return where(a == a, where(a > b, a, b), a); }
LINNET_INLINE F min(F a, F b) { return where(a == a, where(a < b, a, b), a); }
/// NaN and -0 stay what they are.
LINNET_INLINE F relu(F x) { return where(F(0) > x, F(0), x); }

LINNET_INLINE F sqrt(F x) {
#if defined(__AVX512F__)
  return F(_mm512_maskz_sqrt_ps(0xffff, x.v));
#elif defined(LINNET_ISA_WIDE)
  for (int i = 0; i < kLanes; ++i) x.v[i] = __builtin_sqrtf(x.v[i]);
  return x;
#elif defined(__AVX2__)
  return F(_mm256_sqrt_ps(x.v));
#elif defined(__aarch64__)
  return F(vsqrtq_f32(x.v));
#else
  return F(_mm_sqrt_ps(x.v));
#endif
}

// exp, expm1, log, log1p, tanh, erf, sigmoid and pow.
#include "linnet/core/kernels/vec_math.inl"

}  // namespace m

}  // namespace linnet::kernels::LINNET_ISA
