// SPDX-License-Identifier: Apache-2.0
#pragma once
// Dense: a fully connected layer.

#include "linnet/nn/init.h"
#include "linnet/nn/module.h"

namespace linnet::nn {

struct DenseOptions {
  bool bias = true;
  Initializer weight_init = init::glorot_uniform;
};

/// y = x weight^T + bias.
///   Shapes: x [..., in]  ->  [..., out]. The last axis is the features, all before it are samples.
/// ValueError for sizes below 1.
class Dense : public Layer {
 public:
  Dense(std::int64_t in, std::int64_t out, const DenseOptions& options = {});

  Tensor weight;  ///< [out, in]
  Tensor bias;    ///< [out], starts at 0; undefined without

  void members(Members& m) override;
  std::string describe() const override;
  Tensor forward(const Tensor& x) override;
  Tensor forward_relu(const Tensor& x) override;
};

}  // namespace linnet::nn
