// SPDX-License-Identifier: Apache-2.0
// The integer ops: operands and parameters of runtime/format_int8.h.
#include <algorithm>
#include <cmath>

#include "linnet/autograd/autograd.h"
#include "linnet/autograd/recorder.h"
#include "linnet/core/find_op.h"
#include "linnet/deploy/quantized_writer.h"
#include "linnet/runtime/format.h"

namespace linnet::deploy {

using graph::Node;

namespace {

Tensor as_tensor(const std::vector<std::int32_t>& sums) {
  return Tensor::from(sums, {static_cast<std::int64_t>(sums.size())});
}

double scale_of(const Quantizer& grid) { return static_cast<double>(grid.scale); }

/// What an activation that limits leaves of the integers of y.
void limit(Quantizer& y, Op op, const State& attributes) {
  const auto step = [&](double real) {
    return static_cast<int>(
        std::clamp(std::nearbyint(real / scale_of(y)) + y.zero, double(y.low), double(y.high)));
  };
  const double low = op == Op::clamp ? attributes["p"].real() : 0.0;
  const int lowest = step(low), highest = op == Op::relu    ? y.high
                                          : op == Op::relu6 ? step(6.0)
                                                            : step(attributes["q"].real());
  y.low = lowest;
  y.high = std::max(lowest, highest);
}

}  // namespace

Quantizer QuantizedWriter::limited(const Node& rounding) const {
  Quantizer y = *plan_.grid(rounding.output);
  const QuantizedNode& plan = plan_.at(rounding);
  if (plan.clamp != nullptr) limit(y, plan.clamp->op, plan.clamp->attributes);
  const StateValue* fused = plan.core != nullptr ? plan.core->attributes.find("activation") : nullptr;
  if (fused != nullptr) limit(y, *find_op(fused->text()), plan.core->attributes);
  return y;
}

void QuantizedWriter::append_range(Params& params, const Node& rounding) const {
  const Quantizer y = limited(rounding);
  params.push_back(static_cast<std::uint32_t>(y.low));
  params.push_back(static_cast<std::uint32_t>(y.high));
}

void QuantizedWriter::append_factor(Params& params, double factor) {
  const lnt_multiplier m = multiplier(factor);
  params.push_back(static_cast<std::uint32_t>(m.value));
  params.push_back(static_cast<std::uint32_t>(m.shift));
}

void QuantizedWriter::add_core(const Node& rounding, const Node& core) {
  switch (core.op) {
    case Op::dense:
    case Op::conv2d:
      return add_product(rounding, core);
    case Op::avg_pool2d:
    case Op::mean:
      return add_average(rounding, core);
    case Op::concat:
      return add_parts(rounding, core);
    case Op::lstm:
    case Op::gru:
      return add_recurrent(rounding, core);
    case Op::softmax:
      return write_integers(
          rounding, LNT_I8_SOFTMAX,
          {integer_slot(core.inputs[0]), table(softmax_table(plan_.grid(core.inputs[0])->scale), LNT_I32)},
          {static_cast<std::uint32_t>(core.attributes["axis"].integer())});
    default: {
      const bool two = core.inputs.size() == 2 && plan_.grid(core.inputs[0]) && plan_.grid(core.inputs[1]);
      return two ? add_arithmetic(rounding, core) : add_lookup(rounding, core);
    }
  }
}

void QuantizedWriter::add_product(const Node& rounding, const Node& core) {
  const Tensor bias = core.inputs.size() > 2 ? contents(of_.sources[core.inputs[2]]) : Tensor();
  IntegerProduct product = integer_product(weights_of(core.inputs[1]), bias, *plan_.grid(core.inputs[0]),
                                           *plan_.grid(rounding.output), graph::Graph::op_name(core));
  const std::vector<int> reads{integer_slot(core.inputs[0]),
                               weight_slot(product.weights, std::move(product.factors)),
                               table(as_tensor(product.sums), LNT_I32)};
  Params params = core.op == Op::conv2d ? window_params(core, graph::attributes_at(core, 1)) : Params{};
  append_range(params, rounding);
  write_integers(rounding, core.op == Op::conv2d ? LNT_I8_CONV2D : LNT_I8_DENSE, reads, params);
}

/// A mean to another scale. Of whole windows it is a depthwise convolution with ones, rounded once; at
/// borders the windows are of different sizes, and it is rounded twice.
void QuantizedWriter::add_average(const Node& rounding, const Node& core) {
  const Quantizer &x = *plan_.grid(core.inputs[0]), &y = *plan_.grid(rounding.output);
  const State attributes = graph::attributes_at(core, 1);
  const Params pool = pool_params(core, attributes);
  const int from = image_slot(core);
  const Shape image = program_.slots[from].shape;
  const Shape places = core.op == Op::mean ? Shape{image[0], 1, 1, image[3]} : of_.shapes[core.output];
  const bool whole =
      std::all_of(pool.begin() + LNT_AT_PADS, pool.end(), [](std::uint32_t pad) { return pad == 0; });
  const int to = new_integers(places, y);
  if (whole) {
    const std::int64_t h = pool[0], w = pool[1], channels = image[3];
    const auto one = static_cast<float>(1.0 / static_cast<double>(h * w));
    IntegerProduct product =
        integer_product({Tensor::full({channels, h, w, 1}, 1.0, i8), {one}}, {}, x, y, "mean");
    Params params{pool[2], pool[3], 1, 1, 0, 0, 0, 0, static_cast<std::uint32_t>(channels)};
    append_range(params, rounding);
    append_step(LNT_I8_CONV2D,
                {from, weight_slot(product.weights, std::move(product.factors)),
                 table(as_tensor(product.sums), LNT_I32)},
                to, params);
  } else {
    const int mean = new_integers(places, x);
    append_step(LNT_I8_AVG_POOL2D, {from}, mean, pool);
    Params params;
    append_factor(params, scale_of(x) / scale_of(y));
    append_range(params, rounding);
    append_step(LNT_I8_REQUANTIZE, {mean}, to, params);
  }
  if (places == of_.shapes[rounding.output])
    slots_[{rounding.output, kInteger}] = to;
  else
    write_integers(rounding, LNT_RESHAPE, {to}, {});
}

void QuantizedWriter::add_lookup(const Node& rounding, const Node& core) {
  const State attributes = graph::attributes_at(core, 1);
  int from = -1;
  for (int input : core.inputs)
    if (plan_.grid(input) != nullptr) from = input;
  const auto function = [&](const Tensor& reals) {
    const NoGrad no_grad;
    std::vector<Tensor> inputs;
    for (int input : core.inputs)
      inputs.push_back(input == from ? reals : contents(of_.sources[input]).to(f64).view({1}));
    return apply_op(core.op, {.inputs = inputs, .attributes = attributes});
  };
  const Tensor values = lookup_table(*plan_.grid(from), limited(rounding), function);
  write_integers(rounding, LNT_I8_LOOKUP, {integer_slot(from), table(values, LNT_I8)}, {});
}

void QuantizedWriter::add_arithmetic(const Node& rounding, const Node& core) {
  const double a = scale_of(*plan_.grid(core.inputs[0])), b = scale_of(*plan_.grid(core.inputs[1])),
               y = scale_of(*plan_.grid(rounding.output)), larger = 2.0 * std::max(a, b);
  const std::vector<int> reads{integer_slot(core.inputs[0]), integer_slot(core.inputs[1])};
  Params params;
  if (core.op == Op::mul) {
    append_factor(params, a * b / y);
  } else {
    for (double factor : {a / larger, b / larger, larger / (0x1p20 * y)}) append_factor(params, factor);
  }
  append_range(params, rounding);
  const std::uint16_t opcode = core.op == Op::mul ? LNT_I8_MUL : core.op == Op::add ? LNT_I8_ADD : LNT_I8_SUB;
  write_integers(rounding, opcode, reads, params);
}

/// Parts of another scale or zero come to that of the result first.
void QuantizedWriter::add_parts(const Node& rounding, const Node& core) {
  const Quantizer& y = *plan_.grid(rounding.output);
  std::vector<int> parts;
  for (int input : core.inputs) {
    const Quantizer& x = *plan_.grid(input);
    int part = integer_slot(input);
    if (!(x == y)) {
      Params params;
      append_factor(params, scale_of(x) / scale_of(y));
      append_range(params, rounding);
      const int from = part;
      part = new_integers(of_.shapes[input], y);
      append_step(LNT_I8_REQUANTIZE, {from}, part, params);
    }
    parts.push_back(part);
  }
  const std::int64_t axis = core.attributes["axis"].integer();
  write_integers(rounding, LNT_CONCAT, few_parts(std::move(parts), axis), {static_cast<std::uint32_t>(axis)});
}

/// factors of x: s_x s_w 2^11; of h, whose scale is 1/128: s_w 2^4.
void QuantizedWriter::add_recurrent(const Node& rounding, const Node& core) {
  const bool gru = core.op == Op::gru;
  const Quantizer& x = *plan_.grid(core.inputs[0]);
  const Quantizer gates{0x1p-11f, 0, -128, 127};
  const Quantizer state{0x1p-7f, 0, -128, 127};
  IntegerProduct from_x = integer_product(weights_of(core.inputs[1]), {}, x, gates, "recurrent layer");
  IntegerProduct from_h = integer_product(weights_of(core.inputs[2]), {}, state, gates, "recurrent layer");
  std::vector<int> reads{integer_slot(core.inputs[0]), weight_slot(from_x.weights, std::move(from_x.factors)),
                         weight_slot(from_h.weights, std::move(from_h.factors)),
                         table(as_tensor(from_x.sums), LNT_I32)};
  for (std::size_t i = 3; i < core.inputs.size(); ++i)
    reads.push_back(table(gate_biases(contents(of_.sources[core.inputs[i]])), LNT_I16));
  reads.push_back(gate(LNT_SIGMOID));
  reads.push_back(gate(LNT_TANH));
  Params params{recurrent_flags(core, graph::attributes_at(core, 1))};
  if (!gru) params.push_back(static_cast<std::uint32_t>(cell_bits(of_.shapes[core.inputs[0]][1])));
  write_integers(rounding, gru ? LNT_I8_GRU : LNT_I8_LSTM, reads, params,
                 (gru ? 9 : 11) * of_.shapes[core.inputs[2]][1]);
}

int QuantizedWriter::gate(int opcode) {
  const auto known = gate_tables_.find(opcode);
  if (known != gate_tables_.end()) return known->second;
  const Tensor values =
      gate_table(opcode == LNT_SIGMOID ? sigmoid_of : +[](double x) { return std::tanh(x); });
  return gate_tables_[opcode] = table(values, LNT_I16);
}

}  // namespace linnet::deploy
