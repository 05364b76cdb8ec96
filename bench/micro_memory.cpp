// SPDX-License-Identifier: Apache-2.0
// What goes over memory: elementwise ops, softmax and losses, pooling, normalisation, dropout, optimizers,
// reductions. Bytes are those of arguments and results, each counted once. Tensors of 2^16 numbers lie in a
// cache, where a share of memory's speed above 1 is right; those of 2^23 do not.
#include "linnet/core/kernels/elementwise.h"
#include "linnet/core/kernels/loss.h"
#include "linnet/core/kernels/norm.h"
#include "linnet/core/kernels/optimizer.h"
#include "linnet/core/kernels/pool.h"
#include "linnet/core/kernels/random_fill.h"
#include "linnet/core/kernels/reduce.h"
#include "linnet/core/kernels/softmax.h"
#include "micro.h"

using namespace linnet;
using bench::bytes_of;
using bench::numbers;

namespace {

/// Calls make() again and again; it moves so many bytes.
template <class Make>
void run(benchmark::State& state, double bytes, Make make) {
  const bench::Meter meter(state);
  for (auto _ : state) benchmark::DoNotOptimize(make().impl());
  meter.put_bytes(bytes);
}

void sizes(benchmark::internal::Benchmark* b) {
  b->Arg(1 << 16)->Arg(1 << 23)->Unit(benchmark::kMicrosecond);
}

// ---- elementwise

void unary(benchmark::State& state, Op op) {
  const Tensor x = numbers({state.range(0)}, 0.1, 2.0);
  run(state, 2 * bytes_of({x}), [&] { return kernels::unary(op, x, 1.0, 1.0); });
}
void unary_gradient(benchmark::State& state, Op op) {
  const Tensor x = numbers({state.range(0)}, 0.1, 2.0), dy = numbers(x.shape());
  const Tensor y = kernels::unary(op, x, 1.0, 1.0);
  run(state, 3 * bytes_of({x}), [&] { return kernels::unary_grad(op, x, y, dy, 1.0, 1.0); });
}
// One benchmark a row of unary.def, and the gradient of each.
#define UNARY(name, ...)                                  \
  BENCHMARK_CAPTURE(unary, name, Op::name)->Apply(sizes); \
  BENCHMARK_CAPTURE(unary_gradient, name, Op::name)->Apply(sizes);
#define UNARY1 UNARY
#define UNARY2 UNARY
#include "linnet/core/ops/unary.def"
#undef UNARY
#undef UNARY1
#undef UNARY2

void binary(benchmark::State& state, Op op) {
  const Tensor a = numbers({state.range(0)}, 0.1, 2.0), b = numbers({state.range(0)}, 0.1, 2.0);
  run(state, 3 * bytes_of({a}), [&] { return kernels::binary(op, a, b); });
}
#define BINARY(name, ...) BENCHMARK_CAPTURE(binary, name, Op::name)->Apply(sizes);
#include "linnet/core/ops/binary.def"
#undef BINARY

void sum(benchmark::State& state) {
  const Tensor x = numbers({state.range(0)});
  run(state, bytes_of({x}), [&] { return kernels::sum(x); });
}
BENCHMARK(sum)->Apply(sizes);

void sum_of_rows(benchmark::State& state) {
  const Tensor x = numbers({state.range(0) / 64, 64});
  run(state, bytes_of({x}), [&] { return kernels::sum(x, 0); });
}
BENCHMARK(sum_of_rows)->Apply(sizes);

void dropout(benchmark::State& state) {
  const Tensor x = numbers({state.range(0)});
  run(state, 2 * bytes_of({x}), [&] { return kernels::dropout(x, 0.2, {1, 2}); });
}
BENCHMARK(dropout)->Apply(sizes);

// ---- softmax and losses

void softmax(benchmark::State& state) {
  const Tensor x = numbers({state.range(0), state.range(1)});
  run(state, 2 * bytes_of({x}), [&] { return kernels::softmax(x, 1); });
}
BENCHMARK(softmax)->Args({32, 10})->Args({4096, 10})->Args({4096, 1000})->Unit(benchmark::kMicrosecond);

void cross_entropy(benchmark::State& state) {
  const std::int64_t rows = state.range(0), classes = state.range(1);
  const Tensor z = numbers({rows, classes}), labels = Tensor::zeros({rows}, i64), one = Tensor::full({}, 1.0);
  run(state, 3 * bytes_of({z}), [&] {
    return kernels::cross_entropy_grad(kernels::cross_entropy(z, labels).probabilities, labels, one);
  });
}
BENCHMARK(cross_entropy)->Args({32, 10})->Args({4096, 10})->Args({4096, 1000})->Unit(benchmark::kMicrosecond);

void mse(benchmark::State& state) {
  const Tensor a = numbers({state.range(0)}), b = numbers({state.range(0)});
  run(state, bytes_of({a, b}), [&] { return kernels::elementwise_loss(kernels::Loss::mse, a, b); });
}
BENCHMARK(mse)->Apply(sizes);

// ---- pooling: the maps of cnn at batch 32
// ------------------------------------------------------------------

void max_pool2d(benchmark::State& state) {
  const Tensor x = numbers({32, state.range(0), state.range(0), state.range(1)});
  const Window window = make_window("max_pool2d", x.shape(), 2, 2, 1, {});
  const kernels::MaxPool pool = kernels::max_pool2d(x, window, true);
  run(state, bytes_of({x, pool.y, pool.index}), [&] { return kernels::max_pool2d(x, window, true).y; });
}
void max_pool2d_gradient(benchmark::State& state) {
  const Tensor x = numbers({32, state.range(0), state.range(0), state.range(1)});
  const Window window = make_window("max_pool2d", x.shape(), 2, 2, 1, {});
  const kernels::MaxPool pool = kernels::max_pool2d(x, window, true);
  run(state, bytes_of({x, pool.y, pool.index}),
      [&] { return kernels::max_pool2d_grad(pool.y, pool.index, x.shape(), window); });
}
void avg_pool2d(benchmark::State& state) {
  const Tensor x = numbers({32, state.range(0), state.range(0), state.range(1)});
  const Window window = make_window("avg_pool2d", x.shape(), 2, 2, 1, {});
  run(state, 1.25 * bytes_of({x}), [&] { return kernels::avg_pool2d(x, window); });
}
BENCHMARK(max_pool2d)->Args({26, 32})->Args({11, 64})->Unit(benchmark::kMicrosecond);
BENCHMARK(max_pool2d_gradient)->Args({26, 32})->Args({11, 64})->Unit(benchmark::kMicrosecond);
BENCHMARK(avg_pool2d)->Args({26, 32})->Unit(benchmark::kMicrosecond);

// ---- batch-norm: some maps of mobilenet at batch 16
// --------------------------------------------------------

void batch_norm(benchmark::State& state) {
  const std::int64_t channels = state.range(1);
  const Tensor x = numbers({16, state.range(0), state.range(0), channels}),
               weight = numbers({channels}, 0.5, 1.5), bias = numbers({channels});
  const kernels::NormShape shape{1, x.size() / channels, channels, channels};
  run(state, 3 * bytes_of({x}), [&] {
    return kernels::normalize(x, shape, kernels::normalizer(kernels::moments(x, shape), 1e-5), weight, bias);
  });
}
void batch_norm_gradient(benchmark::State& state) {
  const std::int64_t channels = state.range(1);
  const Tensor x = numbers({16, state.range(0), state.range(0), channels}),
               weight = numbers({channels}, 0.5, 1.5);
  const kernels::NormShape shape{1, x.size() / channels, channels, channels};
  const kernels::Normalizer by = kernels::normalizer(kernels::moments(x, shape), 1e-5);
  run(state, 5 * bytes_of({x}), [&] { return kernels::normalize_grad(x, x, shape, by, weight, {}, {}).x; });
}
BENCHMARK(batch_norm)->Args({48, 8})->Args({24, 32})->Args({6, 128})->Unit(benchmark::kMicrosecond);
BENCHMARK(batch_norm_gradient)->Args({48, 8})->Args({24, 32})->Args({6, 128})->Unit(benchmark::kMicrosecond);

// ---- optimizers -----------------------------------------------------------------------------------------

void adam(benchmark::State& state) {
  Tensor w = numbers({state.range(0)}), m = Tensor::zeros(w.shape()), v = Tensor::zeros(w.shape());
  const Tensor g = numbers(w.shape());
  run(state, 7 * bytes_of({w}), [&] {
    kernels::adam_update(w, g, m, v,
                         {.lr = 1e-3,
                          .beta1 = 0.9,
                          .beta2 = 0.999,
                          .eps = 1e-8,
                          .weight_decay = 0.0,
                          .decoupled = false,
                          .correction1 = 0.1,
                          .correction2 = 0.001});
    return w;
  });
}
void sgd(benchmark::State& state) {
  Tensor w = numbers({state.range(0)}), velocity = Tensor::zeros(w.shape());
  const Tensor g = numbers(w.shape());
  run(state, 5 * bytes_of({w}), [&] {
    kernels::sgd_update(w, g, velocity,
                        {.lr = 1e-3,
                         .momentum = 0.9,
                         .dampening = 0.0,
                         .weight_decay = 0.0,
                         .nesterov = false,
                         .first = false});
    return w;
  });
}
void amsgrad(benchmark::State& state) {
  Tensor w = numbers({state.range(0)}), m = Tensor::zeros(w.shape()), v = Tensor::zeros(w.shape()),
         v_max = Tensor::zeros(w.shape());
  const Tensor g = numbers(w.shape());
  run(state, 9 * bytes_of({w}), [&] {
    kernels::adam_update(w, g, m, v,
                         {.lr = 1e-3,
                          .beta1 = 0.9,
                          .beta2 = 0.999,
                          .eps = 1e-8,
                          .weight_decay = 0.01,
                          .decoupled = true,
                          .correction1 = 0.1,
                          .correction2 = 0.001},
                         &v_max);
    return w;
  });
}
void nadam(benchmark::State& state) {
  Tensor w = numbers({state.range(0)}), m = Tensor::zeros(w.shape()), v = Tensor::zeros(w.shape());
  const Tensor g = numbers(w.shape());
  run(state, 7 * bytes_of({w}), [&] {
    kernels::nadam_update(w, g, m, v,
                          {.lr = 1e-3,
                           .beta1 = 0.9,
                           .beta2 = 0.999,
                           .eps = 1e-8,
                           .weight_decay = 0.0,
                           .moment_share = 0.5,
                           .gradient_share = 0.5,
                           .correction2 = 0.001});
    return w;
  });
}
void rmsprop(benchmark::State& state) {
  Tensor w = numbers({state.range(0)}), square = Tensor::zeros(w.shape());
  const Tensor g = numbers(w.shape());
  run(state, 5 * bytes_of({w}), [&] {
    kernels::rmsprop_update(w, g, square, nullptr, nullptr,
                            {.lr = 1e-3, .alpha = 0.99, .eps = 1e-8, .weight_decay = 0.0, .momentum = 0.0});
    return w;
  });
}
void adagrad(benchmark::State& state) {
  Tensor w = numbers({state.range(0)}), sum = Tensor::zeros(w.shape());
  const Tensor g = numbers(w.shape());
  run(state, 5 * bytes_of({w}), [&] {
    kernels::adagrad_update(w, g, sum, {.rate = 1e-3, .eps = 1e-10, .weight_decay = 0.0});
    return w;
  });
}
void lion(benchmark::State& state) {
  Tensor w = numbers({state.range(0)}), m = Tensor::zeros(w.shape());
  const Tensor g = numbers(w.shape());
  run(state, 5 * bytes_of({w}), [&] {
    kernels::lion_update(w, g, m, {.lr = 1e-4, .beta1 = 0.9, .beta2 = 0.99, .weight_decay = 0.1});
    return w;
  });
}
void ema(benchmark::State& state) {
  Tensor average = numbers({state.range(0)});
  const Tensor w = numbers(average.shape());
  run(state, 3 * bytes_of({w}), [&] {
    kernels::ema_update(average, w, 0.999);
    return average;
  });
}
BENCHMARK(adam)->Arg(100'352)->Arg(1 << 22)->Unit(benchmark::kMicrosecond);
BENCHMARK(amsgrad)->Arg(100'352)->Arg(1 << 22)->Unit(benchmark::kMicrosecond);
BENCHMARK(nadam)->Arg(100'352)->Arg(1 << 22)->Unit(benchmark::kMicrosecond);
BENCHMARK(rmsprop)->Arg(100'352)->Arg(1 << 22)->Unit(benchmark::kMicrosecond);
BENCHMARK(adagrad)->Arg(100'352)->Arg(1 << 22)->Unit(benchmark::kMicrosecond);
BENCHMARK(lion)->Arg(100'352)->Arg(1 << 22)->Unit(benchmark::kMicrosecond);
BENCHMARK(ema)->Arg(100'352)->Arg(1 << 22)->Unit(benchmark::kMicrosecond);
BENCHMARK(sgd)->Arg(100'352)->Arg(1 << 22)->Unit(benchmark::kMicrosecond);

}  // namespace
