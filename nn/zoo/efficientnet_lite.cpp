// SPDX-License-Identifier: Apache-2.0
#include "linnet/nn/zoo/efficientnet_lite.h"

#include <cmath>
#include <iterator>

#include "linnet/nn/nn.h"
#include "linnet/nn/zoo/parts_impl.h"

namespace linnet::nn::zoo {
namespace {

constexpr std::int64_t kStem = 32, kLast = 1280;

/// Repeated blocks, of which the first has the stride.
struct Stage {
  std::int64_t repeats, kernel, stride, expansion, channels;
};
constexpr Stage kStages[] = {{1, 3, 1, 1, 16},  {2, 3, 2, 6, 24},  {2, 5, 2, 6, 40}, {3, 3, 2, 6, 80},
                             {3, 5, 1, 6, 112}, {4, 5, 2, 6, 192}, {1, 3, 1, 6, 320}};

std::int64_t scaled_repeats(const Stage& stage, double depth) {
  if (&stage == kStages || &stage == std::end(kStages) - 1) return stage.repeats;
  return static_cast<std::int64_t>(std::ceil(static_cast<double>(stage.repeats) * depth));
}

}  // namespace

Sequential efficientnet_lite(const EfficientNetLiteOptions& options) {
  check_width("efficientnet_lite", "width", options.width);
  check_width("efficientnet_lite", "depth", options.depth);
  check_counts("efficientnet_lite", options.channels, options.classes);
  Sequential net;
  add_convolution(net, options.channels, kStem, {.stride = 2, .padding = same}, Activation::relu6);
  std::int64_t in = kStem;
  for (const Stage& stage : kStages) {
    const std::int64_t out = scaled_channels(stage.channels, options.width);
    for (std::int64_t i = 0, repeats = scaled_repeats(stage, options.depth); i < repeats; ++i) {
      net.add(inverted_residual(
          in, out,
          {.kernel = stage.kernel, .stride = i == 0 ? stage.stride : 1, .expansion = stage.expansion}));
      in = out;
    }
  }
  add_convolution(net, in, kLast, {.kernel = 1}, Activation::relu6);
  net.add(GlobalAvgPool2D());
  net.add(Dense(kLast, options.classes));
  return net;
}

}  // namespace linnet::nn::zoo
