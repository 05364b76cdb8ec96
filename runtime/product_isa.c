// SPDX-License-Identifier: Apache-2.0
/* The kernels of product.h. Accumulators of a tile of R rows by V vectors stay in registers: R V of them, and
   at least one vector of w and one broadcast element of x. */
#include "linnet/runtime/product.h"

typedef void (*tile_fn)(const lnt_product* p, const float* x, const float* w, size_t w_vec, const float* bias,
                        float* y, size_t columns);

LNT_INLINE vec load_columns(const float* from, size_t place, size_t columns) {
  if (place + LNT_LANES <= columns) return v_load(from);
  return v_load_n(from, place < columns ? columns - place : 0);
}

/* Rows of V vectors to y: as they are, or by way of memory when the last is not whole. */
LNT_INLINE void store_rows(int R, int V, vec (*sum)[16], float* y, size_t y_row, size_t columns) {
  if (columns == (size_t)V * LNT_LANES) {
    LNT_UNROLL for (int i = 0; i < R; ++i) {
      LNT_UNROLL for (int j = 0; j < V; ++j) v_store(y + (size_t)i * y_row + j * LNT_LANES, sum[i][j]);
    }
    return;
  }
  float rows[16 * LNT_PANEL];
  LNT_UNROLL for (int i = 0; i < R; ++i) {
    LNT_UNROLL for (int j = 0; j < V; ++j) v_store(rows + i * LNT_PANEL + j * LNT_LANES, sum[i][j]);
  }
  for (int i = 0; i < R; ++i) memcpy(y + (size_t)i * y_row, rows + i * LNT_PANEL, 4 * columns);
}

/* R, V and `whole` are constants of the callers below, and so are the loops over them. */
LNT_INLINE void tile(int R, int V, int whole, const lnt_product* p, const float* x, const float* w,
                     size_t w_vec, const float* bias, float* y, size_t columns) {
  vec sum[16][16];
  LNT_UNROLL for (int i = 0; i < R; ++i) { LNT_UNROLL for (int j = 0; j < V; ++j) sum[i][j] = v_zero(); }
  const size_t x_row = p->x_row, w_term = p->w_term, len = p->len;
  for (size_t s = 0; s < p->outer; ++s) {
    for (size_t t = 0; t < p->inner; ++t) {
      const float* at = x + s * p->x_outer + t * p->x_inner;
      const float* wt = w + s * p->w_outer + t * p->w_inner;
      for (size_t k = 0; k < len; ++k, ++at, wt += w_term) {
        vec column[16];
        LNT_UNROLL for (int j = 0; j < V; ++j) column[j] =
            whole ? v_load(wt + (size_t)j * w_vec)
                  : load_columns(wt + (size_t)j * w_vec, (size_t)j * LNT_LANES, columns);
        LNT_UNROLL for (int i = 0; i < R; ++i) {
          const vec scalar = v_set(at[(size_t)i * x_row]);
          LNT_UNROLL for (int j = 0; j < V; ++j) sum[i][j] = v_madd(scalar, column[j], sum[i][j]);
        }
      }
    }
  }
  if (bias != NULL) {
    LNT_UNROLL for (int j = 0; j < V; ++j) {
      const vec b = load_columns(bias + j * LNT_LANES, (size_t)j * LNT_LANES, columns);
      LNT_UNROLL for (int i = 0; i < R; ++i) sum[i][j] = sum[i][j] + b;
    }
  }
  if (p->clamp != LNT_CLAMP_NONE) {
    const vec low = v_zero(), high = v_clamp_high(p->clamp);
    LNT_UNROLL for (int i = 0; i < R; ++i) {
      LNT_UNROLL for (int j = 0; j < V; ++j) sum[i][j] = v_clamp_to(sum[i][j], low, high);
    }
  }
  store_rows(R, V, sum, y, p->y_row, columns);
}

#define TILE(R, V)                                                                               \
  static void tile_##R##_##V(const lnt_product* p, const float* x, const float* w, size_t w_vec, \
                             const float* bias, float* y, size_t columns) {                      \
    tile(R, V, 1, p, x, w, w_vec, bias, y, columns);                                             \
  }

/* Most rows for 1, 2, 4, ... vectors, and the vectors of a whole panel. */
#if LNT_LANES == 16
enum { kVectors = 2 };
#define ROWS_1(X) \
  X(1, 1) X(2, 1) X(3, 1) X(4, 1) X(5, 1) X(6, 1) X(7, 1) X(8, 1) X(9, 1) X(10, 1) X(11, 1) X(12, 1)
#define ROWS_2(X) \
  X(1, 2) X(2, 2) X(3, 2) X(4, 2) X(5, 2) X(6, 2) X(7, 2) X(8, 2) X(9, 2) X(10, 2) X(11, 2) X(12, 2)
#define ROWS_4(X)
#elif LNT_LANES == 8
enum { kVectors = 2 };
#define ROWS_1(X) X(1, 1) X(2, 1) X(3, 1) X(4, 1) X(5, 1) X(6, 1) X(7, 1) X(8, 1) X(9, 1) X(10, 1)
#define ROWS_2(X) X(1, 2) X(2, 2) X(3, 2) X(4, 2) X(5, 2) X(6, 2)
#define ROWS_4(X)
#elif LNT_LANES == 4
enum { kVectors = 4 };
#define ROWS_1(X) X(1, 1) X(2, 1) X(3, 1) X(4, 1) X(5, 1) X(6, 1) X(7, 1) X(8, 1)
#define ROWS_2(X) X(1, 2) X(2, 2) X(3, 2) X(4, 2) X(5, 2) X(6, 2) X(7, 2) X(8, 2)
#define ROWS_4(X) X(1, 4) X(2, 4) X(3, 4) X(4, 4) X(5, 4) X(6, 4)
#endif

#if LNT_LANES == 1

/* The reference: one row of 16 columns. */
void LNT_FN(lnt_product_rows)(const lnt_product* p, const float* x, size_t rows, const float* w,
                              size_t next_block, int whole, const float* bias, float* y, size_t columns) {
  (void)next_block;
  for (size_t r = 0; r < rows; ++r) {
    if (whole)
      tile(1, 16, 1, p, x + r * p->x_row, w, 1, bias, y + r * p->y_row, columns);
    else
      tile(1, 16, 0, p, x + r * p->x_row, w, 1, bias, y + r * p->y_row, columns);
  }
}

#else

ROWS_1(TILE)
ROWS_2(TILE)
ROWS_4(TILE)

static void tile_left(const lnt_product* p, const float* x, const float* w, size_t w_vec, const float* bias,
                      float* y, size_t columns) {
  tile(1, kVectors, 0, p, x, w, w_vec, bias, y, columns);
}

#define TILE_NAME(R, V) tile_##R##_##V,
static const tile_fn tiles_1[] = {ROWS_1(TILE_NAME)};
static const tile_fn tiles_2[] = {ROWS_2(TILE_NAME)};
#if LNT_LANES == 4
static const tile_fn tiles_4[] = {ROWS_4(TILE_NAME)};
#endif

void LNT_FN(lnt_product_rows)(const lnt_product* p, const float* x, size_t rows, const float* w,
                              size_t next_block, int whole, const float* bias, float* y, size_t columns) {
  const size_t w_vec = LNT_LANES == LNT_BLOCK ? next_block : LNT_LANES;
  const tile_fn* tiles = tiles_2;
  size_t most = sizeof tiles_2 / sizeof tiles_2[0];
#if LNT_LANES == 4
  if (columns > 8) tiles = tiles_4, most = sizeof tiles_4 / sizeof tiles_4[0];
#endif
  if (columns <= LNT_LANES) tiles = tiles_1, most = sizeof tiles_1 / sizeof tiles_1[0];
  /* Tiles of nearly one size: 11 rows are 6 and 5, not 6 and 5 times 1. */
  size_t count = whole ? (rows + most - 1) / most : rows;
  for (; count > 0; --count) {
    const size_t n = (rows + count - 1) / count;
    (whole ? tiles[n - 1] : tile_left)(p, x, w, w_vec, bias, y, columns);
    x += n * p->x_row;
    y += n * p->y_row;
    rows -= n;
  }
}

#endif

/* Four partial sums of V vectors each. */
enum { kDenseVectors = LNT_PANEL / LNT_LANES };

LNT_INLINE void dense_panel(const float* x, size_t n, const float* w, size_t w_vec, const float* bias,
                            float* y, lnt_clamp clamp, size_t columns, int V) {
  vec sum[4][16];
  LNT_UNROLL for (int q = 0; q < 4; ++q) { LNT_UNROLL for (int j = 0; j < V; ++j) sum[q][j] = v_zero(); }
  size_t k = 0;
  for (; k + 4 <= n; k += 4, w += 4 * LNT_BLOCK) {
    LNT_UNROLL for (int q = 0; q < 4; ++q) {
      const vec scalar = v_set(x[k + (size_t)q]);
      LNT_UNROLL for (int j = 0; j < V; ++j) sum[q][j] =
          v_madd(scalar, v_load(w + q * LNT_BLOCK + (size_t)j * w_vec), sum[q][j]);
    }
  }
  LNT_UNROLL for (int q = 0; q < 3; ++q) {
    if (k + (size_t)q < n) {
      const vec scalar = v_set(x[k + (size_t)q]);
      LNT_UNROLL for (int j = 0; j < V; ++j) sum[q][j] =
          v_madd(scalar, v_load(w + q * LNT_BLOCK + (size_t)j * w_vec), sum[q][j]);
    }
  }
  LNT_UNROLL for (int j = 0; j < V; ++j) {
    const size_t place = (size_t)j * LNT_LANES;
    sum[0][j] = (sum[0][j] + sum[1][j]) + (sum[2][j] + sum[3][j]);
    if (bias != NULL) sum[0][j] = sum[0][j] + load_columns(bias + place, place, columns);
    sum[0][j] = v_clamp(sum[0][j], clamp);
  }
  store_rows(1, V, sum, y, 0, columns);
}

void LNT_FN(lnt_dense_row)(const float* x, size_t n, const float* w, size_t outs, const float* bias, float* y,
                           lnt_clamp clamp) {
  const size_t w_vec = LNT_LANES == LNT_BLOCK ? n * LNT_BLOCK : LNT_LANES;
  for (size_t o = 0; o < outs; o += LNT_PANEL) {
    const size_t left = outs - o < LNT_PANEL ? outs - o : LNT_PANEL;
    const float* b = bias != NULL ? bias + o : NULL;
    if (LNT_LANES == LNT_BLOCK && left <= LNT_BLOCK) /* the panel's second block is not there */
      dense_panel(x, n, w + o * n, w_vec, b, y + o, clamp, left, 1);
    else
      dense_panel(x, n, w + o * n, w_vec, b, y + o, clamp, left, kDenseVectors);
  }
}

float LNT_FN(lnt_dot)(const float* a, const float* b, size_t n) {
  float lane[16] = {0};
  size_t k = 0;
  for (; k + 16 <= n; k += 16) {
    for (size_t l = 0; l < 16; ++l) lane[l] += a[k + l] * b[k + l];
  }
  for (size_t l = 0; k < n; ++k, ++l) lane[l] += a[k] * b[k];
  for (size_t width = 8; width > 0; width /= 2) {
    for (size_t l = 0; l < width; ++l) lane[l] += lane[l + width];
  }
  return lane[0];
}
