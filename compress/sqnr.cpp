// SPDX-License-Identifier: Apache-2.0
#include "linnet/compress/sqnr.h"

#include <cmath>
#include <limits>

#include "linnet/autograd/autograd.h"
#include "linnet/autograd/recorder.h"
#include "linnet/compress/evaluate.h"
#include "linnet/core/error.h"
#include "linnet/graph/infer.h"

namespace linnet::compress {
namespace {

bool is_fake_quant(const graph::Node& node) { return node.op == Op::fake_quant; }

/// The values of one run, those of parameters and buffers by name.
std::vector<Tensor> start(const graph::Graph& graph, const State& state, const Tensor& x) {
  std::vector<Tensor> values;
  for (const graph::Value& value : graph.values()) {
    switch (value.kind) {
      case graph::Kind::input:
        values.push_back(x.view(graph::at_batch(value.sizes, x.dim(0))));
        break;
      case graph::Kind::parameter:
      case graph::Kind::buffer:
        values.push_back(state[value.name].tensor());
        break;
      case graph::Kind::constant:
        values.push_back(value.contents);
        break;
      case graph::Kind::result:
        values.emplace_back();
    }
  }
  return values;
}

Tensor apply(const graph::Node& node, const std::vector<Tensor>& values, std::int64_t batch) {
  std::vector<Tensor> inputs;
  for (const int input : node.inputs) inputs.push_back(values[static_cast<std::size_t>(input)]);
  return apply_op(node.op, {.inputs = inputs, .attributes = graph::attributes_at(node, batch)});
}

double decibel(const Tensor& clean, const Tensor& noisy) {
  const Tensor f = clean.to(f64), q = noisy.to(f64);
  double signal = 0.0, noise = 0.0;
  for (std::int64_t i = 0; i < f.size(); ++i) {
    const double a = f.data<double>()[i], b = q.data<double>()[i];
    signal += a * a;
    noise += (a - b) * (a - b);
  }
  return noise > 0.0 ? 10.0 * std::log10(signal / noise) : std::numeric_limits<double>::infinity();
}

/// The module whose parameters an op reads, also where they pass a fake_quant.
std::string layer_of(const graph::Graph& graph, const graph::Node& node) {
  if (std::string module = graph.module_of(node); !module.empty()) return module;
  for (const graph::Node& other : graph.nodes())
    if (is_fake_quant(other) &&
        std::find(node.inputs.begin(), node.inputs.end(), other.output) != node.inputs.end())
      if (std::string module = graph.module_of(other); !module.empty()) return module;
  return graph.value_name(node.output);
}

}  // namespace

std::vector<LayerSqnr> layer_sqnr(const graph::GraphModule& model, const Tensor& x) {
  const graph::Graph& graph = model.graph();
  std::vector<LayerSqnr> layers;
  if (!is_quantized(graph)) return layers;
  const NoGrad no_grad;
  const std::int64_t batch = x.dim(0);
  const std::vector<Shape> shapes = graph::infer_shapes(graph, batch);
  std::vector<Tensor> clean = start(graph, model.state(), x), noisy = clean;
  for (const graph::Node& node : graph.nodes()) {
    const auto y = static_cast<std::size_t>(node.output), from = static_cast<std::size_t>(node.inputs[0]);
    noisy[y] = apply(node, noisy, batch);
    clean[y] = is_fake_quant(node) ? clean[from] : apply(node, clean, batch);
    if (graph::macs(node, shapes) > 0) layers.push_back({layer_of(graph, node), decibel(clean[y], noisy[y])});
  }
  return layers;
}

}  // namespace linnet::compress
