// SPDX-License-Identifier: Apache-2.0
#include "linnet/runtime/reference.h"

/* floor(x / 2^n); C leaves >> of negative numbers to the compiler. */
static int64_t shift_right(int64_t x, int n) { return x >= 0 ? x >> n : ~(~x >> n); }

/* x / 2^n, rounded, halves towards +infinity; n from 1. */
static int64_t round_shift(int64_t x, int n) { return shift_right(x + ((int64_t)1 << (n - 1)), n); }

static int64_t clamp(int64_t x, int64_t low, int64_t high) { return x < low ? low : x > high ? high : x; }
static int32_t to_i32(int64_t x) { return (int32_t)clamp(x, INT32_MIN, INT32_MAX); }
static int16_t to_i16(int64_t x) { return (int16_t)clamp(x, INT16_MIN, INT16_MAX); }
static int8_t to_i8(int64_t x) { return (int8_t)clamp(x, INT8_MIN, INT8_MAX); }

int32_t lnt_rescale(int32_t acc, lnt_multiplier factor) {
  return to_i32(round_shift((int64_t)acc * factor.value, 31 - factor.shift));
}

static int8_t place(int32_t rescaled, lnt_i8_range range) {
  return (int8_t)clamp((int64_t)range.zero + rescaled, range.low, range.high);
}

/* ---- products ---- */

static lnt_multiplier factor_of(lnt_factors factors, size_t o) { return factors.at[o * factors.step]; }

static int32_t as_signed(uint32_t sum) {
  return sum <= INT32_MAX ? (int32_t)sum : -(int32_t)(UINT32_MAX - sum) - 1;
}

void lnt_i8_fold(const int8_t* weight, size_t outs, size_t terms, const int32_t* bias, int32_t x_zero,
                 int32_t* folded) {
  for (size_t o = 0; o < outs; ++o, weight += terms) {
    const int64_t sum = as_signed(lnt_i8_sum(weight, terms, 0)); /* below 2^24 terms */
    folded[o] = (int32_t)((bias != NULL ? bias[o] : 0) - x_zero * sum);
  }
}

int lnt_i8_fits(uint64_t terms, int64_t bias) {
  const uint64_t size = bias < 0 ? (uint64_t)0 - (uint64_t)bias : (uint64_t)bias, limit = (uint64_t)1 << 31;
  return size < limit && terms < limit && terms * (255 * 127) + size < limit;
}

void lnt_i8_dense(const lnt_i8_dense_work* v, const int8_t* x, const int8_t* weight, const int32_t* folded,
                  lnt_factors rescale, int8_t* y) {
  for (size_t r = 0; r < v->rows; ++r, x += v->n) {
    for (size_t o = 0; o < v->outs; ++o) {
      const int32_t acc = as_signed(lnt_i8_dot(x, weight + o * v->n, v->n, (uint32_t)folded[o]));
      *y++ = place(lnt_rescale(acc, factor_of(rescale, o)), v->range);
    }
  }
}

void lnt_i8_dense_sums(const lnt_i8_dense_work* v, const int8_t* x, const int8_t* weight,
                       const int32_t* folded, int32_t* sums) {
  for (size_t r = 0; r < v->rows; ++r, x += v->n)
    for (size_t o = 0; o < v->outs; ++o)
      *sums++ = as_signed(lnt_i8_dot(x, weight + o * v->n, v->n, (uint32_t)folded[o]));
}

/* Kernel columns whose place, w columns from the first of the padding, is inside the image. */
typedef struct columns {
  size_t begin, end;
} columns;

static columns inside(const lnt_i8_conv_work* v, size_t w) {
  columns c = {0, v->kw};
  while (c.begin < c.end && w + c.begin * v->dilation_w < v->left) ++c.begin;
  while (c.end > c.begin && w + (c.end - 1) * v->dilation_w - v->left >= v->w) --c.end;
  return c;
}

/* One output of one place; h and w count from the first row and column of the padding. */
static int32_t conv_place(const lnt_i8_conv_work* v, const int8_t* image, size_t h, size_t w, columns in,
                          size_t o, const int8_t* weight, int32_t folded) {
  const size_t of_group = v->c / v->groups, group = o / (v->o / v->groups), count = in.end - in.begin;
  const int joined = v->groups == 1 && v->dilation_w == 1; /* columns lie side by side */
  uint32_t sum = (uint32_t)folded, outside = 0;
  for (size_t r = 0; r < v->kh; ++r, weight += v->kw * of_group) {
    const size_t row = h + r * v->dilation_h;
    columns c = in;
    if (row < v->top || row - v->top >= v->h) c.begin = c.end = 0;
    if (c.begin < c.end) {
      const int8_t* at = image + ((row - v->top) * v->w + w + c.begin * v->dilation_w - v->left) * v->c;
      const int8_t* taps = weight + c.begin * of_group;
      if (joined) sum = lnt_i8_dot(at, taps, count * of_group, sum); /* one group */
      at += group * of_group;
      for (size_t q = 0; q < count && !joined; ++q, taps += of_group) {
        const int8_t* tap = at + q * v->dilation_w * v->c;
        sum = of_group == 1 ? sum + (uint32_t)(*tap * *taps) : lnt_i8_dot(tap, taps, of_group, sum);
      }
    }
    outside = lnt_i8_sum(weight, c.begin * of_group, outside);
    outside = lnt_i8_sum(weight + c.end * of_group, (v->kw - c.end) * of_group, outside);
  }
  return as_signed(sum + outside * (uint32_t)v->x_zero);
}

/* Either y or sums is there. */
static void conv(const lnt_i8_conv_work* v, const int8_t* x, const int8_t* weight, const int32_t* folded,
                 lnt_factors rescale, int8_t* y, int32_t* sums) {
  const size_t terms = v->kh * v->kw * (v->c / v->groups);
  for (size_t n = 0; n < v->n; ++n, x += v->h * v->w * v->c) {
    for (size_t i = 0; i < v->yh; ++i) {
      for (size_t j = 0; j < v->yw; ++j) {
        const size_t h = i * v->stride_h, w = j * v->stride_w;
        const columns in = inside(v, w);
        for (size_t o = 0; o < v->o; ++o) {
          const int32_t acc = conv_place(v, x, h, w, in, o, weight + o * terms, folded[o]);
          if (sums != NULL)
            *sums++ = acc;
          else
            *y++ = place(lnt_rescale(acc, factor_of(rescale, o)), v->range);
        }
      }
    }
  }
}

void lnt_i8_conv2d(const lnt_i8_conv_work* v, const int8_t* x, const int8_t* weight, const int32_t* folded,
                   lnt_factors rescale, int8_t* y) {
  conv(v, x, weight, folded, rescale, y, NULL);
}

void lnt_i8_conv2d_sums(const lnt_i8_conv_work* v, const int8_t* x, const int8_t* weight,
                        const int32_t* folded, int32_t* sums) {
  const lnt_factors none = {NULL, 0};
  conv(v, x, weight, folded, none, NULL, sums);
}

/* ---- pooling ---- */

/* `from` to `to` - 1 of an axis of the image are in a window that begins `at` in the padded one. */
static void clip(size_t at, size_t kernel, size_t pad, size_t size, size_t* from, size_t* to) {
  *from = at < pad ? 0 : at - pad;
  *to = at + kernel < pad ? 0 : at + kernel - pad;
  if (*to > size) *to = size;
}

static int8_t pool_place(const lnt_i8_pool_work* v, const int8_t* image, size_t h, size_t w, int max) {
  int32_t largest = INT8_MIN, sum = 0, count = 0;
  size_t row, last_row, first, last;
  clip(h, v->kh, v->top, v->h, &row, &last_row);
  clip(w, v->kw, v->left, v->w, &first, &last);
  for (; row < last_row; ++row) {
    for (size_t column = first; column < last; ++column) {
      const int32_t x = image[(row * v->w + column) * v->c];
      largest = x > largest ? x : largest;
      sum += x;
      ++count;
    }
  }
  if (max) return (int8_t)largest;
  return (int8_t)((sum < 0 ? sum - count / 2 : sum + count / 2) / count); /* C cuts off towards zero */
}

static void pool(const lnt_i8_pool_work* v, const int8_t* x, int max, int8_t* y) {
  for (size_t n = 0; n < v->n; ++n, x += v->h * v->w * v->c)
    for (size_t i = 0; i < v->yh; ++i)
      for (size_t j = 0; j < v->yw; ++j)
        for (size_t c = 0; c < v->c; ++c) *y++ = pool_place(v, x + c, i * v->stride_h, j * v->stride_w, max);
}

void lnt_i8_max_pool2d(const lnt_i8_pool_work* v, const int8_t* x, int8_t* y) { pool(v, x, 1, y); }
void lnt_i8_avg_pool2d(const lnt_i8_pool_work* v, const int8_t* x, int8_t* y) { pool(v, x, 0, y); }

/* ---- elementwise ---- */

static int64_t scaled(lnt_i8_term t, size_t i) {
  return lnt_rescale((t.q[i] - t.zero) * (1 << 20), t.factor);
}

void lnt_i8_add(lnt_i8_term a, lnt_i8_term b, int sign, lnt_multiplier rescale, lnt_i8_range range, size_t n,
                int8_t* y) {
  for (size_t i = 0; i < n; ++i)
    y[i] = place(lnt_rescale(to_i32(scaled(a, i) + sign * scaled(b, i)), rescale), range);
}

void lnt_i8_mul(const int8_t* a, int32_t a_zero, const int8_t* b, int32_t b_zero, lnt_multiplier rescale,
                lnt_i8_range range, size_t n, int8_t* y) {
  for (size_t i = 0; i < n; ++i) y[i] = place(lnt_rescale((a[i] - a_zero) * (b[i] - b_zero), rescale), range);
}

void lnt_i8_requantize(const int8_t* x, int32_t x_zero, lnt_multiplier rescale, lnt_i8_range range, size_t n,
                       int8_t* y) {
  for (size_t i = 0; i < n; ++i) y[i] = place(lnt_rescale(x[i] - x_zero, rescale), range);
}

void lnt_i8_lookup(const int8_t* table, const int8_t* x, size_t n, int8_t* y) {
  for (size_t i = 0; i < n; ++i) y[i] = table[x[i] + 128];
}

static void softmax_line(const uint32_t* table, const int8_t* x, size_t size, size_t step, int8_t* y) {
  int32_t max = INT8_MIN;
  for (size_t i = 0; i < size; ++i) max = x[i * step] > max ? x[i * step] : max;
  uint64_t sum = 0;
  for (size_t i = 0; i < size; ++i) sum += table[max - x[i * step]];
  for (size_t i = 0; i < size; ++i) {
    const uint64_t share = ((uint64_t)table[max - x[i * step]] * 256 + sum / 2) / sum;
    y[i * step] = (int8_t)(share > 255 ? 127 : (int32_t)share - 128);
  }
}

void lnt_i8_softmax(const uint32_t* table, const int8_t* x, size_t outer, size_t size, size_t inner,
                    int8_t* y) {
  for (size_t n = 0; n < outer; ++n)
    for (size_t i = 0; i < inner; ++i)
      softmax_line(table, x + n * size * inner + i, size, inner, y + n * size * inner + i);
}

/* ---- recurrent ---- */

int16_t lnt_i8_gate(const int16_t* table, int16_t x) {
  const int32_t at = x + 32768, entry = at >> 7, part = at & 127;
  return (int16_t)round_shift(table[entry] * (128 - part) + table[entry + 1] * part, 7);
}

static int32_t from_input(const lnt_i8_recurrent* v, const int8_t* x, size_t row) {
  const uint32_t acc = lnt_i8_dot(v->weight_x + row * v->n, x, v->n, (uint32_t)v->folded_x[row]);
  return lnt_rescale(as_signed(acc), factor_of(v->rescale_x, row));
}

static int32_t from_state(const lnt_i8_recurrent* v, const int8_t* h, size_t row) {
  const uint32_t acc = lnt_i8_dot(v->weight_h + row * v->hidden, h, v->hidden, 0);
  return lnt_rescale(as_signed(acc), factor_of(v->rescale_h, row));
}

/* The input of a gate that takes both alike. */
static int16_t gate_input(const lnt_i8_recurrent* v, const int8_t* x, const int8_t* h, size_t row) {
  return to_i16((int64_t)from_input(v, x, row) + from_state(v, h, row) + v->bias[row]);
}

/* i f g o for every unit, before h changes. */
static void lstm_gates(const lnt_i8_recurrent* v, const int8_t* x, const int8_t* h, int16_t* gates) {
  for (size_t row = 0; row < 4 * v->hidden; ++row) {
    const int16_t* table = row / v->hidden == 2 ? v->tanh : v->sigmoid;
    gates[row] = lnt_i8_gate(table, gate_input(v, x, h, row));
  }
}

void lnt_i8_lstm(const lnt_i8_recurrent* v, const int8_t* x, int8_t* h, int16_t* c, int16_t* gates,
                 int8_t* y) {
  const size_t units = v->hidden;
  for (size_t t = 0; t < v->steps; ++t, x += v->n) {
    lstm_gates(v, x, h, gates);
    for (size_t k = 0; k < units; ++k) {
      const int64_t i = gates[k], f = gates[units + k], g = gates[2 * units + k], o = gates[3 * units + k];
      c[k] = to_i16(round_shift(f * c[k], 15) + round_shift(i * g, 15 + v->cell_bits));
      const int to_gate = 4 - v->cell_bits; /* bits that c has behind those of a gate's input */
      const int16_t input = to_gate == 0 ? c[k] : to_i16(round_shift(c[k], to_gate));
      h[k] = to_i8(round_shift(o * lnt_i8_gate(v->tanh, input), 23));
      if (y != NULL) *y++ = h[k];
    }
  }
}

void lnt_i8_gru(const lnt_i8_recurrent* v, const int8_t* x, int16_t* h, int16_t* gates, int8_t* h8,
                int8_t* y) {
  const size_t units = v->hidden;
  for (size_t t = 0; t < v->steps; ++t, x += v->n) {
    for (size_t k = 0; k < units; ++k) h8[k] = to_i8(round_shift(h[k], 8));
    for (size_t row = 0; row < 2 * units; ++row)
      gates[row] = lnt_i8_gate(v->sigmoid, gate_input(v, x, h8, row));
    for (size_t k = 0; k < units; ++k) {
      const size_t row = 2 * units + k;
      const int16_t state = to_i16((int64_t)from_state(v, h8, row) + v->bias_h[k]);
      const int64_t kept = round_shift((int64_t)gates[k] * state, 15);
      gates[row] = lnt_i8_gate(v->tanh, to_i16(from_input(v, x, row) + (int64_t)v->bias[row] + kept));
    }
    for (size_t k = 0; k < units; ++k) {
      const int64_t z = gates[units + k], n = gates[2 * units + k];
      h[k] = to_i16(n + round_shift(z * (h[k] - n), 15));
      if (y != NULL) *y++ = to_i8(round_shift(h[k], 8));
    }
  }
}
