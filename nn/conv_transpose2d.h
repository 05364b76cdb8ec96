// SPDX-License-Identifier: Apache-2.0
#pragma once
// ConvTranspose2D: learned upsampling, channels last.

#include "linnet/nn/init.h"
#include "linnet/nn/module.h"
#include "linnet/nn/padding.h"

namespace linnet::nn {

struct ConvTranspose2DOptions {
  Pair kernel = 3;
  Pair stride = 1;
  Pair dilation = 1;
  Padding padding = valid;  ///< cut off the result; `same`: H' = H stride
  Pair output_padding = 0;  ///< rows and columns added at the end; smaller than the stride
  std::int64_t groups = 1;  ///< divides the input and the output channels
  bool bias = true;
  Initializer weight_init = init::glorot_uniform;
};

/// The transposed convolution (conv_transpose2d): every place of x adds its weighted kernel to the result.
///   Shapes: x [N, H, W, in]  ->  [N, H', W', out],
///   H' = (H - 1) stride + dilation (kh - 1) + 1 - top - bottom + output_padding;  H stride with `same`.
/// ValueError for sizes below 1, negative padding, an output padding that is not smaller than the stride or
/// comes with `same`, and groups that do not divide both channel counts.
class ConvTranspose2D : public Layer {
 public:
  ConvTranspose2D(std::int64_t in, std::int64_t out, const ConvTranspose2DOptions& options = {});

  Tensor weight;  ///< [out, kh, kw, in/groups], output-first
  Tensor bias;    ///< [out], starts at 0; undefined without

  void members(Members& m) override;
  std::string describe() const override;
  Tensor forward(const Tensor& x) override;

 private:
  Pair stride_, dilation_, output_padding_;
  Padding padding_;
  std::int64_t groups_;
};

}  // namespace linnet::nn
