// SPDX-License-Identifier: Apache-2.0
#ifndef LINNET_RUNTIME_PRODUCT_H
#define LINNET_RUNTIME_PRODUCT_H
/* The one product that dense layers, convolutions and recurrent steps are made of. Private.

   y[r][o] = clamp(bias[o] + sum over i < outer, j < inner, k < len of
                   x[r x_row + i x_outer + j x_inner + k] w[i w_outer + j w_inner + k w_term + o])
   in the order i, j, k, whatever the tile: rows of x may overlap, which makes it the direct convolution. */

#include "linnet/runtime/runtime_impl.h"
#include "linnet/runtime/vec.h"

typedef struct lnt_product {
  size_t outer, inner, len;
  size_t x_row, x_outer, x_inner;
  size_t w_outer, w_inner, w_term;
  size_t y_row;
  lnt_clamp clamp;
} lnt_product;

/* Columns that one call of lnt_product_rows may have, and what lies between the vectors of a panel: with one
   vector a block, the next block. */
#if LNT_LANES == 16
enum { LNT_PANEL = 32 };
#else
enum { LNT_PANEL = 16 };
#endif

/* `rows` rows and 1..LNT_PANEL columns. `next_block`: from a column of w to the one 16 on. Unless `whole`,
   what lies behind the columns in w must not be read. bias may be null. */
void LNT_FN(lnt_product_rows)(const lnt_product* p, const float* x, size_t rows, const float* w,
                              size_t next_block, int whole, const float* bias, float* y, size_t columns);

/* y[o] = bias[o] + sum x[k] w[k][o] for one row and a blocked weight of `outs` rows of n: four partial sums,
   of k mod 4, which join as (0 + 1) + (2 + 3). */
void LNT_FN(lnt_dense_row)(const float* x, size_t n, const float* w, size_t outs, const float* bias, float* y,
                           lnt_clamp clamp);

/* sum a[k] b[k]: term k goes to lane k mod 16, then lanes l and l + 8, l + 4, l + 2, l + 1 join. */
float LNT_FN(lnt_dot)(const float* a, const float* b, size_t n);

/* y = the elementwise op of x; y may be x. */
void LNT_FN(lnt_unary)(uint32_t opcode, float p, float q, const float* x, float* y, size_t n);

/* Clamping between a low and a high that may be infinite; NaN stays NaN. */
LNT_INLINE vec v_clamp_low(lnt_clamp clamp) {
  return v_from_bits((clamp == LNT_CLAMP_NONE ? 0xFF800000u : 0u) - (uvec){0}); /* -infinity or 0 */
}
LNT_INLINE vec v_clamp_high(lnt_clamp clamp) {
  return v_from_bits((clamp == LNT_CLAMP_RELU6 ? 0x40C00000u : 0x7F800000u) - (uvec){0}); /* 6 or infinity */
}
LNT_INLINE vec v_clamp_to(vec x, vec low, vec high) { return v_less_of(high, v_greater_of(low, x)); }
LNT_INLINE vec v_clamp(vec x, lnt_clamp clamp) {
  return v_clamp_to(x, v_clamp_low(clamp), v_clamp_high(clamp));
}

/* What cannot be clamped on the way is applied to what was written. */
LNT_INLINE void lnt_finish(const lnt_activation* act, float* y, size_t n) {
  if (act->opcode != 0 && act->clamp == LNT_CLAMP_NONE)
    LNT_FN(lnt_unary)(act->opcode, act->p, act->q, y, y, n);
}

#endif
