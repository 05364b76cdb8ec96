// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/kernels/blas.h"

#include "linnet/core/error.h"

#if defined(LINNET_BLAS)
#define HAVE_CBLAS 1  // as xtensor-blas does: without it cxxblas would compute with its own generic loops
#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>
// After what it uses without including it.
#include <xflens/cxxblas/cxxblas.cxx>

// <cblas-openblas.h> and xtensor-blas's own cblas.h declare the same enums: only one of them can be included.
extern "C" void openblas_set_num_threads(int threads);

namespace linnet::kernels::blas {
namespace {

int to_int(std::int64_t size) {
  LINNET_ASSERT(size <= std::numeric_limits<int>::max());
  return static_cast<int>(size);
}

template <class T>
void product(bool transpose_a, bool transpose_b, std::int64_t rows, std::int64_t columns, std::int64_t terms,
             const T* a, const T* b, T* c) {
  // Threads are parallel_for's affair; spinning workers beside ours would slow both down.
  static const bool single_threaded = (openblas_set_num_threads(1), true);
  static_cast<void>(single_threaded);
  const int m = to_int(rows), n = to_int(columns), k = to_int(terms);
  const auto form = [](bool transpose) { return transpose ? cxxblas::Trans : cxxblas::NoTrans; };
  const int a_row = std::max(transpose_a ? m : k, 1), b_row = std::max(transpose_b ? k : n, 1);
  cxxblas::gemm(cxxblas::RowMajor, form(transpose_a), form(transpose_b), m, n, k, T(1), a, a_row, b, b_row,
                T(0), c, std::max(n, 1));
}

}  // namespace

bool available() { return true; }

void gemm(bool transpose_a, bool transpose_b, std::int64_t rows, std::int64_t columns, std::int64_t terms,
          const float* a, const float* b, float* c) {
  product(transpose_a, transpose_b, rows, columns, terms, a, b, c);
}

void gemm(bool transpose_a, bool transpose_b, std::int64_t rows, std::int64_t columns, std::int64_t terms,
          const double* a, const double* b, double* c) {
  product(transpose_a, transpose_b, rows, columns, terms, a, b, c);
}

}  // namespace linnet::kernels::blas

#else

namespace linnet::kernels::blas {

bool available() { return false; }

void gemm(bool, bool, std::int64_t, std::int64_t, std::int64_t, const float*, const float*, float*) {
  LINNET_ASSERT(available());
}

void gemm(bool, bool, std::int64_t, std::int64_t, std::int64_t, const double*, const double*, double*) {
  LINNET_ASSERT(available());
}

}  // namespace linnet::kernels::blas

#endif
