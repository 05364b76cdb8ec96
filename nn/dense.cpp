// SPDX-License-Identifier: Apache-2.0
#include "linnet/nn/dense.h"

#include "linnet/autograd/fused.h"

namespace linnet::nn {

Dense::Dense(std::int64_t in, std::int64_t out, const DenseOptions& options) {
  check<ValueError>(in >= 1 && out >= 1, "Dense: sizes must be at least 1: in ", in, ", out ", out,
                    ". `in` is the number of features of one sample.");
  weight = initial_parameter("Dense", options.weight_init, {out, in});
  if (options.bias) bias = initial_parameter("Dense", init::zeros, {out});
}

void Dense::members(Members& m) {
  m.parameter("weight", weight);
  m.parameter("bias", bias);
}

std::string Dense::describe() const {
  return concat({"Dense ", weight.dim(1), " -> ", weight.dim(0), bias.defined() ? "" : ", no bias"});
}

Tensor Dense::forward(const Tensor& x) { return dense(x, weight, bias); }

Tensor Dense::forward_relu(const Tensor& x) { return dense_relu(x, weight, bias); }

}  // namespace linnet::nn
