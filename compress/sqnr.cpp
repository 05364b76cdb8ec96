// SPDX-License-Identifier: Apache-2.0
#include "linnet/compress/sqnr.h"

#include "linnet/autograd/autograd.h"
#include "linnet/autograd/recorder.h"
#include "linnet/compress/calibrate_impl.h"
#include "linnet/compress/evaluate.h"
#include "linnet/compress/rewrite_impl.h"
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
        values.push_back(x);
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

}  // namespace

std::vector<LayerSqnr> layer_sqnr(const graph::GraphModule& model, const Tensor& x) {
  const graph::Graph& graph = model.graph();
  std::vector<LayerSqnr> layers;
  if (!is_quantized(graph)) return layers;
  const NoGrad no_grad;
  const std::int64_t batch = x.dim(0);
  const std::vector<Shape> shapes = graph::infer_shapes(graph, batch);
  const Links links(graph);
  std::vector<Tensor> clean = start(graph, model.state(), as_input(model, x)), noisy = clean;
  for (const graph::Node& node : graph.nodes()) {
    const auto y = static_cast<std::size_t>(node.output), from = static_cast<std::size_t>(node.inputs[0]);
    noisy[y] = apply(node, noisy, batch);
    clean[y] = is_fake_quant(node) ? clean[from] : apply(node, clean, batch);
    if (graph::macs(node, shapes) > 0)
      layers.push_back({layer_name(links, node), distance(clean[y], noisy[y]).decibel()});
  }
  return layers;
}

}  // namespace linnet::compress
