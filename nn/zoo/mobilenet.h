// SPDX-License-Identifier: Apache-2.0
#pragma once
// MobileNet: convolutions split into a depthwise and a pointwise one.

#include <cstdint>

#include "linnet/nn/sequential.h"

namespace linnet::nn::zoo {

struct MobileNetOptions {
  double width = 1.0;         ///< multiplies all channel counts, which are then rounded to multiples of 8
  std::int64_t channels = 3;  ///< of the images
  std::int64_t classes = 1000;
};

/// MobileNetV1 (Howard et al.: "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision
/// Applications", 2017, table 1), with batch-norm and ReLU after each convolution and without the dropout
/// that some versions have before the last layer.
///   Shapes: x [N, H, W, channels]  ->  logits [N, classes]; the image is halved five times, H and W >= 32
///   are sensible.
/// ValueError unless the width is finite and above 0 and the counts are at least 1.
Sequential mobilenet_v1(const MobileNetOptions& options = {});

}  // namespace linnet::nn::zoo
