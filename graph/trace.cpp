// SPDX-License-Identifier: Apache-2.0
// Two recorded runs of one module, and the Graph that both are cases of.
#include "linnet/graph/trace.h"

#include <algorithm>
#include <cstring>
#include <unordered_map>

#include "linnet/autograd/autograd.h"
#include "linnet/autograd/recorder.h"
#include "linnet/core/random.h"
#include "linnet/core/tensor_impl.h"
#include "linnet/graph/attributes.h"

namespace linnet::graph {
namespace {

/// Generator and buffers as they were, when the block is left in whatever way.
class Unchanged {
 public:
  explicit Unchanged(const nn::Module& module) : rng_(rng_state()), buffers_(module.buffers()) {
    for (const NamedTensor& buffer : buffers_) {
      contents_.push_back(buffer.second.clone());
      versions_.push_back(buffer.second.impl()->storage->version());
    }
  }
  ~Unchanged() {
    set_rng_state(rng_);
    for (std::size_t i = 0; i < buffers_.size(); ++i) {
      Tensor& buffer = buffers_[i].second;
      if (buffer.shape() != contents_[i].shape() || buffer.dtype() != contents_[i].dtype())
        buffer.set_contents(contents_[i]);
      else if (buffer.impl()->storage->version() != versions_[i])
        buffer.copy_(contents_[i]);
    }
  }
  Unchanged(const Unchanged&) = delete;

 private:
  State rng_;
  NamedTensors buffers_;
  std::vector<Tensor> contents_;
  std::vector<std::uint32_t> versions_;
};

/// One tensor of a run. The handle keeps its address from being used again.
struct Seen {
  Kind kind;
  std::string name;
  Tensor tensor;
  std::uint32_t version;
  std::string origin;  ///< "input x", "the result of relu": for messages
};

/// What one run did. Places of values are in the order in which they were met.
class Run final : public Recorder {
 public:
  void add(Kind kind, const std::string& name, const Tensor& tensor, std::string origin) {
    places_[tensor.impl()] = static_cast<int>(values.size());
    owners_.emplace(tensor.impl()->storage.get(), static_cast<int>(values.size()));
    if (kind == Kind::input || kind == Kind::result) tensor.impl()->traced = true;
    values.push_back({kind, name, tensor, tensor.impl()->storage->version(), std::move(origin)});
  }

  void on_op(Op op, std::string_view custom, const Tensor& y, std::span<const Tensor> inputs,
             const State& attributes) override {
    Node node{op, std::string(custom), attributes, {}, -1};
    std::string op_name = Graph::op_name(node);
    for (const Tensor& input : inputs) node.inputs.push_back(place_of(op_name, input));
    check<GraphError>(!places_.contains(y.impl()), "trace: ", op_name,
                      " returns a tensor that is known already.");
    node.output = static_cast<int>(values.size());
    add(Kind::result, {}, y, "the result of " + op_name);
    nodes.push_back(std::move(node));
  }

  int place_of(const std::string& user, const Tensor& tensor) {
    auto known = places_.find(tensor.impl());
    if (known == places_.end()) {
      check_constant(user, tensor);
      add(Kind::constant, {}, tensor, concat({"a tensor that ", user, " reads"}));
      return static_cast<int>(values.size()) - 1;
    }
    check_unchanged(values[known->second]);
    return known->second;
  }

  /// A tensor that no op made must not hold values that stand for any batch, or share a parameter's contents.
  void check_constant(const std::string& user, const Tensor& tensor) const {
    auto owner = owners_.find(tensor.impl()->storage.get());
    bool shared = owner != owners_.end() && values[owner->second].kind != Kind::constant;
    check<GraphError>(
        !shared, "trace: ", user, " reads a detached view of ", shared ? values[owner->second].origin : "",
        ", which a graph cannot follow. Use the tensor itself, or reshape() instead of view().");
    check<GraphError>(!tensor.impl()->traced, "trace: ", user,
                      " reads a copy of a traced tensor, made by clone() or to(), which a graph cannot "
                      "follow. Use the tensor "
                      "itself.");
  }

  /// Changes in place are not ops, so a graph would not repeat them.
  static void check_unchanged(const Seen& seen) {
    check<GraphError>(seen.kind == Kind::buffer || seen.tensor.impl()->storage->version() == seen.version,
                      "trace: ", seen.origin,
                      " was changed in place, which a graph cannot follow. Compute a new tensor instead.");
  }

  std::vector<Seen> values;
  std::vector<Node> nodes;
  int output = -1;

 private:
  std::unordered_map<const TensorImpl*, int> places_;
  std::unordered_map<const Storage*, int> owners_;
};

/// The values do not matter, but data-dependent constants must differ between the runs to be noticed.
Tensor input_values(const Shape& shape, DType dtype, std::uint64_t call) {
  if (!is_float(dtype)) return Tensor::zeros(shape, dtype);
  Rng rng(0x6c696e6e6574, call);
  std::vector<double> values(static_cast<std::size_t>(shape.size()));
  for (double& value : values) value = rng.uniform();
  return Tensor::from(values, shape).to(dtype);
}

std::string input_name(std::span<const InputSpec> inputs, std::size_t i) {
  if (!inputs[i].name.empty()) return inputs[i].name;
  return inputs.size() == 1 ? "input" : concat({"input", i});
}

Run run(nn::Module& module, const Forward& forward, std::span<const InputSpec> inputs, std::int64_t batch) {
  Run run;
  std::vector<Tensor> given;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    given.push_back(input_values(inputs[i].shape.with(0, batch), inputs[i].dtype,
                                 static_cast<std::uint64_t>(batch) << 32 | i));
    run.add(Kind::input, input_name(inputs, i), given[i], "input " + input_name(inputs, i));
  }
  NamedTensors parameters = module.parameters(), buffers = module.buffers();
  State order = module.state();  // parameters and buffers as they alternate in member order
  for (const auto& entry : order) {
    for (Kind kind : {Kind::parameter, Kind::buffer})
      for (const NamedTensor& named : kind == Kind::parameter ? parameters : buffers)
        if (named.first == entry.first)
          run.add(kind, named.first, named.second, concat({kind_name(kind), " ", named.first}));
  }

  Tensor y;
  {
    Recording recording(run);
    y = forward(given);
  }
  check<GraphError>(y.defined(), "trace: the module returned an undefined tensor.");
  run.output = run.place_of("the output", y);
  for (const Seen& seen : run.values) Run::check_unchanged(seen);
  return run;
}

// ---- from two runs to one graph ---------------------------------------------------------------------

constexpr std::int64_t kBatchTwo = 2, kBatchThree = 3;

/// The size that is `two` in the run with batch 2 and `three` with batch 3; false when nothing fits.
bool merge_sizes(std::int64_t two, std::int64_t three, std::int64_t& merged) {
  if (two == three) {
    merged = two;
    return true;
  }
  merged = -(two / kBatchTwo);
  return two % kBatchTwo == 0 && three % kBatchThree == 0 && two / kBatchTwo == three / kBatchThree;
}

State merge_attributes(const Node& two, const Node& three) {
  std::string op_name = Graph::op_name(two);
  State merged =
      map_sizes(two.op, two.attributes, [&](std::string_view name, std::size_t place, std::int64_t size) {
        const StateValue* other = three.attributes.find(name);
        std::int64_t result = 0;
        check<GraphError>(
            other && place < count_of(*other) && merge_sizes(size, integer_at(*other, place), result),
            "trace: ", op_name, " changes with the batch, but not in proportion: ", name, " is ",
            attributes_str(two.op, two.attributes), " for batch 2 and ",
            attributes_str(three.op, three.attributes),
            " for batch 3. Make it a multiple of the batch, or independent of it.");
        return result;
      });
  State again = map_sizes(two.op, merged, [](std::string_view, std::size_t, std::int64_t size) {
    return size_at_batch(size, kBatchThree);
  });
  check<GraphError>(again == three.attributes, "trace: ", op_name,
                    " changes with the batch: ", attributes_str(two.op, two.attributes), " for batch 2 and ",
                    attributes_str(three.op, three.attributes),
                    " for batch 3. Only the sizes of reshape, slice and pad may.");
  return merged;
}

Value merge_values(const Seen& two, const Seen& three) {
  Value value{two.kind, two.name, two.tensor.dtype(), {}, {}};
  const Shape &a = two.tensor.shape(), &b = three.tensor.shape();
  bool fits = a.rank() == b.rank() && two.tensor.dtype() == three.tensor.dtype();
  for (int i = 0; fits && i < a.rank(); ++i) {
    value.sizes.push_back(0);
    fits = merge_sizes(a[i], b[i], value.sizes.back());
  }
  check<GraphError>(fits, "trace: the shape of ", two.origin,
                    " changes with the batch, but not in proportion: ", a, " for batch 2 and ", b,
                    " for batch 3.");
  if (value.kind != Kind::constant) return value;
  check<GraphError>(a == b, "trace: ", two.origin,
                    " is no input, parameter or result, but its shape depends on the batch: ", a,
                    " for batch 2 and ", b, " for batch 3. Compute it from an input with recorded ops.");
  value.contents = two.tensor.clone();
  const bool moved = two.tensor.same_as(three.tensor) && two.version != three.version;
  check<GraphError>(!moved, "trace: ", two.origin,
                    " is no input, parameter or result, and was changed in place. Name it as a buffer in "
                    "members().");
  check<GraphError>(StateValue(value.contents) == StateValue(three.tensor), "trace: ", two.origin,
                    " is no input, parameter or result, but its contents change from run to run. "
                    "Compute it from an input with recorded ops.");
  return value;
}

void check_same_ops(const Run& two, const Run& three) {
  std::size_t common = std::min(two.nodes.size(), three.nodes.size());
  for (std::size_t i = 0; i < common; ++i) {
    const Node &a = two.nodes[i], &b = three.nodes[i];
    check<GraphError>(a.op == b.op && a.custom == b.custom && a.inputs == b.inputs, "trace: op ", i, " is ",
                      Graph::op_name(a), " for batch 2 and ", Graph::op_name(b),
                      a.op == b.op && a.custom == b.custom ? " of other inputs" : "",
                      " for batch 3. The module must do the same for every batch.");
  }
  check<GraphError>(two.nodes.size() == three.nodes.size() && two.output == three.output,
                    "trace: the module runs ", two.nodes.size(), " ops for batch 2 and ", three.nodes.size(),
                    " for batch 3, or returns another tensor. It must do the same for every batch.");
}

Graph merge(const Run& two, const Run& three) {
  check_same_ops(two, three);
  std::vector<int> order, place(two.values.size());
  for (Kind kind : {Kind::input, Kind::parameter, Kind::constant, Kind::result})
    for (std::size_t i = 0; i < two.values.size(); ++i) {
      Kind own =
          two.values[i].kind == Kind::buffer ? Kind::parameter : two.values[i].kind;  // as they alternate
      if (own != kind) continue;
      place[i] = static_cast<int>(order.size());
      order.push_back(static_cast<int>(i));
    }
  std::vector<Value> values;
  for (int i : order) values.push_back(merge_values(two.values[i], three.values[i]));
  std::vector<Node> nodes;
  for (std::size_t i = 0; i < two.nodes.size(); ++i) {
    Node node = two.nodes[i];
    node.attributes = merge_attributes(node, three.nodes[i]);
    node.output = place[node.output];
    for (int& input : node.inputs) input = place[input];
    nodes.push_back(std::move(node));
  }
  return without_dead_nodes(Graph(std::move(values), std::move(nodes), place[two.output]));
}

}  // namespace

Graph trace(nn::Module& module, const Forward& forward, std::span<const InputSpec> inputs) {
  check<GraphError>(!inputs.empty(), "trace: no inputs given.");
  for (const InputSpec& input : inputs)
    check<ShapeError>(input.shape.rank() >= 1, "trace: axis 0 of an input is the batch, got shape ",
                      input.shape, ". Write {1, ...}.");
  Unchanged unchanged(module);
  NoGrad no_grad;
  Run two = run(module, forward, inputs, kBatchTwo);
  Run three = run(module, forward, inputs, kBatchThree);
  return merge(two, three);
}

}  // namespace linnet::graph
