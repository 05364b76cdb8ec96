// SPDX-License-Identifier: Apache-2.0
#include "linnet/nn/zoo/mobilenet.h"

#include <algorithm>
#include <cmath>

#include "linnet/nn/nn.h"

namespace linnet::nn::zoo {
namespace {

struct Block {
  std::int64_t channels, stride;
};
constexpr Block kBlocks[] = {{64, 1},  {128, 2}, {128, 1}, {256, 2}, {256, 1},  {512, 2}, {512, 1},
                             {512, 1}, {512, 1}, {512, 1}, {512, 1}, {1024, 2}, {1024, 1}};
constexpr std::int64_t kFirst = 32;

std::int64_t scaled(std::int64_t channels, double width) {
  const auto nearest =
      static_cast<std::int64_t>(std::floor(static_cast<double>(channels) * width / 8.0 + 0.5));
  return std::max<std::int64_t>(nearest, 1) * 8;
}

void add_normalised(Sequential& net, std::unique_ptr<Layer> convolution, std::int64_t channels) {
  net.add(std::move(convolution));
  net.add(BatchNorm(channels));
  net.add(ReLU());
}

}  // namespace

Sequential mobilenet_v1(const MobileNetOptions& options) {
  check<ValueError>(std::isfinite(options.width) && options.width > 0.0 && options.width <= 64.0,
                    "mobilenet_v1: width must be above 0 and at most 64, got ", options.width, ".");
  check<ValueError>(options.channels >= 1 && options.classes >= 1,
                    "mobilenet_v1: channels and classes must be at least 1, got ", options.channels, " and ",
                    options.classes, ".");
  Sequential net;
  const auto add_convolution = [&](std::int64_t in, std::int64_t out, Conv2DOptions convolution) {
    convolution.padding = same;
    convolution.bias = false;
    convolution.weight_init = init::he_uniform;
    add_normalised(net, std::make_unique<Conv2D>(in, out, convolution), out);
  };
  std::int64_t in = scaled(kFirst, options.width);
  add_convolution(options.channels, in, {.kernel = 3, .stride = 2});
  for (const Block& block : kBlocks) {
    const std::int64_t out = scaled(block.channels, options.width);
    add_convolution(in, in, {.kernel = 3, .stride = block.stride, .groups = in});
    add_convolution(in, out, {.kernel = 1});
    in = out;
  }
  net.add(GlobalAvgPool2D());
  net.add(Dense(in, options.classes));
  return net;
}

}  // namespace linnet::nn::zoo
