// SPDX-License-Identifier: Apache-2.0
#pragma once
// Embedding: a table of learned vectors.

#include <optional>

#include "linnet/nn/init.h"
#include "linnet/nn/module.h"

namespace linnet::nn {

struct EmbeddingOptions {
  /// This row starts at 0 and gets no gradient: it stands for "nothing here".
  std::optional<std::int64_t> padding_idx = {};
  Initializer weight_init = init::normal(0.0, 1.0);
};

/// Row x of the table, for each index in x.
///   Shapes: x [...] of i64, i32 or u8  ->  [..., size].
/// ValueError for sizes below 1, for a padding_idx or an index outside 0..count-1.
/// Trace it with an input of the type of x: graph::trace(model, std::vector<graph::InputSpec>{{{1, 50},
/// i64}}).
class Embedding : public Layer {
 public:
  Embedding(std::int64_t count, std::int64_t size, const EmbeddingOptions& options = {});

  Tensor weight;  ///< [count, size]

  void members(Members& m) override;
  std::string describe() const override;
  Tensor forward(const Tensor& x) override;

 private:
  std::optional<std::int64_t> padding_idx_;
};

}  // namespace linnet::nn
