// SPDX-License-Identifier: Apache-2.0
#ifndef LINNET_RUNTIME_REFERENCE_H
#define LINNET_RUNTIME_REFERENCE_H
/* The arithmetic of quantized models in plain C99, one function an op: what every faster kernel must equal
   bit for bit, on every board. Integers only.

   real = scale (q - zero). Activations are i8 of one scale and zero a tensor; weights i8 in -127..127 of zero
   0 and one scale an output; a bias is i32 of zero 0 and scale s_x s_w. Shapes are those of format_ops.h, and
   arguments are not checked here: lnt_check and the exporter do that.

   Rounding is to the nearest, halves towards +infinity, unless said otherwise; "saturated" is clamped to the
   range of the type. */

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The factor value 2^(shift - 31): value in 2^30 .. 2^31 - 1 and shift in -31 .. 30; or 0 and 0, for a factor
   below 2^-32. */
typedef struct lnt_multiplier {
  int32_t value, shift;
} lnt_multiplier;

/* factor acc, rounded once and saturated. */
int32_t lnt_rescale(int32_t acc, lnt_multiplier factor);

/* Of output o: at[o step]. With step 0 all have the same. */
typedef struct lnt_factors {
  const lnt_multiplier* at;
  size_t step;
} lnt_factors;

/* Where results go: y = clamp(zero + rescaled, low, high). An activation that clamps, as relu, is in low and
   high. */
typedef struct lnt_i8_range {
  int32_t zero;
  int8_t low, high;
} lnt_i8_range;

/* ---- products. acc = sum w (x - x_zero) + bias is computed as sum w x + folded. ---- */

/* folded[o] = bias[o] - x_zero sum w[o][..] for `outs` rows of `terms` weights; bias may be null. Offline. */
void lnt_i8_fold(const int8_t* weight, size_t outs, size_t terms, const int32_t* bias, int32_t x_zero,
                 int32_t* folded);

/* sum + sum of a[i] b[i], modulo 2^32: sums may leave 32 bits on the way, if only the end does not. */
uint32_t lnt_i8_dot(const int8_t* a, const int8_t* b, size_t n, uint32_t sum);
/* Likewise sum + sum of a[i]. */
uint32_t lnt_i8_sum(const int8_t* a, size_t n, uint32_t sum);

/* 1 when sums of so many products and this bias cannot leave 32 bits: terms 255 127 + |bias| < 2^31. */
int lnt_i8_fits(uint64_t terms, int64_t bias);

/* y [rows][outs] from x [rows][n] and weight [outs][n]; folded has one entry an output. `sums` are acc
 * itself. */
typedef struct lnt_i8_dense_work {
  size_t rows, n, outs;
  lnt_i8_range range;
} lnt_i8_dense_work;
void lnt_i8_dense(const lnt_i8_dense_work* v, const int8_t* x, const int8_t* weight, const int32_t* folded,
                  lnt_factors rescale, int8_t* y);
void lnt_i8_dense_sums(const lnt_i8_dense_work* v, const int8_t* x, const int8_t* weight,
                       const int32_t* folded, int32_t* sums);

/* y [n, yh, yw, o] from x [n, h, w, c] and weight [o, kh, kw, c / groups]. Outside the image is x_zero. */
typedef struct lnt_i8_conv_work {
  size_t n, h, w, c, yh, yw, o, kh, kw, groups;
  size_t stride_h, stride_w, dilation_h, dilation_w, top, left;
  int32_t x_zero;
  lnt_i8_range range;
} lnt_i8_conv_work;
void lnt_i8_conv2d(const lnt_i8_conv_work* v, const int8_t* x, const int8_t* weight, const int32_t* folded,
                   lnt_factors rescale, int8_t* y);
void lnt_i8_conv2d_sums(const lnt_i8_conv_work* v, const int8_t* x, const int8_t* weight,
                        const int32_t* folded, int32_t* sums);

/* ---- pooling over the part of the window inside the image; y has the scale and zero of x. ---- */

typedef struct lnt_i8_pool_work {
  size_t n, h, w, c, yh, yw, kh, kw, stride_h, stride_w, top, left;
} lnt_i8_pool_work;
void lnt_i8_max_pool2d(const lnt_i8_pool_work* v, const int8_t* x, int8_t* y);
/* sum / count, halves away from zero. */
void lnt_i8_avg_pool2d(const lnt_i8_pool_work* v, const int8_t* x, int8_t* y);

/* ---- elementwise, n elements ---- */

/* One operand of a sum: its zero, and its scale over twice the larger scale of both. */
typedef struct lnt_i8_term {
  const int8_t* q;
  int32_t zero;
  lnt_multiplier factor;
} lnt_i8_term;
/* y = zero + rescale(factor_a (a - zero_a) 2^20 + factor_b (b - zero_b) 2^20), each rounded once; `rescale`
   is twice the larger scale over 2^20 s_y. To subtract: `sign` -1, of b; else 1. */
void lnt_i8_add(lnt_i8_term a, lnt_i8_term b, int sign, lnt_multiplier rescale, lnt_i8_range range, size_t n,
                int8_t* y);
/* y = zero + rescale((a - a_zero) (b - b_zero)), rescale = s_a s_b / s_y. */
void lnt_i8_mul(const int8_t* a, int32_t a_zero, const int8_t* b, int32_t b_zero, lnt_multiplier rescale,
                lnt_i8_range range, size_t n, int8_t* y);
/* y = zero + rescale(x - x_zero): to another scale. */
void lnt_i8_requantize(const int8_t* x, int32_t x_zero, lnt_multiplier rescale, lnt_i8_range range, size_t n,
                       int8_t* y);
/* y = table[x + 128]: any function of one number, made by the exporter. */
void lnt_i8_lookup(const int8_t* table, const int8_t* x, size_t n, int8_t* y);

/* Over `size` elements that lie `inner` apart, of x [outer, size, inner]. table[k] = 2^23 e^(-k s_x),
   rounded. e_i = table[max x - x_i]; y_i = min(127, (256 e_i + S / 2) / S - 128) with S = sum e_i, divisions
   cut off: scale 1/256, zero -128. */
void lnt_i8_softmax(const uint32_t* table, const int8_t* x, size_t outer, size_t size, size_t inner,
                    int8_t* y);

/* ---- recurrent. Gate inputs are i16 with 11 bits behind the point, gates i16 with 15. ---- */

enum { LNT_GATE_TABLE = 513 };

/* The function of `table`, whose entry k is f((k - 256) / 16) 2^15, saturated: linear between entries. */
int16_t lnt_i8_gate(const int16_t* table, int16_t x);

/* Weights of one layer, rows by gates: i f g o of an LSTM, r z n of a GRU. rescale_x[r] = s_x s_w[r] 2^11, of
   h, whose scale is 1/128 and zero 0, rescale_h[r] = s_w[r] 2^4. bias and bias_h have 11 bits behind the
   point. */
typedef struct lnt_i8_recurrent {
  size_t steps, n, hidden;
  const int8_t *weight_x, *weight_h; /* [G hidden][n], [G hidden][hidden] */
  const int32_t* folded_x;           /* of weight_x without bias */
  lnt_factors rescale_x, rescale_h;
  const int16_t* bias;           /* [G hidden] */
  const int16_t* bias_h;         /* GRU: [hidden], of n */
  const int16_t *sigmoid, *tanh; /* [LNT_GATE_TABLE] */
  int32_t cell_bits;             /* LSTM: c has 15 - cell_bits bits behind the point; 0 .. 4 */
} lnt_i8_recurrent;

/* a = saturated(rescale_x (W x) + rescale_h (U h) + bias); c' = saturated(f c + i g); h = o tanh(c').
   x [steps][n]; h [hidden] and c [hidden] are read and written; y [steps][hidden] gets every h unless null;
   gates [4 hidden] is scratch. */
void lnt_i8_lstm(const lnt_i8_recurrent* v, const int8_t* x, int8_t* h, int16_t* c, int16_t* gates,
                 int8_t* y);

/* n = tanh(saturated(rescale_x (W x) + bias + r saturated(rescale_h (U h) + bias_h))); h' = n + z (h - n).
   The state is i16 with 15 bits behind the point, of which y and the next step get the upper 8, rounded.
   gates [3 hidden] and h8 [hidden] are scratch. */
void lnt_i8_gru(const lnt_i8_recurrent* v, const int8_t* x, int16_t* h, int16_t* gates, int8_t* h8,
                int8_t* y);

#ifdef __cplusplus
}
#endif
#endif
