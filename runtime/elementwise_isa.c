// SPDX-License-Identifier: Apache-2.0
/* Elementwise ops. Their formulas are the rows of core/ops/unary.def and binary.def. */
#include "linnet/runtime/kernels.h"
#include "linnet/runtime/product.h"
#include "linnet/runtime/vec_math.h"

LNT_INLINE vec hard_swish(vec x) { return x * (v_min(v_relu(x + v_set(3.0f)), v_set(6.0f)) / v_set(6.0f)); }
LNT_INLINE vec gelu(vec x) { return v_set(0.5f) * x * (v_set(1.0f) + v_erf(x * v_set(0.70710678f))); }
LNT_INLINE vec softplus(vec x) { return v_max(x, v_zero()) + v_log1p(v_exp(-v_abs(x))); }
LNT_INLINE vec elu(vec x, float alpha) { return v_select(v_less(v_zero(), x), x, v_set(alpha) * v_expm1(x)); }
LNT_INLINE vec leaky_relu(vec x, float slope) { return v_select(v_less(v_zero(), x), x, v_set(slope) * x); }

/* One loop an op, so that the choice is made once a row. */
#define MAP(value)                               \
  do {                                           \
    size_t i = 0;                                \
    for (; i + LNT_LANES <= n; i += LNT_LANES) { \
      const vec v = v_load(x + i);               \
      v_store(y + i, value);                     \
    }                                            \
    if (i < n) {                                 \
      const vec v = v_load_n(x + i, n - i);      \
      v_store_n(y + i, value, n - i);            \
    }                                            \
  } while (0)

void LNT_FN(lnt_unary)(uint32_t opcode, float p, float q, const float* x, float* y, size_t n) {
  switch (opcode) {
    case LNT_RELU:
      MAP(v_relu(v));
      break;
    case LNT_NEG:
      MAP(-v);
      break;
    case LNT_EXP:
      MAP(v_exp(v));
      break;
    case LNT_LOG:
      MAP(v_log(v));
      break;
    case LNT_SQRT:
      MAP(v_sqrt(v));
      break;
    case LNT_SQUARE:
      MAP(v * v);
      break;
    case LNT_ABS:
      MAP(v_abs(v));
      break;
    case LNT_SIGMOID:
      MAP(v_sigmoid(v));
      break;
    case LNT_TANH:
      MAP(v_tanh(v));
      break;
    case LNT_RELU6:
      MAP(v_min(v_relu(v), v_set(6.0f)));
      break;
    case LNT_HARD_SWISH:
      MAP(hard_swish(v));
      break;
    case LNT_SILU:
      MAP(v * v_sigmoid(v));
      break;
    case LNT_GELU:
      MAP(gelu(v));
      break;
    case LNT_SOFTPLUS:
      MAP(softplus(v));
      break;
    case LNT_ELU:
      MAP(elu(v, p));
      break;
    case LNT_LEAKY_RELU:
      MAP(leaky_relu(v, p));
      break;
    case LNT_POW:
      MAP(v_pow(v, p));
      break;
    case LNT_CLAMP:
      MAP(v_min(v_max(v, v_set(p)), v_set(q)));
      break;
    default:
      break;
  }
}

void LNT_FN(lnt_run_unary)(const lnt_operands* o) {
  LNT_FN(lnt_unary)
  (o->opcode, lnt_param_float(o, 0), lnt_param_float(o, 1), (const float*)o->in_data[0],
   (float*)o->out_data[0], o->out[0].bytes / sizeof(float));
}

/* y = (x - mean) scale + shift for each channel. */
void LNT_FN(lnt_run_batch_norm)(const lnt_operands* o) {
  const size_t n = o->in[1].dims[0], rows = o->in[0].bytes / sizeof(float) / n;
  const float *x = (const float*)o->in_data[0], *mean = (const float*)o->in_data[1];
  const float *scale = (const float*)o->in_data[2], *shift = (const float*)o->in_data[3];
  float* y = (float*)o->out_data[0];
  const lnt_activation act = lnt_read_activation(o, 0);
#define BODY(i, load, store) \
  store(y + i, v_clamp(v_madd(load(x + i) - load(mean + i), load(scale + i), load(shift + i)), act.clamp));
  for (size_t r = 0; r < rows; ++r, x += n, y += n) LNT_FOR_VECTORS(i, n, BODY);
#undef BODY
  lnt_finish(&act, (float*)o->out_data[0], o->out[0].bytes / sizeof(float));
}

/* ---- binary: both operands as strides over the axes of y, 0 where they are repeated ---- */

typedef struct pair_loop {
  uint32_t rank; /* axes, neighbours merged where both go on regularly; the last is the row */
  size_t dims[LNT_MAX_RANK], a[LNT_MAX_RANK], b[LNT_MAX_RANK];
} pair_loop;

static pair_loop make_loop(const lnt_operands* o) {
  pair_loop loop = {0, {0}, {0}, {0}};
  const lnt_tensor *a = &o->in[0], *b = &o->in[1], *y = &o->out[0];
  size_t step_a = 1, step_b = 1;
  size_t dims[LNT_MAX_RANK], sa[LNT_MAX_RANK], sb[LNT_MAX_RANK]; /* from the last axis back */
  uint32_t rank = 0;
  for (uint32_t i = 1; i <= y->rank; ++i) {
    const size_t d = y->dims[y->rank - i];
    const size_t m = i <= a->rank ? a->dims[a->rank - i] : 1, n = i <= b->rank ? b->dims[b->rank - i] : 1;
    const size_t at = m == 1 ? 0 : step_a, bt = n == 1 ? 0 : step_b;
    step_a *= m;
    step_b *= n;
    if (d == 1) continue;
    if (rank > 0 && at == sa[rank - 1] * dims[rank - 1] && bt == sb[rank - 1] * dims[rank - 1]) {
      dims[rank - 1] *= d;
      continue;
    }
    dims[rank] = d;
    sa[rank] = at;
    sb[rank++] = bt;
  }
  if (rank == 0) {
    dims[0] = 1;
    sa[0] = sb[0] = 0;
    rank = 1;
  }
  loop.rank = rank;
  for (uint32_t i = 0; i < rank; ++i) {
    loop.dims[i] = dims[rank - 1 - i];
    loop.a[i] = sa[rank - 1 - i];
    loop.b[i] = sb[rank - 1 - i];
  }
  return loop;
}

/* A row: of each operand all its elements, or one for all. */
#define ROW(value)                                                                      \
  do {                                                                                  \
    const vec one_a = v_set(a[0]), one_b = v_set(b[0]);                                 \
    size_t i = 0;                                                                       \
    for (; i + LNT_LANES <= n; i += LNT_LANES) {                                        \
      const vec u = step_a ? v_load(a + i) : one_a, v = step_b ? v_load(b + i) : one_b; \
      v_store(y + i, value);                                                            \
    }                                                                                   \
    if (i < n) {                                                                        \
      const vec u = step_a ? v_load_n(a + i, n - i) : one_a;                            \
      const vec v = step_b ? v_load_n(b + i, n - i) : one_b;                            \
      v_store_n(y + i, value, n - i);                                                   \
    }                                                                                   \
  } while (0)

static void binary_row(uint32_t opcode, const float* a, size_t step_a, const float* b, size_t step_b,
                       float* y, size_t n) {
  switch (opcode) {
    case LNT_ADD:
      ROW(u + v);
      break;
    case LNT_SUB:
      ROW(u - v);
      break;
    case LNT_MUL:
      ROW(u * v);
      break;
    case LNT_DIV:
      ROW(u / v);
      break;
    case LNT_MAXIMUM:
      ROW(v_max(u, v));
      break;
    case LNT_MINIMUM:
      ROW(v_min(u, v));
      break;
    case LNT_PRELU:
      ROW(v_select(v_less(v_zero(), u), u, u * v));
      break;
    default:
      break;
  }
}

void LNT_FN(lnt_run_binary)(const lnt_operands* o) {
  const pair_loop loop = make_loop(o);
  const uint32_t last = loop.rank - 1;
  const float *a = (const float*)o->in_data[0], *b = (const float*)o->in_data[1];
  float* y = (float*)o->out_data[0];
  const float* end = y + o->out[0].bytes / sizeof(float);
  size_t index[LNT_MAX_RANK] = {0};
  for (; y < end; y += loop.dims[last]) {
    binary_row(o->opcode, a, loop.a[last], b, loop.b[last], y, loop.dims[last]);
    for (uint32_t i = last; i-- > 0;) { /* the next row */
      a += loop.a[i];
      b += loop.b[i];
      if (++index[i] < loop.dims[i]) break;
      a -= loop.a[i] * loop.dims[i];
      b -= loop.b[i] * loop.dims[i];
      index[i] = 0;
    }
  }
}
