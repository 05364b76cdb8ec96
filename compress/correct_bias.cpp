// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "linnet/autograd/autograd.h"
#include "linnet/autograd/ops.h"
#include "linnet/compress/calibrate_impl.h"
#include "linnet/compress/correct_impl.h"

namespace linnet::compress {
namespace {

using graph::GraphModule;
using graph::Node;

constexpr std::int64_t kSamples = 256;

/// Products and convolutions by the place of their result, in running order.
std::vector<const Node*> products_of(const graph::Graph& graph) {
  std::vector<const Node*> products;
  for (const Node& node : graph.nodes())
    if (node.op == Op::dense || node.op == Op::conv2d) products.push_back(&node);
  return products;
}

std::vector<double> channel_means(const Tensor& y) {
  const auto channels = static_cast<std::size_t>(y.dim(-1));
  std::vector<double> means(channels, 0.0);
  const auto values = y.data<float>();
  for (std::size_t i = 0; i < values.size(); ++i) means[i % channels] += static_cast<double>(values[i]);
  for (double& mean : means) mean *= static_cast<double>(channels) / static_cast<double>(values.size());
  return means;
}

/// Calls see(k, result) for the k-th product.
template <class See>
void watch_products(GraphModule& model, const Tensor& x, See see) {
  const std::vector<const Node*> products = products_of(model.graph());
  std::size_t next = 0;
  model.forward(std::span(&x, 1), [&](int value, Tensor& contents) {
    if (next < products.size() && products[next]->output == value) see(next++, contents);
  });
}

/// The parameter that is its bias, if no other op reads it; else undefined.
Tensor own_bias(const graph::Graph& graph, const State& state, const Node& node) {
  if (node.inputs.size() < 3) return {};
  const graph::Value& bias = graph.values()[static_cast<std::size_t>(node.inputs[2])];
  std::int64_t readers = 0;
  for (const Node& other : graph.nodes())
    readers += std::count(other.inputs.begin(), other.inputs.end(), node.inputs[2]);
  return bias.kind == graph::Kind::parameter && readers == 1 ? state[bias.name].tensor() : Tensor();
}

}  // namespace

GraphModule with_corrected_biases(GraphModule& clean, const GraphModule& quantized,
                                  const data::Dataset& dataset) {
  const NoGrad no_grad;
  const Tensor x = as_input(clean, data::first_samples(dataset, kSamples));
  std::vector<std::vector<double>> means;
  watch_products(clean, x, [&](std::size_t, Tensor& y) { means.push_back(channel_means(y)); });

  GraphModule corrected(quantized.graph(), quantized.state());
  corrected.eval();
  const State state = corrected.state();
  const std::vector<const Node*> products = products_of(corrected.graph());
  watch_products(corrected, x, [&](std::size_t k, Tensor& y) {
    Tensor bias = own_bias(corrected.graph(), state, *products[k]);
    if (!bias.defined()) return;
    const std::vector<double> now = channel_means(y);
    Tensor shift = Tensor::empty(bias.shape());
    const auto by = shift.mutable_data<float>();
    for (std::size_t c = 0; c < by.size(); ++c) by[c] = static_cast<float>(means[k][c] - now[c]);
    bias.add_(shift);
    y = add(y, shift);  // so that what follows is corrected for what is still wrong then
  });
  return corrected;
}

}  // namespace linnet::compress
