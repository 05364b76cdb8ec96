// SPDX-License-Identifier: Apache-2.0
#pragma once
// UpSample2D and zero padding: layers that change the size of a map without parameters.

#include "linnet/autograd/ops.h"
#include "linnet/nn/module.h"
#include "linnet/nn/padding.h"

namespace linnet::nn {

struct UpSample2DOptions {
  Pair scale = 2;
  Interpolation mode = Interpolation::nearest;
  std::optional<Pair> size = {};  ///< a fixed size of the result instead of a scale
};

/// Resizes images as upsample2d (autograd/ops.h): nearest, or bilinear with half-pixel centres.
///   Shapes: x [N, H, W, C]  ->  [N, H scale.h, W scale.w, C], or the given size. ValueError for sizes
///   below 1.
class UpSample2D : public Layer {
 public:
  explicit UpSample2D(const UpSample2DOptions& options = {});
  std::string describe() const override;
  Tensor forward(const Tensor& x) override;

 private:
  UpSample2DOptions options_;
};

/// Zeros around images.
///   Shapes: x [N, H, W, C]  ->  [N, top + H + bottom, left + W + right, C].
/// ValueError for `same` (the layer that needs it has it as an option) and negative widths.
class ZeroPad2D : public Layer {
 public:
  explicit ZeroPad2D(const Padding& padding = 1);
  std::string describe() const override;
  Tensor forward(const Tensor& x) override;

 private:
  Padding padding_;
};

/// Zeros at the ends of sequences: ZeroPad1D({2, 0}) pads before.
///   Shapes: x [N, T, C]  ->  [N, before + T + after, C]. ValueError as ZeroPad2D.
class ZeroPad1D : public Layer {
 public:
  explicit ZeroPad1D(const Padding1D& padding = 1);
  std::string describe() const override;
  Tensor forward(const Tensor& x) override;

 private:
  Padding1D padding_;
};

}  // namespace linnet::nn
