// SPDX-License-Identifier: Apache-2.0
// Batch-norm in evaluation is y = scale x + shift, a number a channel: w' = scale w, b' = scale b + shift.
#include <cmath>
#include <map>
#include <string>

#include "linnet/compress/quantize.h"
#include "linnet/compress/rewrite_impl.h"
#include "linnet/core/constraint.h"

namespace linnet::compress {
namespace {

using graph::Graph;
using graph::Kind;
using graph::Node;
using graph::Value;

/// A batch-norm and the product or convolution in front of it.
struct Fold {
  const Node *writer = nullptr, *norm = nullptr;
  int weight = -1;  ///< the parameter
};

bool reads_named(const Graph& graph, const Node& norm) {
  for (std::size_t i = 1; i < norm.inputs.size(); ++i) {
    const Kind kind = graph.values()[static_cast<std::size_t>(norm.inputs[i])].kind;
    if (kind != Kind::parameter && kind != Kind::buffer) return false;
  }
  return true;
}

std::vector<Fold> pairs_of(const Links& links, const State& state) {
  const Graph& graph = links.graph();
  std::vector<Fold> pairs;
  for (const Node& writer : graph.nodes()) {
    if (writer.op != Op::dense && writer.op != Op::conv2d) continue;
    const int weight = parameter_behind(links, writer.inputs[1]);
    if (weight < 0 || !links.only_reader(weight) || !links.only_reader(writer.inputs[1])) continue;
    if (state.has(graph.value_name(weight) + std::string(kGroupsEntry))) continue;
    if (writer.inputs.size() > 2 &&
        (graph.values()[static_cast<std::size_t>(writer.inputs[2])].kind != Kind::parameter ||
         !links.only_reader(writer.inputs[2])))
      continue;
    const Node* next = links.only_reader(writer.output);
    while (next && next->op == Op::reshape) next = links.only_reader(next->output);
    if (!next || next->op != Op::batch_norm || !reads_named(graph, *next)) continue;
    const std::int64_t rows = graph.values()[static_cast<std::size_t>(weight)].sizes[0];
    if (rows == graph.values()[static_cast<std::size_t>(next->inputs[1])].sizes[0])
      pairs.push_back({&writer, next, weight});
  }
  return pairs;
}

std::vector<double> numbers(const State& state, const Graph& graph, int value) {
  const auto values = state[graph.value_name(value)].tensor().data<float>();
  return {values.begin(), values.end()};
}

/// Folded contents by name.
void fold(const Graph& graph, const State& state, const Fold& pair, const std::string& bias_name,
          std::map<std::string, Tensor>& contents) {
  const Node& norm = *pair.norm;
  const std::vector<double> mean = numbers(state, graph, norm.inputs[1]),
                            variance = numbers(state, graph, norm.inputs[2]);
  const bool affine = norm.inputs.size() > 3;
  std::vector<double> scale = affine ? numbers(state, graph, norm.inputs[3]) : std::vector(mean.size(), 1.0);
  std::vector<double> shift = affine ? numbers(state, graph, norm.inputs[4]) : std::vector(mean.size(), 0.0);
  std::vector<double> bias(mean.size(), 0.0);
  if (pair.writer->inputs.size() > 2) bias = numbers(state, graph, pair.writer->inputs[2]);
  const std::string weight_name = graph.value_name(pair.weight);
  Tensor weight = state[weight_name].tensor().clone();
  Tensor folded = Tensor::empty({static_cast<std::int64_t>(mean.size())});
  const auto w = weight.mutable_data<float>(), b = folded.mutable_data<float>();
  const std::size_t row = w.size() / mean.size();
  for (std::size_t c = 0; c < mean.size(); ++c) {
    scale[c] /= std::sqrt(variance[c] + norm.attributes["eps"].real());
    for (std::size_t k = c * row; k < (c + 1) * row; ++k) w[k] = static_cast<float>(w[k] * scale[c]);
    b[c] = static_cast<float>((bias[c] - mean[c]) * scale[c] + shift[c]);
  }
  contents[weight_name] = weight;
  contents[bias_name] = folded;
}

std::string bias_name_of(const Graph& graph, const Fold& pair) {
  if (pair.writer->inputs.size() > 2) return graph.value_name(pair.writer->inputs[2]);
  const std::string weight = graph.value_name(pair.weight);
  const std::size_t dot = weight.rfind('.');
  return (dot == std::string::npos ? weight : weight.substr(0, dot)) + ".folded_bias";
}

}  // namespace

graph::GraphModule fold_batch_norm(const graph::GraphModule& model) {
  const Graph& graph = model.graph();
  const Links links(graph);
  const State state = model.state();
  Rewrite rewrite(graph);
  std::map<std::string, Tensor> contents;
  std::map<const Node*, int> new_bias;  // by writer
  std::map<const Node*, bool> gone;     // batch-norms
  for (const Fold& pair : pairs_of(links, state)) {
    const std::string bias = bias_name_of(graph, pair);
    fold(graph, state, pair, bias, contents);
    if (pair.writer->inputs.size() == 2)
      new_bias[pair.writer] = rewrite.add({Kind::parameter, bias, f32, {contents[bias].dim(0)}, {}});
    gone[pair.norm] = true;
  }
  for (const Node& node : graph.nodes()) {
    if (gone.count(&node)) {
      rewrite.put(node.output, rewrite.at(node.inputs[0]));
      continue;
    }
    std::vector<int> inputs;
    for (int input : node.inputs) inputs.push_back(rewrite.at(input));
    if (const auto found = new_bias.find(&node); found != new_bias.end()) inputs.push_back(found->second);
    rewrite.copy(node, std::move(inputs));
  }
  for (const auto& [norm, folded] : gone)
    for (std::size_t i = 1; i < norm->inputs.size(); ++i)
      if (links.only_reader(norm->inputs[i])) rewrite.drop(norm->inputs[i]);
  Graph folded = rewrite.graph();
  State all;
  for (const Value& value : folded.values()) {
    if (value.name.empty() || value.kind == Kind::input) continue;
    const auto found = contents.find(value.name);
    all.set(value.name, found != contents.end() ? found->second : state[value.name].tensor());
    for (std::string_view entry : {kMaskEntry, kGroupsEntry})
      if (const std::string name = value.name + std::string(entry); state.has(name))
        all.set(name, state[name]);
  }
  graph::GraphModule result(std::move(folded), all);
  result.train(model.training());
  return result;
}

}  // namespace linnet::compress
