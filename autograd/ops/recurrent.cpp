// SPDX-License-Identifier: Apache-2.0
// rnn, gru, lstm: backpropagation through time inside one rule. With du the gradient of what a step's gates
// are functions of, for all steps at once:
//   dx = du weight_x,  dweight_x = du^T x,  dweight_h = du^T h',  dbias = sum of the rows of du.
#include "linnet/core/kernels/recurrent.h"

#include "linnet/autograd/ops/common.h"
#include "linnet/core/pool_vector.h"

namespace linnet {
namespace {

using kernels::Cell;

const char* op_name(Cell cell) { return cell == Cell::lstm ? "lstm" : cell == Cell::gru ? "gru" : "rnn"; }
Op op_of(Cell cell) { return cell == Cell::lstm ? Op::lstm : cell == Cell::gru ? Op::gru : Op::rnn; }

void check_part(const char* op, const char* part, const Tensor& t, const Tensor& x, const Shape& shape) {
  check<ValueError>(t.defined(), op, ": ", part, " is undefined.");
  check_same_dtype(op, "x", x, part, t);
  check<ShapeError>(t.shape() == shape, op, ": ", part, " must have shape ", shape, ", got ", t.shape(), ".");
}

void check_weights(const char* op, const kernels::RecurrentCall& call) {
  const std::int64_t gates = kernels::gate_count(call.cell);
  check_float(op, "x", call.x);
  check_rank(op, "x", call.x, 3);
  check<ShapeError>(call.x.dim(1) >= 1, op, ": x has no steps: ", call.x.shape(),
                    ". Sequences are [N, T, C].");
  check<ValueError>(call.weight_h.defined(), op, ": weight_h is undefined.");
  check_rank(op, "weight_h", call.weight_h, 2);
  const std::int64_t units = call.weight_h.dim(1), rows = gates * units;
  check<ShapeError>(call.weight_h.dim(0) == rows, op, ": weight_h must have ", gates,
                    " row(s) a column, got ", call.weight_h.shape(), ".");
  check_part(op, "weight_h", call.weight_h, call.x, {rows, units});
  check_part(op, "weight_x", call.weight_x, call.x, {rows, call.x.dim(2)});
  check_part(op, "bias", call.bias, call.x, {rows});
  if (call.cell == Cell::gru) check_part(op, "bias_h", call.bias_h, call.x, {units});
}

void check_states(const char* op, const kernels::RecurrentCall& call) {
  const bool lstm = call.cell == Cell::lstm;
  const Shape state{call.x.dim(0), call.weight_h.dim(1)}, steps{call.x.dim(0), call.x.dim(1)};
  check<ValueError>(lstm || (!call.c.defined() && !call.cell_row), op, ": only lstm has a c.");
  check<ValueError>(!lstm || call.h.defined() == call.c.defined(), op, ": ", call.h.defined() ? "c" : "h",
                    " is missing: give both states or none.");
  if (call.h.defined()) check_part(op, "h", call.h, call.x, state);
  if (call.c.defined()) check_part(op, "c", call.c, call.x, state);
  if (!call.mask.defined()) return;
  check<ShapeError>(call.mask.shape() == steps, op, ": mask must have shape ", steps, ", got ",
                    call.mask.shape(), ". One number a step, 0 where there is none.");
}

kernels::RecurrentCall make_call(Cell cell, const Tensor& x, const Tensor& weight_x, const Tensor& weight_h,
                                 const Tensor& bias, const RecurrentParams& params) {
  kernels::RecurrentCall call;
  call.cell = cell;
  call.x = x;
  call.weight_x = weight_x;
  call.weight_h = weight_h;
  call.bias = bias;
  call.reverse = params.reverse;
  call.sequence = params.sequence;
  call.cell_row = params.cell_row;
  call.h = params.h;
  call.c = params.c;
  call.mask = params.mask;
  return call;
}

State attributes_of(const kernels::RecurrentCall& call) {
  State state{{"reverse", call.reverse ? 1 : 0},
              {"sequence", call.sequence ? 1 : 0},
              {"masked", call.mask.defined() ? 1 : 0}};
  if (call.cell == Cell::lstm) state.set("cell_row", call.cell_row ? 1 : 0);
  if (call.cell == Cell::rnn_tanh || call.cell == Cell::rnn_relu)
    state.set("relu", call.cell == Cell::rnn_relu ? 1 : 0);
  return state;
}

/// Which inputs there are, in the order of the recorded node; places of those that are not given are -1.
struct Places {
  int bias_h = -1, h = -1, c = -1;
};

/// The rule. It holds no weights and inputs but as Saved, whose versions are checked.
struct RecurrentRule {
  kernels::RecurrentCall call;  ///< without tensors
  Saved x, weight_x, weight_h;
  kernels::RecurrentKept kept;
  Places places;

  void operator()(const Tensor& dy, Grads& grad) {
    if (!kept.h.defined()) return;  // only the mask asked, which has no gradient
    const auto wanted = [&](int place) { return place >= 0 && grad.wanted(place); };
    kernels::RecurrentCall now = call;
    now.x = *x;
    now.weight_x = *weight_x;
    now.weight_h = *weight_h;
    const kernels::RecurrentGrads all = kernels::recurrent_grad(now, kept, dy,
                                                                {.x = grad.wanted(0),
                                                                 .weight_x = grad.wanted(1),
                                                                 .weight_h = grad.wanted(2),
                                                                 .bias = grad.wanted(3),
                                                                 .bias_h = wanted(places.bias_h),
                                                                 .h = wanted(places.h),
                                                                 .c = wanted(places.c)},
                                                                grad.last_use());
    const auto add = [&](int place, const Tensor& gradient) {
      if (gradient.defined()) grad.add(place, gradient);
    };
    add(0, all.x);
    add(1, all.weight_x);
    add(2, all.weight_h);
    add(3, all.bias);
    add(places.bias_h, all.bias_h);
    add(places.h, all.h);
    add(places.c, all.c);
  }
};

Tensor run(const kernels::RecurrentCall& call) {
  check_weights(op_name(call.cell), call);
  check_states(op_name(call.cell), call);

  PoolVector<Tensor> inputs{call.x, call.weight_x, call.weight_h, call.bias};
  Places places;
  const auto give = [&](const Tensor& t) {
    if (!t.defined()) return -1;
    inputs.push_back(t);
    return static_cast<int>(inputs.size()) - 1;
  };
  places.bias_h = give(call.bias_h);
  places.h = give(call.h);
  places.c = give(call.c);
  bool keep = false;
  for (const Tensor& input : inputs) keep = keep || needed_by(input);
  give(call.mask);

  kernels::Recurrent result = kernels::recurrent(call, keep);
  RecurrentRule rule;
  if (keep) {
    rule.call.cell = call.cell;
    rule.call.reverse = call.reverse;
    rule.call.sequence = call.sequence;
    rule.call.cell_row = call.cell_row;
    rule.x = saved(call.x);
    rule.weight_x = saved(call.weight_x);
    rule.weight_h = saved(call.weight_h);
    rule.kept = std::move(result.kept);
    rule.places = places;
  }
  return record(
      op_of(call.cell), result.y, std::span<const Tensor>(inputs), [&] { return attributes_of(call); },
      std::move(rule));
}

}  // namespace

Tensor rnn(const Tensor& x, const Tensor& weight_x, const Tensor& weight_h, const Tensor& bias,
           const RecurrentParams& params) {
  return run(make_call(params.relu ? Cell::rnn_relu : Cell::rnn_tanh, x, weight_x, weight_h, bias, params));
}

Tensor gru(const Tensor& x, const Tensor& weight_x, const Tensor& weight_h, const Tensor& bias,
           const Tensor& bias_h, const RecurrentParams& params) {
  kernels::RecurrentCall call = make_call(Cell::gru, x, weight_x, weight_h, bias, params);
  call.bias_h = bias_h;
  return run(call);
}

Tensor lstm(const Tensor& x, const Tensor& weight_x, const Tensor& weight_h, const Tensor& bias,
            const RecurrentParams& params) {
  return run(make_call(Cell::lstm, x, weight_x, weight_h, bias, params));
}

}  // namespace linnet
