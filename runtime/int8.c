// SPDX-License-Identifier: Apache-2.0
/* The ops on quantized tensors, by reference.h: one piece of code for all instruction sets. */
#include "linnet/runtime/int8.h"

int32_t lnt_round_even(double x) {
  const int32_t whole = (int32_t)x;
  const double rest = x - (double)whole; /* exact, with the sign of x */
  const int odd = whole % 2 != 0;
  if (rest > 0.5 || (odd && rest == 0.5)) return whole + 1;
  if (rest < -0.5 || (odd && rest == -0.5)) return whole - 1;
  return whole;
}

int8_t lnt_quantize(float x, float scale, int32_t zero) {
  float q = x / scale;
  if (q != q) return (int8_t)zero;
  q = q < -512.0f ? -512.0f : q > 512.0f ? 512.0f : q; /* zero is within 128 */
  const int32_t placed = lnt_round_even((double)q) + zero;
  return (int8_t)(placed < INT8_MIN ? INT8_MIN : placed > INT8_MAX ? INT8_MAX : placed);
}

void lnt_run_quantize(const lnt_operands* o) {
  const float *x = (const float*)o->in_data[0], scale = lnt_scale(&o->out[0], 0);
  const int32_t zero = lnt_zero(&o->out[0]);
  int8_t* y = (int8_t*)o->out_data[0];
  for (size_t i = 0; i < o->out[0].bytes; ++i) y[i] = lnt_quantize(x[i], scale, zero);
}

void lnt_run_dequantize(const lnt_operands* o) {
  const int8_t* x = (const int8_t*)o->in_data[0];
  const float scale = lnt_scale(&o->in[0], 0);
  const int32_t zero = lnt_zero(&o->in[0]);
  float* y = (float*)o->out_data[0];
  for (size_t i = 0; i < o->in[0].bytes; ++i) y[i] = scale * (float)(x[i] - zero);
}

/* ---- products; a piece is some outputs of a single row, else one row ---- */

typedef struct dense_pieces {
  lnt_i8_dense_work work;
  size_t outs; /* of a piece */
  const int8_t *x, *weight;
  const int32_t* folded;
  lnt_factors factors;
  int8_t* y;
} dense_pieces;

enum { kOuts = 64 };

static void dense_piece(void* work, uint32_t piece) {
  const dense_pieces* d = (const dense_pieces*)work;
  lnt_i8_dense_work v = d->work;
  if (d->work.rows > 1) {
    v.rows = 1;
    lnt_i8_dense(&v, d->x + piece * v.n, d->weight, d->folded, d->factors, d->y + piece * v.outs);
    return;
  }
  const size_t first = (size_t)piece * d->outs, left = d->work.outs - first;
  const lnt_factors factors = {d->factors.at + first * d->factors.step, d->factors.step};
  v.outs = left < d->outs ? left : d->outs;
  lnt_i8_dense(&v, d->x, d->weight + first * v.n, d->folded + first, factors, d->y + first);
}

void lnt_run_i8_dense(const lnt_operands* o) {
  const size_t outs = o->in[1].dims[0], n = o->in[1].dims[1], rows = o->in[0].bytes / n;
  const int shared = o->parallel != NULL && rows * outs * n > LNT_WORTH_SHARING;
  dense_pieces d = {{rows, n, outs, lnt_param_range(o, 0)},
                    kOuts,
                    (const int8_t*)o->in_data[0],
                    (const int8_t*)o->in_data[1],
                    (const int32_t*)o->in_data[2],
                    lnt_read_factors(&o->in[1]),
                    (int8_t*)o->out_data[0]};
  if (!shared) {
    lnt_i8_dense(&d.work, d.x, d.weight, d.folded, d.factors, d.y);
    return;
  }
  lnt_share(o, dense_piece, &d, (uint32_t)(rows > 1 ? rows : (outs + kOuts - 1) / kOuts));
}

lnt_i8_conv_work lnt_i8_conv_of(const lnt_operands* o, int32_t x_zero) {
  const lnt_i8_conv_work v = {1, LNT_CONV_SIZES(o), x_zero, {0, INT8_MIN, INT8_MAX}};
  return v;
}

/* Rows begin .. begin + count - 1 of y of one image: changes the work to that of these rows alone, and
   returns where in the image its rows begin now. A window begins before the last row, so that some of it is
   left. */
static const int8_t* conv_rows(lnt_i8_conv_work* v, const int8_t* image, size_t begin, size_t count) {
  const size_t first = begin * v->stride_h, above = first < v->top ? 0 : first - v->top;
  v->top = first < v->top ? v->top - first : 0;
  v->h -= above;
  v->yh = count;
  return image + above * v->w * v->c;
}

typedef struct conv_pieces {
  lnt_i8_conv_work work;
  const int8_t *x, *weight;
  const int32_t* folded;
  lnt_factors factors;
  int8_t* y;
  size_t rows; /* of a piece */
} conv_pieces;

static void conv_piece(void* work, uint32_t piece) {
  const conv_pieces* d = (const conv_pieces*)work;
  lnt_i8_conv_work v = d->work;
  const size_t of_image = (v.yh + d->rows - 1) / d->rows, n = piece / of_image;
  const size_t begin = piece % of_image * d->rows, left = v.yh - begin;
  int8_t* y = d->y + (n * v.yh + begin) * v.yw * v.o;
  const int8_t* x = conv_rows(&v, d->x + n * v.h * v.w * v.c, begin, left < d->rows ? left : d->rows);
  lnt_i8_conv2d(&v, x, d->weight, d->folded, d->factors, y);
}

void lnt_run_i8_conv2d(const lnt_operands* o) {
  conv_pieces d = {lnt_i8_conv_of(o, lnt_zero(&o->in[0])),
                   (const int8_t*)o->in_data[0],
                   (const int8_t*)o->in_data[1],
                   (const int32_t*)o->in_data[2],
                   lnt_read_factors(&o->in[1]),
                   (int8_t*)o->out_data[0],
                   1};
  d.work.range = lnt_param_range(o, LNT_AT_I8_CONV_RANGE);
  const size_t products = o->out[0].bytes * (o->in[1].bytes / d.work.o);
  if (o->parallel == NULL || products <= LNT_WORTH_SHARING) d.rows = d.work.yh;
  const size_t of_image = (d.work.yh + d.rows - 1) / d.rows;
  lnt_share(o, conv_piece, &d, (uint32_t)(o->in[0].dims[0] * of_image));
}

void lnt_run_i8_pool2d(const lnt_operands* o) {
  const uint32_t *x = o->in[0].dims, *y = o->out[0].dims;
  const lnt_i8_pool_work v = {x[0],
                              x[1],
                              x[2],
                              x[3],
                              y[1],
                              y[2],
                              lnt_param(o, LNT_AT_POOL_KERNEL),
                              lnt_param(o, LNT_AT_POOL_KERNEL + 1),
                              lnt_param(o, LNT_AT_POOL_STRIDE),
                              lnt_param(o, LNT_AT_POOL_STRIDE + 1),
                              lnt_param(o, LNT_AT_PADS),
                              lnt_param(o, LNT_AT_PADS + 2)};
  if (o->opcode == LNT_I8_MAX_POOL2D)
    lnt_i8_max_pool2d(&v, (const int8_t*)o->in_data[0], (int8_t*)o->out_data[0]);
  else
    lnt_i8_avg_pool2d(&v, (const int8_t*)o->in_data[0], (int8_t*)o->out_data[0]);
}

/* ---- elementwise ---- */

static void binary_row(const lnt_operands* o, const int8_t* a, const int8_t* b, size_t n, int8_t* y) {
  const int32_t a_zero = lnt_zero(&o->in[0]), b_zero = lnt_zero(&o->in[1]);
  if (o->opcode == LNT_I8_MUL) {
    lnt_i8_mul(a, a_zero, b, b_zero, lnt_param_factor(o, 0), lnt_param_range(o, LNT_AT_I8_FACTOR_RANGE), n,
               y);
    return;
  }
  const lnt_i8_term first = {a, a_zero, lnt_param_factor(o, 0)},
                    second = {b, b_zero, lnt_param_factor(o, LNT_AT_I8_ADD_B)};
  lnt_i8_add(first, second, o->opcode == LNT_I8_SUB ? -1 : 1, lnt_param_factor(o, LNT_AT_I8_ADD_SUM),
             lnt_param_range(o, LNT_AT_I8_ADD_RANGE), n, y);
}

/* Steps of an operand along the axes of y; 0 where it is repeated. */
static void broadcast_steps(const lnt_tensor* t, const lnt_tensor* y, size_t* steps) {
  size_t step = 1;
  for (uint32_t i = 1; i <= y->rank; ++i) {
    const size_t dim = i <= t->rank ? t->dims[t->rank - i] : 1;
    steps[y->rank - i] = dim == 1 ? 0 : step;
    step *= dim;
  }
}

void lnt_run_i8_binary(const lnt_operands* o) {
  const lnt_tensor *a = &o->in[0], *b = &o->in[1], *y = &o->out[0];
  const int8_t *pa = (const int8_t*)o->in_data[0], *pb = (const int8_t*)o->in_data[1];
  int8_t* to = (int8_t*)o->out_data[0];
  if (a->bytes == y->bytes && b->bytes == y->bytes) {
    binary_row(o, pa, pb, y->bytes, to);
    return;
  }
  size_t of_a[LNT_MAX_RANK], of_b[LNT_MAX_RANK], index[LNT_MAX_RANK] = {0};
  broadcast_steps(a, y, of_a);
  broadcast_steps(b, y, of_b);
  /* A row at once where both have one; else element by element. */
  const uint32_t last = (uint32_t)y->rank - 1, axes = of_a[last] == 1 && of_b[last] == 1 ? last : y->rank;
  const size_t n = lnt_count(y, axes, y->rank);
  for (const int8_t* end = to + y->bytes; to < end; to += n) {
    binary_row(o, pa, pb, n, to);
    for (uint32_t i = axes; i-- > 0;) {
      pa += of_a[i], pb += of_b[i];
      if (++index[i] < y->dims[i]) break;
      pa -= of_a[i] * y->dims[i], pb -= of_b[i] * y->dims[i];
      index[i] = 0;
    }
  }
}

void lnt_run_i8_requantize(const lnt_operands* o) {
  lnt_i8_requantize((const int8_t*)o->in_data[0], lnt_zero(&o->in[0]), lnt_param_factor(o, 0),
                    lnt_param_range(o, LNT_AT_I8_FACTOR_RANGE), o->in[0].bytes, (int8_t*)o->out_data[0]);
}

void lnt_run_i8_lookup(const lnt_operands* o) {
  lnt_i8_lookup((const int8_t*)o->in_data[1], (const int8_t*)o->in_data[0], o->in[0].bytes,
                (int8_t*)o->out_data[0]);
}

void lnt_run_i8_softmax(const lnt_operands* o) {
  const lnt_tensor* x = &o->in[0];
  const uint32_t axis = lnt_param(o, 0);
  lnt_i8_softmax((const uint32_t*)o->in_data[1], (const int8_t*)o->in_data[0], lnt_count(x, 0, axis),
                 x->dims[axis], lnt_count(x, axis + 1, x->rank), (int8_t*)o->out_data[0]);
}

/* ---- recurrent: one step at a time, in either direction ---- */

static lnt_i8_recurrent layer_of(const lnt_operands* o) {
  const int lstm = o->opcode == LNT_I8_LSTM;
  lnt_i8_recurrent v;
  v.steps = 1;
  v.n = o->in[0].dims[2];
  v.hidden = o->in[2].dims[1];
  v.weight_x = (const int8_t*)o->in_data[1];
  v.weight_h = (const int8_t*)o->in_data[2];
  v.folded_x = (const int32_t*)o->in_data[3];
  v.rescale_x = lnt_read_factors(&o->in[1]);
  v.rescale_h = lnt_read_factors(&o->in[2]);
  v.bias = (const int16_t*)o->in_data[4];
  v.bias_h = lstm ? NULL : (const int16_t*)o->in_data[5];
  v.sigmoid = (const int16_t*)o->in_data[o->n_in - 2];
  v.tanh = (const int16_t*)o->in_data[o->n_in - 1];
  v.cell_bits = lstm ? (int32_t)lnt_param(o, 1) : 0;
  return v;
}

void lnt_run_i8_recurrent(const lnt_operands* o) {
  const lnt_i8_recurrent v = layer_of(o);
  const int lstm = o->opcode == LNT_I8_LSTM, reverse = (lnt_param(o, 0) & LNT_RNN_REVERSE) != 0;
  const int sequence = (lnt_param(o, 0) & LNT_RNN_SEQUENCE) != 0;
  const size_t samples = o->in[0].dims[0], steps = o->in[0].dims[1];
  int16_t *gates = (int16_t*)o->out_data[1], *state = gates + (lstm ? 4 : 3) * v.hidden;
  int8_t *h8 = (int8_t*)(state + v.hidden), *y = (int8_t*)o->out_data[0];
  const int8_t* x = (const int8_t*)o->in_data[0];
  for (size_t s = 0; s < samples; ++s, x += steps * v.n) {
    memset(state, 0, 3 * v.hidden); /* and h8 */
    for (size_t k = 0; k < steps; ++k) {
      const size_t t = reverse ? steps - 1 - k : k;
      int8_t* to = sequence ? y + t * v.hidden : y;
      if (lstm)
        lnt_i8_lstm(&v, x + t * v.n, h8, state, gates, to);
      else
        lnt_i8_gru(&v, x + t * v.n, state, gates, h8, to);
    }
    y += (sequence ? steps : 1) * v.hidden;
  }
}
