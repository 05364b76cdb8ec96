// SPDX-License-Identifier: Apache-2.0
#include "linnet/nn/zoo/mobilenet.h"

#include <algorithm>

#include "linnet/nn/nn.h"
#include "linnet/nn/zoo/parts_impl.h"

namespace linnet::nn::zoo {
namespace {

constexpr std::int64_t kFirst = 32, kLastV2 = 1280;

struct BlockV1 {
  std::int64_t channels, stride;
};
constexpr BlockV1 kBlocksV1[] = {{64, 1},  {128, 2}, {128, 1}, {256, 2}, {256, 1},  {512, 2}, {512, 1},
                                 {512, 1}, {512, 1}, {512, 1}, {512, 1}, {1024, 2}, {1024, 1}};

/// Repeated blocks, of which the first has the stride.
struct StageV2 {
  std::int64_t expansion, channels, repeats, stride;
};
constexpr StageV2 kStagesV2[] = {{1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
                                 {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};

void check_options(const char* network, const MobileNetOptions& options) {
  check_width(network, "width", options.width);
  check_counts(network, options.channels, options.classes);
  check<ValueError>(options.first_stride == 1 || options.first_stride == 2, network,
                    ": first_stride must be 1 or 2, got ", options.first_stride, ".");
}

}  // namespace

Sequential mobilenet_v1(const MobileNetOptions& options) {
  check_options("mobilenet_v1", options);
  Sequential net;
  std::int64_t in = scaled_channels(kFirst, options.width);
  add_convolution(net, options.channels, in, {.stride = options.first_stride, .padding = same},
                  Activation::relu);
  for (const BlockV1& block : kBlocksV1) {
    const std::int64_t out = scaled_channels(block.channels, options.width);
    add_convolution(net, in, in, {.stride = block.stride, .padding = same, .groups = in}, Activation::relu);
    add_convolution(net, in, out, {.kernel = 1}, Activation::relu);
    in = out;
  }
  net.add(GlobalAvgPool2D());
  net.add(Dense(in, options.classes));
  return net;
}

Sequential mobilenet_v2(const MobileNetOptions& options) {
  check_options("mobilenet_v2", options);
  Sequential net;
  std::int64_t in = scaled_channels(kFirst, options.width);
  add_convolution(net, options.channels, in, {.stride = options.first_stride, .padding = same},
                  Activation::relu6);
  for (const StageV2& stage : kStagesV2) {
    const std::int64_t out = scaled_channels(stage.channels, options.width);
    for (std::int64_t i = 0; i < stage.repeats; ++i) {
      net.add(
          inverted_residual(in, out, {.stride = i == 0 ? stage.stride : 1, .expansion = stage.expansion}));
      in = out;
    }
  }
  const std::int64_t last = scaled_channels(kLastV2, std::max(options.width, 1.0));
  add_convolution(net, in, last, {.kernel = 1}, Activation::relu6);
  net.add(GlobalAvgPool2D());
  net.add(Dense(last, options.classes));
  return net;
}

}  // namespace linnet::nn::zoo
