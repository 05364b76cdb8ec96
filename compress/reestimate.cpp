// SPDX-License-Identifier: Apache-2.0
// Batch-norm statistics of a network as it is now.
#include <algorithm>
#include <cmath>
#include <map>

#include "linnet/autograd/autograd.h"
#include "linnet/compress/structured.h"
#include "linnet/core/find_op.h"
#include "linnet/graph/infer.h"

namespace linnet::compress {
namespace {

using graph::Graph;
using graph::Kind;
using graph::Node;

/// Mean and sum of squared differences of each channel over what was seen, merged batch by batch (Chan,
/// Golub, LeVeque: "Updating Formulae and a Pairwise Algorithm for Computing Sample Variances", 1979):
///   m = m_a + (m_b - m_a) n_b / n,   M = M_a + M_b + (m_b - m_a)^2 n_a n_b / n.
struct Statistics {
  double count = 0.0;
  std::vector<double> mean, squares;

  void add(double n, const Tensor& batch_mean, const Tensor& batch_variance) {
    const Tensor means = batch_mean.to(f64), variances = batch_variance.to(f64);
    const auto m = means.data<double>(), v = variances.data<double>();
    mean.resize(m.size());
    squares.resize(m.size());
    for (std::size_t c = 0; c < m.size(); ++c) {
      const double difference = m[c] - mean[c], own = n > 1.0 ? v[c] * (n - 1.0) : 0.0;
      mean[c] += difference * n / (count + n);
      squares[c] += own + difference * difference * count * n / (count + n);
    }
    count += n;
  }
  Tensor variance() const {
    std::vector<double> all;
    for (const double m : squares) all.push_back(m / (count - 1.0));
    return Tensor::from(all);
  }
};

bool is_estimated(const Graph& graph, const Node& node) {
  return node.op == Op::batch_norm && node.attributes["frozen"].integer() == 0 &&
         graph.values()[node.inputs[1]].kind == Kind::buffer &&
         graph.values()[node.inputs[2]].kind == Kind::buffer;
}

/// In training mode its running statistics are those of the last batch alone, and nothing is dropped: with p
/// = 0 no random number is drawn.
Graph observing(const Graph& graph) {
  std::vector<Node> nodes = graph.nodes();
  for (Node& node : nodes) {
    State changed;
    for (const auto& [name, value] : node.attributes)
      changed.set(name, node.op == Op::batch_norm && name == "momentum" ? StateValue(1.0)
                        : is_noise(node.op) && name == "p"              ? StateValue(0.0)
                                                                        : value);
    node.attributes = std::move(changed);
  }
  return Graph(graph.values(), std::move(nodes), graph.output());
}

std::vector<std::int64_t> spread(std::int64_t samples, std::int64_t size) {
  const std::int64_t count = std::min(samples, size);
  std::vector<std::int64_t> indices;
  for (std::int64_t i = 0; i < count; ++i) indices.push_back(i * size / count);
  return indices;
}

/// By name of the buffer of means.
std::map<std::string, Statistics> observe(const graph::GraphModule& module,
                                          const std::vector<const Node*>& norms, const data::Dataset& dataset,
                                          std::int64_t samples, std::int64_t batch) {
  const std::vector<graph::Value>& values = module.graph().values();
  State copied;  // the module keeps its statistics until all are known
  for (const auto& [name, value] : module.state()) copied.set(name, value.tensor().clone());
  graph::GraphModule observer(observing(module.graph()), copied);
  std::map<std::string, Tensor> buffers;
  for (const NamedTensor& buffer : observer.buffers()) buffers.emplace(buffer);

  std::map<std::string, Statistics> seen;
  const std::vector<std::int64_t> indices = spread(samples, dataset.size());
  const NoGrad no_grad;
  for (std::size_t first = 0; first < indices.size(); first += static_cast<std::size_t>(batch)) {
    const std::size_t count = std::min(indices.size() - first, static_cast<std::size_t>(batch));
    const Tensor x = dataset.batch(std::span(indices).subspan(first, count)).x;
    const std::vector<Shape> shapes = graph::infer_shapes(module.graph(), static_cast<std::int64_t>(count));
    observer(x);
    for (const Node* norm : norms) {
      const Shape& shape = shapes[norm->inputs[0]];
      const std::string &mean = values[norm->inputs[1]].name, &variance = values[norm->inputs[2]].name;
      seen[mean].add(static_cast<double>(shape.size() / shape.back()), buffers.at(mean),
                     buffers.at(variance));
    }
  }
  return seen;
}

}  // namespace

bool has_moving_statistics(const Graph& graph) {
  return std::ranges::any_of(graph.nodes(), [&](const Node& node) { return is_estimated(graph, node); });
}

void reestimate_batch_norm(graph::GraphModule& module, const data::Dataset& dataset, std::int64_t samples,
                           std::int64_t batch) {
  check<ValueError>(samples >= 1 && batch >= 1,
                    "reestimate_batch_norm: samples and batch must be at least 1, got ", samples, " and ",
                    batch, ".");
  check<ValueError>(dataset.size() > 0, "reestimate_batch_norm: the dataset has no samples.");
  const Graph& graph = module.graph();
  std::vector<const Node*> norms;
  for (const Node& node : graph.nodes()) {
    if (!is_estimated(graph, node)) continue;
    for (const Node* other : norms)
      check<ValueError>(other->inputs[1] != node.inputs[1],
                        "reestimate_batch_norm: ", graph.value_name(node.inputs[1]),
                        " is used twice in one pass.");
    norms.push_back(&node);
  }
  check<ValueError>(!norms.empty(),
                    "reestimate_batch_norm: the network has no batch-norm whose statistics move.");
  const std::map<std::string, Statistics> seen = observe(module, norms, dataset, samples, batch);

  std::map<std::string, Tensor> buffers;
  for (const NamedTensor& buffer : module.buffers()) buffers.emplace(buffer);
  for (const Node* norm : norms) {
    const std::string& mean = graph.values()[norm->inputs[1]].name;
    const Statistics& statistics = seen.at(mean);
    buffers.at(mean).copy_(Tensor::from(statistics.mean));
    if (statistics.count > 1.0) buffers.at(graph.values()[norm->inputs[2]].name).copy_(statistics.variance());
  }
}

}  // namespace linnet::compress
