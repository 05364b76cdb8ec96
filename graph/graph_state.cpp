// SPDX-License-Identifier: Apache-2.0
// A Graph in a checkpoint. Places in the list of values are the names "0", "1", ...; kinds, element types and
// ops are names, never numbers of an enum:
//
//   {version 1,
//    values {"0" {kind, [name], dtype, shape [-1, 28, 28, 1], [contents]}, ...},
//    nodes  {"0" {op, [custom], inputs [0, 3, 4], attributes {...}}, ...},       node i writes the i-th
//    result output 12}
#include <bit>

#include "linnet/autograd/recorder.h"
#include "linnet/graph/graph.h"

namespace linnet::graph {
namespace {

constexpr std::int64_t kVersion = 1;

State value_state(const Value& value) {
  State state{{"kind", kind_name(value.kind)}};
  if (!value.name.empty()) state.set("name", value.name);
  state.set("dtype", std::string(name(value.dtype)));
  state.set("shape", integers(value.sizes));
  if (value.contents.defined()) state.set("contents", value.contents);
  return state;
}

State node_state(const Node& node) {
  State state{{"op", std::string(name(node.op))}};
  if (node.op == Op::custom) state.set("custom", node.custom);
  state.set("inputs", integers(std::vector<std::int64_t>(node.inputs.begin(), node.inputs.end())));
  state.set("attributes", node.attributes);
  return state;
}

/// The enum value with this name, out of those before `end`.
template <class E, class NameOf>
E by_name(const char* what, const std::string& text, int end, NameOf&& name_of) {
  for (int i = 0; i < end; ++i)
    if (name_of(static_cast<E>(i)) == text) return static_cast<E>(i);
  fail<GraphError>("graph: unknown ", what, " \"", text.substr(0, 64),
                   "\". Was it saved by a newer version?");
}

const Tensor& defined_tensor(const State& state, std::string_view key) {
  const Tensor& tensor = state[key].tensor();
  check<GraphError>(tensor.defined(), "graph: ", key, " is an undefined tensor.");
  return tensor;
}

std::span<const std::int64_t> list_of(const State& state, std::string_view key) {
  const Tensor& tensor = defined_tensor(state, key);
  check<GraphError>(tensor.dtype() == i64 && tensor.rank() == 1, "graph: ", key,
                    " must be a list of i64, got ", tensor.dtype(), " ", tensor.shape(), ".");
  return tensor.data<std::int64_t>();
}

/// A place in the list of values; -1 for whatever cannot be one.
int place(std::int64_t number) { return number >= 0 && number < (1 << 30) ? static_cast<int>(number) : -1; }

/// Refuses what state() does not write.
void check_size(const char* what, const State& state, std::size_t expected) {
  check<GraphError>(state.size() == expected, "graph: ", what, " has ", state.size(), " entries, expected ",
                    expected, ".");
}

Value load_value(const State& state) {
  Value value;
  value.kind =
      by_name<Kind>("kind of value", state["kind"].text(), static_cast<int>(Kind::result) + 1, kind_name);
  if (state.has("name")) value.name = state["name"].text();
  value.dtype =
      by_name<DType>("element type", state["dtype"].text(), kDTypes, [](DType dtype) { return name(dtype); });
  auto sizes = list_of(state, "shape");
  value.sizes.assign(sizes.begin(), sizes.end());
  if (state.has("contents")) value.contents = defined_tensor(state, "contents").clone();
  check_size("a value", state, 3 + state.has("name") + state.has("contents"));
  return value;
}

Node load_node(const State& state) {
  Node node;
  node.op = by_name<Op>("op", state["op"].text(), kOps + 1, [](Op op) { return name(op); });
  if (state.has("custom")) node.custom = state["custom"].text();
  for (std::int64_t input : list_of(state, "inputs")) node.inputs.push_back(place(input));
  node.attributes = state["attributes"].state();
  check_size("a node", state, 3 + state.has("custom"));
  return node;
}

/// The entries "0", "1", ... of a list.
template <class T, class Load>
std::vector<T> load_list(const char* what, const State& state, Load&& load) {
  std::vector<T> all;
  for (const auto& [name, entry] : state) {
    check<GraphError>(name == std::to_string(all.size()), "graph: ", what, " ", all.size(), " is named \"",
                      name.substr(0, 64), "\".");
    all.push_back(load(entry.state()));
  }
  return all;
}

}  // namespace

State Graph::state() const {
  State values, nodes;
  for (std::size_t i = 0; i < values_.size(); ++i) values.set(std::to_string(i), value_state(values_[i]));
  for (std::size_t i = 0; i < nodes_.size(); ++i) nodes.set(std::to_string(i), node_state(nodes_[i]));
  return {{"version", kVersion}, {"values", values}, {"nodes", nodes}, {"output", std::int64_t{output_}}};
}

void Graph::load(const State& state) {
  std::int64_t version = state["version"].integer();
  check<GraphError>(version == kVersion, "graph: stored as version ", version,
                    ", this program reads version ", kVersion, ". Load it with a newer version of linnet?");
  check_size("the state", state, 4);
  std::vector<Value> values = load_list<Value>("value", state["values"].state(), load_value);
  std::vector<Node> nodes = load_list<Node>("node", state["nodes"].state(), load_node);
  int next = static_cast<int>(values.size()) - static_cast<int>(nodes.size());
  for (Node& node : nodes) node.output = next++;
  *this = Graph(std::move(values), std::move(nodes), place(state["output"].integer()));
}

namespace {

/// FNV-1a over bytes, in two lanes of 64 bits that start and step differently.
class Hash {
 public:
  void bytes(const void* data, std::size_t count) {
    const auto* byte = static_cast<const unsigned char*>(data);
    for (std::size_t i = 0; i < count; ++i) {
      low_ = (low_ ^ byte[i]) * 0x100000001b3ull;
      high_ = (high_ ^ byte[i] ^ (low_ >> 56)) * 0x9e3779b97f4a7c15ull;
    }
  }
  void number(std::uint64_t value) {
    unsigned char little[8];
    for (int i = 0; i < 8; ++i) little[i] = static_cast<unsigned char>(value >> (8 * i));
    bytes(little, sizeof little);
  }
  void text(std::string_view value) {
    number(value.size());
    bytes(value.data(), value.size());
  }
  void state(const State& state);

  std::array<std::uint8_t, 16> digest() const {
    std::array<std::uint8_t, 16> all{};
    for (int i = 0; i < 8; ++i) {
      all[i] = static_cast<std::uint8_t>(low_ >> (8 * i));
      all[8 + i] = static_cast<std::uint8_t>(high_ >> (8 * i));
    }
    return all;
  }

 private:
  void tensor(const Tensor& tensor);
  std::uint64_t low_ = 0xcbf29ce484222325ull, high_ = 0x84222325cbf29ce4ull;
};

void Hash::tensor(const Tensor& tensor) {
  text(name(tensor.dtype()));
  number(static_cast<std::uint64_t>(tensor.rank()));
  for (std::int64_t size : tensor.shape()) number(static_cast<std::uint64_t>(size));
  dispatch(tensor.dtype(), [&](auto zero) {
    auto values = tensor.data<decltype(zero)>();
    bytes(values.data(), values.size_bytes());
  });
}

void Hash::state(const State& state) {
  number(state.size());
  for (const auto& [name, value] : state) {
    text(name);
    text(value.kind());
    if (value.is_tensor()) tensor(value.tensor());
    if (value.is_integer()) number(static_cast<std::uint64_t>(value.integer()));
    if (value.is_real()) number(std::bit_cast<std::uint64_t>(value.real()));
    if (value.is_text()) text(value.text());
    if (value.is_state()) this->state(value.state());
  }
}

}  // namespace

std::array<std::uint8_t, 16> Graph::hash() const {
  Hash hash;
  hash.state(state());
  return hash.digest();
}

}  // namespace linnet::graph
