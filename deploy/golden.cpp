// SPDX-License-Identifier: Apache-2.0
#include "linnet/deploy/golden.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "linnet/autograd/autograd.h"
#include "linnet/core/random.h"
#include "linnet/deploy/bytes.h"
#include "linnet/graph/graph_module.h"
#include "linnet/runtime/format.h"

namespace linnet::deploy {
namespace {

constexpr std::uint64_t kSeed = 0;  // one for all: equal models are equal bytes

/// The values of an input: low <= value < high.
struct Range {
  std::uint32_t low, high;  ///< bits of f32, or whole numbers

  float at(std::uint32_t word, float) const {
    const float from = std::bit_cast<float>(low), fraction = static_cast<float>(word >> 8) * 0x1p-24f;
    return from + (std::bit_cast<float>(high) - from) * fraction;
  }
  std::int32_t at(std::uint32_t word, std::int32_t) const {
    return static_cast<std::int32_t>(low + (std::uint64_t{word} * (high - low) >> 32));
  }
};

/// For each slot what its whole numbers must be below. They come to an embedding through ops that move them.
std::vector<std::int64_t> bounds(const Program& program) {
  std::vector<std::int64_t> below(program.slots.size(), 0);  // 0: nothing asks
  auto ask = [&](int slot, std::int64_t bound) {
    if (bound > 0) below[slot] = below[slot] == 0 ? bound : std::min(below[slot], bound);
  };
  for (auto step = program.steps.rbegin(); step != program.steps.rend(); ++step) {
    if (step->opcode == LNT_EMBEDDING) {
      ask(step->reads[1], program.slots[step->reads[0]].shape[0]);
    } else {
      for (int slot : step->reads)
        if (program.slots[slot].dtype == LNT_I32) ask(slot, below[step->writes]);
    }
  }
  return below;
}

/// What the inputs are drawn from, by port. A table may have more rows than the input's type has numbers.
std::vector<Range> ranges(const Program& program, const graph::Graph& graph) {
  const std::vector<std::int64_t> below = bounds(program);
  const std::vector<int> inputs = graph.of_kind(graph::Kind::input);
  std::vector<Range> all;
  for (std::size_t i = 0; i < program.slots.size(); ++i) {
    const Slot& slot = program.slots[i];
    if (slot.kind != LNT_IN) continue;
    const DType given = graph.values()[inputs[all.size()]].dtype;
    const std::int64_t numbers = given == u8   ? 256
                                 : given == i8 ? 128
                                               : std::numeric_limits<std::int32_t>::max();
    if (slot.dtype == LNT_I32)
      all.push_back({0, static_cast<std::uint32_t>(below[i] == 0 ? 2 : std::min(below[i], numbers))});
    else
      all.push_back({std::bit_cast<std::uint32_t>(-1.0f), std::bit_cast<std::uint32_t>(1.0f)});
  }
  return all;
}

template <class T>
Tensor drawn(const Shape& shape, const Range& range, std::uint64_t stream) {
  Tensor x = Tensor::empty(shape, std::is_same_v<T, float> ? f32 : i32);
  std::span<T> to = x.mutable_data<T>();
  for (std::size_t i = 0; i < to.size(); i += 4) {
    const auto words = philox({kSeed, stream}, i / 4);
    for (std::size_t k = 0; k < 4 && i + k < to.size(); ++k) to[i + k] = range.at(words[k], T{});
  }
  return x;
}

/// Without what else may be in the state of a larger model.
State used(const graph::Graph& graph, const State& parameters) {
  State state;
  for (const graph::Value& value : graph.values())
    if (value.kind == graph::Kind::parameter || value.kind == graph::Kind::buffer)
      state.set(value.name, parameters[value.name]);
  return state;
}

}  // namespace

Bytes golden_section(const graph::Graph& graph, const State& parameters, const Program& program, int cases) {
  const std::vector<Range> range = ranges(program, graph);
  Bytes out;
  put(out, static_cast<std::uint64_t>(cases), 4);
  put(out, 0, 4);
  put(out, kSeed, 8);
  for (const Range& r : range) {
    put(out, r.low, 4);
    put(out, r.high, 4);
  }
  const NoGrad no_grad;
  graph::GraphModule model(graph, used(graph, parameters));
  model.eval();
  const std::vector<int> inputs = graph.of_kind(graph::Kind::input);
  for (int c = 0; c < cases; ++c) {
    std::vector<Tensor> x;
    for (std::size_t port = 0; port < inputs.size(); ++port) {
      const graph::Value& input = graph.values()[inputs[port]];
      const Shape shape = graph::at_batch(input.sizes, 1);
      const std::uint64_t stream = static_cast<std::uint64_t>(c) * LNT_MAX_PORTS + port;
      x.push_back(is_float(input.dtype) ? drawn<float>(shape, range[port], stream)
                                        : drawn<std::int32_t>(shape, range[port], stream).to(input.dtype));
    }
    const Tensor y = model.forward(std::span<const Tensor>(x));
    if (is_float(y.dtype()))
      append(out, std::as_bytes(y.to(f32).data<float>()));
    else
      append(out, std::as_bytes(y.to(i32).data<std::int32_t>()));
  }
  return out;
}

}  // namespace linnet::deploy
