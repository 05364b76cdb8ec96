// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/kernels/blas.h"

#include "linnet/core/error.h"

#if defined(LINNET_BLAS)
#define HAVE_CBLAS 1  // as xtensor-blas does: without it cxxblas would compute with its own generic loops
// Its products come by here, see below.
#define cblas_sgemm linnet_cblas_sgemm
#define cblas_dgemm linnet_cblas_dgemm
#include <dlfcn.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>
// After what it uses without including it.
#include <xflens/cxxblas/cxxblas.cxx>
#undef cblas_sgemm
#undef cblas_dgemm

namespace linnet::kernels::blas {
namespace {

// OpenBLAS is loaded by the first product that wants it: linked in, it would cost every program 10 ms of
// start-up, for tables and for threads that nobody needs.
struct Library {
  decltype(&linnet_cblas_sgemm) sgemm = nullptr;
  decltype(&linnet_cblas_dgemm) dgemm = nullptr;

  Library() {
    void* handle = dlopen(LINNET_BLAS, RTLD_NOW | RTLD_LOCAL);  // never closed
    if (!handle) return;
    sgemm = reinterpret_cast<decltype(sgemm)>(dlsym(handle, "cblas_sgemm"));
    dgemm = reinterpret_cast<decltype(dgemm)>(dlsym(handle, "cblas_dgemm"));
    // Threads are parallel_for's affair; spinning workers beside ours would slow both down.
    using SetThreads = void (*)(int);
    if (const auto set = reinterpret_cast<SetThreads>(dlsym(handle, "openblas_set_num_threads"))) set(1);
  }
  bool complete() const { return sgemm && dgemm; }
};

const Library& library() {
  static const Library loaded;
  return loaded;
}

}  // namespace
}  // namespace linnet::kernels::blas

extern "C" {
void linnet_cblas_sgemm(CBLAS_ORDER order, CBLAS_TRANSPOSE a_form, CBLAS_TRANSPOSE b_form, int m, int n,
                        int k, float alpha, const float* a, int lda, const float* b, int ldb, float beta,
                        float* c, int ldc) {
  linnet::kernels::blas::library().sgemm(order, a_form, b_form, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}
void linnet_cblas_dgemm(CBLAS_ORDER order, CBLAS_TRANSPOSE a_form, CBLAS_TRANSPOSE b_form, int m, int n,
                        int k, double alpha, const double* a, int lda, const double* b, int ldb, double beta,
                        double* c, int ldc) {
  linnet::kernels::blas::library().dgemm(order, a_form, b_form, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}
}

namespace linnet::kernels::blas {
namespace {

int to_int(std::int64_t size) {
  LINNET_ASSERT(size <= std::numeric_limits<int>::max());
  return static_cast<int>(size);
}

template <class T>
void product(bool transpose_a, bool transpose_b, std::int64_t rows, std::int64_t columns, std::int64_t terms,
             const T* a, const T* b, T* c) {
  check<ValueError>(library().complete(), "matmul: OpenBLAS cannot be loaded: " LINNET_BLAS
                                          " is missing. Install libopenblas0, or use LINNET_MATMUL=own.");
  const int m = to_int(rows), n = to_int(columns), k = to_int(terms);
  const auto form = [](bool transpose) { return transpose ? cxxblas::Trans : cxxblas::NoTrans; };
  const int a_row = std::max(transpose_a ? m : k, 1), b_row = std::max(transpose_b ? k : n, 1);
  cxxblas::gemm(cxxblas::RowMajor, form(transpose_a), form(transpose_b), m, n, k, T(1), a, a_row, b, b_row,
                T(0), c, std::max(n, 1));
}

}  // namespace

bool available() { return library().complete(); }

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
