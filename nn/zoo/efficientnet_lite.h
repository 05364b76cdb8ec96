// SPDX-License-Identifier: Apache-2.0
#pragma once
// EfficientNet-Lite: the inverted residuals of EfficientNet without squeeze-and-excite and swish.

#include <cstdint>

#include "linnet/nn/sequential.h"

namespace linnet::nn::zoo {

struct EfficientNetLiteOptions {
  double width = 1.0;         ///< multiplies channel counts, rounded as those of MobileNetOptions
  double depth = 1.0;         ///< multiplies the repeats of the stages, rounded up
  std::int64_t channels = 3;  ///< of the images
  std::int64_t classes = 1000;
};

/// EfficientNet-Lite (Tan, Le: "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks",
/// 2019, table 1; the Lite form is models/official/efficientnet/lite of tensorflow/tpu): ReLU6, no
/// squeeze-and-excite; first convolution, last convolution and the depth of first and last stage are not
/// scaled. Without dropout and stochastic depth. {width, depth} of Lite0 to Lite4: {1, 1}, {1, 1.1}, {1.1,
/// 1.2}, {1.2, 1.4}, {1.4, 1.8}.
///   Shapes: x [N, H, W, channels]  ->  logits [N, classes]; the image is halved five times, H and W >= 32
///   are sensible.
/// ValueError unless width and depth are finite and above 0 and the counts are at least 1.
Sequential efficientnet_lite(const EfficientNetLiteOptions& options = {});

}  // namespace linnet::nn::zoo
