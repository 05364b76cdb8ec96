// SPDX-License-Identifier: Apache-2.0
#ifndef LINNET_RUNTIME_VEC_MATH_H
#define LINNET_RUNTIME_VEC_MATH_H
/* exp, log and their kin on vectors, by the polynomials of the training side: core/kernels/vec_math.inl names
   their errors and sources. Private. */

#include "linnet/runtime/vec.h"

/* log 2 in two parts; the first has so few bits that its products with exponents are exact. */
#define LNT_LOG2_HIGH 0.693359375f
#define LNT_LOG2_LOW -2.12194440e-4f
#define LNT_INFINITY v_from_bits(0x7F800000u - (uvec){0})
#define LNT_NAN v_from_bits(0x7FC00000u - (uvec){0})

#define LNT_STEP(p, x, c) p = v_madd(p, x, v_set(c))

/* e^r - 1 for |r| <= log(2) / 2. */
LNT_INLINE vec v_expm1_near(vec r) {
  vec p = v_set(0x1.6a2352p-10f);
  LNT_STEP(p, r, 0x1.123a6cp-7f);
  LNT_STEP(p, r, 0x1.5558f4p-5f);
  LNT_STEP(p, r, 0x1.555490p-3f);
  LNT_STEP(p, r, 0x1.fffffcp-2f);
  return v_madd(p, r * r, r);
}

/* e^x = 2^n e^r with n = round(x / log 2), |r| <= log(2) / 2; results below 2^-126 become 0. */
LNT_INLINE vec v_exp(vec x) {
  /* Adding 1.5 2^23 rounds to whole numbers and leaves n in the low bits. */
  const vec shifter = v_set(12582912.0f);
  const vec shifted = v_madd(x, v_set(1.44269504f), shifter);
  const vec n = shifted - shifter;
  const vec r = v_madd(n, v_set(-LNT_LOG2_LOW), v_madd(n, v_set(-LNT_LOG2_HIGH), x));
  const vec p = v_expm1_near(r) + v_set(1.0f);
  vec y = v_from_bits(v_bits(p) + (v_bits(shifted) << 23)); /* no carry into the sign inside the limits */
  y = v_select(v_less(v_set(-87.3365f), x), y, v_zero());
  y = v_select(v_less(x, v_set(88.72283f)), y, LNT_INFINITY);
  return v_select(v_same(x), y, x);
}

/* e^x - 1, relative near 0, too. */
LNT_INLINE vec v_expm1(vec x) {
  return v_select(v_less(v_abs(x), v_set(0.34657359f)), v_expm1_near(x), v_exp(x) - v_set(1.0f));
}

/* log x = e log 2 + log(1 + f), 1 + f in [sqrt(1/2), sqrt(2));  log(1 + f) = f - f^2/2 + f^3 P(f). */
LNT_INLINE vec v_log(vec x) {
  const vmask tiny = v_less(x, v_set(0x1p-126f));
  const uvec i = v_bits(v_select(tiny, x * v_set(0x1p23f), x));
  const ivec e = (ivec)(i - 0x3f3504f3u) >> 23;
  const vec f = v_from_bits(i - ((uvec)e << 23)) - v_set(1.0f);
  const vec exponent = v_float(e) - v_select(tiny, v_set(23.0f), v_zero());
  vec p = v_set(-0x1.38b586p-4f);
  LNT_STEP(p, f, 0x1.055b6cp-3f);
  LNT_STEP(p, f, -0x1.0d8542p-3f);
  LNT_STEP(p, f, 0x1.22da1cp-3f);
  LNT_STEP(p, f, -0x1.547244p-3f);
  LNT_STEP(p, f, 0x1.99a008p-3f);
  LNT_STEP(p, f, -0x1.000226p-2f);
  LNT_STEP(p, f, 0x1.555554p-2f);
  const vec square = f * f;
  vec y = v_madd(exponent, v_set(LNT_LOG2_LOW), square * (f * p));
  y = f + v_madd(v_set(-0.5f), square, y);
  y = v_madd(exponent, v_set(LNT_LOG2_HIGH), y);
  y = v_select(v_less(x, LNT_INFINITY), y, x);
  const vec below = v_select(v_less(x, v_zero()), LNT_NAN, v_select(v_same(x), -LNT_INFINITY, x));
  return v_select(v_less(v_zero(), x), y, below);
}

/* log(1 + x) for 0 <= x <= 1: what rounding 1 + x lost comes back as a first-order term. */
LNT_INLINE vec v_log1p(vec x) {
  const vec u = v_set(1.0f) + x;
  return v_log(u) + (x - (u - v_set(1.0f))) / u;
}

/* tanh x = x + x^3 P(x^2) for |x| < 0.625, else +-(1 - 2 / (e^{2|x|} + 1)). */
LNT_INLINE vec v_tanh(vec x) {
  const vec z = x * x;
  vec p = v_set(-0x1.75e1cep-8f);
  LNT_STEP(p, z, 0x1.52269cp-6f);
  LNT_STEP(p, z, -0x1.b83c5ap-5f);
  LNT_STEP(p, z, 0x1.110726p-3f);
  LNT_STEP(p, z, -0x1.555532p-2f);
  const vec near = v_madd(x * z, p, x);
  const vec size = v_abs(x);
  const vec far = v_set(1.0f) - v_set(2.0f) / (v_exp(size + size) + v_set(1.0f));
  return v_select(v_less(size, v_set(0.625f)), near, v_copysign(far, x));
}

/* erf x = x + x P(x^2) for |x| < 1, else +-(1 - e^{Q(|x|)}), Q a fit of log erfc; 1 from |x| = 4 on. */
LNT_INLINE vec v_erf(vec x) {
  const vec z = x * x;
  vec p = v_set(0x1.496a86p-14f);
  LNT_STEP(p, z, -0x1.a3f722p-11f);
  LNT_STEP(p, z, 0x1.5405b8p-8f);
  LNT_STEP(p, z, -0x1.b7f90ep-6f);
  LNT_STEP(p, z, 0x1.ce2cf8p-4f);
  LNT_STEP(p, z, -0x1.81273ep-2f);
  LNT_STEP(p, z, 0x1.06eba8p-3f);
  const vec near = v_madd(x, p, x);
  const vec size = v_min(v_abs(x), v_set(4.0f));
  vec q = v_set(0x1.86dd9ap-13f);
  LNT_STEP(q, size, -0x1.825b06p-9f);
  LNT_STEP(q, size, 0x1.65cb7ep-6f);
  LNT_STEP(q, size, -0x1.a65346p-4f);
  LNT_STEP(q, size, -0x1.46baecp-1f);
  LNT_STEP(q, size, -0x1.2088eap+0f);
  LNT_STEP(q, size, -0x1.661cacp-12f);
  const vec far = v_copysign(v_set(1.0f) - v_exp(q), x);
  return v_select(v_same(x), v_select(v_less(size, v_set(1.0f)), near, far), x);
}

LNT_INLINE vec v_sigmoid(vec x) { return v_set(1.0f) / (v_set(1.0f) + v_exp(-x)); }

/* |x|^p = e^(p log |x|), with a relative error of about |p log x| 2^-23; signs and zeros as C's pow has them.
 */
LNT_INLINE vec v_pow_general(vec x, float exponent) {
  const int big = exponent >= 0x1p24f || exponent <= -0x1p24f;
  const int whole = big || exponent == (float)(int32_t)exponent;
  const int odd = whole && !big && ((int32_t)exponent & 1) != 0;
  const vec log = v_log(v_abs(x)), p = v_set(exponent);
  const vec y = v_exp(p * log);
  const vec even = v_select(v_same(log), y, log);
  const vec with_sign = odd ? v_copysign(even, x) : even;
  const vec negative = whole ? with_sign : LNT_NAN;
  return v_select(v_less(x, v_zero()), negative, with_sign);
}

LNT_INLINE vec v_pow(vec x, float exponent) {
  if (exponent == 2.0f) return x * x;
  if (exponent == 1.0f) return x;
  if (exponent == 0.0f) return v_set(1.0f);
  if (exponent == 3.0f) return x * x * x;
  if (exponent == 4.0f) return (x * x) * (x * x);
  if (exponent == -1.0f) return v_set(1.0f) / x;
  if (exponent == -2.0f) return v_set(1.0f) / (x * x);
  if (exponent == -3.0f) return v_set(1.0f) / (x * x * x);
  if (exponent == -4.0f) return v_set(1.0f) / ((x * x) * (x * x));
  return v_pow_general(x, exponent);
}

#endif
