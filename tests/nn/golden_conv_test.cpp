// SPDX-License-Identifier: Apache-2.0
// Layers built from convolutions and pools against PyTorch: tests/golden/conv_layers.json.
#include "golden/golden.h"
#include "linnet/nn/nn.h"

namespace linnet::test {
namespace {

using nlohmann::json;

std::int64_t number(const json& a, const char* name) { return a[name].get<std::int64_t>(); }

nn::Padding1D ends(const json& a) {
  return {a["padding"][0].get<std::int64_t>(), a["padding"][1].get<std::int64_t>()};
}

Tensor run_depthwise(const json& a, const GoldenInput& in) {
  nn::DepthwiseConv2D layer(in("x").dim(3), {.kernel = golden_pair(a["kernel"]),
                                             .stride = golden_pair(a["stride"]),
                                             .dilation = golden_pair(a["dilation"]),
                                             .padding = golden_padding(a["padding"]),
                                             .multiplier = number(a, "multiplier")});
  layer.weight = in("weight");
  layer.bias = in("bias");
  return layer(in("x"));
}

Tensor run_separable(const json& a, const GoldenInput& in) {
  nn::SeparableConv2D layer(in("x").dim(3), in("weight").dim(0),
                            {.kernel = golden_pair(a["kernel"]),
                             .stride = golden_pair(a["stride"]),
                             .dilation = golden_pair(a["dilation"]),
                             .padding = golden_padding(a["padding"]),
                             .multiplier = number(a, "multiplier")});
  layer.depthwise.weight = in("depthwise_weight");
  layer.pointwise.weight = in("weight");
  layer.pointwise.bias = in("bias");
  return layer(in("x"));
}

Tensor run_conv1d(const json& a, const GoldenInput& in) {
  nn::Conv1D layer(in("x").dim(2), in("weight").dim(0),
                   {.kernel = number(a, "kernel"),
                    .stride = number(a, "stride"),
                    .dilation = number(a, "dilation"),
                    .padding = ends(a),
                    .groups = number(a, "groups")});
  layer.weight = in("weight");
  layer.bias = in("bias");
  return layer(in("x"));
}

Tensor run_depthwise1d(const json& a, const GoldenInput& in) {
  nn::DepthwiseConv1D layer(in("x").dim(2), {.kernel = number(a, "kernel"),
                                             .stride = number(a, "stride"),
                                             .dilation = number(a, "dilation"),
                                             .padding = ends(a),
                                             .multiplier = in("weight").dim(0) / in("x").dim(2)});
  layer.weight = in("weight");
  layer.bias = in("bias");
  return layer(in("x"));
}

Tensor run_squeeze_excite(const json& a, const GoldenInput& in) {
  nn::SqueezeExcite layer(in("x").dim(3), {.squeezed = number(a, "squeezed")});
  layer.squeeze.weight = in("squeeze_weight");
  layer.squeeze.bias = in("squeeze_bias");
  layer.expand.weight = in("expand_weight");
  layer.expand.bias = in("expand_bias");
  return layer(in("x"));
}

/// Dense for a matrix, else Conv2D of the same size, with the weights named `prefix`.
std::unique_ptr<nn::Layer> block(const GoldenInput& in, const std::string& prefix, Pair stride = 1) {
  const Tensor weight = in(prefix + "weight"), bias = in(prefix + "bias");
  if (weight.rank() == 2) {
    auto dense = std::make_unique<nn::Dense>(weight.dim(1), weight.dim(0));
    dense->weight = weight;
    dense->bias = bias;
    return dense;
  }
  auto conv = std::make_unique<nn::Conv2D>(
      weight.dim(3), weight.dim(0),
      nn::Conv2DOptions{.kernel = {weight.dim(1), weight.dim(2)}, .stride = stride, .padding = nn::same});
  conv->weight = weight;
  conv->bias = bias;
  return conv;
}

Tensor run_residual(const json& a, const GoldenInput& in) {
  const Pair stride = golden_pair(a["stride"]);
  auto inner = std::make_unique<nn::Sequential>();
  inner->add(block(in, "", stride)).add(nn::ReLU());
  const bool projected = in("projection_weight").defined();
  return nn::Residual(std::move(inner), projected ? block(in, "projection_", stride) : nullptr)(in("x"));
}

Tensor run_concat(const json&, const GoldenInput& in) {
  auto narrow = std::make_unique<nn::Sequential>();
  narrow->add(block(in, "")).add(nn::ReLU());
  nn::Concat layer;
  layer.add(std::move(narrow)).add(nn::Sequential()).add(block(in, "wide_"));
  return layer(in("x"));
}

template <class Pool>
Tensor run_pool1d(const json& a, const GoldenInput& in) {
  return Pool({.kernel = number(a, "kernel"), .stride = number(a, "stride"), .padding = ends(a)})(in("x"));
}

template <class Layer>
Tensor run_plain(const json&, const GoldenInput& in) {
  return Layer()(in("x"));
}

TEST_CASE("layers of convolutions, pools and maps agree with PyTorch, values and gradients") {
  check_golden_file(
      "conv_layers.json",
      {{"DepthwiseConv2D", run_depthwise},
       {"SeparableConv2D", run_separable},
       {"Conv1D", run_conv1d},
       {"DepthwiseConv1D", run_depthwise1d},
       {"MaxPool1D", run_pool1d<nn::MaxPool1D>},
       {"AvgPool1D", run_pool1d<nn::AvgPool1D>},
       {"GlobalAvgPool1D", run_plain<nn::GlobalAvgPool1D>},
       {"GlobalAvgPool2D", run_plain<nn::GlobalAvgPool2D>},
       {"GlobalMaxPool1D", run_plain<nn::GlobalMaxPool1D>},
       {"GlobalMaxPool2D", run_plain<nn::GlobalMaxPool2D>},
       {"ZeroPad2D",
        [](const json& a, const GoldenInput& in) {
          return nn::ZeroPad2D(golden_padding(a["padding"]))(in("x"));
        }},
       {"ZeroPad1D", [](const json& a, const GoldenInput& in) { return nn::ZeroPad1D(ends(a))(in("x")); }},
       {"ChannelShuffle",
        [](const json& a, const GoldenInput& in) {
          return nn::ChannelShuffle(number(a, "groups"))(in("x"));
        }},
       {"SqueezeExcite", run_squeeze_excite},
       {"Residual", run_residual},
       {"Concat", run_concat}});
}

}  // namespace
}  // namespace linnet::test
