// SPDX-License-Identifier: Apache-2.0
// Whole maps, resizing, and blocks of layers.
#include "linnet/nn/blocks.h"

#include "linnet/autograd/ops.h"
#include "linnet/nn/nn.h"
#include "support/check_close.h"
#include "support/fixtures.h"

namespace linnet::test {
namespace {

TEST_CASE("global pooling keeps one number a channel and refuses empty maps and other ranks") {
  const Tensor x = Tensor::from({1, 8, 3, 6, 5, 4}, {1, 1, 3, 2});
  CHECK_SAME_BITS(nn::GlobalAvgPool2D()(x), Tensor::from({{3, 6}}));
  CHECK_SAME_BITS(nn::GlobalMaxPool2D()(x), Tensor::from({{5, 8}}));
  CHECK_SAME_BITS(nn::GlobalAvgPool1D()(x.reshape({1, 3, 2})), Tensor::from({{3, 6}}));
  CHECK_SAME_BITS(nn::GlobalMaxPool1D()(x.reshape({1, 3, 2})), Tensor::from({{5, 8}}));
  CHECK_THROWS_TEXT(nn::GlobalAvgPool2D()(Tensor::ones({2, 3, 4})), ShapeError,
                    "GlobalAvgPool2D: x must be [N, H, W, C] with at least one place, got [2, 3, 4].  in "
                    "GlobalAvgPool2D");
  CHECK_THROWS_TEXT(nn::GlobalMaxPool1D()(Tensor::ones({2, 0, 4})), ShapeError,
                    "GlobalMaxPool1D: x must be [N, T, C] with at least one place, got [2, 0, 4].  in "
                    "GlobalMaxPool1D");
  CHECK_THROWS_TEXT(nn::GlobalMaxPool2D()(Tensor()), ValueError,
                    "GlobalMaxPool2D: x is undefined.  in GlobalMaxPool2D");
}

TEST_CASE("resizing and padding layers refuse sizes and shapes that make no sense") {
  CHECK_THROWS_TEXT(nn::UpSample2D({.scale = {2, 0}}), ValueError,
                    "UpSample2D: scale must be at least 1x1, got 2x0.");
  CHECK_THROWS_TEXT(nn::UpSample2D({.size = Pair(0, 4)}), ValueError,
                    "UpSample2D: size must be at least 1x1, got 0x4.");
  CHECK_THROWS_TEXT(nn::UpSample2D()(Tensor::ones({2, 3, 4})), ShapeError,
                    "UpSample2D: x must be [N, H, W, C], got [2, 3, 4].  in UpSample2D 2x2, nearest");
  CHECK_THROWS_TEXT(nn::ZeroPad2D(nn::same), ValueError,
                    "ZeroPad2D: the padding must be given and not negative, got same.");
  CHECK_THROWS_TEXT(nn::ZeroPad2D({0, -1, 0, 0}), ValueError,
                    "ZeroPad2D: the padding must be given and not negative, got 0/-1/0/0.");
  CHECK_THROWS_TEXT(nn::ZeroPad1D({1, -1}), ValueError,
                    "ZeroPad1D: the padding must be given and not negative, got 1/-1.");
  CHECK_THROWS_TEXT(nn::ZeroPad1D()(Tensor::ones({2, 3})), ShapeError,
                    "ZeroPad1D: x must be [N, T, C], got [2, 3].  in ZeroPad1D 1");
  CHECK_THROWS_TEXT(nn::ZeroPad2D()(Tensor()), ValueError, "ZeroPad2D: x is undefined.  in ZeroPad2D 1");
}

TEST_CASE("Residual adds what its inner layers give to x or to its projection") {
  const Tensor x = random_tensor({2, 3}, 1);
  nn::Residual plain{nn::Sequential{nn::ReLU()}};
  CHECK_SAME_BITS(plain(x), relu(x) + x);
  nn::Residual wide{nn::Dense(3, 5), nn::Dense(3, 5, {.bias = false})};
  std::vector<std::string> names;
  for (const NamedTensor& parameter : wide.parameters()) names.push_back(parameter.first);
  CHECK(names == std::vector<std::string>{"inner.weight", "inner.bias", "projection.weight"});
  CHECK(wide(x).shape() == Shape{2, 5});
}

TEST_CASE("Residual does not broadcast: shapes that differ are refused") {
  const Tensor x = Tensor::ones({2, 3});
  CHECK_THROWS_TEXT(nn::Residual(nn::Dense(3, 1))(x), ShapeError,
                    "Residual: the inner layers give [2, 1], x is [2, 3]. Give a projection?  in Residual");
  CHECK_THROWS_TEXT(
      nn::Residual(nn::Dense(3, 4), nn::Dense(3, 5))(x), ShapeError,
      "Residual: the inner layers give [2, 4], the projection [2, 5].  in Residual with projection");
  CHECK_THROWS_TEXT(nn::Residual(nullptr, nullptr), ValueError,
                    "Residual: the inner layer is missing: null pointer.");
}

TEST_CASE("Concat joins its branches along the channels, in order") {
  const Tensor x = random_tensor({2, 3, 2}, 1);
  nn::Concat branches{nn::Sequential(), nn::ReLU(), nn::Tanh()};
  CHECK_SAME_BITS(branches(x), concat({x, relu(x), tanh(x)}, -1));
  CHECK_THROWS_TEXT(nn::Concat()(x), ValueError,
                    "Concat: there are no branches. Add layers.  in Concat of 0");
  nn::Concat crooked{nn::ReLU(), nn::MaxPool1D()};
  CHECK_THROWS_TEXT(crooked(x), ShapeError,
                    "concat: shapes differ outside axis 2: [2, 3, 2] and [2, 1, 2].  in Concat of 2");
}

TEST_CASE("SqueezeExcite with weights of zero halves, and refuses what has no map") {
  nn::SqueezeExcite layer(8);
  CHECK(layer.squeeze.weight.shape() == Shape{2, 8});
  layer.expand.weight.fill_(0.0);
  const Tensor x = random_tensor({2, 3, 3, 8}, 1);
  CHECK_SAME_BITS(layer(x), x * 0.5);
  CHECK_THROWS_TEXT(layer(Tensor::ones({2, 8})), ShapeError,
                    "SqueezeExcite: x must be [N, ..., 8] with at least one axis between, got [2, 8].  in "
                    "SqueezeExcite 8 by 2");
  CHECK_THROWS_TEXT(layer(Tensor()), ValueError, "SqueezeExcite: x is undefined.  in SqueezeExcite 8 by 2");
  CHECK_THROWS_TEXT(nn::SqueezeExcite(0), ValueError,
                    "SqueezeExcite: sizes must be at least 1: channels 0, squeezed 0.");
  CHECK_THROWS_TEXT(nn::ChannelShuffle(0), ValueError, "ChannelShuffle: groups must be at least 1, got 0.");
}

TEST_CASE("a ShuffleNet unit and a MobileNet block are written without an op") {
  manual_seed(1);
  nn::Sequential model{
      nn::Residual(nn::Sequential{nn::Conv2D(8, 8, {.kernel = 1, .groups = 2}), nn::ChannelShuffle(2),
                                  nn::DepthwiseConv2D(8, {.padding = nn::same}), nn::SqueezeExcite(8)}),
      nn::SeparableConv2D(8, 12, {.stride = 2, .padding = nn::same}), nn::ReLU(), nn::GlobalAvgPool2D(),
      nn::Dense(12, 3)};
  CHECK(model(random_tensor({2, 9, 7, 8}, 1)).shape() == Shape{2, 3});
}

}  // namespace
}  // namespace linnet::test
