// SPDX-License-Identifier: Apache-2.0
/* rnn, gru, lstm; h' and c' are of the step before.

     rnn    h = tanh(u + p), or relu                 u = x weight_x^T + bias,  p = h' weight_h^T
     gru    r, z = sigmoid(u + p),   n = tanh(u + r (p + bias_h)),   h = n + z (h' - n)
     lstm   i, f, g, o = sigmoid, sigmoid, tanh, sigmoid(u + p),   c = f c' + i g,   h = o tanh(c)

   u is computed for LNT_RNN_STEPS times at once. A masked step leaves the state as it was. */
#include "linnet/runtime/kernels.h"
#include "linnet/runtime/product.h"
#include "linnet/runtime/shapes.h"
#include "linnet/runtime/vec_math.h"

typedef struct layer {
  uint32_t opcode, flags;
  size_t steps, in, units, rows; /* rows: of the weights, gates x units */
  int blocked;
  const float *weight_x, *weight_h, *bias, *bias_h;
  float *u, *p, *h, *c; /* scratch */
} layer;

static layer read_layer(const lnt_operands* o) {
  layer l;
  l.opcode = o->opcode;
  l.flags = lnt_param(o, 0);
  l.steps = o->in[0].dims[1];
  l.in = o->in[0].dims[2];
  l.units = o->in[2].dims[1];
  l.rows = o->in[2].dims[0];
  l.blocked = o->in[1].layout == LNT_BLOCKED;
  l.weight_x = (const float*)o->in_data[1];
  l.weight_h = (const float*)o->in_data[2];
  l.bias = (const float*)o->in_data[3];
  l.bias_h = o->opcode == LNT_GRU ? (const float*)o->in_data[4] : NULL;
  l.u = (float*)o->out_data[1];
  l.p = l.u + LNT_RNN_STEPS * l.rows;
  l.h = l.p + l.rows;
  l.c = l.h + l.units;
  return l;
}

/* u of `count` times from x on. */
static void input_gates(const layer* l, const float* x, size_t count) {
  if (!l->blocked) {
    for (size_t t = 0; t < count; ++t)
      for (size_t r = 0; r < l->rows; ++r)
        l->u[t * l->rows + r] = LNT_FN(lnt_dot)(x + t * l->in, l->weight_x + r * l->in, l->in) + l->bias[r];
    return;
  }
  const lnt_product p = {1, 1, l->in, l->in, 0, 0, 0, 0, LNT_BLOCK, l->rows, LNT_CLAMP_NONE};
  for (size_t r = 0; r < l->rows; r += LNT_PANEL) {
    const size_t columns = l->rows - r < LNT_PANEL ? l->rows - r : LNT_PANEL;
    LNT_FN(lnt_product_rows)
    (&p, x, count, l->weight_x + r * l->in, l->in * LNT_BLOCK, 1, l->bias + r, l->u + r, columns);
  }
}

static void state_gates(const layer* l) {
  if (l->blocked) {
    LNT_FN(lnt_dense_row)(l->h, l->units, l->weight_h, l->rows, NULL, l->p, LNT_CLAMP_NONE);
    return;
  }
  for (size_t r = 0; r < l->rows; ++r) l->p[r] = LNT_FN(lnt_dot)(l->h, l->weight_h + r * l->units, l->units);
}

static void rnn_step(const layer* l, const float* u) {
  const float* p = l->p;
  float* h = l->h;
  const int relu = (l->flags & LNT_RNN_RELU) != 0;
#define BODY(j, load, store)                 \
  const vec sum = load(u + j) + load(p + j); \
  store(h + j, relu ? v_relu(sum) : v_tanh(sum));
  LNT_FOR_VECTORS(j, l->units, BODY);
#undef BODY
}

static void gru_step(const layer* l, const float* u) {
  const size_t n = l->units;
  const float *p = l->p, *b = l->bias_h;
  float* h = l->h;
#define BODY(j, load, store)                                           \
  const vec r = v_sigmoid(load(u + j) + load(p + j));                  \
  const vec z = v_sigmoid(load(u + n + j) + load(p + n + j));          \
  const vec inner = load(p + 2 * n + j) + load(b + j);                 \
  const vec candidate = v_tanh(v_madd(r, inner, load(u + 2 * n + j))); \
  store(h + j, v_madd(z, load(h + j) - candidate, candidate));
  LNT_FOR_VECTORS(j, n, BODY);
#undef BODY
}

static void lstm_step(const layer* l, const float* u) {
  const size_t n = l->units;
  const float* p = l->p;
  float *h = l->h, *c = l->c;
#define BODY(j, load, store)                                            \
  const vec in = v_sigmoid(load(u + j) + load(p + j));                  \
  const vec forget = v_sigmoid(load(u + n + j) + load(p + n + j));      \
  const vec value = v_tanh(load(u + 2 * n + j) + load(p + 2 * n + j));  \
  const vec out = v_sigmoid(load(u + 3 * n + j) + load(p + 3 * n + j)); \
  const vec cell = v_madd(forget, load(c + j), in * value);             \
  store(c + j, cell);                                                   \
  store(h + j, out * v_tanh(cell));
  LNT_FOR_VECTORS(j, n, BODY);
#undef BODY
}

static void step(const layer* l, const float* u) {
  state_gates(l);
  if (l->opcode == LNT_LSTM)
    lstm_step(l, u);
  else if (l->opcode == LNT_GRU)
    gru_step(l, u);
  else
    rnn_step(l, u);
}

/* One sequence. mask: of its times, or null; y: of its rows. */
static void sequence(const layer* l, const float* x, const uint8_t* mask, uint32_t sign, float* y) {
  const int reverse = (l->flags & LNT_RNN_REVERSE) != 0, all = (l->flags & LNT_RNN_SEQUENCE) != 0;
  for (size_t done = 0; done < l->steps; done += LNT_RNN_STEPS) {
    const size_t left = l->steps - done, count = left < LNT_RNN_STEPS ? left : LNT_RNN_STEPS;
    const size_t first = reverse ? left - count : done; /* the earliest time of these */
    input_gates(l, x + first * l->in, count);
    for (size_t k = 0; k < count; ++k) {
      const size_t place = reverse ? count - 1 - k : k, t = first + place;
      if (mask == NULL || (lnt_u32(mask + 4 * t) & ~sign) != 0) step(l, l->u + place * l->rows);
      if (all) memcpy(y + t * l->units, l->h, 4 * l->units);
    }
  }
  if (!all) memcpy(y, l->h, 4 * l->units);
  if ((l->flags & LNT_RNN_CELL) != 0) memcpy(y + (all ? l->steps : 1) * l->units, l->c, 4 * l->units);
}

void LNT_FN(lnt_run_recurrent)(const lnt_operands* o) {
  const layer l = read_layer(o);
  const uint32_t states = o->opcode == LNT_GRU ? 5 : 4, last = o->n_in - 1;
  const size_t samples = o->in[0].dims[0], y_size = o->out[0].bytes / sizeof(float) / samples;
  const int masked = (l.flags & LNT_RNN_MASKED) != 0, given = (l.flags & LNT_RNN_STATE) != 0;
  const uint32_t sign = masked && o->in[last].dtype == LNT_F32 ? 0x80000000u : 0; /* -0 is 0 */
  for (size_t n = 0; n < samples; ++n) {
    memset(l.h, 0, 8 * l.units);
    if (given) memcpy(l.h, (const float*)o->in_data[states] + n * l.units, 4 * l.units);
    if (given && o->opcode == LNT_LSTM)
      memcpy(l.c, (const float*)o->in_data[states + 1] + n * l.units, 4 * l.units);
    sequence(&l, (const float*)o->in_data[0] + n * l.steps * l.in,
             masked ? (const uint8_t*)o->in_data[last] + 4 * n * l.steps : NULL, sign,
             (float*)o->out_data[0] + n * y_size);
  }
}
