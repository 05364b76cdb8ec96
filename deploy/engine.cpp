// SPDX-License-Identifier: Apache-2.0
#include "linnet/deploy/engine.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "linnet/autograd/autograd.h"
#include "linnet/core/quantizer.h"
#include "linnet/deploy/deploy.h"
#include "linnet/runtime/linnet_runtime.hpp"

namespace linnet::deploy {

using graph::Graph;
using graph::Node;

class Engine::Impl {
 public:
  explicit Impl(std::span<const std::uint8_t> image) : model_(image) {}

  Tensor run(std::span<const Tensor> inputs) {
    std::vector<Tensor> x;
    for (std::size_t port = 0; port < inputs.size(); ++port) x.push_back(fitting(inputs, port));
    check<ShapeError>(x.size() == model_.info().n_inputs, "engine: the model has ", model_.info().n_inputs,
                      " inputs, got ", x.size(), ".");
    const std::int64_t samples = x[0].dim(0);
    return model_.output_dtype() == LNT_F32 ? run_all<float>(x, samples) : run_all<std::int32_t>(x, samples);
  }
  void use_plain_kernels() { model_.set_isa(LNT_SCALAR); }
  std::size_t arena_bytes() const { return model_.info().arena_bytes; }

 private:
  /// As the runtime takes it: f32 or i32.
  Tensor fitting(std::span<const Tensor> inputs, std::size_t port) const {
    const Tensor& x = inputs[port];
    const auto at = static_cast<std::uint32_t>(port);
    const bool whole = !is_float(x.dtype());
    check<DTypeError>(model_.input_dtype(at) == (whole ? LNT_I32 : LNT_F32), "engine: input ", port,
                      " is of another type than the model takes, got ", x.dtype(), ".");
    const std::vector<std::uint32_t> dims = model_.input_shape(at);
    std::vector<std::int64_t> sizes(dims.begin(), dims.end());
    sizes[0] = x.rank() > 0 ? x.dim(0) : 0;
    const Shape shape{std::span<const std::int64_t>(sizes)};
    check<ShapeError>(dims[0] == 1 && x.shape() == shape && x.dim(0) == inputs[0].dim(0), "engine: input ",
                      port, " must have shape ", shape, ", got ", x.shape(), ".");
    return x.to(whole ? i32 : f32);
  }

  template <class T>
  void write(const Tensor& x, std::uint32_t port, std::int64_t sample) {
    const auto to = model_.template input<T>(port);
    std::memcpy(to.data(), x.data<T>().data() + static_cast<std::size_t>(sample) * to.size(),
                to.size() * sizeof(T));
  }

  template <class T>
  Tensor run_all(const std::vector<Tensor>& x, std::int64_t samples) {
    const std::vector<std::uint32_t> dims = model_.output_shape();
    std::vector<std::int64_t> sizes(dims.begin(), dims.end());
    sizes[0] *= samples;
    Tensor y =
        Tensor::empty(Shape(std::span<const std::int64_t>(sizes)), std::is_same_v<T, float> ? f32 : i32);
    T* to = y.mutable_data<T>().data();
    for (std::int64_t n = 0; n < samples; ++n) {
      for (std::uint32_t port = 0; port < x.size(); ++port) {
        if (x[port].dtype() == f32)
          write<float>(x[port], port, n);
        else
          write<std::int32_t>(x[port], port, n);
      }
      model_.run();
      const auto from = model_.template output<T>();
      to = std::copy(from.begin(), from.end(), to);
    }
    return y;
  }

  runtime::Model model_;
};

Engine::Engine(std::span<const std::uint8_t> image) {
  try {
    impl_ = std::make_unique<Impl>(image);
  } catch (const runtime::Error& error) {
    fail<GraphError>("engine: ", error.what());
  }
}
Engine::Engine(Engine&&) noexcept = default;
Engine& Engine::operator=(Engine&&) noexcept = default;
Engine::~Engine() = default;

Tensor Engine::run(std::span<const Tensor> inputs) { return impl_->run(inputs); }
void Engine::use_plain_kernels() { impl_->use_plain_kernels(); }
std::size_t Engine::arena_bytes() const { return impl_->arena_bytes(); }

namespace {

/// The fake_quant with a range that gives the output, perhaps reshaped; nullptr when there is none.
const Node* rounding_of_output(const Graph& graph) {
  const auto first = static_cast<int>(graph.values().size() - graph.nodes().size());
  int value = graph.output();
  while (value >= first && graph.nodes()[static_cast<std::size_t>(value - first)].op == Op::reshape)
    value = graph.nodes()[static_cast<std::size_t>(value - first)].inputs[0];
  const Node* node = value < first ? nullptr : &graph.nodes()[static_cast<std::size_t>(value - first)];
  return node != nullptr && node->op == Op::fake_quant && node->inputs.size() == 2 ? node : nullptr;
}

/// The staircase that the graph's output stands on.
Quantizer output_grid(const graph::GraphModule& model) {
  const Graph& graph = model.graph();
  const Node* node = rounding_of_output(graph);
  check<ValueError>(node != nullptr,
                    "agreement: the model's output is not rounded by a fake_quant. Quantize it with a range "
                    "for its output.");
  const graph::Value& range = graph.values()[node->inputs[1]];
  const State state = model.state();
  const Tensor numbers = range.kind == graph::Kind::constant ? range.contents : state[range.name].tensor();
  return range_quantizer(static_cast<double>(numbers.data<float>()[0]),
                         static_cast<double>(numbers.data<float>()[1]),
                         static_cast<int>(node->attributes["bits"].integer()));
}

}  // namespace

bool rounds_output(const graph::Graph& graph) { return rounding_of_output(graph) != nullptr; }

Agreement agreement(const graph::GraphModule& model, std::span<const Tensor> inputs) {
  const double step = static_cast<double>(output_grid(model).scale);
  const NoGrad no_grad;
  graph::GraphModule simulated(model.graph(), model.state());
  simulated.eval();
  Engine engine(build(model.graph(), model.state(), {.golden_cases = 0}).bytes);
  const Tensor integers = engine.run(inputs), reals = simulated.forward(inputs);
  check<ShapeError>(integers.shape() == reals.shape(), "agreement: the model gives ", reals.shape(),
                    ", on the board ", integers.shape(), ".");
  Agreement result;
  result.outputs = reals.size();
  result.samples = reals.dim(0);
  const auto a = integers.data<float>(), b = reals.data<float>();
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double steps = std::fabs(static_cast<double>(a[i]) - static_cast<double>(b[i])) / step;
    result.within_one_step += steps < 1.5;
    result.equal += steps < 0.5;
    result.largest_steps = std::max(result.largest_steps, steps);
  }
  const std::ptrdiff_t size = reals.size() / std::max<std::int64_t>(1, result.samples);
  for (auto [p, q] = std::pair(a.begin(), b.begin()); p != a.end(); p += size, q += size)
    result.same_largest += std::max_element(p, p + size) - p == std::max_element(q, q + size) - q;
  return result;
}

Agreement agreement(const graph::GraphModule& model, const Tensor& x) {
  return agreement(model, std::span(&x, 1));
}

}  // namespace linnet::deploy
