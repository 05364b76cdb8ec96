// SPDX-License-Identifier: Apache-2.0
#pragma once
// Matrix products. Each element of the result is one sum over k in increasing order, in chunks of 512 whose
// partial sums are added in order: never dependent on instruction set (with FMA), tiles, threads or
// neighbours.

#include "linnet/core/tensor.h"

namespace linnet::kernels {

struct MatmulOptions {
  bool transpose_a = false;
  bool transpose_b = false;
};
/// op(a) [N, K] x op(b) [K, M] -> [N, M].
Tensor matmul(const Tensor& a, const Tensor& b, MatmulOptions options = {});

/// x [R, in], weight [out, in], bias [out] or undefined -> [R, out]; the bias is added after the product, and
/// then comes the relu, if wanted.
Tensor dense(const Tensor& x, const Tensor& weight, const Tensor& bias, bool relu = false);

}  // namespace linnet::kernels
