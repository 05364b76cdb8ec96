// SPDX-License-Identifier: Apache-2.0
#pragma once
// Conv2D: two-dimensional convolution, channels last.

#include "linnet/nn/init.h"
#include "linnet/nn/module.h"
#include "linnet/nn/padding.h"

namespace linnet {
struct Conv2DParams;
}

namespace linnet::nn {

struct Conv2DOptions {
  Pair kernel = 3;
  Pair stride = 1;
  Pair dilation = 1;
  Padding padding = valid;
  std::int64_t groups = 1;  ///< divides the input and the output channels
  bool bias = true;
  Initializer weight_init = init::glorot_uniform;
};

/// y = conv2d(x, weight) + bias, a cross-correlation.
///   Shapes: x [N, H, W, in]  ->  [N, H', W', out],
///   H' = floor((H + top + bottom - dilation (kh - 1) - 1) / stride) + 1;  ceil(H / stride) with `same`.
/// ValueError for sizes below 1, negative padding, and groups that do not divide both channel counts.
class Conv2D : public Layer {
 public:
  Conv2D(std::int64_t in, std::int64_t out, const Conv2DOptions& options = {});

  Tensor weight;  ///< [out, kh, kw, in/groups]
  Tensor bias;    ///< [out], starts at 0; undefined without

  void members(Members& m) override;
  std::string describe() const override;
  Tensor forward(const Tensor& x) override;
  Tensor forward_relu(const Tensor& x) override;
  Tensor forward_behind(BatchNorm& norm, const Tensor& x) override;

 private:
  Conv2DParams params() const;

  Pair stride_, dilation_;
  Padding padding_;
  std::int64_t groups_;
};

}  // namespace linnet::nn
