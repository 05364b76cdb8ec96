// SPDX-License-Identifier: Apache-2.0
#include "linnet/compress/structured.h"

#include <algorithm>
#include <cstring>

#include "linnet/autograd/recorder.h"
#include "linnet/compress/selection_impl.h"
#include "linnet/graph/infer.h"

namespace linnet::compress {
namespace {

using graph::Graph;
using graph::Node;
using graph::Value;

Tensor take(const Tensor& x, int axis, const std::vector<std::int64_t>& places) {
  const Shape& shape = x.shape();
  Tensor y = Tensor::empty(shape.with(axis, static_cast<std::int64_t>(places.size())), x.dtype());
  const auto outer = static_cast<std::size_t>(shape.product(0, axis)),
             inner = static_cast<std::size_t>(shape.product(axis + 1, shape.rank())),
             before = static_cast<std::size_t>(shape[axis]);
  dispatch(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const auto from = x.data<T>();
    const auto to = y.mutable_data<T>();
    for (std::size_t o = 0; o < outer; ++o)
      for (std::size_t i = 0; i < places.size(); ++i)
        std::copy_n(from.begin() + (o * before + static_cast<std::size_t>(places[i])) * inner, inner,
                    to.begin() + (o * places.size() + i) * inner);
  });
  return y;
}

Tensor take(const Tensor& x, const KeptPlaces& kept) {
  Tensor y = x;
  for (std::size_t axis = 0; axis < kept.axes.size(); ++axis)
    if (!kept.axes[axis].empty()) y = take(y, static_cast<int>(axis), kept.axes[axis]);
  return y;
}

/// The graph without the channels that are gone.
class Cutter {
 public:
  Cutter(const Graph& graph, const Channels& channels, const std::vector<bool>& gone)
      : graph_(graph), channels_(channels), gone_(gone) {}

  Graph cut(Kept& kept) {
    std::vector<Value> values = graph_.values();
    for (std::size_t i = 0; i < values.size(); ++i) {
      Value& value = values[i];
      KeptPlaces places{.before = {}, .axes = {}};
      bool whole = true;
      for (std::size_t axis = 0; axis < value.sizes.size(); ++axis) {
        places.axes.push_back(places_left(channels_.of[i][axis]));
        if (places.axes.back().empty()) continue;
        value.sizes[axis] = static_cast<std::int64_t>(places.axes.back().size());
        whole = false;
      }
      if (whole || value.kind == graph::Kind::result) continue;
      places.before = Shape(graph_.values()[i].sizes);
      if (value.kind == graph::Kind::constant)
        value.contents = take(value.contents, places);
      else
        kept.emplace(value.name, std::move(places));
    }
    std::vector<Node> nodes = graph_.nodes();
    for (Node& node : nodes) node.attributes = attributes(node, values);
    return Graph(std::move(values), std::move(nodes), graph_.output());
  }

 private:
  bool stays(int unit) const { return !gone_[channels_.units.root(unit)]; }

  /// Empty when all are.
  std::vector<std::int64_t> places_left(const Axis& axis) const {
    std::vector<std::int64_t> left;
    for (std::size_t i = 0; i < axis.size(); ++i)
      if (stays(axis[i])) left.push_back(static_cast<std::int64_t>(i));
    return left.size() == axis.size() ? std::vector<std::int64_t>() : left;
  }

  /// How many of the places first .. end of an axis stay.
  std::int64_t left(const Axis& axis, std::int64_t first, std::int64_t end) const {
    return std::count_if(axis.begin() + first, axis.begin() + end, [&](int unit) { return stays(unit); });
  }

  State attributes(const Node& node, const std::vector<Value>& values) const {
    State changed;
    for (const auto& [name, value] : node.attributes) changed.set(name, attribute(node, name, value, values));
    return changed;
  }

  /// Those that count channels.
  StateValue attribute(const Node& node, const std::string& name, const StateValue& value,
                       const std::vector<Value>& values) const {
    const std::vector<Axis>&in = channels_.of[node.inputs[0]], &out = channels_.of[node.output];
    if (name == "groups" && has_output_rows(node) && value.integer() > 1) {
      const std::int64_t in_group = graph_.values()[node.inputs[0]].sizes[3] / value.integer();
      return values[node.inputs[0]].sizes[3] / in_group;
    }
    if (node.op == Op::slice && (name == "begin" || name == "end")) {
      const Axis& axis = in[static_cast<std::size_t>(node.attributes["axis"].integer())];
      return value.integer() < 0 || axis.empty() ? value : left(axis, 0, value.integer());
    }
    if (node.op != Op::reshape && node.op != Op::pad) return value;
    if (!value.is_tensor()) return value;
    std::vector<std::int64_t> numbers;
    const auto old = value.tensor().data<std::int64_t>();
    for (std::size_t axis = 0; axis < old.size(); ++axis) {
      const auto end = static_cast<std::int64_t>(out[axis].size());
      if (out[axis].empty() || old[axis] < 0)
        numbers.push_back(old[axis]);
      else if (node.op == Op::reshape)
        numbers.push_back(left(out[axis], 0, end));
      else
        numbers.push_back(name == "before" ? left(out[axis], 0, old[axis])
                                           : left(out[axis], end - old[axis], end));
    }
    return integers(numbers);
  }

  const Graph& graph_;
  const Channels& channels_;
  const std::vector<bool>& gone_;
};

/// The parameter that an entry of a state belongs to: "0.weight" of "0.weight" and of "0.weight/m". The range
/// of a rounded weight is a value of the graph with places of its own, or with none to lose.
const KeptPlaces* places_of(const Kept& kept, const std::string& entry) {
  auto found = kept.find(entry);
  if (found == kept.end() && !entry.ends_with("/range")) found = kept.find(entry.substr(0, entry.rfind('/')));
  return found == kept.end() ? nullptr : &found->second;
}

}  // namespace

State shrink_state(const State& state, const Kept& kept) {
  State shrunk;
  for (const auto& [name, value] : state) {
    const KeptPlaces* places = value.is_tensor() ? places_of(kept, name) : nullptr;
    if (!places) {
      shrunk.set(name, value);
      continue;
    }
    check<StateError>(value.tensor().defined() && value.tensor().shape() == places->before,
                      "shrink_state: ", name, " must have the shape of its parameter, ", places->before,
                      ", got ", value.tensor().defined() ? value.tensor().shape().str() : "no tensor", ".");
    shrunk.set(name, take(value.tensor(), *places));
  }
  return shrunk;
}

Shrunk prune_structured(const graph::GraphModule& module, const StructuredOptions& options) {
  const Graph& graph = module.graph();
  const State state = module.state();
  const Channels channels = channels_of(graph);
  Selection selection = select(graph, state, channels, options);
  Kept kept;
  Graph small = Cutter(graph, channels, selection.gone).cut(kept);
  const std::int64_t parameters = small.parameter_count(), macs = graph::macs(small);
  Shrunk shrunk{.model = graph::GraphModule(std::move(small), shrink_state(state, kept)),
                .kept = std::move(kept),
                .layers = std::move(selection.layers),
                .parameters_before = graph.parameter_count(),
                .parameters_after = parameters,
                .macs_before = graph::macs(graph),
                .macs_after = macs};
  shrunk.model.train(module.training());
  return shrunk;
}

std::string Shrunk::str() const {
  std::string text;
  for (const LayerChannels& layer : layers)
    text += concat({layer.name, ": ", layer.before, " -> ", layer.after, " channels\n"});
  return text + concat({"parameters: ", parameters_before, " -> ", parameters_after,
                        "\nmultiply-accumulates: ", macs_before, " -> ", macs_after, "\n"});
}

}  // namespace linnet::compress
