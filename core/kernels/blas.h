// SPDX-License-Identifier: Apache-2.0
#pragma once
// OpenBLAS, through the interface of xtensor-blas; only blas.cpp knows either. It computes f64 products, and
// f32 products when LINNET_MATMUL=blas asks for it; it is also the twin our kernel is tested and measured
// against.

#include <cstdint>

namespace linnet::kernels::blas {

/// False in a build with -DLINNET_BLAS=OFF, and where the library is missing now. The first call loads it.
bool available();

/// ValueError unless available().
/// c [rows, columns] = op(a) [rows, terms] x op(b) [terms, columns], all row-major and dense; on one thread.
void gemm(bool transpose_a, bool transpose_b, std::int64_t rows, std::int64_t columns, std::int64_t terms,
          const float* a, const float* b, float* c);
void gemm(bool transpose_a, bool transpose_b, std::int64_t rows, std::int64_t columns, std::int64_t terms,
          const double* a, const double* b, double* c);

}  // namespace linnet::kernels::blas
