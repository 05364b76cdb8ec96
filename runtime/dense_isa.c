// SPDX-License-Identifier: Apache-2.0
/* dense and matmul. */
#include "linnet/runtime/kernels.h"
#include "linnet/runtime/product.h"

/* Weight rows as they are: for boards that keep the plain layout. */
static void dense_plain(const float* x, size_t n, const float* w, size_t outs, const float* bias, float* y,
                        lnt_clamp clamp) {
  for (size_t o = 0; o < outs; ++o) {
    float sum = LNT_FN(lnt_dot)(x, w + o * n, n);
    if (bias != NULL) sum += bias[o];
    if (clamp != LNT_CLAMP_NONE && sum < 0.0f) sum = 0.0f;
    if (clamp == LNT_CLAMP_RELU6 && sum > 6.0f) sum = 6.0f;
    y[o] = sum;
  }
}

typedef struct dense_work {
  const float *x, *w, *bias;
  float* y;
  size_t n, outs, rows, pieces;
  int blocked;
  lnt_clamp clamp;
} dense_work;

/* Outputs that one piece has, of a layer that is worth sharing; whole panels. */
enum { kPiece = 2 * 32 };

/* All rows by a share of the outputs. */
static void dense_piece(void* work, uint32_t piece) {
  const dense_work* d = (const dense_work*)work;
  const size_t first = d->pieces == 1 ? 0 : (size_t)piece * kPiece;
  const size_t left = d->outs - first, outs = d->pieces == 1 || left < kPiece ? left : kPiece;
  const float *w = d->w + first * d->n, *bias = d->bias != NULL ? d->bias + first : NULL;
  for (size_t r = 0; r < d->rows; ++r) {
    if (d->blocked)
      LNT_FN(lnt_dense_row)(d->x + r * d->n, d->n, w, outs, bias, d->y + r * d->outs + first, d->clamp);
    else
      dense_plain(d->x + r * d->n, d->n, w, outs, bias, d->y + r * d->outs + first, d->clamp);
  }
}

/* y[r][o] = sum_i x[r][i] weight[o][i] + bias[o] */
void LNT_FN(lnt_run_dense)(const lnt_operands* o) {
  const size_t outs = o->in[1].dims[0], n = o->in[1].dims[1];
  const lnt_activation act = lnt_read_activation(o, 0);
  dense_work d = {(const float*)o->in_data[0],
                  (const float*)o->in_data[1],
                  o->n_in == 3 ? (const float*)o->in_data[2] : NULL,
                  (float*)o->out_data[0],
                  n,
                  outs,
                  o->in[0].bytes / sizeof(float) / n,
                  1,
                  o->in[1].layout == LNT_BLOCKED,
                  act.clamp};
  if (o->parallel != NULL && d.rows * n * outs > LNT_WORTH_SHARING) d.pieces = (outs + kPiece - 1) / kPiece;
  lnt_share(o, dense_piece, &d, (uint32_t)d.pieces);
  lnt_finish(&act, d.y, o->out[0].bytes / sizeof(float));
}

/* y [N, M] = a [N, K] b [K, M] */
void LNT_FN(lnt_run_matmul)(const lnt_operands* o) {
  const size_t n = o->in[0].dims[0], k = o->in[0].dims[1], m = o->in[1].dims[1];
  const float *a = (const float*)o->in_data[0], *b = (const float*)o->in_data[1];
  float* y = (float*)o->out_data[0];
  const lnt_product p = {1, 1, k, k, 0, 0, 0, 0, m, m, LNT_CLAMP_NONE};
  for (size_t c = 0; c < m; c += LNT_PANEL) {
    const size_t columns = m - c < LNT_PANEL ? m - c : LNT_PANEL;
    LNT_FN(lnt_product_rows)(&p, a, n, b + c, LNT_BLOCK, columns == LNT_PANEL, NULL, y + c, columns);
  }
}
