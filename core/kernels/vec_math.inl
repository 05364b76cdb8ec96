// SPDX-License-Identifier: Apache-2.0
// The transcendental part of m::, included by vec.h inside namespace linnet::kernels::<set>::m.
//
// Largest error against f64 in units of the last place of the result, measured over every 17th of all 2^32
// floats (tests/core/elementwise_test.cpp repeats it over every 4099th):
//            FMA sets   sse2
//   exp        1.00     0.98   results below 2^-126 become 0
//   expm1      3.35     3.23   relative near 0, too
//   log        0.84     0.83   also of denormal arguments
//   log1p      1.27     1.27   for 0 <= x <= 1
//   tanh       1.33     1.32   relative near 0, too
//   erf        1.15     1.48   relative near 0, too
//   sigmoid    2.35     2.35   relative for large negative x, too; results below 2^-126 may become 0
//   pow        0.50     0.50   but whole exponents from -4 to 4 are products, up to 3
//
// Polynomials are minimax fits of the relative error (Lawson's iteration, in extended precision); the
// reductions are those of Cephes (S. Moshier, "Methods and Programs for Mathematical Functions", 1989).

inline constexpr float kInfinity = __builtin_inff();
// log 2 in two parts; the first has so few bits that its products with exponents are exact.
inline constexpr float kLog2High = 0.693359375f;
inline constexpr float kLog2Low = -2.12194440e-4f;

/// e^r - 1 for |r| <= log(2) / 2.
LINNET_INLINE F expm1_near(F r) {
  F p(0x1.6a2352p-10f);
  p = madd(p, r, F(0x1.123a6cp-7f));
  p = madd(p, r, F(0x1.5558f4p-5f));
  p = madd(p, r, F(0x1.555490p-3f));
  p = madd(p, r, F(0x1.fffffcp-2f));
  return madd(p, r * r, r);
}

/// e^x = 2^n e^r with n = round(x / log 2), |r| <= log(2) / 2.
LINNET_INLINE F exp(F x) {
  // Adding 1.5 2^23 rounds to whole numbers and leaves n in the low bits.
  const F shifter(12582912.0f);
  const F shifted = madd(x, F(1.44269504f), shifter);
  const F n = shifted - shifter;
  const F r = madd(n, F(-kLog2Low), madd(n, F(-kLog2High), x));
  const F p = expm1_near(r) + F(1);
  F y = from_bits(bits(p) + (bits(shifted) << 23));  // no carry into the sign inside the limits below
  y = where(x > F(-87.3365f), y, F(0));
  y = where(x < F(88.72283f), y, F(kInfinity));
  return where(x == x, y, x);
}

/// e^x - 1, relative near 0, too.
LINNET_INLINE F expm1(F x) { return where(abs(x) < F(0.34657359f), expm1_near(x), exp(x) - F(1)); }

/// log x = e log 2 + log(1 + f), 1 + f in [sqrt(1/2), sqrt(2));  log(1 + f) = f - f^2/2 + f^3 P(f).
LINNET_INLINE F log(F x) {
  const Mask tiny = x < F(0x1p-126f);
  const NativeInt i = bits(where(tiny, x * F(0x1p23f), x));
  const NativeInt e = (i - 0x3f3504f3) >> 23;
  const F f = from_bits(i - (e << 23)) - F(1);
  const F exponent = F(__builtin_convertvector(e, Native)) - where(tiny, F(23), F(0));
  F p(-0x1.38b586p-4f);
  p = madd(p, f, F(0x1.055b6cp-3f));
  p = madd(p, f, F(-0x1.0d8542p-3f));
  p = madd(p, f, F(0x1.22da1cp-3f));
  p = madd(p, f, F(-0x1.547244p-3f));
  p = madd(p, f, F(0x1.99a008p-3f));
  p = madd(p, f, F(-0x1.000226p-2f));
  p = madd(p, f, F(0x1.555554p-2f));
  const F square = f * f;
  F y = madd(exponent, F(kLog2Low), square * (f * p));
  y = f + madd(F(-0.5f), square, y);
  y = madd(exponent, F(kLog2High), y);
  y = where(x < F(kInfinity), y, x);
  return where(x > F(0), y, where(x == F(0), F(-kInfinity), F(__builtin_nanf(""))));
}

/// log(1 + x) for 0 <= x <= 1: what rounding 1 + x lost comes back as a first-order term.
LINNET_INLINE F log1p(F x) {
  const F u = F(1) + x;
  return log(u) + (x - (u - F(1))) / u;
}

/// tanh x = x + x^3 P(x^2) for |x| < 0.625, else +-(1 - 2 / (e^{2|x|} + 1)).
LINNET_INLINE F tanh(F x) {
  const F z = x * x;
  F p(-0x1.75e1cep-8f);
  p = madd(p, z, F(0x1.52269cp-6f));
  p = madd(p, z, F(-0x1.b83c5ap-5f));
  p = madd(p, z, F(0x1.110726p-3f));
  p = madd(p, z, F(-0x1.555532p-2f));
  const F near = madd(x * z, p, x);
  const F size = abs(x);
  const F far = F(1) - F(2) / (exp(size + size) + F(1));
  return where(size < F(0.625f), near, copysign(far, x));
}

/// erf x = x + x P(x^2) for |x| < 1, else +-(1 - e^{Q(|x|)}), Q a fit of log erfc; 1 from |x| = 4 on.
LINNET_INLINE F erf(F x) {
  const F z = x * x;
  F p(0x1.496a86p-14f);
  p = madd(p, z, F(-0x1.a3f722p-11f));
  p = madd(p, z, F(0x1.5405b8p-8f));
  p = madd(p, z, F(-0x1.b7f90ep-6f));
  p = madd(p, z, F(0x1.ce2cf8p-4f));
  p = madd(p, z, F(-0x1.81273ep-2f));
  p = madd(p, z, F(0x1.06eba8p-3f));
  const F near = madd(x, p, x);
  const F size = min(abs(x), F(4));
  F q(0x1.86dd9ap-13f);
  q = madd(q, size, F(-0x1.825b06p-9f));
  q = madd(q, size, F(0x1.65cb7ep-6f));
  q = madd(q, size, F(-0x1.a65346p-4f));
  q = madd(q, size, F(-0x1.46baecp-1f));
  q = madd(q, size, F(-0x1.2088eap+0f));
  q = madd(q, size, F(-0x1.661cacp-12f));
  return where(size < F(1), near, copysign(F(1) - exp(q), x));
}

LINNET_INLINE F sigmoid(F x) { return F(1) / (F(1) + exp(-x)); }

/// One power in double, by formulas that give the same bits everywhere (core/math.h).
inline float power(float x, float p) {
  const float size = x < 0.0f ? -x : x;
  const bool whole =
      size != size || p >= 0x1p24f || p <= -0x1p24f || p == static_cast<float>(static_cast<int>(p));
  const bool odd = p < 0x1p24f && p > -0x1p24f && (static_cast<int>(p) & 1);
  if (p != p || x != x) return x + p;
  if (size == 1.0f && (x > 0.0f || p - p != 0.0f)) return 1.0f;
  if (x < 0.0f && !whole && size != kInfinity) return __builtin_nanf("");
  float y;
  if (p - p != 0.0f)
    y = (size > 1.0f) == (p > 0.0f) ? kInfinity : 0.0f;
  else if (size == 0.0f || size == kInfinity)
    y = (size == 0.0f) == (p < 0.0f) ? kInfinity : 0.0f;
  else
    y = static_cast<float>(math::pow(static_cast<double>(size), static_cast<double>(p)));
  return odd && whole && __builtin_signbit(x) ? -y : y;
}

/// x^p with the same exponent p in every lane; the conventions of C's pow for zeros, infinities and signs.
LINNET_INLINE F pow(F x, F p) {
  const float exponent = p.v[0];
  if (exponent == 2.0f) return x * x;
  if (exponent == 1.0f) return x;
  if (exponent == 0.0f) return F(1);
  if (exponent == 3.0f) return x * x * x;
  if (exponent == 4.0f) return (x * x) * (x * x);
  if (exponent == -1.0f) return F(1) / x;
  if (exponent == -2.0f) return F(1) / (x * x);
  if (exponent == -3.0f) return F(1) / (x * x * x);
  if (exponent == -4.0f) return F(1) / ((x * x) * (x * x));
  for (int i = 0; i < kLanes; ++i) x.v[i] = power(x.v[i], exponent);
  return x;
}
