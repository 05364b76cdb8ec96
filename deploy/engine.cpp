// SPDX-License-Identifier: Apache-2.0
#include "linnet/deploy/engine.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "linnet/autograd/autograd.h"
#include "linnet/core/parallel.h"
#include "linnet/core/quantizer.h"
#include "linnet/deploy/deploy.h"
#include "linnet/runtime/linnet_runtime.hpp"

namespace linnet::deploy {

using graph::Graph;
using graph::Node;

namespace {

constexpr std::int64_t kManyOperations = 1 << 30;  // of a model: worth a thread
constexpr std::int64_t kBatch = 256;

Shape shape_of(const std::vector<std::uint32_t>& dims, std::int64_t samples) {
  std::vector<std::int64_t> sizes(dims.begin(), dims.end());
  sizes[0] *= samples;
  return Shape(std::span<const std::int64_t>(sizes));
}

}  // namespace

class Engine::Impl {
 public:
  Impl(std::span<const std::uint8_t> image, int lanes) {
    for (int lane = 0; lane < lanes; ++lane) models_.emplace_back(image);
  }

  Tensor run(std::span<const Tensor> inputs) {
    const std::uint32_t wanted = models_[0].info().n_inputs;
    check<ShapeError>(inputs.size() == wanted, "engine: the model has ", wanted, " inputs, got ",
                      inputs.size(), ".");
    std::vector<Tensor> x;
    for (std::size_t port = 0; port < inputs.size(); ++port) x.push_back(fitting(inputs, port));
    return models_[0].output_dtype() == LNT_F32 ? run_all<float>(x) : run_all<std::int32_t>(x);
  }
  void use_plain_kernels() {
    for (runtime::Model& model : models_) model.set_isa(LNT_SCALAR);
  }
  std::size_t arena_bytes() const { return models_[0].info().arena_bytes; }

 private:
  /// As the runtime takes it: f32 or i32; samples of any shape with the right number of elements.
  Tensor fitting(std::span<const Tensor> inputs, std::size_t port) const {
    const Tensor& x = inputs[port];
    const auto at = static_cast<std::uint32_t>(port);
    const bool whole = !is_float(x.dtype());
    check<DTypeError>(models_[0].input_dtype(at) == (whole ? LNT_I32 : LNT_F32), "engine: input ", port,
                      " is of another type than the model takes, got ", x.dtype(), ".");
    const Shape shape = shape_of(models_[0].input_shape(at), x.rank() > 0 ? x.dim(0) : 0);
    check<ShapeError>(x.size() == shape.size() && x.rank() > 0 && x.dim(0) == inputs[0].dim(0),
                      "engine: input ", port, " must have shape ", shape, ", got ", x.shape(), ".");
    return x.to(whole ? i32 : f32);
  }

  template <class T>
  static void write(runtime::Model& model, const Tensor& x, std::uint32_t port, std::int64_t sample) {
    const auto to = model.input<T>(port);
    std::memcpy(to.data(), x.data<T>().data() + static_cast<std::size_t>(sample) * to.size(),
                to.size() * sizeof(T));
  }

  /// Sample i by the model i % lanes, whatever the threads.
  template <class T>
  Tensor run_all(const std::vector<Tensor>& x) {
    const std::int64_t samples = x[0].dim(0), lanes = static_cast<std::int64_t>(models_.size());
    Tensor y =
        Tensor::empty(shape_of(models_[0].output_shape(), samples), std::is_same_v<T, float> ? f32 : i32);
    const std::span<T> to = y.mutable_data<T>();
    parallel_for(lanes, kManyOperations, [&](std::int64_t lane) {
      runtime::Model& model = models_[static_cast<std::size_t>(lane)];
      for (std::int64_t i = lane; i < samples; i += lanes) {
        for (std::uint32_t port = 0; port < x.size(); ++port) {
          if (x[port].dtype() == f32)
            write<float>(model, x[port], port, i);
          else
            write<std::int32_t>(model, x[port], port, i);
        }
        run_one(model);
        const auto from = model.output<T>();
        std::copy(from.begin(), from.end(), to.begin() + i * static_cast<std::int64_t>(from.size()));
      }
    });
    return y;
  }

  static void run_one(runtime::Model& model) {
    try {
      model.run();
    } catch (const runtime::Error& error) {
      fail<ValueError>("engine: ", error.what());
    }
  }

  std::vector<runtime::Model> models_;
};

Engine::Engine(std::span<const std::uint8_t> image, int lanes) {
  check<ValueError>(lanes >= 1, "engine: lanes must be at least 1, got ", lanes, ".");
  try {
    impl_ = std::make_unique<Impl>(image, lanes);
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
  const Node* node = graph.writer(graph.output());
  while (node != nullptr && node->op == Op::reshape) node = graph.writer(node->inputs[0]);
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

/// A model and its exported file.
class Comparison {
 public:
  explicit Comparison(const graph::GraphModule& model)
      : step_(static_cast<double>(output_grid(model).scale)),
        simulated_(model.graph(), model.state()),
        engine_(build(model.graph(), model.state(), {.golden_cases = 0}).bytes, num_threads()) {
    simulated_.eval();
  }

  void add(std::span<const Tensor> inputs, Agreement& result) {
    const NoGrad no_grad;
    const Tensor integers = engine_.run(inputs), reals = simulated_.forward(inputs);
    check<ShapeError>(integers.shape() == reals.shape(), "agreement: the model gives ", reals.shape(),
                      ", on the board ", integers.shape(), ".");
    result.outputs += reals.size();
    result.samples += reals.dim(0);
    const auto a = integers.data<float>(), b = reals.data<float>();
    for (std::size_t i = 0; i < a.size(); ++i) {
      const double steps = std::fabs(static_cast<double>(a[i]) - static_cast<double>(b[i])) / step_;
      result.within_one_step += steps < 1.5;
      result.equal += steps < 0.5;
      result.largest_steps = std::max(result.largest_steps, steps);
    }
    const std::ptrdiff_t size = reals.size() / std::max<std::int64_t>(1, reals.dim(0));
    for (auto [p, q] = std::pair(a.begin(), b.begin()); p != a.end(); p += size, q += size)
      result.same_largest += std::max_element(p, p + size) - p == std::max_element(q, q + size) - q;
  }

 private:
  double step_;
  graph::GraphModule simulated_;
  Engine engine_;
};

}  // namespace

bool rounds_output(const graph::Graph& graph) { return rounding_of_output(graph) != nullptr; }

Agreement agreement(const graph::GraphModule& model, std::span<const Tensor> inputs) {
  Agreement result;
  Comparison(model).add(inputs, result);
  return result;
}

Agreement agreement(const graph::GraphModule& model, const Tensor& x) {
  return agreement(model, std::span(&x, 1));
}

Agreement agreement(const graph::GraphModule& model, const data::Dataset& dataset) {
  Agreement result;
  Comparison comparison(model);
  data::over_batches(
      dataset, [&](const data::Batch& batch) { comparison.add(std::span(&batch.x, 1), result); }, kBatch);
  return result;
}

}  // namespace linnet::deploy
