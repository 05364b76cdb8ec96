// SPDX-License-Identifier: Apache-2.0
#include "linnet/deploy/golden.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "linnet/autograd/autograd.h"
#include "linnet/core/random.h"
#include "linnet/deploy/bytes.h"
#include "linnet/deploy/engine.h"
#include "linnet/graph/graph_module.h"
#include "linnet/runtime/format.h"

namespace linnet::deploy {
namespace {

constexpr std::uint64_t kSeed = 0;    // the first to try, so that equal models are equal bytes
constexpr std::uint64_t kSeeds = 16;  // of models that round what f32 ops compute
constexpr double kAgreement = 2e-5;   // of both kinds of kernels, where lnt_self_test allows 1e-4

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
Tensor drawn(const Shape& shape, const Range& range, std::uint64_t seed, std::uint64_t stream) {
  Tensor x = Tensor::empty(shape, std::is_same_v<T, float> ? f32 : i32);
  std::span<T> to = x.mutable_data<T>();
  for (std::size_t i = 0; i < to.size(); i += 4) {
    const auto words = philox({seed, stream}, i / 4);
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

/// The inputs of a case: f32 and whole numbers, as the runtime makes them.
std::vector<Tensor> case_inputs(const graph::Graph& graph, const std::vector<Range>& range,
                                std::uint64_t seed, int number) {
  const std::vector<int> inputs = graph.of_kind(graph::Kind::input);
  std::vector<Tensor> x;
  for (std::size_t port = 0; port < inputs.size(); ++port) {
    const graph::Value& input = graph.values()[inputs[port]];
    const Shape shape = graph::at_batch(input.sizes, 1);
    const std::uint64_t stream = static_cast<std::uint64_t>(number) * LNT_MAX_PORTS + port;
    x.push_back(is_float(input.dtype)
                    ? drawn<float>(shape, range[port], seed, stream)
                    : drawn<std::int32_t>(shape, range[port], seed, stream).to(input.dtype));
  }
  return x;
}

/// Cases with inputs of one seed, and what `model` gives for them.
struct Cases {
  std::uint64_t seed = kSeed;
  std::vector<Tensor> outputs;
};

template <class Model>
Cases run_cases(const graph::Graph& graph, const std::vector<Range>& range, std::uint64_t seed, int cases,
                Model model) {
  Cases all{seed, {}};
  for (int c = 0; c < cases; ++c) all.outputs.push_back(model(case_inputs(graph, range, seed, c)));
  return all;
}

bool agree(const Tensor& a, const Tensor& b) {
  const Tensor x = a.to(f64), y = b.to(f64);
  double largest = 0.0, difference = 0.0;
  for (std::int64_t i = 0; i < x.size(); ++i) {
    largest = std::max(largest, std::fabs(x.data<double>()[i]));
    const double d = std::fabs(x.data<double>()[i] - y.data<double>()[i]);
    if (!(d <= difference)) difference = d;  // NaN, too, which is no agreement
  }
  return difference <= kAgreement * largest;
}

/// Some op computes in f32; the others move numbers or turn them into integers and back.
bool computes_in_f32(const Program& program) {
  return std::any_of(program.steps.begin(), program.steps.end(), [&](const Step& step) {
    switch (step.opcode) {
      case LNT_RESHAPE:
      case LNT_TRANSPOSE:
      case LNT_SLICE:
      case LNT_CONCAT:
      case LNT_PAD:
        return false;
      default:
        return step.opcode < LNT_QUANTIZE || step.opcode >= LNT_DENSE_DYNAMIC;
    }
  });
}

/// Where f32 is rounded to integers, kernels that differ in the last place may come to different ones. So a
/// seed is taken for which the plain ones and those of this processor do not.
Cases integer_cases(const graph::Graph& graph, const std::vector<Range>& range, const Program& program,
                    const Bytes& image, int cases) {
  Engine engine(image), plain(image);
  plain.use_plain_kernels();
  const auto of = [&](std::uint64_t seed) {
    return run_cases(graph, range, seed, cases, [&](const std::vector<Tensor>& x) { return engine.run(x); });
  };
  const auto serves = [&](std::uint64_t seed) {
    for (int c = 0; c < cases; ++c) {
      const std::vector<Tensor> x = case_inputs(graph, range, seed, c);
      if (!agree(engine.run(x), plain.run(x))) return false;
    }
    return true;
  };
  if (computes_in_f32(program))
    for (std::uint64_t seed = kSeed; seed < kSeed + kSeeds; ++seed)
      if (serves(seed)) return of(seed);
  return of(kSeed);
}

}  // namespace

Bytes golden_section(const graph::Graph& graph, const State& parameters, const Program& program, int cases,
                     const std::function<Bytes()>& image) {
  const std::vector<Range> range = ranges(program, graph);
  const NoGrad no_grad;
  Cases golden;
  if (has_integer_ops(program)) {
    golden = integer_cases(graph, range, program, image(), cases);
  } else {
    graph::GraphModule model(graph, used(graph, parameters));
    model.eval();
    golden = run_cases(graph, range, kSeed, cases, [&](const std::vector<Tensor>& x) {
      return model.forward(std::span<const Tensor>(x));
    });
  }
  Bytes out;
  put(out, static_cast<std::uint64_t>(cases), 4);
  put(out, 0, 4);
  put(out, golden.seed, 8);
  for (const Range& r : range) {
    put(out, r.low, 4);
    put(out, r.high, 4);
  }
  for (const Tensor& y : golden.outputs) {
    if (is_float(y.dtype()))
      append(out, std::as_bytes(y.to(f32).data<float>()));
    else
      append(out, std::as_bytes(y.to(i32).data<std::int32_t>()));
  }
  return out;
}

}  // namespace linnet::deploy
