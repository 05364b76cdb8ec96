// SPDX-License-Identifier: Apache-2.0
#pragma once
// Convolutions over sequences [N, T, C].

#include "linnet/nn/init.h"
#include "linnet/nn/module.h"
#include "linnet/nn/padding.h"

namespace linnet::nn {

struct Conv1DOptions {
  std::int64_t kernel = 3;
  std::int64_t stride = 1;
  std::int64_t dilation = 1;
  Padding1D padding = valid;  ///< {dilation (kernel - 1), 0} makes it causal
  std::int64_t groups = 1;    ///< divides the input and the output channels
  bool bias = true;
  Initializer weight_init = init::glorot_uniform;
};

/// y = conv(x, weight) + bias along T, a cross-correlation.
///   Shapes: x [N, T, in]  ->  [N, T', out],
///   T' = floor((T + before + after - dilation (kernel - 1) - 1) / stride) + 1;  ceil(T / stride) with
///   `same`.
/// It is conv2d over images of one row. ValueError for sizes below 1, negative padding, and groups that do
/// not divide both channel counts.
class Conv1D : public Layer {
 public:
  Conv1D(std::int64_t in, std::int64_t out, const Conv1DOptions& options = {});

  Tensor weight;  ///< [out, kernel, in/groups]
  Tensor bias;    ///< [out], starts at 0; undefined without

  void members(Members& m) override;
  std::string describe() const override;
  Tensor forward(const Tensor& x) override;

 private:
  std::int64_t stride_, dilation_, groups_;
  Padding1D padding_;
};

struct DepthwiseConv1DOptions {
  std::int64_t kernel = 3;
  std::int64_t stride = 1;
  std::int64_t dilation = 1;
  Padding1D padding = valid;
  std::int64_t multiplier = 1;  ///< filters, and so output channels, for each channel
  bool bias = true;
  Initializer weight_init = init::depthwise_uniform;
};

/// Every channel is convolved by filters of its own: output channel c multiplier + k is filter k of channel
/// c.
///   Shapes: x [N, T, C]  ->  [N, T', C multiplier], T' as Conv1D.
/// ValueError for sizes below 1 and negative padding.
class DepthwiseConv1D : public Layer {
 public:
  explicit DepthwiseConv1D(std::int64_t channels, const DepthwiseConv1DOptions& options = {});

  Tensor weight;  ///< [C multiplier, kernel, 1]
  Tensor bias;    ///< [C multiplier], starts at 0; undefined without

  void members(Members& m) override;
  std::string describe() const override;
  Tensor forward(const Tensor& x) override;

 private:
  std::int64_t channels_, stride_, dilation_;
  Padding1D padding_;
};

}  // namespace linnet::nn
