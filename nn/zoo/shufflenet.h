// SPDX-License-Identifier: Apache-2.0
#pragma once
// ShuffleNetV2: half of the channels pass each block unchanged, then all are shuffled.

#include <cstdint>

#include "linnet/nn/sequential.h"

namespace linnet::nn::zoo {

struct ShuffleNetOptions {
  double width = 1.0;         ///< 0.5, 1, 1.5 or 2: the columns of table 5
  std::int64_t channels = 3;  ///< of the images
  std::int64_t classes = 1000;
};

/// ShuffleNetV2 (Ma et al.: "ShuffleNet V2: Practical Guidelines for Efficient CNN Architecture Design",
/// 2018, table 5 and figure 3).
///   Shapes: x [N, H, W, channels]  ->  logits [N, classes]; the image is halved five times, H and W >= 32
///   are sensible.
/// ValueError for another width and for counts below 1.
Sequential shufflenet_v2(const ShuffleNetOptions& options = {});

}  // namespace linnet::nn::zoo
