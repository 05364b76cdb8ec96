// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/kernels/matmul.h"

#include "linnet/core/isa.h"
#include "linnet/core/kernels/blas.h"
#include "linnet/core/kernels/gemm.h"
#include "linnet/core/kernels/matmul_naive.h"
#include "linnet/core/tensor_impl.h"

namespace linnet::kernels {
namespace {

/// y [rows, columns] = op(a) x op(b), and the bias when given. Rows of a and b as stored are a_row and b_row
/// long.
struct Call {
  std::int64_t rows, columns, terms;
  MatmulOptions options;
  std::int64_t a_row, b_row;
};

template <class T>
void finish(const Call& call, const T* bias, bool relu, T* y) {
  if (bias)
    for (std::int64_t i = 0; i < call.rows; ++i)
      for (std::int64_t j = 0; j < call.columns; ++j) y[i * call.columns + j] += bias[j];
  if (relu) naive::relu(call.rows * call.columns, y);
}

void run(const Call& call, const double* a, const double* b, const double* bias, bool relu, double* y) {
  const auto [rows, columns, terms, options, a_row, b_row] = call;
  if (blas::available()) {
    blas::gemm(options.transpose_a, options.transpose_b, rows, columns, terms, a, b, y);
  } else {
    naive::matmul(rows, columns, terms, a, options.transpose_a ? 1 : a_row, options.transpose_a ? a_row : 1,
                  b, options.transpose_b ? 1 : b_row, options.transpose_b ? b_row : 1, y);
  }
  finish(call, bias, relu, y);
}

void run(const Call& call, const float* a, const float* b, const float* bias, bool relu, float* y) {
  const auto [rows, columns, terms, options, a_row, b_row] = call;
  if (matmul_uses_blas()) {
    blas::gemm(options.transpose_a, options.transpose_b, rows, columns, terms, a, b, y);
    return finish(call, bias, relu, y);
  }
  const Matrix left{a, a_row, 1}, right{b, b_row, 1};
  gemm(rows, columns, terms, options.transpose_a ? transposed(left) : left,
       options.transpose_b ? transposed(right) : right, y, {bias, relu});
}

Tensor product(const Tensor& a, const Tensor& b, const Tensor& bias, MatmulOptions options,
               bool relu = false) {
  const Shape &as = a.shape(), &bs = b.shape();
  const Call call{.rows = as[options.transpose_a ? 1 : 0],
                  .columns = bs[options.transpose_b ? 0 : 1],
                  .terms = as[options.transpose_a ? 0 : 1],
                  .options = options,
                  .a_row = as[1],
                  .b_row = bs[1]};
  Tensor y = Tensor::empty({call.rows, call.columns}, a.dtype());
  dispatch_float("matmul", a.dtype(), [&](auto zero) {
    using T = decltype(zero);
    run(call, readable<T>(a), readable<T>(b), bias.defined() ? readable<T>(bias) : nullptr, relu,
        writable<T>(y));
  });
  return y;
}

}  // namespace

Tensor matmul(const Tensor& a, const Tensor& b, MatmulOptions options) { return product(a, b, {}, options); }

Tensor dense(const Tensor& x, const Tensor& weight, const Tensor& bias, bool relu) {
  return product(x, weight, bias, {.transpose_b = true}, relu);
}

}  // namespace linnet::kernels
