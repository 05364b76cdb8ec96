// SPDX-License-Identifier: Apache-2.0
// The product kernels of one instruction set. See gemm_table.h for what they compute.

#include "linnet/core/kernels/gemm_table.h"
#include "linnet/core/kernels/vec.h"

namespace linnet::kernels::LINNET_ISA {
namespace {

#include "linnet/core/kernels/gemm_transpose.inl"

// The accumulators of a tile of R rows by V vectors stay in registers: R V of them, and at least one vector
// of b and one broadcast element of a. Rows for 1, 2, 4 and 8 vectors:
#if defined(__AVX512F__) || defined(__aarch64__)
constexpr int kTileRows[4] = {14, 14, 6, 3};
#elif defined(LINNET_ISA_WIDE)
constexpr int kTileRows[4] = {6, 3, 1, 1};
#else
constexpr int kTileRows[4] = {12, 6, 3, 1};
#endif
constexpr int kMaxTileRows = kTileRows[0];

Index panel_vectors(Index rows) {
  if (rows <= kTileRows[3]) return 8;
  if (rows <= kTileRows[2] || sizeof(F) == 16) return 4;
  return 2;
}

Index rows_at_once(Index panel_vectors) {
  return kTileRows[panel_vectors >= 8 ? 3 : panel_vectors >= 4 ? 2 : panel_vectors >= 2 ? 1 : 0];
}

/// c = the sums, after what p wants to be added. `last` lanes of the last vector count.
template <int R, int V, bool kWhole>
LINNET_INLINE void finish(const Product& p, F (&sum)[R][V], float* c, const float* bias, Index last) {
  const auto load = [=](const float* from, int j) __attribute__((always_inline)) {
    return kWhole || j < V - 1 ? F::load(from + j * kLanes) : F::load(from + j * kLanes, last);
  };
  if (p.add) {
    LINNET_UNROLL
    for (int i = 0; i < R; ++i) {
      LINNET_UNROLL
      for (int j = 0; j < V; ++j) sum[i][j] = load(c + i * p.c_row, j) + sum[i][j];
    }
  }
  if (bias) {
    LINNET_UNROLL
    for (int j = 0; j < V; ++j) {
      const F b = load(bias, j);
      LINNET_UNROLL
      for (int i = 0; i < R; ++i) sum[i][j] += b;
    }
  }
  if (p.relu) {
    LINNET_UNROLL
    for (int i = 0; i < R; ++i) {
      LINNET_UNROLL
      for (int j = 0; j < V; ++j) sum[i][j] = m::relu(sum[i][j]);
    }
  }
  LINNET_UNROLL
  for (int i = 0; i < R; ++i) {
    LINNET_UNROLL
    for (int j = 0; j < V; ++j) {
      float* place = c + i * p.c_row + j * kLanes;
      if (kWhole || j < V - 1)
        sum[i][j].store(place);
      else
        sum[i][j].store(place, last);
    }
  }
}

/// One tile of c. `last` of its columns lie in the last vector (1 .. kLanes).
template <int R, int V>
void tile(const Product& p, const float* a, const float* b, float* c, const float* bias, Index last) {
  F sum[R][V];
  LINNET_UNROLL
  for (int i = 0; i < R; ++i) {
    LINNET_UNROLL
    for (int j = 0; j < V; ++j) sum[i][j] = F(0.0f);
  }
  const Index a_row = p.a_row, a_term = p.a_term, b_term = p.b_term, terms = p.terms;
  for (Index s = 0; s < p.outer; ++s)
    for (Index t = 0; t < p.inner; ++t) {
      const float* at = a + s * p.a_outer + t * p.a_inner;
      const float* bt = b + s * p.b_outer + t * p.b_inner;
      for (Index k = 0; k < terms; ++k, at += a_term, bt += b_term) {
        F column[V];
        LINNET_UNROLL
        for (int j = 0; j < V; ++j) column[j] = F::load(bt + j * kLanes);
        LINNET_UNROLL
        for (int i = 0; i < R; ++i) {
          const F scalar(at[i * a_row]);
          LINNET_UNROLL
          for (int j = 0; j < V; ++j) sum[i][j] = madd(scalar, column[j], sum[i][j]);
        }
      }
    }
  if (last == kLanes)
    finish<R, V, true>(p, sum, c, bias, last);
  else
    finish<R, V, false>(p, sum, c, bias, last);
}

using TileFunction = void (*)(const Product&, const float*, const float*, float*, const float*, Index);

/// of[v][r - 1]: the tile of r rows by 2^v vectors. Filled by the compiler: code of a set must not run at
/// start.
struct TileTable {
  TileFunction of[4][kMaxTileRows] = {};

  template <int R, int V>
  constexpr void fill(int v) {
    of[v][R - 1] = tile<R, V>;
    if constexpr (R > 1) fill<R - 1, V>(v);
  }
};
constexpr TileTable make_tiles() {
  TileTable tiles;
  tiles.fill<kTileRows[0], 1>(0);
  tiles.fill<kTileRows[1], 2>(1);
  tiles.fill<kTileRows[2], 4>(2);
  tiles.fill<kTileRows[3], 8>(3);
  return tiles;
}
constexpr TileTable kTiles = make_tiles();

/// All rows of all lines for 2^v vectors of columns. Rows go in blocks of nearly equal height: a full block
/// followed by a rest would leave the rest with too few chains to keep the multipliers busy.
void multiply_columns(const Product& p, int v, const float* b, float* c, const float* bias, Index last) {
  const Index blocks = (p.rows + kTileRows[v] - 1) / kTileRows[v];
  const Index height = p.rows / blocks, higher = p.rows % blocks;  // that many blocks have one row more
  for (Index l = 0; l < p.lines; ++l) {
    const float* a = p.a + l * p.a_line;
    float* place = c + l * p.c_line;
    for (Index block = 0; block < blocks; ++block) {
      const Index rows = height + (block < higher ? 1 : 0);
      kTiles.of[v][rows - 1](p, a, b, place, bias, last);
      a += rows * p.a_row;
      place += rows * p.c_row;
    }
  }
}

void multiply(const Product& p) {
  if (p.rows == 0) return;
  const Index width = p.panel_vectors * kLanes;
  for (Index first = 0; first < p.columns; first += width) {
    const float* panel = p.b + first / width * p.b_panel;
    const Index end = first + width < p.columns ? first + width : p.columns;
    for (Index j = first; j < end;) {
      const Index vectors = (end - j + kLanes - 1) / kLanes;
      const int v = vectors >= 8 ? 3 : vectors >= 4 ? 2 : vectors >= 2 ? 1 : 0;
      const Index reach = kLanes << v;
      const Index last = end - j >= reach ? kLanes : end - j - (reach - kLanes);
      multiply_columns(p, v, panel + (j - first), p.c + j, p.bias ? p.bias + j : nullptr, last);
      j += reach;
    }
  }
}

/// Part of multiply_few: R rows of x with G squares of kLanes rows of w, each turned in registers.
template <int R, int G>
void few(const FewRows& p, Index n) {
  F sum[G][R];
  for (auto& group : sum)
    for (F& x : group) x = F(0.0f);
  const Index last_row = p.columns - 1;
  for (Index k = 0; k < p.terms; k += kLanes) {
    const Index terms = p.terms - k < kLanes ? p.terms - k : kLanes;
    for (int g = 0; g < G; ++g) {
      F t[kLanes];
      for (int i = 0; i < kLanes; ++i) {
        const Index row = n + g * kLanes + i;
        const float* w = p.w + (row < last_row ? row : last_row) * p.w_row + k;
        t[i] = terms == kLanes ? F::load(w) : F::load(w, terms);
      }
      transpose(t);
      const float* x = p.x + k * p.x_term;
      if (terms == kLanes) {
        for (int i = 0; i < kLanes; ++i)
          for (int r = 0; r < R; ++r) sum[g][r] = madd(F(x[r * p.x_row + i * p.x_term]), t[i], sum[g][r]);
      } else {
        for (int i = 0; i < terms; ++i)
          for (int r = 0; r < R; ++r) sum[g][r] = madd(F(x[r * p.x_row + i * p.x_term]), t[i], sum[g][r]);
      }
    }
  }
  for (int g = 0; g < G; ++g)
    for (int r = 0; r < R; ++r) {
      float values[kLanes];
      sum[g][r].store(values);
      const Index first = n + g * kLanes, count = p.columns - first < kLanes ? p.columns - first : kLanes;
      float* y = p.y + r * p.y_row + first * p.y_column;
      for (Index j = 0; j < count; ++j, y += p.y_column) *y = p.add ? *y + values[j] : values[j];
    }
}

/// Several squares at once where there are few rows: one chain of sums would wait for itself.
template <int R, int G>
void few_rows(const FewRows& p) {
  for (Index n = 0; n < p.columns; n += G * kLanes) few<R, G>(p, n);
}

void multiply_few(const FewRows& p) {
  switch (p.rows) {
    case 1:
      return few_rows<1, 4>(p);
    case 2:
      return few_rows<2, 2>(p);
    case 3:
      return few_rows<3, 2>(p);
    case 4:
      return few_rows<4, 2>(p);
    default:
      return;
  }
}

}  // namespace

extern const GemmTable gemm = {kLanes, panel_vectors, rows_at_once, multiply, multiply_few, transpose_matrix};

}  // namespace linnet::kernels::LINNET_ISA
