// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "linnet/autograd/recorder.h"
#include "linnet/compress/channels_impl.h"
#include "linnet/core/find_op.h"

namespace linnet::compress {

using graph::Graph;
using graph::Kind;
using graph::Node;
using graph::Sizes;

int Units::add() {
  parent_.push_back(size());
  return size() - 1;
}

int Units::root(int unit) const {
  while (parent_[unit] != unit) unit = parent_[unit] = parent_[parent_[unit]];
  return unit;
}

void Units::tie(int a, int b) {
  a = root(a);
  b = root(b);
  parent_[std::max(a, b)] = std::min(a, b);
}

namespace {

/// A longer axis is left alone, as no network needs it and a graph from a file may ask for any.
constexpr std::int64_t kLongestAxis = std::int64_t{1} << 24;

/// A product of sizes: number, times the batch to a power.
struct Extent {
  int batches = 0;
  std::int64_t number = 1;

  void times(std::int64_t size) {
    if (size < 0) ++batches;
    if (__builtin_mul_overflow(number, size < 0 ? -size : size, &number)) number = -1;
  }
  bool operator==(const Extent&) const = default;
  bool below(const Extent& other) const {
    return batches != other.batches ? batches < other.batches : number < other.number;
  }
};

class Labeller {
 public:
  explicit Labeller(const Graph& graph) : graph_(graph) { all_.of.resize(graph.values().size()); }

  Channels run() {
    for (std::size_t i = 0; i < graph_.values().size(); ++i) {
      const graph::Value& value = graph_.values()[i];
      std::vector<Axis>& axes = all_.of[i];
      axes.resize(value.sizes.size());
      if (value.kind == Kind::input || value.kind == Kind::result) continue;
      for (std::size_t axis = 0; axis < axes.size(); ++axis) axes[axis] = fresh(value.sizes[axis]);
    }
    for (const Node& node : graph_.nodes()) label(node);
    if (graph_.output() >= 0) fix(graph_.output());
    return std::move(all_);
  }

 private:
  const Sizes& sizes(int value) const { return graph_.values()[value].sizes; }
  std::vector<Axis>& axes(int value) { return all_.of[value]; }

  Axis fresh(std::int64_t size) {
    Axis axis;
    if (size > kLongestAxis) return axis;
    for (std::int64_t i = 0; i < size; ++i) axis.push_back(all_.units.add());
    return axis;
  }
  void fix(const Axis& axis) {
    for (int unit : axis) all_.units.tie(unit, Units::kFixed);
  }
  void fix(int value) {
    for (const Axis& axis : axes(value)) fix(axis);
  }
  void tie(const Axis& a, const Axis& b) {
    if (a.size() != b.size()) {  // one of them is fixed
      fix(a);
      fix(b);
      return;
    }
    for (std::size_t i = 0; i < a.size(); ++i) all_.units.tie(a[i], b[i]);
  }
  bool is_fixed(const Axis& axis) const {
    return std::ranges::all_of(axis, [&](int unit) { return all_.units.fixed(unit); });
  }

  void label(const Node& node);
  void elementwise(const Node& node);
  void dense(const Node& node);
  void convolution(const Node& node);
  void per_channel(const Node& node) {
    const Axis& channels = axes(node.inputs[0]).back();
    for (std::size_t i = 1; i < node.inputs.size(); ++i) tie(channels, axes(node.inputs[i])[0]);
    axes(node.output) = axes(node.inputs[0]);
  }
  void window(const Node& node) {
    for (int axis : {0, 1, 2}) fix(axes(node.inputs[0])[axis]);
    axes(node.output)[3] = axes(node.inputs[0])[3];
  }
  void quantizer(const Node& node);
  void recurrent(const Node& node);
  void reduce(const Node& node);
  void reshape(const Node& node);
  void regroup(const Node& node, int in, int in_end, int out, int out_end);
  void transpose(const Node& node) {
    const std::span<const std::int64_t> order = integers(node.attributes, "order");
    for (std::size_t axis = 0; axis < order.size(); ++axis)
      axes(node.output)[axis] = axes(node.inputs[0])[static_cast<std::size_t>(order[axis])];
  }
  void slice(const Node& node);
  void join(const Node& node);
  void pad(const Node& node);
  void leave_alone(const Node& node) {
    for (int input : node.inputs) fix(input);
  }

  const Graph& graph_;
  Channels all_;
};

void Labeller::label(const Node& node) {
  if (is_unary(node.op) || is_noise(node.op)) {
    axes(node.output) = axes(node.inputs[0]);
    return;
  }
  switch (node.op) {
#define BINARY(name, ...) case Op::name:
#include "linnet/core/ops/binary.def"
#undef BINARY
    return elementwise(node);
    case Op::softmax:
    case Op::log_softmax:
      fix(axes(node.inputs[0])[node.attributes["axis"].integer()]);
      axes(node.output) = axes(node.inputs[0]);
      return;
    case Op::dense:
      return dense(node);
    case Op::conv2d:
    case Op::conv_transpose2d:
      return convolution(node);
    case Op::batch_norm:
      return per_channel(node);
    case Op::fake_quant:
      return quantizer(node);
    case Op::max_pool2d:
    case Op::avg_pool2d:
    case Op::upsample2d:
      return window(node);
    case Op::rnn:
    case Op::gru:
    case Op::lstm:
      return recurrent(node);
    case Op::sum:
    case Op::mean:
    case Op::max:
      return reduce(node);
    case Op::reshape:
      return reshape(node);
    case Op::transpose:
      return transpose(node);
    case Op::slice:
      return slice(node);
    case Op::concat:
      return join(node);
    case Op::pad:
      return pad(node);
    default:
      return leave_alone(node);
  }
}

/// Axes are aligned at the end; one of size 1 is repeated, which is no channel of its own.
void Labeller::elementwise(const Node& node) {
  const int a = node.inputs[0], b = node.inputs[1];
  std::vector<Axis>& result = axes(node.output);
  const auto rank = [&](int value) { return static_cast<int>(axes(value).size()); };
  for (int back = 1; back <= rank(node.output); ++back) {
    const int i = rank(a) - back, j = rank(b) - back;
    Axis& to = result[result.size() - back];
    if (i < 0 || j < 0) {
      to = i < 0 ? axes(b)[j] : axes(a)[i];
    } else if (sizes(a)[i] == sizes(b)[j]) {
      tie(axes(a)[i], axes(b)[j]);
      to = axes(a)[i].empty() ? axes(b)[j] : axes(a)[i];
    } else {
      const bool repeats_a = sizes(a)[i] == 1;
      fix(repeats_a ? axes(a)[i] : axes(b)[j]);
      to = repeats_a ? axes(b)[j] : axes(a)[i];
    }
  }
}

void Labeller::dense(const Node& node) {
  const int x = node.inputs[0], weight = node.inputs[1];
  tie(axes(x).back(), axes(weight)[1]);
  axes(node.output) = axes(x);
  axes(node.output).back() = axes(weight)[0];
  if (node.inputs.size() > 2) tie(axes(node.inputs[2])[0], axes(weight)[0]);
}

/// Of a convolution in groups, a group goes as a whole: all channels that it reads and makes. A depthwise
/// convolution has as many groups as channels.
void Labeller::convolution(const Node& node) {
  const int x = node.inputs[0], weight = node.inputs[1];
  const std::int64_t groups = node.attributes["groups"].integer();
  for (int axis : {0, 1, 2}) fix(axes(x)[axis]);
  fix(axes(weight)[1]);
  fix(axes(weight)[2]);
  const Axis &in = axes(x)[3], &out = axes(weight)[0];
  if (groups == 1) {
    tie(in, axes(weight)[3]);
  } else if (in.empty() || out.empty()) {
    fix(in);
    fix(out);
  } else {
    fix(axes(weight)[3]);
    const auto count = static_cast<std::size_t>(groups);
    const std::size_t ins = in.size() / count, outs = out.size() / count;
    for (std::size_t i = 0; i < in.size(); ++i) all_.units.tie(in[i], out[i / ins * outs]);
    for (std::size_t i = 0; i < out.size(); ++i) all_.units.tie(out[i], out[i / outs * outs]);
  }
  if (node.inputs.size() > 2) tie(axes(node.inputs[2])[0], out);
  axes(node.output)[3] = out;
}

/// The range of a weight may have a number for each place of axis 0.
void Labeller::quantizer(const Node& node) {
  axes(node.output) = axes(node.inputs[0]);
  if (node.inputs.size() < 2) return;
  const Axis &rows = axes(node.inputs[0])[0], &range = axes(node.inputs[1])[0];
  const StateValue* symmetric = node.attributes.find("symmetric");
  if (symmetric && symmetric->integer() != 0 && range.size() == rows.size())
    tie(rows, range);
  else
    fix(range);
}

/// Only what it reads may shrink.
void Labeller::recurrent(const Node& node) {
  const int x = node.inputs[0], weight = node.inputs[1];
  fix(axes(x)[0]);
  fix(axes(x)[1]);
  fix(axes(weight)[0]);
  tie(axes(x)[2], axes(weight)[1]);
  for (std::size_t i = 2; i < node.inputs.size(); ++i) fix(node.inputs[i]);
}

void Labeller::reduce(const Node& node) {
  const std::vector<Axis>& x = axes(node.inputs[0]);
  std::vector<bool> gone(x.size(), false);
  for (std::int64_t axis : integers(node.attributes, "axes")) gone[static_cast<std::size_t>(axis)] = true;
  const bool keeps = node.attributes["keep_dims"].integer() != 0;
  std::vector<Axis> result;
  for (std::size_t axis = 0; axis < x.size(); ++axis) {
    if (gone[axis]) fix(x[axis]);
    if (!gone[axis] || keeps) result.push_back(gone[axis] ? Axis() : x[axis]);
  }
  axes(node.output) = std::move(result);
}

/// Cuts both shapes into the shortest runs of axes that hold the same number of elements.
void Labeller::reshape(const Node& node) {
  const Sizes &from = sizes(node.inputs[0]), &to = sizes(node.output);
  const int ins = static_cast<int>(from.size()), outs = static_cast<int>(to.size());
  int in = 0, out = 0;
  while (in < ins && out < outs) {
    const int first_in = in, first_out = out;
    Extent a, b;
    a.times(from[in++]);
    b.times(to[out++]);
    while (a != b) {
      if (a.below(b) ? in == ins : out == outs) return leave_alone(node);
      a.below(b) ? a.times(from[in++]) : b.times(to[out++]);
    }
    if (a.number <= 0) return leave_alone(node);
    regroup(node, first_in, in, first_out, out);
  }
  for (; in < ins; ++in) fix(axes(node.inputs[0])[in]);  // of size 1
}

/// Axes in .. in_end of x become the axes out .. out_end of the result. What several axes make of one, or one
/// of several, follows the only axis that is not fixed, or the last.
void Labeller::regroup(const Node& node, int in, int in_end, int out, int out_end) {
  std::vector<Axis>& x = axes(node.inputs[0]);
  std::vector<Axis>& y = axes(node.output);
  const auto longer_than_one = [](const Sizes& all, int first, int end) {
    std::vector<int> found;
    for (int axis = first; axis < end; ++axis)
      if (all[axis] != 1) found.push_back(axis);
    return found;
  };
  const std::vector<int> ins = longer_than_one(sizes(node.inputs[0]), in, in_end),
                         outs = longer_than_one(sizes(node.output), out, out_end);
  std::vector<int> free;
  for (int axis : ins)
    if (!is_fixed(x[axis])) free.push_back(axis);
  std::int64_t inner = 1;  // elements behind the free axis, in the run
  if (free.size() == 1)
    for (int axis = free[0] + 1; axis < in_end; ++axis) inner *= sizes(node.inputs[0])[axis];
  const std::int64_t last = outs.empty() ? 0 : sizes(node.output)[outs.back()];
  const bool one_to_several = ins.size() == 1, several_to_one = outs.size() == 1;
  if (free.size() != 1 || last < 1 || last > kLongestAxis || (!one_to_several && !several_to_one)) {
    for (int axis = in; axis < in_end; ++axis) fix(x[axis]);
    return;
  }
  const Axis& channels = x[free[0]];
  const auto period = static_cast<std::int64_t>(channels.size());
  Axis& result = y[outs.back()];
  for (std::int64_t i = 0; i < last; ++i) result.push_back(channels[i / inner % period]);
  for (std::int64_t i = last; i < period; ++i) all_.units.tie(channels[i], channels[i % last]);
}

void Labeller::slice(const Node& node) {
  const std::int64_t axis = node.attributes["axis"].integer(), begin = node.attributes["begin"].integer(),
                     end = node.attributes["end"].integer();
  std::vector<Axis>& y = axes(node.output);
  y = axes(node.inputs[0]);
  Axis& cut = y[static_cast<std::size_t>(axis)];
  if (begin >= 0 && end >= 0 && node.attributes["step"].integer() == 1 && !cut.empty()) {
    cut = Axis(cut.begin() + begin, cut.begin() + end);
  } else {
    fix(cut);
    cut.clear();
  }
}

void Labeller::join(const Node& node) {
  const auto along = static_cast<std::size_t>(node.attributes["axis"].integer());
  std::vector<Axis>& y = axes(node.output);
  y = axes(node.inputs[0]);
  const std::int64_t total = sizes(node.output)[along];
  y[along].clear();
  for (int input : node.inputs) {
    for (std::size_t axis = 0; axis < y.size(); ++axis)
      if (axis != along) tie(y[axis], axes(input)[axis]);
    const Axis& part = axes(input)[along];
    if (total < 0 || total > kLongestAxis) {
      fix(part);
    } else if (part.empty()) {
      y[along].resize(y[along].size() + static_cast<std::size_t>(sizes(input)[along]), Units::kFixed);
    } else {
      y[along].insert(y[along].end(), part.begin(), part.end());
    }
  }
}

/// Channels of a border may go with those that they are added to, if they are 0.
void Labeller::pad(const Node& node) {
  const std::span<const std::int64_t> before = integers(node.attributes, "before"),
                                      after = integers(node.attributes, "after");
  std::vector<Axis>& y = axes(node.output);
  y = axes(node.inputs[0]);
  for (std::size_t axis = 0; axis < y.size(); ++axis) {
    if ((before[axis] == 0 && after[axis] == 0) || y[axis].empty()) continue;
    if (before[axis] < 0 || after[axis] < 0 || sizes(node.output)[axis] > kLongestAxis ||
        node.attributes["value"].real() != 0.0) {
      fix(y[axis]);
      y[axis].clear();
      continue;
    }
    Axis whole = fresh(before[axis]);
    whole.insert(whole.end(), y[axis].begin(), y[axis].end());
    const Axis behind = fresh(after[axis]);
    whole.insert(whole.end(), behind.begin(), behind.end());
    y[axis] = std::move(whole);
  }
}

}  // namespace

Channels channels_of(const Graph& graph) { return Labeller(graph).run(); }

bool has_output_rows(const Node& node) {
  return node.op == Op::dense || node.op == Op::conv2d || node.op == Op::conv_transpose2d;
}

int weight_of(const Graph& graph, const Node& node) {
  int weight = node.inputs[1];
  const int first = graph.nodes()[0].output;  // results are the last values, one a node
  while (weight >= first && graph.nodes()[weight - first].op == Op::fake_quant)
    weight = graph.nodes()[weight - first].inputs[0];
  return graph.values()[weight].kind == Kind::parameter ? weight : -1;
}

}  // namespace linnet::compress
