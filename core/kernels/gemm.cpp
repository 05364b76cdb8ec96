// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/kernels/gemm.h"

#include <algorithm>
#include <cstring>

#include "linnet/core/kernels/gemm_scratch.h"
#include "linnet/core/kernels/select.h"
#include "linnet/core/parallel.h"

namespace linnet::kernels {

LINNET_SELECT_TABLE(GemmTable, gemm)
const GemmTable& gemm_table() { return gemm_kernels(); }

namespace {

constexpr Index kTileWork = 1 << 18;      // multiplications worth a tile of their own: about 5 microseconds
constexpr Index kMaxTiles = 32;           // enough for any board; fewer tiles read less twice
constexpr Index kPackRows = 48;           // from so many rows on, packing b pays
constexpr Index kPackedFloats = 1 << 18;  // b is packed in pieces of about this size

Index divided_up(Index n, Index by) { return (n + by - 1) / by; }

/// Rows of `width` floats, a multiple of 4 but a few: a call of memcpy for each would take longer than the
/// copy.
void copy_whole(const float* from, Index from_row, Index rows, Index width, float* to) {
  for (Index k = 0; k < rows; ++k, from += from_row, to += width)
    for (Index j = 0; j < width; j += 4) std::memcpy(to + j, from + j, 4 * sizeof(float));
}

/// b as the tiles read it: panels, or its own rows and a padded copy of the columns behind the last whole
/// vector.
struct Columns {
  const float* data;
  Index term, panel;
  Index vectors;      ///< of a panel
  Index count;        ///< columns
  const float* rest;  ///< [terms][lanes], or null
};

struct Job {
  Index rows, terms;
  Matrix a;
  float* c;
  Index c_row;
  Epilogue end;
};

/// Rows [rows.begin, rows.end) of columns [columns.begin, columns.end) of the job; chunk after chunk.
void multiply_tile(const GemmTable& table, const Job& job, const Columns& b, Band rows, Band columns) {
  const Index width = b.vectors * table.lanes, rest = b.rest ? b.count % table.lanes : 0;
  for (Index k = 0; k < job.terms; k += kChunk) {
    const bool final = k + kChunk >= job.terms;
    Product p;
    p.a = job.a.data + rows.begin * job.a.row + k * job.a.column;
    p.a_row = job.a.row;
    p.a_term = job.a.column;
    p.b = b.data + columns.begin / width * b.panel + k * b.term;
    p.b_term = b.term;
    p.b_panel = b.panel;
    p.c = job.c + rows.begin * job.c_row + columns.begin;
    p.c_row = job.c_row;
    p.rows = rows.end - rows.begin;
    p.columns = columns.end - columns.begin;
    p.terms = std::min(kChunk, job.terms - k);
    p.panel_vectors = b.vectors;
    p.add = k > 0;
    p.bias = final && job.end.bias ? job.end.bias + columns.begin : nullptr;
    p.relu = final && job.end.relu;
    const bool has_rest = rest > 0 && columns.end == b.count;
    if (has_rest) p.columns -= rest;
    table.multiply(p);
    if (!has_rest) continue;
    p.b = b.rest + k * table.lanes;
    p.b_term = table.lanes;
    if (p.bias) p.bias += p.columns;
    p.c += p.columns;
    p.columns = rest;
    table.multiply(p);
  }
}

/// Cut along the longer side, by shape, and rows into no fewer than the kernel computes at once.
void multiply_all(const GemmTable& table, const Job& job, const Columns& b) {
  const Index work = job.rows * b.count * job.terms, width = b.vectors * table.lanes;
  const Index tiles = std::clamp<Index>(work / kTileWork, 1, kMaxTiles);
  const bool by_columns = b.count > job.rows;
  const Index size = by_columns ? b.count : job.rows, unit = by_columns ? width : 1;
  const Index most = divided_up(size, by_columns ? width : table.rows_at_once(b.vectors));
  const Index count = std::min(tiles, most);
  parallel_for(count, work, [&](std::int64_t tile) {
    const Band part = band(tile, count, size, unit);
    if (by_columns)
      multiply_tile(table, job, b, {0, job.rows}, part);
    else
      multiply_tile(table, job, b, part, {0, b.count});
  });
}

void multiply_unpacked(const GemmTable& table, const Job& job, Matrix b, Index columns) {
  const Index rest = columns % table.lanes;
  float* padded = nullptr;
  if (rest > 0) {
    padded = scratch(Scratch::packed, packed_size(job.terms, rest, table.lanes));
    const Matrix last{b.data + (columns - rest), b.row, 1};
    pack_panels(last, job.terms, rest, table.lanes, padded);
  }
  const Index vectors = table.panel_vectors(job.rows);
  multiply_all(table, job, {b.data, b.row, vectors * table.lanes, vectors, columns, padded});
}

void multiply_packed(const GemmTable& table, Job job, Matrix b, Index columns) {
  const Index vectors = table.panel_vectors(job.rows), width = vectors * table.lanes;
  const Index piece = std::max<Index>(kPackedFloats / job.terms / width, 1) * width;
  float* packed = scratch(Scratch::packed, packed_size(job.terms, std::min(piece, columns), width));
  for (Index first = 0; first < columns; first += piece) {
    const Index count = std::min(piece, columns - first);
    const Matrix part{b.data + first * b.column, b.row, b.column};
    const Index panels = divided_up(count, width), pack_tiles = std::min(panels, kMaxTiles);
    parallel_for(pack_tiles, job.terms * count, [&](std::int64_t tile) {
      const Band own = band(tile, pack_tiles, count, width);
      pack_panels({part.data + own.begin * part.column, part.row, part.column}, job.terms,
                  own.end - own.begin, width, packed + own.begin * job.terms);
    });
    Job now = job;
    now.c += first;
    if (now.end.bias) now.end.bias += first;
    multiply_all(table, now, {packed, width, job.terms * width, vectors, count, nullptr});
  }
}

/// GemmTable::transpose, shared among threads.
void transpose(const GemmTable& table, const float* x, Index x_row, Index rows, Index columns, float* y,
               Index y_row) {
  constexpr Index kRows = 64;  // of a tile: whole squares of vectors
  parallel_for(divided_up(rows, kRows), rows * columns, [&](std::int64_t tile) {
    const Index first = tile * kRows, count = std::min(kRows, rows - first);
    table.transpose(x + first * x_row, x_row, count, columns, y + first, y_row);
  });
}

/// Columns of a are read 4 floats or so at a time, once for every panel of b: turned first when that is often
/// and long.
Matrix rows_of_a(const GemmTable& table, const Job& job, Index columns) {
  constexpr Index kManyColumns = 192, kManyTerms = 64;
  if (job.a.column == 1 || columns < kManyColumns || job.terms < kManyTerms) return job.a;
  float* turned = scratch(Scratch::turned, job.rows * job.terms);
  transpose(table, job.a.data, job.a.column, job.terms, job.rows, turned, job.terms);
  return {turned, job.terms, 1};
}

void multiply(const GemmTable& table, Job job, Matrix b, Index columns) {
  job.a = rows_of_a(table, job, columns);
  if (b.column != 1 || job.rows >= kPackRows)
    multiply_packed(table, job, b, columns);
  else
    multiply_unpacked(table, job, b, columns);
}

/// For products that are not finished tile by tile.
void finish(float* c, Index rows, Index columns, const Epilogue& end) {
  if (end.bias)
    for (Index i = 0; i < rows; ++i)
      for (Index j = 0; j < columns; ++j) c[i * columns + j] += end.bias[j];
  if (end.relu)
    for (Index i = 0; i < rows * columns; ++i) c[i] = 0.0f > c[i] ? 0.0f : c[i];
}

/// y [rows, columns] with strides, for few rows: w is read once, as it lies.
void multiply_few(const GemmTable& table, Index rows, Index columns, Index terms, Matrix x, Matrix w,
                  float* y, Index y_row, Index y_column) {
  const Index tiles = std::min(std::clamp<Index>(rows * columns * terms / kTileWork, 1, kMaxTiles), columns);
  parallel_for(tiles, rows * columns * terms, [&](std::int64_t tile) {
    const Band part = band(tile, tiles, columns, 4 * table.lanes);
    FewRows p;
    p.x_row = x.row;
    p.x_term = x.column;
    p.w_row = w.row;
    p.y = y + part.begin * y_column;
    p.y_row = y_row;
    p.y_column = y_column;
    p.rows = rows;
    p.columns = part.end - part.begin;
    for (Index k = 0; k < terms && p.columns > 0; k += kChunk) {
      p.x = x.data + k * x.column;
      p.w = w.data + part.begin * w.row + k;
      p.terms = std::min(kChunk, terms - k);
      p.add = k > 0;
      table.multiply_few(p);
    }
  });
}

/// c^T = b^T a^T: lanes run over the rows of a. madd(x, y, z) = madd(y, x, z), so the bits are the same.
void multiply_swapped(const GemmTable& table, Index rows, Index columns, Index terms, Matrix a, Matrix b,
                      float* c) {
  float* turned = scratch(Scratch::swapped, rows * columns);
  multiply(table, {columns, terms, transposed(b), turned, rows, {}}, transposed(a), rows);
  transpose(table, turned, rows, columns, rows, c, columns);
}

/// Vector instructions, and about as much for each element that has to be moved, of c = a x b.
double cost(const GemmTable& table, Index rows, Index columns, Index terms, Matrix b) {
  const double products =
      static_cast<double>(rows) * static_cast<double>(divided_up(columns, table.lanes) * terms);
  const double moved = static_cast<double>(terms) * static_cast<double>(columns);
  if (b.column != 1) return products + moved;
  return products + (rows >= kPackRows ? moved / 4 : 0.0);
}

}  // namespace

Band band(Index index, Index count, Index size, Index unit) {
  const Index units = divided_up(size, unit);
  const Index begin = index * units / count * unit, end = (index + 1) * units / count * unit;
  return {std::min(begin, size), std::min(end, size)};
}

Index packed_size(Index terms, Index columns, Index width) {
  return terms * divided_up(columns, width) * width;
}

void pack_panels(Matrix b, Index terms, Index columns, Index width, float* packed) {
  for (Index first = 0; first < columns; first += width, packed += terms * width) {
    const Index count = std::min(width, columns - first);
    const float* from = b.data + first * b.column;
    if (b.column != 1 && b.row == 1) gemm_table().transpose(from, b.column, count, terms, packed, width);
    if (b.column == 1 && count == width) {
      copy_whole(from, b.row, terms, width, packed);
      continue;
    }
    for (Index k = 0; k < terms; ++k) {
      float* to = packed + k * width;
      if (b.column == 1)
        std::copy_n(from + k * b.row, count, to);
      else if (b.row != 1)
        for (Index j = 0; j < count; ++j) to[j] = from[k * b.row + j * b.column];
      std::fill(to + count, to + width, 0.0f);
    }
  }
}

void gemm(Index rows, Index columns, Index terms, Matrix a, Matrix b, float* c, const Epilogue& end) {
  const GemmTable& table = gemm_table();
  if (rows == 0 || columns == 0) return;
  if (terms == 0) {
    std::fill_n(c, rows * columns, 0.0f);
    return finish(c, rows, columns, end);
  }
  if (rows <= kFewRows && b.row == 1) {
    multiply_few(table, rows, columns, terms, a, transposed(b), c, columns, 1);
    return finish(c, rows, columns, end);
  }
  if (columns <= kFewRows && a.column == 1) {
    multiply_few(table, columns, rows, terms, transposed(b), a, c, 1, columns);
    return finish(c, rows, columns, end);
  }
  const double swapping = 2.0 * static_cast<double>(rows) * static_cast<double>(columns);
  if (cost(table, columns, rows, terms, transposed(a)) + swapping < cost(table, rows, columns, terms, b)) {
    multiply_swapped(table, rows, columns, terms, a, b, c);
    return finish(c, rows, columns, end);
  }
  multiply(table, {rows, terms, a, c, columns, end}, b, columns);
}

}  // namespace linnet::kernels
