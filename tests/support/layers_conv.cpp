// SPDX-License-Identifier: Apache-2.0
// Convolutions beyond Conv2D, pooling of sequences and whole maps, resizing, and blocks of layers.
#include "support/layer_catalog.h"

namespace linnet::test {
namespace {

using Make = std::function<std::unique_ptr<nn::Module>()>;

void add(std::vector<LayerCase>& rows, const char* describe, std::int64_t parameters, const Shape& sample,
         Make make) {
  rows.push_back(
      {.describe = describe, .parameters = parameters, .inputs = {{sample}}, .make = std::move(make)});
}

template <class Layer, class... Arguments>
Make make(const Arguments&... arguments) {
  return [=] { return std::make_unique<Layer>(arguments...); };
}

void add_depthwise(std::vector<LayerCase>& rows) {
  using Options = nn::DepthwiseConv2DOptions;
  add(rows, "DepthwiseConv2D 5, kernel 3x3", 50, {6, 5, 5}, make<nn::DepthwiseConv2D>(5));
  add(rows, "DepthwiseConv2D 1, kernel 3x3", 10, {4, 5, 1}, make<nn::DepthwiseConv2D>(1));
  add(rows, "DepthwiseConv2D 17, kernel 3x2, stride 2x1, padding same, no bias", 102, {5, 4, 17},
      make<nn::DepthwiseConv2D>(
          17, Options{.kernel = {3, 2}, .stride = {2, 1}, .padding = nn::same, .bias = false}));
  add(rows, "DepthwiseConv2D 3 x 2, kernel 2x2, dilation 2x2, padding 1", 30, {5, 4, 3},
      make<nn::DepthwiseConv2D>(3, Options{.kernel = 2, .dilation = 2, .padding = 1, .multiplier = 2}));
  using Separable = nn::SeparableConv2DOptions;
  add(rows, "SeparableConv2D 4 -> 7, kernel 3x3", 36 + 35, {5, 6, 4}, make<nn::SeparableConv2D>(4, 7));
  add(rows, "SeparableConv2D 3 -> 2, kernel 3x3, stride 2x2, padding same, multiplier 2, no bias", 54 + 12,
      {5, 4, 3},
      make<nn::SeparableConv2D>(3, 2,
                                Separable{.stride = 2, .padding = nn::same, .multiplier = 2, .bias = false}));
}

void add_conv1d(std::vector<LayerCase>& rows) {
  using Options = nn::Conv1DOptions;
  add(rows, "Conv1D 3 -> 5, kernel 3", 50, {7, 3}, make<nn::Conv1D>(3, 5));
  add(rows, "Conv1D 2 -> 17, kernel 5, stride 2, padding same, no bias", 170, {8, 2},
      make<nn::Conv1D>(2, 17, Options{.kernel = 5, .stride = 2, .padding = nn::same, .bias = false}));
  add(rows, "Conv1D 2 -> 2, kernel 2, dilation 4, padding 4/0", 10, {9, 2},
      make<nn::Conv1D>(2, 2, Options{.kernel = 2, .dilation = 4, .padding = {4, 0}}));
  add(rows, "Conv1D 4 -> 6, kernel 3, padding 1, 2 groups", 42, {5, 4},
      make<nn::Conv1D>(4, 6, Options{.padding = 1, .groups = 2}));
  add(rows, "Conv1D 5 -> 3, kernel 1", 18, {1, 5}, make<nn::Conv1D>(5, 3, Options{.kernel = 1}));
  using Depthwise = nn::DepthwiseConv1DOptions;
  add(rows, "DepthwiseConv1D 5, kernel 3, padding same", 20, {6, 5},
      make<nn::DepthwiseConv1D>(5, Depthwise{.padding = nn::same}));
  add(rows, "DepthwiseConv1D 2 x 3, kernel 4, stride 2, no bias", 24, {9, 2},
      make<nn::DepthwiseConv1D>(2, Depthwise{.kernel = 4, .stride = 2, .multiplier = 3, .bias = false}));
}

void add_conv_transpose2d(std::vector<LayerCase>& rows) {
  using Layer = nn::ConvTranspose2D;
  using Options = nn::ConvTranspose2DOptions;
  add(rows, "ConvTranspose2D 2 -> 3, kernel 3x3", 57, {4, 3, 2}, make<Layer>(2, 3));
  add(rows, "ConvTranspose2D 3 -> 2, kernel 2x2, stride 2x2, no bias", 24, {3, 4, 3},
      make<Layer>(3, 2, Options{.kernel = 2, .stride = 2, .bias = false}));
  add(rows, "ConvTranspose2D 2 -> 1, kernel 3x4, stride 2x3, padding same", 25, {3, 2, 2},
      make<Layer>(2, 1, Options{.kernel = {3, 4}, .stride = {2, 3}, .padding = nn::same}));
  add(rows, "ConvTranspose2D 4 -> 6, kernel 3x3, stride 2x2, padding 1, output padding 1x0, 2 groups", 114,
      {3, 3, 4},
      make<Layer>(4, 6, Options{.stride = 2, .padding = 1, .output_padding = {1, 0}, .groups = 2}));
  add(rows, "ConvTranspose2D 2 -> 2, kernel 2x2, dilation 2x2", 18, {1, 4, 2},
      make<Layer>(2, 2, Options{.kernel = 2, .dilation = 2}));
}

template <class Pool>
void add_pool1d(std::vector<LayerCase>& rows, const std::string& name) {
  using Options = nn::Pool1DOptions;
  add(rows, (name + " 2").c_str(), 0, {7, 3}, make<Pool>());
  add(rows, (name + " 3, stride 2, padding same").c_str(), 0, {6, 17},
      make<Pool>(Options{.kernel = 3, .stride = 2, .padding = nn::same}));
  add(rows, (name + " 4, stride 1, padding 2/0").c_str(), 0, {5, 2},
      make<Pool>(Options{.kernel = 4, .stride = 1, .padding = {2, 0}}));
}

void add_maps(std::vector<LayerCase>& rows) {
  add_pool1d<nn::MaxPool1D>(rows, "MaxPool1D");
  add_pool1d<nn::AvgPool1D>(rows, "AvgPool1D");
  add(rows, "GlobalAvgPool1D", 0, {7, 3}, make<nn::GlobalAvgPool1D>());
  add(rows, "GlobalAvgPool2D", 0, {5, 3, 17}, make<nn::GlobalAvgPool2D>());
  add(rows, "GlobalAvgPool2D", 0, {1, 1, 2}, make<nn::GlobalAvgPool2D>());
  add(rows, "GlobalMaxPool1D", 0, {7, 3}, make<nn::GlobalMaxPool1D>());
  add(rows, "GlobalMaxPool2D", 0, {5, 3, 17}, make<nn::GlobalMaxPool2D>());

  using Options = nn::UpSample2DOptions;
  add(rows, "UpSample2D 2x2, nearest", 0, {3, 2, 5}, make<nn::UpSample2D>());
  add(rows, "UpSample2D 3x1, bilinear", 0, {2, 3, 2},
      make<nn::UpSample2D>(Options{.scale = {3, 1}, .mode = Interpolation::bilinear}));
  add(rows, "UpSample2D to 5x7, bilinear", 0, {3, 4, 3},
      make<nn::UpSample2D>(Options{.mode = Interpolation::bilinear, .size = Pair(5, 7)}));
  add(rows, "ZeroPad2D 1", 0, {3, 2, 3}, make<nn::ZeroPad2D>());
  add(rows, "ZeroPad2D 0/1/2/3", 0, {3, 2, 1}, make<nn::ZeroPad2D>(Padding(0, 1, 2, 3)));
  add(rows, "ZeroPad1D 2/0", 0, {3, 2}, make<nn::ZeroPad1D>(nn::Padding1D(2, 0)));
}

void add_blocks(std::vector<LayerCase>& rows) {
  add(rows, "ChannelShuffle 3 groups", 0, {2, 3, 6}, make<nn::ChannelShuffle>(3));
  add(rows, "ChannelShuffle 2 groups", 0, {4}, make<nn::ChannelShuffle>(2));
  add(rows, "SqueezeExcite 9 by 2", 20 + 27, {3, 2, 9}, make<nn::SqueezeExcite>(9));
  add(rows, "SqueezeExcite 3 by 5", 20 + 18, {4, 3},
      make<nn::SqueezeExcite>(3, nn::SqueezeExciteOptions{.squeezed = 5}));
  add(rows, "Residual", 15 + 33 + 60, {5}, [] {
    return std::make_unique<nn::Residual>(nn::Sequential{
        nn::Dense(5, 3, {.bias = false}), nn::Tanh(), nn::Dense(3, 11, {.bias = false}), nn::Dense(11, 5)});
  });
  add(rows, "Residual with projection", 76 + 12, {4, 3, 2}, [] {
    return std::make_unique<nn::Residual>(nn::Sequential{nn::Conv2D(2, 4, {.padding = nn::same}), nn::Tanh()},
                                          nn::Conv2D(2, 4, {.kernel = 1}));
  });
  add(rows, "Concat of 3", 9 + 18, {3, 2, 2}, [] {
    nn::Conv2D narrow(2, 3, {.kernel = 1}), wide(2, 2, {.kernel = 2, .padding = nn::same});
    return std::make_unique<nn::Concat>(std::move(narrow), nn::Sequential{}, std::move(wide));
  });
}

}  // namespace

void add_conv_layers(std::vector<LayerCase>& rows) {
  add_depthwise(rows);
  add_conv1d(rows);
  add_conv_transpose2d(rows);
  add_maps(rows);
  add_blocks(rows);
}

}  // namespace linnet::test
