// SPDX-License-Identifier: Apache-2.0
/* conv2d: direct, without a copy of the image. x [N, H, W, C], weight [O, KH, KW, C/groups], y [N, YH, YW,
   O]. Taps outside the image are left out: of each row of y the kernel rows that are inside, and of the
   places at its ends the kernel columns. */
#include "linnet/runtime/kernels.h"
#include "linnet/runtime/product.h"

/* Of one axis: begin .. end - 1. */
typedef struct taps {
  size_t begin, end;
} taps;

typedef struct conv {
  size_t n, h, w, c, yh, yw, o, kh, kw, groups;
  size_t stride_h, stride_w, dilation_h, dilation_w, top, left;
  const float *x, *weight, *bias;
  float* y;
  lnt_clamp clamp;
  taps whole; /* places of a row of y for which all kernel columns are inside */
} conv;

static conv read_conv(const lnt_operands* o, lnt_clamp clamp) {
  conv v = {o->in[0].dims[0],
            LNT_CONV_SIZES(o),
            (const float*)o->in_data[0],
            (const float*)o->in_data[1],
            o->n_in == 3 ? (const float*)o->in_data[2] : NULL,
            (float*)o->out_data[0],
            clamp,
            {0, 0}};
  return v;
}

/* Taps of one place along one axis that are inside the image. */
static taps inside(size_t place, size_t stride, size_t pad, size_t dilation, size_t kernel, size_t size) {
  const size_t at = place * stride; /* in the image with its padding */
  taps t = {0, kernel};
  if (at < pad) t.begin = (pad - at + dilation - 1) / dilation;
  const size_t room = size + pad > at ? size + pad - at : 0; /* from here to the end of the image */
  const size_t fit = (room + dilation - 1) / dilation;
  if (fit < t.end) t.end = fit;
  if (t.begin > t.end) t.begin = t.end;
  return t;
}

static taps whole_places(const conv* v) {
  const size_t reach = (v->kw - 1) * v->dilation_w + 1;
  taps t = {(v->left + v->stride_w - 1) / v->stride_w, 0};
  if (v->w + v->left >= reach) t.end = (v->w + v->left - reach) / v->stride_w + 1;
  if (t.end > v->yw) t.end = v->yw;
  if (t.begin > t.end) t.begin = t.end;
  return t;
}

/* ---- groups of whole blocks: tiles of pixels by channels ---- */

typedef struct panel {
  const conv* v;
  const float* weight; /* of its first column */
  const float* bias;
  size_t group, o, columns; /* first output channel */
} panel;

/* `count` places of row yh from yw on, by the kernel columns of `columns`. */
static void conv_run(const panel* q, const float* image, float* y, taps rows, taps columns, size_t yh,
                     size_t yw, size_t count) {
  const conv* v = q->v;
  const size_t of_group = v->c / v->groups, taps_w = columns.end - columns.begin;
  const int joined = v->dilation_w == 1 && v->groups == 1; /* kernel columns lie side by side */
  const lnt_product p = {rows.end - rows.begin,
                         joined ? 1 : taps_w,
                         joined ? taps_w * of_group : of_group,
                         v->stride_w * v->c,
                         v->dilation_h * v->w * v->c,
                         v->dilation_w * v->c,
                         v->kw * of_group * LNT_BLOCK,
                         of_group * LNT_BLOCK,
                         LNT_BLOCK,
                         v->o,
                         v->clamp};
  const size_t tap = rows.begin * v->kw + columns.begin;
  const float *x = v->x, *w = q->weight;
  if (rows.end > rows.begin && taps_w > 0) {
    const size_t h = yh * v->stride_h + rows.begin * v->dilation_h - v->top;
    const size_t left = yw * v->stride_w + columns.begin * v->dilation_w - v->left;
    x = image + (h * v->w + left) * v->c + q->group * of_group;
    w = q->weight + tap * of_group * LNT_BLOCK;
  }
  LNT_FN(lnt_product_rows)
  (&p, x, count, w, v->kh * v->kw * of_group * LNT_BLOCK, 1, q->bias, y + (yh * v->yw + yw) * v->o + q->o,
   q->columns);
}

static void conv_panel(const panel* q, const float* image, float* y, taps share) {
  const conv* v = q->v;
  const taps whole = v->whole, all = {0, v->kw};
  for (size_t yh = share.begin; yh < share.end; ++yh) {
    const taps rows = inside(yh, v->stride_h, v->top, v->dilation_h, v->kh, v->h);
    for (size_t yw = 0; yw < v->yw; ++yw) {
      if (yw == whole.begin && whole.end > whole.begin) {
        conv_run(q, image, y, rows, all, yh, yw, whole.end - whole.begin);
        yw = whole.end - 1;
      } else {
        conv_run(q, image, y, rows, inside(yw, v->stride_w, v->left, v->dilation_w, v->kw, v->w), yh, yw, 1);
      }
    }
  }
}

/* Of image n the rows of y that `share` has; so are the two below. */
static void conv_blocked(const conv* v, size_t n, taps share) {
  const size_t of_group = v->o / v->groups, block = v->kh * v->kw * (v->c / v->groups) * LNT_BLOCK;
  for (size_t g = 0; g < v->groups; ++g) {
    for (size_t o = 0; o < of_group; o += LNT_PANEL) {
      const size_t out = g * of_group + o, left = of_group - o;
      const panel q = {v,   v->weight + out / LNT_BLOCK * block, v->bias != NULL ? v->bias + out : NULL, g,
                       out, left < LNT_PANEL ? left : LNT_PANEL};
      conv_panel(&q, v->x + n * v->h * v->w * v->c, v->y + n * v->yh * v->yw * v->o, share);
    }
  }
}

/* ---- depthwise: vectors of channels ---- */

enum { kPlaces = 8 }; /* neighbours that share the weights in registers */

LNT_INLINE vec load_lanes(const float* p, size_t lanes) {
  return lanes == LNT_LANES ? v_load(p) : v_load_n(p, lanes);
}

/* `count` places with the same taps; x is that of the first tap. */
LNT_INLINE void depthwise_run(const conv* v, const float* x, const float* w, taps rows, taps columns,
                              vec bias, float* y, size_t count, size_t lanes) {
  vec sum[kPlaces];
  const size_t step = v->stride_w * v->c;
  LNT_UNROLL for (size_t i = 0; i < count; ++i) sum[i] = v_zero();
  for (size_t r = rows.begin; r < rows.end; ++r) {
    for (size_t q = columns.begin; q < columns.end; ++q) {
      const vec weight = v_load(w + (r * v->kw + q) * LNT_BLOCK);
      const float* at =
          x + ((r - rows.begin) * v->dilation_h * v->w + (q - columns.begin) * v->dilation_w) * v->c;
      LNT_UNROLL for (size_t i = 0; i < count; ++i) sum[i] =
          v_madd(load_lanes(at + i * step, lanes), weight, sum[i]);
    }
  }
  LNT_UNROLL for (size_t i = 0; i < count; ++i) {
    const vec value = v_clamp(sum[i] + bias, v->clamp);
    if (lanes == LNT_LANES)
      v_store(y + i * v->c, value);
    else
      v_store_n(y + i * v->c, value, lanes);
  }
}

static void depthwise_row(const conv* v, const float* image, const float* w, vec bias, float* y, size_t yh,
                          size_t lanes) {
  const taps rows = inside(yh, v->stride_h, v->top, v->dilation_h, v->kh, v->h);
  const taps whole = v->whole;
  for (size_t yw = 0; yw < v->yw;) {
    const int in = yw >= whole.begin && yw < whole.end;
    taps columns = {0, v->kw};
    if (!in) columns = inside(yw, v->stride_w, v->left, v->dilation_w, v->kw, v->w);
    const float* x = image;
    if (rows.end > rows.begin && columns.end > columns.begin)
      x = image + ((yh * v->stride_h + rows.begin * v->dilation_h - v->top) * v->w + yw * v->stride_w +
                   columns.begin * v->dilation_w - v->left) *
                      v->c;
    float* to = y + (yh * v->yw + yw) * v->c;
    if (in && whole.end - yw >= kPlaces && lanes == LNT_LANES) {
      depthwise_run(v, x, w, rows, columns, bias, to, kPlaces, LNT_LANES);
      yw += kPlaces;
    } else if (in && whole.end - yw >= kPlaces / 4 && lanes == LNT_LANES) {
      depthwise_run(v, x, w, rows, columns, bias, to, kPlaces / 4, LNT_LANES);
      yw += kPlaces / 4;
    } else {
      depthwise_run(v, x, w, rows, columns, bias, to, 1, lanes);
      ++yw;
    }
  }
}

LNT_INLINE vec depthwise_3x3_place(const float* x, size_t row, size_t c, const vec* weight, taps rows,
                                   taps columns) {
  vec sum = v_zero();
  LNT_UNROLL for (size_t r = rows.begin; r < rows.end; ++r) {
    LNT_UNROLL for (size_t q = columns.begin; q < columns.end; ++q) sum =
        v_madd(v_load(x + (r - rows.begin) * row + (q - columns.begin) * c), weight[3 * r + q], sum);
  }
  return sum;
}

/* A row of y whose kernel rows are `rows`, a constant of the callers below: the weights stay in registers.
   The first and the last place may lack a kernel column. */
LNT_INLINE void depthwise_3x3_row(const conv* v, const float* x, const float* w, vec bias, float* y,
                                  taps rows) {
  const size_t row = v->w * v->c, step = v->stride_w * v->c, c = v->c;
  const taps all = {0, 3}, right = {1, 3}, left = {0, 2}, whole = v->whole;
  const vec low = v_clamp_low(v->clamp), high = v_clamp_high(v->clamp);
  vec weight[9];
  LNT_UNROLL for (size_t k = 3 * rows.begin; k < 3 * rows.end; ++k) weight[k] = v_load(w + k * LNT_BLOCK);
  if (whole.begin == 1) {
    const vec sum = depthwise_3x3_place(x, row, c, weight, rows, right);
    v_store(y, v_clamp_to(sum + bias, low, high));
    x += step - c;
  }
  for (size_t yw = whole.begin; yw < whole.end; ++yw, x += step) {
    const vec sum = depthwise_3x3_place(x, row, c, weight, rows, all);
    v_store(y + yw * c, v_clamp_to(sum + bias, low, high));
  }
  if (whole.end < v->yw) {
    const vec sum = depthwise_3x3_place(x, row, c, weight, rows, left);
    v_store(y + whole.end * c, v_clamp_to(sum + bias, low, high));
  }
}

/* The usual case by itself: 3x3, padded by one or not, an image of more than one place. */
static int is_3x3(const conv* v) {
  const taps whole = v->whole;
  return v->kh == 3 && v->kw == 3 && v->dilation_h == 1 && v->dilation_w == 1 && v->left <= 1 &&
         whole.end > whole.begin && whole.begin <= 1 && whole.end + 1 >= v->yw &&
         (whole.end == v->yw || whole.end * v->stride_w + 2 == v->w + v->left);
}

static void depthwise_3x3(const conv* v, const float* image, const float* w, vec bias, float* y, size_t yh) {
  const taps rows = inside(yh, v->stride_h, v->top, 1, 3, v->h), all = {0, 3}, lower = {1, 3}, upper = {0, 2};
  const float* x = image + (yh * v->stride_h + rows.begin - v->top) * v->w * v->c;
  float* to = y + yh * v->yw * v->c;
  if (rows.begin == 0 && rows.end == 3)
    depthwise_3x3_row(v, x, w, bias, to, all);
  else if (rows.begin == 1 && rows.end == 3)
    depthwise_3x3_row(v, x, w, bias, to, lower);
  else if (rows.begin == 0 && rows.end == 2)
    depthwise_3x3_row(v, x, w, bias, to, upper);
  else
    depthwise_row(v, image, w, bias, y, yh, LNT_LANES);
}

static void depthwise(const conv* v, size_t n, taps share) {
  const size_t taps_all = v->kh * v->kw;
  const int usual = is_3x3(v);
  for (size_t c = 0; c < v->c; c += LNT_LANES) {
    const size_t lanes = v->c - c < LNT_LANES ? v->c - c : LNT_LANES;
    const vec bias = v->bias != NULL ? load_lanes(v->bias + c, lanes) : v_zero();
    const float* w = v->weight + (c / LNT_BLOCK * taps_all) * LNT_BLOCK + c % LNT_BLOCK;
    const float* image = v->x + n * v->h * v->w * v->c + c;
    float* y = v->y + n * v->yh * v->yw * v->c + c;
    for (size_t yh = share.begin; yh < share.end; ++yh) {
      if (usual && lanes == LNT_LANES)
        depthwise_3x3(v, image, w, bias, y, yh);
      else
        depthwise_row(v, image, w, bias, y, yh, lanes);
    }
  }
}

/* ---- any groups, plain weights: one output after the other ---- */

static float conv_place(const conv* v, const float* image, taps rows, taps columns, size_t yh, size_t yw,
                        size_t o) {
  const size_t of_group = v->c / v->groups, group = o / (v->o / v->groups);
  float sum = 0.0f;
  for (size_t r = rows.begin; r < rows.end; ++r) {
    for (size_t q = columns.begin; q < columns.end; ++q) {
      const size_t h = yh * v->stride_h + r * v->dilation_h - v->top;
      const size_t w = yw * v->stride_w + q * v->dilation_w - v->left;
      sum += LNT_FN(lnt_dot)(image + (h * v->w + w) * v->c + group * of_group,
                             v->weight + ((o * v->kh + r) * v->kw + q) * of_group, of_group);
    }
  }
  if (v->bias != NULL) sum += v->bias[o];
  if (v->clamp != LNT_CLAMP_NONE && sum < 0.0f) sum = 0.0f;
  return v->clamp == LNT_CLAMP_RELU6 && sum > 6.0f ? 6.0f : sum;
}

static void conv_plain(const conv* v, size_t n, taps share) {
  const float* image = v->x + n * v->h * v->w * v->c;
  float* y = v->y + (n * v->yh + share.begin) * v->yw * v->o;
  for (size_t yh = share.begin; yh < share.end; ++yh) {
    const taps rows = inside(yh, v->stride_h, v->top, v->dilation_h, v->kh, v->h);
    for (size_t yw = 0; yw < v->yw; ++yw) {
      const taps columns = inside(yw, v->stride_w, v->left, v->dilation_w, v->kw, v->w);
      for (size_t o = 0; o < v->o; ++o) *y++ = conv_place(v, image, rows, columns, yh, yw, o);
    }
  }
}

/* A 1x1 convolution over every pixel has no rows to end. */
static void join_rows(conv* v) {
  if (v->kh != 1 || v->kw != 1 || v->stride_h != 1 || v->stride_w != 1) return;
  v->w *= v->h;
  v->yw *= v->yh;
  v->h = v->yh = 1;
}

typedef struct conv_work {
  conv v;
  size_t rows, pieces; /* rows of y in a piece, pieces of an image */
  void (*run)(const conv* v, size_t n, taps share);
} conv_work;

static void conv_piece(void* work, uint32_t piece) {
  const conv_work* c = (const conv_work*)work;
  const size_t begin = piece % c->pieces * c->rows, end = begin + c->rows;
  const taps share = {begin, end < c->v.yh ? end : c->v.yh};
  c->run(&c->v, piece / c->pieces, share);
}

enum { kPieces = 8 }; /* at most, of an image */

void LNT_FN(lnt_run_conv2d)(const lnt_operands* o) {
  const lnt_activation act = lnt_read_activation(o, LNT_AT_CONV_ACT);
  conv_work c = {read_conv(o, act.clamp), 0, 1, conv_blocked};
  conv* v = &c.v;
  const size_t products = v->yh * v->yw * v->o * v->kh * v->kw * (v->c / v->groups);
  const int shared = o->parallel != NULL && products > LNT_WORTH_SHARING;
  if (o->in[1].layout == LNT_PLAIN)
    c.run = conv_plain;
  else if (v->groups == v->o && v->c == v->o && v->o > 1)
    c.run = depthwise;
  else if (!shared)
    join_rows(v);
  v->whole = whole_places(v);
  c.rows = shared ? (v->yh + kPieces - 1) / kPieces : v->yh;
  c.pieces = (v->yh + c.rows - 1) / c.rows;
  lnt_share(o, conv_piece, &c, (uint32_t)(v->n * c.pieces));
  lnt_finish(&act, v->y, o->out[0].bytes / sizeof(float));
}
