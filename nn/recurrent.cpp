// SPDX-License-Identifier: Apache-2.0
#include "linnet/nn/recurrent.h"

#include "linnet/autograd/ops.h"
#include "linnet/core/profile_impl.h"
#include "linnet/nn/init.h"

namespace linnet::nn {
namespace {

RecurrentParams params_of(const RecurrentOptions& options, const RecurrentContext& context) {
  return {.h = context.h,
          .c = context.c,
          .mask = context.mask,
          .reverse = options.reverse,
          .sequence = options.return_sequences};
}

/// Row `place` of y [N, R, H] as [N, H].
Tensor row(const Tensor& y, std::int64_t place) {
  return slice(y, 1, place, place + 1).reshape({-1, y.dim(2)});
}

}  // namespace

Recurrent::Recurrent(const char* layer, std::int64_t in, std::int64_t units, std::int64_t gates,
                     const RecurrentOptions& options)
    : options_(options) {
  check<ValueError>(in >= 1 && units >= 1, layer, ": sizes must be at least 1: in ", in, ", units ", units,
                    ". `in` is the number of features of one step.");
  weight_x = initial_parameter(layer, init::glorot_uniform, {gates * units, in});
  weight_h = initial_parameter(layer, init::orthogonal, {gates * units, units});
  bias = initial_parameter(layer, init::zeros, {gates * units});
}

void Recurrent::members(Members& m) {
  m.parameter("weight_x", weight_x);
  m.parameter("weight_h", weight_h);
  m.parameter("bias", bias);
}

std::string Recurrent::describe_as(const char* layer) const {
  return concat({layer, " ", inputs(), " -> ", units(), return_sequences() ? ", sequences" : "",
                 reverse() ? ", reverse" : ""});
}

Tensor Recurrent::forward(const Tensor& x) { return run(x, {}, false); }

RecurrentResult Recurrent::operator()(const Tensor& x, const RecurrentContext& context) {
  profile::LayerScope profiled;
  if (profile::on()) [[unlikely]]
    profiled.begin(location());
  try {
    const Tensor y = run(x, context, has_cell());
    if (!return_sequences()) {
      if (!has_cell()) return {y, y, {}};
      const Tensor h = row(y, 0);
      return {h, h, row(y, 1)};
    }
    const std::int64_t steps = x.dim(1), last = reverse() ? 0 : steps - 1;
    if (!has_cell()) return {y, row(y, last), {}};
    return {slice(y, 1, 0, steps), row(y, last), row(y, steps)};
  } catch (Error& error) {
    error.set_module(location());
    throw;
  }
}

RNN::RNN(std::int64_t in, std::int64_t units, const RnnOptions& options)
    : Recurrent("RNN", in, units, 1,
                {.return_sequences = options.return_sequences, .reverse = options.reverse}),
      relu_(options.relu) {}

std::string RNN::describe() const { return describe_as("RNN") + (relu_ ? ", relu" : ""); }

Tensor RNN::run(const Tensor& x, const RecurrentContext& context, bool) {
  RecurrentParams params = params_of(options_, context);
  params.relu = relu_;
  return rnn(x, weight_x, weight_h, bias, params);
}

GRU::GRU(std::int64_t in, std::int64_t units, const RecurrentOptions& options)
    : Recurrent("GRU", in, units, 3, options), bias_h(initial_parameter("GRU", init::zeros, {units})) {}

void GRU::members(Members& m) {
  Recurrent::members(m);
  m.parameter("bias_h", bias_h);
}

std::string GRU::describe() const { return describe_as("GRU"); }

Tensor GRU::run(const Tensor& x, const RecurrentContext& context, bool) {
  return gru(x, weight_x, weight_h, bias, bias_h, params_of(options_, context));
}

LSTM::LSTM(std::int64_t in, std::int64_t units, const RecurrentOptions& options)
    : Recurrent("LSTM", in, units, 4, options) {
  for (std::int64_t j = units; j < 2 * units; ++j) bias.mutable_data<float>()[j] = 1.0f;  // keep at first
}

std::string LSTM::describe() const { return describe_as("LSTM"); }

Tensor LSTM::run(const Tensor& x, const RecurrentContext& context, bool cell_row) {
  RecurrentParams params = params_of(options_, context);
  params.cell_row = cell_row;
  return lstm(x, weight_x, weight_h, bias, params);
}

}  // namespace linnet::nn
