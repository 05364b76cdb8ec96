// SPDX-License-Identifier: Apache-2.0
/* sum, mean, max, softmax, log_softmax, group_norm and layer_norm. Sums of a row run in 16 lanes on every
   instruction set: element k in lane k mod 16, then lanes l and l + 8, l + 4, l + 2, l + 1 join. */
#include "linnet/runtime/kernels.h"
#include "linnet/runtime/product.h"
#include "linnet/runtime/vec_math.h"

enum { kWide = 16, kVecs = kWide / LNT_LANES };

static float join_sum(const vec* lanes) {
  float lane[kWide];
  memcpy(lane, lanes, sizeof lane);
  for (size_t width = kWide / 2; width > 0; width /= 2)
    for (size_t l = 0; l < width; ++l) lane[l] += lane[l + width];
  return lane[0];
}

/* Lanes of `value` from lane n on are 0. */
LNT_INLINE vec v_first(vec value, size_t n) {
  float lanes[LNT_LANES] = {0};
  v_store_n(lanes, value, n);
  return v_load(lanes);
}

/* The sum of VALUE of the elements v of x[0, n). */
#define ROW_SUM(result, x, n, VALUE)                                    \
  do {                                                                  \
    vec parts[kVecs];                                                   \
    for (size_t l = 0; l < kVecs; ++l) parts[l] = v_zero();             \
    size_t i = 0, l = 0;                                                \
    for (; i + LNT_LANES <= (n); i += LNT_LANES, l = (l + 1) % kVecs) { \
      const vec v = v_load((x) + i);                                    \
      parts[l] = parts[l] + (VALUE);                                    \
    }                                                                   \
    if (i < (n)) {                                                      \
      const vec v = v_load_n((x) + i, (n)-i);                           \
      parts[l] = parts[l] + v_first((VALUE), (n)-i);                    \
    }                                                                   \
    result = join_sum(parts);                                           \
  } while (0)

static float row_max(const float* x, size_t n) {
  float max = x[0];
  size_t i = 0;
  if (n >= LNT_LANES) {
    vec value = v_load(x);
    for (i = LNT_LANES; i + LNT_LANES <= n; i += LNT_LANES) value = v_max(value, v_load(x + i));
    float lane[LNT_LANES];
    v_store(lane, value);
    max = lane[0];
    for (size_t l = 1; l < LNT_LANES; ++l) max = lane[l] > max || lane[l] != lane[l] ? lane[l] : max;
  }
  for (; i < n && max == max; ++i) max = x[i] > max || x[i] != x[i] ? x[i] : max;
  return max;
}

/* ---- reductions: rows of x go to where they belong in y ---- */

typedef struct reduction {
  uint32_t rank; /* of x, neighbours that are both kept or both gone merged */
  size_t dims[LNT_MAX_RANK], steps[LNT_MAX_RANK]; /* steps in y, 0 for axes that go */
  size_t count;                                   /* elements that make one */
} reduction;

static reduction read_reduction(const lnt_operands* o) {
  reduction r = {0, {0}, {0}, 1};
  const lnt_tensor* x = &o->in[0];
  const uint32_t axes = lnt_param(o, 0);
  int last = -1;
  for (uint32_t i = 0; i < x->rank; ++i) {
    const int gone = (int)(axes >> i & 1);
    if (gone) r.count *= x->dims[i];
    if (gone == last) {
      r.dims[r.rank - 1] *= x->dims[i];
    } else {
      r.dims[r.rank] = x->dims[i];
      r.steps[r.rank++] = gone ? 0 : 1;
    }
    last = gone;
  }
  size_t step = 1;
  for (uint32_t i = r.rank; i-- > 0;) {
    if (r.steps[i] == 0) continue;
    r.steps[i] = step;
    step *= r.dims[i];
  }
  return r;
}

static void reduce_row(int max, const float* x, size_t n, size_t step, float* y) {
  if (step != 0) {
    if (max) {
#define BODY(i, load, store) store(y + i, v_max(load(y + i), load(x + i)));
      LNT_FOR_VECTORS(i, n, BODY);
#undef BODY
    } else {
#define BODY(i, load, store) store(y + i, load(y + i) + load(x + i));
      LNT_FOR_VECTORS(i, n, BODY);
#undef BODY
    }
  } else if (max) {
    const float value = row_max(x, n);
    if (value > *y || value != value) *y = value;
  } else {
    float sum;
    ROW_SUM(sum, x, n, v);
    *y += sum;
  }
}

void LNT_FN(lnt_run_reduce)(const lnt_operands* o) {
  const reduction r = read_reduction(o);
  const int max = o->opcode == LNT_MAX;
  const uint32_t last = r.rank - 1;
  const float *x = (const float*)o->in_data[0], *end = x + o->in[0].bytes / sizeof(float);
  float *y = (float*)o->out_data[0], *at = y;
  const size_t n = o->out[0].bytes / sizeof(float);
  for (size_t i = 0; i < n; ++i) y[i] = max ? -__builtin_inff() : 0.0f;
  size_t index[LNT_MAX_RANK] = {0};
  for (; x < end; x += r.dims[last]) {
    reduce_row(max, x, r.dims[last], r.steps[last], at);
    for (uint32_t i = last; i-- > 0;) {
      at += r.steps[i];
      if (++index[i] < r.dims[i]) break;
      at -= r.steps[i] * r.dims[i];
      index[i] = 0;
    }
  }
  if (o->opcode != LNT_MEAN) return;
  const vec share = v_set(1.0f / (float)r.count);
#define BODY(i, load, store) store(y + i, load(y + i) * share);
  LNT_FOR_VECTORS(i, n, BODY);
#undef BODY
}

/* ---- softmax: y = e^(x - max) / sum e^(x - max);  log_softmax: y = (x - max) - log sum e^(x - max) ---- */

static void softmax_row(const float* x, float* y, size_t n, int log) {
  const vec max = v_set(row_max(x, n));
  float sum, lanes[LNT_LANES];
  ROW_SUM(sum, x, n, v_exp(v - max));
  v_store(lanes, v_log(v_set(sum)));
  const vec log_sum = v_set(lanes[0]), total = v_set(sum);
  if (log) {
#define BODY(i, load, store) store(y + i, (load(x + i) - max) - log_sum);
    LNT_FOR_VECTORS(i, n, BODY);
#undef BODY
  } else {
#define BODY(i, load, store) store(y + i, v_exp(load(x + i) - max) / total);
    LNT_FOR_VECTORS(i, n, BODY);
#undef BODY
  }
}

/* Neighbouring lines along an axis that is not the last: `lanes` of them, elements `stride` apart. */
static void softmax_lines(const float* x, float* y, size_t n, size_t stride, size_t lanes, int log) {
  vec sum = v_zero();
#define LOAD(p) (lanes >= LNT_LANES ? v_load(p) : v_load_n(p, lanes))
  vec max = LOAD(x);
  for (size_t k = 1; k < n; ++k) max = v_max(max, LOAD(x + k * stride));
  for (size_t k = 0; k < n; ++k) sum = sum + v_exp(LOAD(x + k * stride) - max);
  const vec log_sum = v_log(sum);
  for (size_t k = 0; k < n; ++k) {
    const vec d = LOAD(x + k * stride) - max, value = log ? d - log_sum : v_exp(d) / sum;
    if (lanes >= LNT_LANES)
      v_store(y + k * stride, value);
    else
      v_store_n(y + k * stride, value, lanes);
  }
#undef LOAD
}

void LNT_FN(lnt_run_softmax)(const lnt_operands* o) {
  const lnt_tensor* t = &o->in[0];
  const uint32_t axis = lnt_param(o, 0);
  const size_t n = t->dims[axis], outer = lnt_count(t, 0, axis), inner = lnt_count(t, axis + 1, t->rank);
  const float* x = (const float*)o->in_data[0];
  float* y = (float*)o->out_data[0];
  const int log = o->opcode == LNT_LOG_SOFTMAX;
  for (size_t i = 0; i < outer; ++i, x += n * inner, y += n * inner) {
    if (inner == 1) {
      softmax_row(x, y, n, log);
    } else {
      for (size_t k = 0; k < inner; k += LNT_LANES) softmax_lines(x + k, y + k, n, inner, inner - k, log);
    }
  }
}

/* ---- normalisation: y = (x - mean) / sqrt(variance + eps) weight + bias ---- */

/* The mean is head - rest, of which head is a float near x, so that the difference loses nothing. */
typedef struct statistics {
  float head, rest, inv_std;
} statistics;

static statistics statistics_of(const float* x, size_t rows, size_t stride, size_t n, float eps) {
  const float origin = x[0];
  const double count = (double)rows * (double)n;
  double sum = 0.0, squares = 0.0;
  float part;
  for (size_t r = 0; r < rows; ++r) {
    const vec shift = v_set(origin);
    ROW_SUM(part, x + r * stride, n, v - shift);
    sum += (double)part;
  }
  const double mean = (double)origin + sum / count;
  statistics s = {(float)mean, 0.0f, 0.0f};
  s.rest = (float)((double)s.head - mean);
  for (size_t r = 0; r < rows; ++r) {
    const vec head = v_set(s.head), rest = v_set(s.rest);
    ROW_SUM(part, x + r * stride, n, ((v - head) + rest) * ((v - head) + rest));
    squares += (double)part;
  }
  float lanes[LNT_LANES];
  v_store(lanes, v_set(1.0f) / v_sqrt(v_set((float)(squares / count) + eps)));
  s.inv_std = lanes[0];
  return s;
}

static void normalize_row(const float* x, float* y, size_t n, const statistics* s, const float* weight,
                          const float* bias) {
  const vec head = v_set(s->head), rest = v_set(s->rest), inv_std = v_set(s->inv_std);
  if (weight != NULL) {
#define BODY(i, load, store) \
  store(y + i, v_madd(((load(x + i) - head) + rest) * inv_std, load(weight + i), load(bias + i)));
    LNT_FOR_VECTORS(i, n, BODY);
#undef BODY
  } else {
#define BODY(i, load, store) store(y + i, ((load(x + i) - head) + rest) * inv_std);
    LNT_FOR_VECTORS(i, n, BODY);
#undef BODY
  }
}

void LNT_FN(lnt_run_layer_norm)(const lnt_operands* o) {
  const lnt_tensor* t = &o->in[0];
  const size_t n = lnt_count(t, t->rank - lnt_param(o, 0), t->rank), rows = t->bytes / sizeof(float) / n;
  const float* x = (const float*)o->in_data[0];
  const float* weight = o->n_in == 3 ? (const float*)o->in_data[1] : NULL;
  const float* bias = o->n_in == 3 ? (const float*)o->in_data[2] : NULL;
  float* y = (float*)o->out_data[0];
  for (size_t r = 0; r < rows; ++r, x += n, y += n) {
    const statistics s = statistics_of(x, 1, 0, n, lnt_param_float(o, 1));
    normalize_row(x, y, n, &s, weight, bias);
  }
}

/* x [N, positions, groups, channels of a group] */
void LNT_FN(lnt_run_group_norm)(const lnt_operands* o) {
  const lnt_tensor* t = &o->in[0];
  const size_t channels = t->dims[t->rank - 1], groups = lnt_param(o, 0), n = channels / groups;
  const size_t positions = lnt_count(t, 1, (uint32_t)t->rank - 1);
  const float* x = (const float*)o->in_data[0];
  const float* weight = o->n_in == 3 ? (const float*)o->in_data[1] : NULL;
  const float* bias = o->n_in == 3 ? (const float*)o->in_data[2] : NULL;
  float* y = (float*)o->out_data[0];
  for (size_t sample = 0; sample < t->dims[0];
       ++sample, x += positions * channels, y += positions * channels) {
    for (size_t g = 0; g < groups; ++g) {
      const size_t at = g * n;
      const statistics s = statistics_of(x + at, positions, channels, n, lnt_param_float(o, 1));
      for (size_t p = 0; p < positions; ++p)
        normalize_row(x + p * channels + at, y + p * channels + at, n, &s,
                      weight != NULL ? weight + at : NULL, bias != NULL ? bias + at : NULL);
    }
  }
}
