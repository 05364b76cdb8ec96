// SPDX-License-Identifier: Apache-2.0
#ifndef LINNET_RUNTIME_VEC_H
#define LINNET_RUNTIME_VEC_H
/* A vector of LNT_LANES floats, for the *_isa.c files, which are compiled once per instruction set with
   -DLNT_ISA=<set> -DLNT_LANES=<lanes>. Without them it is one float, and the same source is the plain C99
   reference. Private.

   madd is rounded once where the set can, so results of avx2, avx512 and neon are the same bits; scalar
   rounds twice. */

#include <stdint.h>
#include <string.h>

#ifndef LNT_ISA
#define LNT_ISA scalar
#define LNT_LANES 1
#endif

#if LNT_LANES == 8 || LNT_LANES == 16
#include <immintrin.h>
#elif LNT_LANES == 4
#include <arm_neon.h>
#endif

#define LNT_JOIN_NAMES(a, b) a##_##b
#define LNT_JOIN(a, b) LNT_JOIN_NAMES(a, b)
/* LNT_FN(lnt_conv2d) is lnt_conv2d_avx2. */
#define LNT_FN(name) LNT_JOIN(name, LNT_ISA)

#if defined(__GNUC__)
#define LNT_INLINE static inline __attribute__((always_inline, unused))
#else
#define LNT_INLINE static inline
#endif

/* Loops over an array of vectors must disappear, or the array lives in memory. */
#if defined(__clang__)
#define LNT_UNROLL _Pragma("unroll")
#elif defined(__GNUC__)
#define LNT_UNROLL _Pragma("GCC unroll 16")
#else
#define LNT_UNROLL
#endif

#if LNT_LANES == 1

typedef float vec;
typedef int32_t vmask;
typedef int32_t ivec;
typedef uint32_t uvec;
LNT_INLINE vec v_load(const float* p) { return *p; }
LNT_INLINE void v_store(float* p, vec x) { *p = x; }
LNT_INLINE vec v_load_n(const float* p, size_t n) { return n != 0 ? *p : 0.0f; }
LNT_INLINE void v_store_n(float* p, vec x, size_t n) {
  if (n != 0) *p = x;
}
LNT_INLINE vec v_set(float x) { return x; }
LNT_INLINE vec v_madd(vec a, vec b, vec c) { return a * b + c; }
LNT_INLINE vec v_select(vmask m, vec a, vec b) { return m ? a : b; }
LNT_INLINE vmask v_less(vec a, vec b) { return a < b; }
LNT_INLINE vmask v_same(vec a) { return a == a; }
LNT_INLINE vec v_greater_of(vec a, vec b) { return a > b ? a : b; }
LNT_INLINE vec v_less_of(vec a, vec b) { return a < b ? a : b; }
LNT_INLINE uvec v_bits(vec x) {
  uvec u;
  memcpy(&u, &x, sizeof u);
  return u;
}
LNT_INLINE vec v_from_bits(uvec u) {
  vec x;
  memcpy(&x, &u, sizeof x);
  return x;
}
LNT_INLINE vec v_float(ivec i) { return (float)i; }

/* The root by Newton's steps: C99 without its library has none. */
LNT_INLINE vec v_sqrt(vec x) {
  if (!(x > 0.0f) || x > 3.4028234e38f) return x < 0.0f ? x - x + v_from_bits(0x7FC00000u) : x;
  const float scale = x < 1.1754944e-38f ? 16777216.0f : 1.0f;
  const double a = (double)x * scale;
  uvec u = v_bits((float)a);
  double y = (double)v_from_bits((u >> 1) + 0x1FBD1DF5u);
  for (int i = 0; i < 4; ++i) y = 0.5 * (y + a / y);
  return (float)(y / (scale > 1.0f ? 4096.0 : 1.0));
}

#else

typedef float vec __attribute__((vector_size(4 * LNT_LANES)));
typedef int32_t ivec __attribute__((vector_size(4 * LNT_LANES)));
typedef uint32_t uvec __attribute__((vector_size(4 * LNT_LANES)));
typedef ivec vmask; /* all bits of a lane, or none */
LNT_INLINE vec v_load(const float* p) {
  vec x;
  memcpy(&x, p, sizeof x);
  return x;
}
LNT_INLINE void v_store(float* p, vec x) { memcpy(p, &x, sizeof x); }
/* x - 0 is x for every x; x + 0 is not, and would cost an addition. */
LNT_INLINE vec v_set(float x) { return x - (vec){0}; }
LNT_INLINE uvec v_bits(vec x) { return (uvec)x; }
LNT_INLINE vec v_from_bits(uvec u) { return (vec)u; }
LNT_INLINE vec v_float(ivec i) { return __builtin_convertvector(i, vec); }
#if LNT_LANES == 8
LNT_INLINE vec v_select(vmask m, vec a, vec b) { return _mm256_blendv_ps(b, a, (vec)m); }
#elif LNT_LANES == 4
LNT_INLINE vec v_select(vmask m, vec a, vec b) { return vbslq_f32((uint32x4_t)m, a, b); }
#else
LNT_INLINE vec v_select(vmask m, vec a, vec b) { return (vec)(((ivec)a & m) | ((ivec)b & ~m)); }
#endif
LNT_INLINE vmask v_less(vec a, vec b) { return (vmask)(a < b); }
LNT_INLINE vmask v_same(vec a) { return (vmask)(a == a); }
/* a > b ? a : b and a < b ? a : b: b when they are equal or one is NaN, as x86 has it and NEON's own has not.
 */
#if LNT_LANES == 16
LNT_INLINE vec v_greater_of(vec a, vec b) { return _mm512_maskz_max_ps((__mmask16)0xFFFF, a, b); }
LNT_INLINE vec v_less_of(vec a, vec b) { return _mm512_maskz_min_ps((__mmask16)0xFFFF, a, b); }
#elif LNT_LANES == 8
LNT_INLINE vec v_greater_of(vec a, vec b) { return _mm256_max_ps(a, b); }
LNT_INLINE vec v_less_of(vec a, vec b) { return _mm256_min_ps(a, b); }
#else
LNT_INLINE vec v_greater_of(vec a, vec b) { return v_select(v_less(b, a), a, b); }
LNT_INLINE vec v_less_of(vec a, vec b) { return v_select(v_less(a, b), a, b); }
#endif

#if LNT_LANES == 16
LNT_INLINE vec v_madd(vec a, vec b, vec c) { return _mm512_fmadd_ps(a, b, c); }
LNT_INLINE vec v_load_n(const float* p, size_t n) {
  return _mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1u), p);
}
LNT_INLINE void v_store_n(float* p, vec x, size_t n) {
  _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1u), x);
}
LNT_INLINE vec v_sqrt(vec x) { return _mm512_maskz_sqrt_ps((__mmask16)0xFFFF, x); }
#elif LNT_LANES == 8
LNT_INLINE vec v_madd(vec a, vec b, vec c) { return _mm256_fmadd_ps(a, b, c); }
LNT_INLINE __m256i first_lanes(size_t n) {
  const ivec lane = {0, 1, 2, 3, 4, 5, 6, 7};
  return (__m256i)(lane < (int32_t)n);
}
LNT_INLINE vec v_load_n(const float* p, size_t n) { return _mm256_maskload_ps(p, first_lanes(n)); }
LNT_INLINE void v_store_n(float* p, vec x, size_t n) { _mm256_maskstore_ps(p, first_lanes(n), x); }
LNT_INLINE vec v_sqrt(vec x) { return _mm256_sqrt_ps(x); }
#else
LNT_INLINE vec v_madd(vec a, vec b, vec c) { return vfmaq_f32(c, a, b); }
LNT_INLINE vec v_load_n(const float* p, size_t n) {
  float lanes[4] = {0.0f, 0.0f, 0.0f, 0.0f};
  for (size_t i = 0; i < n && i < 4; ++i) lanes[i] = p[i];
  return v_load(lanes);
}
LNT_INLINE void v_store_n(float* p, vec x, size_t n) {
  for (size_t i = 0; i < n && i < 4; ++i) p[i] = x[i];
}
LNT_INLINE vec v_sqrt(vec x) { return vsqrtq_f32(x); }
#endif

#endif

LNT_INLINE vec v_zero(void) { return v_set(0.0f); }
LNT_INLINE vec v_abs(vec x) { return v_from_bits(v_bits(x) & 0x7FFFFFFFu); }
/* |x| with the sign of s. */
LNT_INLINE vec v_copysign(vec x, vec s) {
  return v_from_bits((v_bits(x) & 0x7FFFFFFFu) | (v_bits(s) & 0x80000000u));
}
/* NaN when either is NaN. */
LNT_INLINE vec v_max(vec a, vec b) { return v_select(v_same(a), v_greater_of(a, b), a); }
LNT_INLINE vec v_min(vec a, vec b) { return v_select(v_same(a), v_less_of(a, b), a); }
/* NaN stays NaN. */
LNT_INLINE vec v_relu(vec x) { return v_greater_of(v_zero(), x); }

/* BODY for whole vectors of 0 .. n with LNT_AT_LOAD(p) and LNT_AT_STORE(p, x), then for what is left. */
#define LNT_FOR_VECTORS(i, n, BODY)                \
  do {                                             \
    size_t i = 0;                                  \
    for (; i + LNT_LANES <= (n); i += LNT_LANES) { \
      BODY(i, v_load, v_store)                     \
    }                                              \
    if (i < (n)) {                                 \
      const size_t lnt_left = (n)-i;               \
      BODY(i, LNT_LOAD_LEFT, LNT_STORE_LEFT)       \
    }                                              \
  } while (0)
#define LNT_LOAD_LEFT(p) v_load_n(p, lnt_left)
#define LNT_STORE_LEFT(p, x) v_store_n(p, x, lnt_left)

#endif
