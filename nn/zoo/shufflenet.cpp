// SPDX-License-Identifier: Apache-2.0
#include "linnet/nn/zoo/shufflenet.h"

#include "linnet/autograd/ops.h"
#include "linnet/nn/nn.h"
#include "linnet/nn/zoo/parts_impl.h"

namespace linnet::nn::zoo {
namespace {

constexpr std::int64_t kFirstChannels = 24;
constexpr std::int64_t kRepeats[] = {4, 8, 4};

struct Column {
  double width;
  std::int64_t stages[3], last;
};
constexpr Column kColumns[] = {{0.5, {48, 96, 192}, 1024},
                               {1.0, {116, 232, 464}, 1024},
                               {1.5, {176, 352, 704}, 1024},
                               {2.0, {244, 488, 976}, 2048}};

const Column& column(double width) {
  for (const Column& one : kColumns)
    if (one.width == width) return one;
  fail<ValueError>("shufflenet_v2: width must be 0.5, 1, 1.5 or 2, got ", width, ".");
}

/// The first or the second half of the channels.
class HalfOfChannels : public Layer {
 public:
  explicit HalfOfChannels(bool second) : second_(second) {}
  std::string describe() const override {
    return second_ ? "second half of the channels" : "first half of the channels";
  }
  Tensor forward(const Tensor& x) override {
    const std::int64_t all = x.dim(-1);
    return slice(x, -1, second_ ? all / 2 : 0, second_ ? all : all / 2);
  }

 private:
  bool second_;
};

/// 1x1, depthwise, 1x1: what both kinds of block do with one branch.
void add_branch(Sequential& branch, std::int64_t in, std::int64_t out, std::int64_t stride) {
  add_convolution(branch, in, out, {.kernel = 1}, Activation::relu);
  add_convolution(branch, out, out, {.stride = stride, .padding = 1, .groups = out}, Activation::none);
  add_convolution(branch, out, out, {.kernel = 1}, Activation::relu);
}

/// Figure 3 (d): both branches see all channels and halve the image.
Concat halving_block(std::int64_t in, std::int64_t out) {
  Sequential straight, branch;
  add_convolution(straight, in, in, {.stride = 2, .padding = 1, .groups = in}, Activation::none);
  add_convolution(straight, in, out / 2, {.kernel = 1}, Activation::relu);
  add_branch(branch, in, out / 2, 2);
  return Concat{std::move(straight), std::move(branch)};
}

/// Figure 3 (c).
Concat block(std::int64_t channels) {
  Sequential branch{HalfOfChannels(true)};
  add_branch(branch, channels / 2, channels / 2, 1);
  return Concat{HalfOfChannels(false), std::move(branch)};
}

}  // namespace

Sequential shufflenet_v2(const ShuffleNetOptions& options) {
  const Column& sizes = column(options.width);
  check_counts("shufflenet_v2", options.channels, options.classes);
  Sequential net;
  add_convolution(net, options.channels, kFirstChannels, {.stride = 2, .padding = 1}, Activation::relu);
  net.add(MaxPool2D({.kernel = 3, .stride = 2, .padding = 1}));
  std::int64_t in = kFirstChannels;
  for (int stage = 0; stage < 3; ++stage) {
    for (std::int64_t i = 0; i < kRepeats[stage]; ++i) {
      net.add(i == 0 ? halving_block(in, sizes.stages[stage]) : block(in));
      net.add(ChannelShuffle(2));
      in = sizes.stages[stage];
    }
  }
  add_convolution(net, in, sizes.last, {.kernel = 1}, Activation::relu);
  net.add(GlobalAvgPool2D());
  net.add(Dense(sizes.last, options.classes));
  return net;
}

}  // namespace linnet::nn::zoo
