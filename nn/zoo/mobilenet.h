// SPDX-License-Identifier: Apache-2.0
#pragma once
// MobileNets: convolutions split into a depthwise and a pointwise one.

#include <cstdint>

#include "linnet/nn/sequential.h"

namespace linnet::nn::zoo {

struct MobileNetOptions {
  /// Multiplies all channel counts, which are then rounded to multiples of 8, but down by at most a tenth.
  double width = 1.0;
  std::int64_t channels = 3;  ///< of the images
  std::int64_t classes = 1000;
  std::int64_t first_stride = 2;  ///< of the first convolution; 1 keeps images of 32x32 from shrinking to 1x1
};

/// MobileNetV1 (Howard et al.: "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision
/// Applications", 2017, table 1), with batch-norm and ReLU after each convolution and without the dropout
/// that some versions have before the last layer.
///   Shapes: x [N, H, W, channels]  ->  logits [N, classes]; the image is halved five times (four with
///   first_stride 1), H and W >= 32 are sensible.
/// ValueError unless the width is finite and above 0, the counts are at least 1 and first_stride is 1 or 2.
Sequential mobilenet_v1(const MobileNetOptions& options = {});

/// MobileNetV2 (Sandler et al.: "MobileNetV2: Inverted Residuals and Linear Bottlenecks", 2018, table 2): 17
/// inverted residuals with ReLU6. The 1280 channels before the last layer grow with the width, but do not
/// shrink.
///   Shapes and errors: as mobilenet_v1.
Sequential mobilenet_v2(const MobileNetOptions& options = {});

}  // namespace linnet::nn::zoo
