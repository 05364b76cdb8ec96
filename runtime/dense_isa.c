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

/* y[r][o] = sum_i x[r][i] weight[o][i] + bias[o] */
void LNT_FN(lnt_run_dense)(const lnt_operands* o) {
  const float *x = (const float*)o->in_data[0], *w = (const float*)o->in_data[1];
  const float* bias = o->n_in == 3 ? (const float*)o->in_data[2] : NULL;
  float* y = (float*)o->out_data[0];
  const size_t outs = o->in[1].dims[0], n = o->in[1].dims[1];
  const size_t rows = o->in[0].bytes / sizeof(float) / n;
  const lnt_activation act = lnt_read_activation(o, 0);
  for (size_t r = 0; r < rows; ++r, x += n, y += outs) {
    if (o->in[1].layout == LNT_BLOCKED)
      LNT_FN(lnt_dense_row)(x, n, w, outs, bias, y, act.clamp);
    else
      dense_plain(x, n, w, outs, bias, y, act.clamp);
  }
  lnt_finish(&act, (float*)o->out_data[0], o->out[0].bytes / sizeof(float));
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
