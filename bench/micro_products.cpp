// SPDX-License-Identifier: Apache-2.0
// What multiplies: matrix products beside OpenBLAS, convolutions and their gradients, recurrent layers.
#include "linnet/core/isa.h"
#include "linnet/core/kernels/blas.h"
#include "linnet/core/kernels/conv.h"
#include "linnet/core/kernels/matmul.h"
#include "linnet/core/kernels/recurrent.h"
#include "micro.h"

using namespace linnet;

namespace {

// ---- matrix products: [rows, terms] x [terms, columns] --------------------------------------------------

enum Form { nn, nt, tn };

void matmul(benchmark::State& state, Form form, bool blas) {
  const std::int64_t rows = state.range(0), columns = state.range(1), terms = state.range(2);
  const Tensor a = bench::numbers(form == tn ? Shape{terms, rows} : Shape{rows, terms});
  const Tensor b = bench::numbers(form == nt ? Shape{columns, terms} : Shape{terms, columns});
  if (blas) {
    if (!kernels::blas::available()) return state.SkipWithError("built without BLAS");
    set_matmul_uses_blas(true);
  }
  const bench::Meter meter(state);
  for (auto _ : state)
    benchmark::DoNotOptimize(
        kernels::matmul(a, b, {.transpose_a = form == tn, .transpose_b = form == nt}).impl());
  set_matmul_uses_blas(false);
  meter.put_flop(2.0 * static_cast<double>(rows * columns * terms));
}

/// Layers of the workloads, and the shapes of a pointwise convolution for few and many channels.
void forward_shapes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"M", "N", "K"});
  for (const std::int64_t batch : {1, 8, 32, 128}) b->Args({batch, 128, 784});
  b->Args({32, 200, 50})->Args({1600, 200, 50});
  for (const auto& [n, k] : {std::pair{8, 8},
                             {16, 8},
                             {16, 16},
                             {16, 32},
                             {16, 64},
                             {32, 8},
                             {32, 32},
                             {32, 128},
                             {64, 16},
                             {64, 64},
                             {64, 288},
                             {128, 128}})
    b->Args({1152, n, k});
}
void weight_gradient_shapes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"M", "N", "K"});
  b->Args({128, 784, 32})
      ->Args({128, 784, 128})
      ->Args({200, 50, 1600})
      ->Args({16, 8, 36'864})
      ->Args({64, 64, 2304});
}
void square_shapes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"M", "N", "K"});
  for (const std::int64_t n : {64, 256, 512}) b->Args({n, n, n});
}

BENCHMARK_CAPTURE(matmul, nt, nt, false)->Apply(forward_shapes);
BENCHMARK_CAPTURE(matmul, nt_openblas, nt, true)->Apply(forward_shapes);
BENCHMARK_CAPTURE(matmul, tn, tn, false)->Apply(weight_gradient_shapes);
BENCHMARK_CAPTURE(matmul, tn_openblas, tn, true)->Apply(weight_gradient_shapes);
BENCHMARK_CAPTURE(matmul, nn, nn, false)->Apply(square_shapes);
BENCHMARK_CAPTURE(matmul, nn_openblas, nn, true)->Apply(square_shapes);

// ---- convolutions
// ------------------------------------------------------------------------------------------

enum Pass { output, input_gradient, weight_gradient };

/// Batch, side, channels in and out, kernel, stride, groups.
void conv2d(benchmark::State& state, Pass pass) {
  const std::int64_t n = state.range(0), side = state.range(1), in = state.range(2), out = state.range(3),
                     kernel = state.range(4), stride = state.range(5), groups = state.range(6);
  const Shape x_shape{n, side, side, in}, w_shape{out, kernel, kernel, in / groups};
  const bool valid = in == 1 || groups == 1;
  const Window window = make_window("conv2d", x_shape, Pair(kernel, kernel), Pair(stride, stride), 1,
                                    valid && kernel > 1 && stride == 1 ? Padding() : Padding::same_size());
  const Tensor x = bench::numbers(x_shape), weight = bench::numbers(w_shape), bias = bench::numbers({out});
  const Tensor dy = bench::numbers({n, window.out.h, window.out.w, out});
  const bench::Meter meter(state);
  for (auto _ : state) {
    if (pass == output) benchmark::DoNotOptimize(kernels::conv2d(x, weight, bias, window, groups).impl());
    if (pass == input_gradient)
      benchmark::DoNotOptimize(kernels::conv2d_grad_input(dy, weight, x_shape, window, groups).impl());
    if (pass == weight_gradient)
      benchmark::DoNotOptimize(kernels::conv2d_grad_weight(dy, x, w_shape, window, groups).impl());
  }
  meter.put_flop(2.0 * static_cast<double>(dy.size() * w_shape.product(1, 4)));
}

/// The layers of cnn at batch 32, some of mobilenet at batch 16.
void conv_shapes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"n", "side", "in", "out", "k", "s", "g"});
  b->Args({32, 28, 1, 32, 3, 1, 1})->Args({32, 13, 32, 64, 3, 1, 1});
  b->Args({16, 96, 3, 8, 3, 2, 1});
  b->Args({16, 48, 8, 8, 3, 1, 8})->Args({16, 48, 16, 16, 3, 2, 16})->Args({16, 24, 32, 32, 3, 1, 32});
  b->Args({16, 6, 128, 128, 3, 1, 128});
  b->Args({16, 48, 8, 16, 1, 1, 1})->Args({16, 24, 32, 32, 1, 1, 1})->Args({16, 6, 128, 128, 1, 1, 1});
}
BENCHMARK_CAPTURE(conv2d, output, output)->Apply(conv_shapes)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(conv2d, input_gradient, input_gradient)->Apply(conv_shapes)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(conv2d, weight_gradient, weight_gradient)
    ->Apply(conv_shapes)
    ->Unit(benchmark::kMicrosecond);

// ---- recurrent layers: [32, 50, C] to 50 units
// -------------------------------------------------------------

void recurrent(benchmark::State& state, kernels::Cell cell, bool gradient) {
  const std::int64_t n = 32, steps = 50, in = state.range(0), units = 50, gates = kernels::gate_count(cell);
  kernels::RecurrentCall call;
  call.cell = cell;
  call.x = bench::numbers({n, steps, in});
  call.weight_x = bench::numbers({gates * units, in}, -0.2, 0.2);
  call.weight_h = bench::numbers({gates * units, units}, -0.2, 0.2);
  call.bias = bench::numbers({gates * units});
  if (cell == kernels::Cell::gru) call.bias_h = bench::numbers({units});
  const kernels::Recurrent result = kernels::recurrent(call, true);
  const Tensor dy = bench::numbers(result.y.shape());
  const bool gru = cell == kernels::Cell::gru;
  const bench::Meter meter(state);
  for (auto _ : state) {
    if (gradient)
      benchmark::DoNotOptimize(
          kernels::recurrent_grad(call, result.kept, dy, {true, true, true, true, gru, false, false}, false)
              .x.impl());
    else
      benchmark::DoNotOptimize(kernels::recurrent(call, true).y.impl());
  }
  meter.put_flop((gradient ? 4.0 : 2.0) * static_cast<double>(n * steps * gates * units * (in + units)));
}
BENCHMARK_CAPTURE(recurrent, lstm, kernels::Cell::lstm, false)
    ->Arg(8)
    ->Arg(50)
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(recurrent, lstm_gradient, kernels::Cell::lstm, true)
    ->Arg(8)
    ->Arg(50)
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(recurrent, gru, kernels::Cell::gru, false)->Arg(50)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(recurrent, gru_gradient, kernels::Cell::gru, true)->Arg(50)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(recurrent, rnn, kernels::Cell::rnn_tanh, false)->Arg(50)->Unit(benchmark::kMicrosecond);

}  // namespace
