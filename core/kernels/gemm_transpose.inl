// SPDX-License-Identifier: Apache-2.0
// Part of gemm_isa.cpp. transpose(t): a square of kLanes vectors, in registers, in three steps: floats of
// neighbouring rows, pairs of floats, then blocks of four.

#define LINNET_SHUFFLE(a, b, ...) F(__builtin_shufflevector((a).v, (b).v, __VA_ARGS__))
#if defined(__AVX512F__) || defined(LINNET_ISA_WIDE)
#define LINNET_LOW_FLOATS 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29
#define LINNET_HIGH_FLOATS 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31
#define LINNET_LOW_PAIRS 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29
#define LINNET_HIGH_PAIRS 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31
#elif defined(__AVX2__)
#define LINNET_LOW_FLOATS 0, 8, 1, 9, 4, 12, 5, 13
#define LINNET_HIGH_FLOATS 2, 10, 3, 11, 6, 14, 7, 15
#define LINNET_LOW_PAIRS 0, 1, 8, 9, 4, 5, 12, 13
#define LINNET_HIGH_PAIRS 2, 3, 10, 11, 6, 7, 14, 15
#else
#define LINNET_LOW_FLOATS 0, 4, 1, 5
#define LINNET_HIGH_FLOATS 2, 6, 3, 7
#define LINNET_LOW_PAIRS 0, 1, 4, 5
#define LINNET_HIGH_PAIRS 2, 3, 6, 7
#endif

/// Within each block of four lanes: lane b of t[4 g + q] becomes the rows 4 g .. 4 g + 3 of column 4 b + q.
LINNET_INLINE void transpose_blocks(F (&t)[kLanes]) {
  for (int g = 0; g < kLanes; g += 4) {
    const F low01 = LINNET_SHUFFLE(t[g], t[g + 1], LINNET_LOW_FLOATS);
    const F high01 = LINNET_SHUFFLE(t[g], t[g + 1], LINNET_HIGH_FLOATS);
    const F low23 = LINNET_SHUFFLE(t[g + 2], t[g + 3], LINNET_LOW_FLOATS);
    const F high23 = LINNET_SHUFFLE(t[g + 2], t[g + 3], LINNET_HIGH_FLOATS);
    t[g] = LINNET_SHUFFLE(low01, low23, LINNET_LOW_PAIRS);
    t[g + 1] = LINNET_SHUFFLE(low01, low23, LINNET_HIGH_PAIRS);
    t[g + 2] = LINNET_SHUFFLE(high01, high23, LINNET_LOW_PAIRS);
    t[g + 3] = LINNET_SHUFFLE(high01, high23, LINNET_HIGH_PAIRS);
  }
}

LINNET_INLINE void transpose(F (&t)[kLanes]) {
  transpose_blocks(t);
#if defined(__AVX512F__) || defined(LINNET_ISA_WIDE)
  for (int q = 0; q < 4; ++q) {
    const F a = t[q], b = t[q + 4], c = t[q + 8], d = t[q + 12];
    const F even_ab = LINNET_SHUFFLE(a, b, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27);
    const F odd_ab = LINNET_SHUFFLE(a, b, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
    const F even_cd = LINNET_SHUFFLE(c, d, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27);
    const F odd_cd = LINNET_SHUFFLE(c, d, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
    t[q] = LINNET_SHUFFLE(even_ab, even_cd, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27);
    t[q + 4] = LINNET_SHUFFLE(odd_ab, odd_cd, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27);
    t[q + 8] = LINNET_SHUFFLE(even_ab, even_cd, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
    t[q + 12] = LINNET_SHUFFLE(odd_ab, odd_cd, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
  }
#elif defined(__AVX2__)
  for (int q = 0; q < 4; ++q) {
    const F a = t[q], b = t[q + 4];
    t[q] = LINNET_SHUFFLE(a, b, 0, 1, 2, 3, 8, 9, 10, 11);
    t[q + 4] = LINNET_SHUFFLE(a, b, 4, 5, 6, 7, 12, 13, 14, 15);
  }
#endif
}

/// y[c][r] = x[r][c]: whole squares in registers, the edges one by one. Lines of y are filled from left to
/// right, in blocks of rows of x that stay in the cache meanwhile.
void transpose_matrix(const float* x, Index x_row, Index rows, Index columns, float* y, Index y_row) {
  constexpr Index kBlock = 64;
  const Index whole_rows = rows - rows % kLanes, whole_columns = columns - columns % kLanes;
  for (Index first = 0; first < whole_rows; first += kBlock) {
    const Index end = first + kBlock < whole_rows ? first + kBlock : whole_rows;
    for (Index c = 0; c < whole_columns; c += kLanes)
      for (Index r = first; r < end; r += kLanes) {
        F t[kLanes];
        for (int i = 0; i < kLanes; ++i) t[i] = F::load(x + (r + i) * x_row + c);
        transpose(t);
        for (int i = 0; i < kLanes; ++i) t[i].store(y + (c + i) * y_row + r);
      }
  }
  for (Index r = 0; r < rows; ++r)
    for (Index c = r < whole_rows ? whole_columns : 0; c < columns; ++c) y[c * y_row + r] = x[r * x_row + c];
}
