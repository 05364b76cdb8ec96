// SPDX-License-Identifier: Apache-2.0
#pragma once
// Depthwise convolution and the separable one built from it, channels last.

#include "linnet/nn/conv2d.h"

namespace linnet::nn {

struct DepthwiseConv2DOptions {
  Pair kernel = 3;
  Pair stride = 1;
  Pair dilation = 1;
  Padding padding = valid;
  std::int64_t multiplier = 1;  ///< filters, and so output channels, for each channel
  bool bias = true;
  Initializer weight_init = init::depthwise_uniform;
};

/// Every channel is convolved by filters of its own: output channel c multiplier + k is filter k of channel
/// c.
///   Shapes: x [N, H, W, C]  ->  [N, H', W', C multiplier], H' as Conv2D.
/// Multiplier 1 has a kernel of its own; with more, it is a grouped convolution.
/// ValueError for sizes below 1 and negative padding.
class DepthwiseConv2D : public Layer {
 public:
  explicit DepthwiseConv2D(std::int64_t channels, const DepthwiseConv2DOptions& options = {});

  Tensor weight;  ///< [C multiplier, kh, kw, 1]
  Tensor bias;    ///< [C multiplier], starts at 0; undefined without

  void members(Members& m) override;
  std::string describe() const override;
  Tensor forward(const Tensor& x) override;
  Tensor forward_relu(const Tensor& x) override;
  Tensor forward_behind(BatchNorm& norm, const Tensor& x) override;

  std::int64_t channels() const { return channels_; }
  std::int64_t multiplier() const { return weight.dim(0) / channels_; }
  std::string window() const;  ///< ", kernel 3x3, stride 2x2", for descriptions

 private:
  Conv2DParams params() const;

  std::int64_t channels_;
  Pair stride_, dilation_;
  Padding padding_;
};

struct SeparableConv2DOptions {
  Pair kernel = 3;
  Pair stride = 1;
  Pair dilation = 1;
  Padding padding = valid;
  std::int64_t multiplier = 1;
  bool bias = true;
  Initializer depthwise_init = init::depthwise_uniform;
  Initializer pointwise_init = init::glorot_uniform;
};

/// A depthwise convolution without bias, then a 1x1 convolution that mixes the channels.
///   Shapes: x [N, H, W, in]  ->  [N, H', W', out], H' as Conv2D.
/// ValueError as DepthwiseConv2D and Conv2D.
class SeparableConv2D : public Layer {
 public:
  SeparableConv2D(std::int64_t in, std::int64_t out, const SeparableConv2DOptions& options = {});

  DepthwiseConv2D depthwise;  ///< weight [in multiplier, kh, kw, 1]
  Conv2D pointwise;           ///< weight [out, 1, 1, in multiplier], bias [out]

  void members(Members& m) override;
  std::string describe() const override;
  Tensor forward(const Tensor& x) override;
  Tensor forward_relu(const Tensor& x) override;
  Tensor forward_behind(BatchNorm& norm, const Tensor& x) override;
};

}  // namespace linnet::nn
