// SPDX-License-Identifier: Apache-2.0
/* Pooling, resizing and transposed convolution: images [N, H, W, C]. */
#include "linnet/runtime/kernels.h"
#include "linnet/runtime/product.h"

/* The part inside the image of a window that begins at place x stride - pad. */
typedef struct range {
  size_t begin, end;
} range;

static range window_at(size_t place, size_t stride, size_t pad, size_t kernel, size_t size) {
  const size_t at = place * stride, end = at + kernel;
  range r = {at > pad ? at - pad : 0, end > pad ? end - pad : 0};
  if (r.end > size) r.end = size;
  return r;
}

LNT_INLINE vec load_some(const float* p, size_t lanes) {
  return lanes >= LNT_LANES ? v_load(p) : v_load_n(p, lanes);
}
LNT_INLINE void store_some(float* p, vec x, size_t lanes) {
  if (lanes >= LNT_LANES)
    v_store(p, x);
  else
    v_store_n(p, x, lanes);
}

/* One place of y: all channels of a window of `rows` by `columns`, of which `at` is the first; `row`: from a
   row of the image to the next. */
static void pool_place(const float* at, size_t row, size_t channels, size_t rows, size_t columns, int max,
                       float* y) {
  const vec share = v_set(1.0f / (float)(rows * columns));
  for (size_t c = 0; c < channels; c += LNT_LANES) {
    const size_t lanes = channels - c;
    vec value = max ? load_some(at + c, lanes) : v_zero();
    for (size_t h = 0; h < rows; ++h) {
      for (size_t w = 0; w < columns; ++w) {
        const vec x = load_some(at + h * row + w * channels + c, lanes);
        value = max ? v_max(value, x) : value + x;
      }
    }
    store_some(y + c, max ? value : value * share, lanes);
  }
}

/* The most common window by itself. */
static void max_pool_2x2_place(const float* at, size_t row, size_t channels, float* y) {
#define BODY(i, load, store)                                                                  \
  store(y + i, v_max(v_max(v_max(load(at + i), load(at + channels + i)), load(at + row + i)), \
                     load(at + row + channels + i)));
  LNT_FOR_VECTORS(i, channels, BODY);
#undef BODY
}

void LNT_FN(lnt_run_pool2d)(const lnt_operands* o) {
  const uint32_t *x = o->in[0].dims, *y = o->out[0].dims;
  const int max = o->opcode == LNT_MAX_POOL2D;
  const float* image = (const float*)o->in_data[0];
  float* to = (float*)o->out_data[0];
  for (size_t n = 0; n < x[0]; ++n, image += (size_t)x[1] * x[2] * x[3]) {
    for (size_t h = 0; h < y[1]; ++h) {
      const range rows = window_at(h, lnt_param(o, LNT_AT_POOL_STRIDE), lnt_param(o, LNT_AT_PADS),
                                   lnt_param(o, LNT_AT_POOL_KERNEL), x[1]);
      for (size_t w = 0; w < y[2]; ++w, to += x[3]) {
        const range columns =
            window_at(w, lnt_param(o, LNT_AT_POOL_STRIDE + 1), lnt_param(o, LNT_AT_PADS + 2),
                      lnt_param(o, LNT_AT_POOL_KERNEL + 1), x[2]);
        const float* at = image + (rows.begin * x[2] + columns.begin) * x[3];
        const size_t row = (size_t)x[2] * x[3], n_rows = rows.end - rows.begin;
        const size_t n_columns = columns.end - columns.begin;
        if (max && n_rows == 2 && n_columns == 2)
          max_pool_2x2_place(at, row, x[3], to);
        else
          pool_place(at, row, x[3], n_rows, n_columns, max, to);
      }
    }
  }
}

/* value = (1 - share) value[low] + share value[high] along one axis */
typedef struct resize_tap {
  size_t low, high;
  float share;
} resize_tap;

/* The place floor(i in / out), or the neighbours of (i + 1/2) in / out - 1/2 = ((2 i + 1) in - out) / (2
   out), kept inside. */
static resize_tap tap_at(int bilinear, uint64_t i, uint64_t in, uint64_t out) {
  resize_tap tap = {(size_t)(i * in / out), (size_t)(i * in / out), 0.0f};
  if (!bilinear) return tap;
  const uint64_t at = (2 * i + 1) * in, above = at > out ? at - out : 0, low = above / (2 * out);
  tap.low = tap.high = (size_t)low;
  if (low + 1 < in) {
    tap.high = (size_t)low + 1;
    tap.share = (float)((double)(above % (2 * out)) / (double)(2 * out));
  }
  return tap;
}

static void resize_place(const float* image, size_t width, size_t channels, resize_tap row, resize_tap column,
                         float* y) {
  const float* a = image + (row.low * width + column.low) * channels;
  const float* b = image + (row.low * width + column.high) * channels;
  const float* c = image + (row.high * width + column.low) * channels;
  const float* d = image + (row.high * width + column.high) * channels;
  const vec r = v_set(row.share), q = v_set(column.share), one = v_set(1.0f);
#define BODY(i, load, store)                                                           \
  store(y + i, ((one - r) * (one - q)) * load(a + i) + ((one - r) * q) * load(b + i) + \
                   (r * (one - q)) * load(c + i) + (r * q) * load(d + i));
  LNT_FOR_VECTORS(i, channels, BODY);
#undef BODY
}

void LNT_FN(lnt_run_upsample2d)(const lnt_operands* o) {
  const uint32_t *x = o->in[0].dims, *y = o->out[0].dims;
  const int bilinear = lnt_param(o, 0) == LNT_BILINEAR;
  const float* image = (const float*)o->in_data[0];
  float* to = (float*)o->out_data[0];
  for (size_t n = 0; n < x[0]; ++n, image += (size_t)x[1] * x[2] * x[3]) {
    for (size_t h = 0; h < y[1]; ++h) {
      const resize_tap row = tap_at(bilinear, h, x[1], y[1]);
      for (size_t w = 0; w < y[2]; ++w, to += x[3]) {
        const resize_tap column = tap_at(bilinear, w, x[2], y[2]);
        if (row.share == 0.0f && column.share == 0.0f)
          memcpy(to, image + (row.low * x[2] + column.low) * x[3], 4 * (size_t)x[3]);
        else
          resize_place(image, x[2], x[3], row, column, to);
      }
    }
  }
}

/* ---- transposed convolution: y[i] = sum over h, r with h stride + r dilation - pad = i of x[h] weight[r]
 * ---- */

typedef struct axis_map {
  size_t stride, dilation, pad, kernel, size; /* size: of x */
} axis_map;

/* The place in x that kernel row r brings to i, or `size` when there is none. */
static size_t source(const axis_map* a, size_t i, size_t r) {
  const size_t at = i + a->pad, back = r * a->dilation;
  if (at < back || (at - back) % a->stride != 0) return a->size;
  const size_t h = (at - back) / a->stride;
  return h < a->size ? h : a->size;
}

/* One place of y: all outputs. */
static void transposed_place(const lnt_operands* o, const axis_map* rows, const axis_map* columns, size_t i,
                             size_t j, const float* image, float* y) {
  const size_t outs = o->in[1].dims[0], of_group = o->in[1].dims[3], channels = o->in[0].dims[3];
  const size_t outs_of_group = outs / (channels / of_group);
  const float* bias = o->n_in == 3 ? (const float*)o->in_data[2] : NULL;
  for (size_t k = 0; k < outs; ++k) y[k] = bias != NULL ? bias[k] : 0.0f;
  for (size_t r = 0; r < rows->kernel; ++r) {
    const size_t h = source(rows, i, r);
    for (size_t q = 0; q < columns->kernel && h < rows->size; ++q) {
      const size_t w = source(columns, j, q);
      if (w == columns->size) continue;
      const float* x = image + (h * columns->size + w) * channels;
      const float* weight = (const float*)o->in_data[1] + (r * columns->kernel + q) * of_group;
      for (size_t k = 0; k < outs; ++k)
        y[k] += LNT_FN(lnt_dot)(x + k / outs_of_group * of_group,
                                weight + k * rows->kernel * columns->kernel * of_group, of_group);
    }
  }
}

void LNT_FN(lnt_run_conv_transpose2d)(const lnt_operands* o) {
  const uint32_t *x = o->in[0].dims, *y = o->out[0].dims, *weight = o->in[1].dims;
  const axis_map rows = {lnt_param(o, LNT_AT_STRIDE), lnt_param(o, LNT_AT_DILATION),
                         lnt_param(o, LNT_AT_PADS), weight[1], x[1]};
  const axis_map columns = {lnt_param(o, LNT_AT_STRIDE + 1), lnt_param(o, LNT_AT_DILATION + 1),
                            lnt_param(o, LNT_AT_PADS + 2), weight[2], x[2]};
  const lnt_activation act = lnt_read_activation(o, LNT_AT_CONV_ACT + 2);
  float* to = (float*)o->out_data[0];
  for (size_t n = 0; n < y[0]; ++n) {
    const float* image = (const float*)o->in_data[0] + n * x[1] * x[2] * x[3];
    for (size_t i = 0; i < y[1]; ++i)
      for (size_t j = 0; j < y[2]; ++j, to += y[3]) transposed_place(o, &rows, &columns, i, j, image, to);
  }
  if (act.opcode != 0) LNT_FN(lnt_unary)
  (act.opcode, act.p, act.q, (float*)o->out_data[0], (float*)o->out_data[0], o->out[0].bytes / sizeof(float));
}
