// SPDX-License-Identifier: Apache-2.0
#include "linnet/nn/embedding.h"

#include <algorithm>

#include "linnet/autograd/ops.h"

namespace linnet::nn {

Embedding::Embedding(std::int64_t count, std::int64_t size, const EmbeddingOptions& options)
    : padding_idx_(options.padding_idx) {
  check<ValueError>(count >= 1 && size >= 1, "Embedding: sizes must be at least 1: count ", count, ", size ",
                    size, ".");
  const std::int64_t row = padding_idx_.value_or(0);
  check<ValueError>(row >= 0 && row < count, "Embedding: padding_idx ", row, " is outside 0..", count - 1,
                    ".");
  weight = initial_parameter("Embedding", options.weight_init, {count, size});
  if (padding_idx_) std::fill_n(weight.mutable_data<float>().begin() + row * size, size, 0.0f);
}

void Embedding::members(Members& m) { m.parameter("weight", weight); }

std::string Embedding::describe() const {
  const std::string table = concat({"Embedding ", weight.dim(0), " x ", weight.dim(1)});
  return padding_idx_ ? concat({table, ", padding ", *padding_idx_}) : table;
}

Tensor Embedding::forward(const Tensor& x) { return embedding(x, weight, padding_idx_); }

}  // namespace linnet::nn
