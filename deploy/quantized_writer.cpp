// SPDX-License-Identifier: Apache-2.0
#include "linnet/deploy/quantized_writer.h"

#include <algorithm>

#include "linnet/core/find_op.h"
#include "linnet/runtime/format.h"

namespace linnet::deploy {

using graph::Node;

namespace {

bool alike(const lnt_multiplier& a, const lnt_multiplier& b) {
  return a.value == b.value && a.shift == b.shift;
}

/// One scale when all rows have the same.
Quant entry_of(std::vector<float> scales, std::vector<lnt_multiplier> factors) {
  const bool one_scale = std::all_of(scales.begin(), scales.end(), [&](float s) { return s == scales[0]; });
  const bool one_factor = std::all_of(factors.begin(), factors.end(),
                                      [&](const lnt_multiplier& f) { return alike(f, factors[0]); });
  if (one_scale && one_factor) {
    scales.resize(1);
    factors.resize(std::min<std::size_t>(1, factors.size()));
  } else {
    scales.resize(std::max(scales.size(), factors.size()), scales[0]);
  }
  return {0, std::move(scales), std::move(factors)};
}

std::uint16_t integer_opcode(std::uint16_t opcode) {
  return opcode == LNT_MAX_POOL2D   ? std::uint16_t{LNT_I8_MAX_POOL2D}
         : opcode == LNT_AVG_POOL2D ? std::uint16_t{LNT_I8_AVG_POOL2D}
                                    : opcode;
}

/// For META, of integer ops and those that also move integers; "" of others, which ProgramWriter names.
std::string op_name(std::uint16_t opcode) {
  const bool moves = opcode == LNT_RESHAPE || opcode == LNT_TRANSPOSE || opcode == LNT_SLICE ||
                     opcode == LNT_CONCAT || opcode == LNT_PAD;
  if (opcode < LNT_QUANTIZE && !moves) return "";
  switch (opcode) {
#define OP(name, code, ...) \
  case code:                \
    return #name;
#include "linnet/runtime/ops.def"
#undef OP
  }
  return "";
}

}  // namespace

QuantizedWriter::QuantizedWriter(const LoweredGraph& of, const std::vector<const Node*>& needed)
    : ProgramWriter(of), plan_(of_, needed, [this](int value) { return contents(value); }) {}

void QuantizedWriter::add(const Node& node) {
  switch (plan_.at(node).role) {
    case Role::real:
      return ProgramWriter::add(node);
    case Role::inner:
      return;
    case Role::moves:
      return add_moving(node);
    case Role::rounds:
      return add_rounding(node);
    case Role::dynamic:
      return add_dynamic(node);
  }
}

Program QuantizedWriter::finish() {
  slot_of(of_.output, LNT_PLAIN);  // integers become f32
  for (const Step& step : program_.steps)
    if (const std::string op = op_name(step.opcode); !op.empty()) program_.ops.insert(op);
  return ProgramWriter::finish();
}

int QuantizedWriter::slot_of(int place, int layout) {
  place = of_.sources[place];
  const bool integers = plan_.grid(place) != nullptr;
  if (moving_ && integers) return integer_slot(place);
  const auto known = slots_.find({place, layout});
  if (known != slots_.end()) return known->second;
  if (!integers) {
    const int slot = ProgramWriter::slot_of(place, layout);
    if (plan_.rounded_weight(place)) program_.slots[slot].quant = entry_of(weights_of(place).scales, {});
    return slot;
  }
  const int to = new_slot(place == of_.output ? LNT_OUT : LNT_ACT, LNT_F32, of_.shapes[place]);
  append_step(LNT_DEQUANTIZE, {integer_slot(place)}, to, {});
  return slots_[{place, LNT_PLAIN}] = to;
}

int QuantizedWriter::new_integers(const Shape& shape, const Quantizer& grid) {
  const int slot = new_slot(LNT_ACT, LNT_I8, shape);
  program_.slots[slot].quant = Quant{grid.zero, {grid.scale}, {}};
  return slot;
}

int QuantizedWriter::table(const Tensor& contents, int dtype) {
  const int slot = new_slot(LNT_CONST, dtype, contents.shape());
  program_.slots[slot].contents = contents;
  return slot;
}

IntegerWeights QuantizedWriter::weights_of(int place) const {
  const Node& rounding = *plan_.rounded_weight(place);
  const Tensor ranges = contents(of_.sources[rounding.inputs[1]]);
  const int bits = static_cast<int>(rounding.attributes["bits"].integer());
  std::vector<float> scales;
  for (float range : ranges.data<float>())
    scales.push_back(symmetric_quantizer(static_cast<double>(range), bits).scale);
  return integer_weights(contents(of_.sources[place]), std::move(scales));
}

int QuantizedWriter::weight_slot(const IntegerWeights& weights, std::vector<lnt_multiplier> factors) {
  const int slot = table(weights.q, LNT_I8);
  program_.slots[slot].quant = entry_of(weights.scales, std::move(factors));
  return slot;
}

void QuantizedWriter::write(const Node& node, std::uint16_t opcode, std::vector<int> reads, Params params) {
  if (!moving_) return ProgramWriter::write(node, opcode, std::move(reads), std::move(params));
  const int to = new_integers(of_.shapes[node.output], *plan_.grid(node.output));
  slots_[{node.output, kInteger}] = to;
  append_step(integer_opcode(opcode), std::move(reads), to, std::move(params));
}

void QuantizedWriter::write_integers(const Node& rounding, std::uint16_t opcode, std::vector<int> reads,
                                     Params params, std::int64_t scratch) {
  const Node* core = plan_.at(rounding).core;
  const Quantizer& grid = *plan_.grid(rounding.output);
  const Shape &result = of_.shapes[rounding.output],
              &shape = core != nullptr ? of_.shapes[core->output] : result;
  int to = new_integers(shape, grid);
  append_step(opcode, std::move(reads), to, std::move(params));
  if (scratch > 0) add_scratch(scratch);
  if (!(shape == result)) {
    const int from = to;
    to = new_integers(result, grid);
    append_step(LNT_RESHAPE, {from}, to, {});
  }
  slots_[{rounding.output, kInteger}] = to;
}

int QuantizedWriter::image_slot(const Node& average) {
  const int from = integer_slot(average.inputs[0]);
  const Shape& x = of_.shapes[average.inputs[0]];
  if (x.rank() == 4) return from;
  const int image = new_integers({x[0], x[1], 1, x[2]}, *plan_.grid(average.inputs[0]));
  append_step(LNT_RESHAPE, {from}, image, {});
  return image;
}

void QuantizedWriter::add_moving(const Node& node) {
  moving_ = true;
  if (node.op != Op::mean) {
    ProgramWriter::add(node);
  } else {
    const int image = image_slot(node);
    const Shape x = program_.slots[image].shape;
    const int mean = new_integers({x[0], 1, 1, x[3]}, *plan_.grid(node.output));
    append_step(LNT_I8_AVG_POOL2D, {image}, mean, pool_params(node, graph::attributes_at(node, 1)));
    write(node, LNT_RESHAPE, {mean}, {});
  }
  moving_ = false;
}

void QuantizedWriter::add_rounding(const Node& rounding) {
  const int x = rounding.inputs[0];
  if (const Node* core = plan_.at(rounding).core) return add_core(rounding, *core);
  const Quantizer *from = plan_.grid(x), *to = plan_.grid(rounding.output);
  if (from == nullptr) return write_integers(rounding, LNT_QUANTIZE, {slot_of(x, LNT_PLAIN)}, {});
  if (*from == *to) {
    slots_[{rounding.output, kInteger}] = integer_slot(x);
    return;
  }
  Params params;
  append_factor(params, static_cast<double>(from->scale) / static_cast<double>(to->scale));
  append_range(params, rounding);
  write_integers(rounding, LNT_I8_REQUANTIZE, {integer_slot(x)}, params);
}

/// Bias and activation are f32, as for weights that are.
void QuantizedWriter::add_dynamic(const Node& node) {
  const State attributes = graph::attributes_at(node, 1);
  const int x = plan_.writer(node.inputs[0])->inputs[0];
  std::vector<int> reads{slot_of(x, LNT_PLAIN), weight_slot(weights_of(node.inputs[1]), {})};
  if (node.inputs.size() > 2) {
    check_weights(node, 2);
    reads.push_back(slot_of(node.inputs[2], LNT_PLAIN));
  }
  Params params = node.op == Op::conv2d ? window_params(node, attributes) : Params{};
  append_activation(params, attributes);
  const int to = new_slot(node.output == of_.output ? LNT_OUT : LNT_ACT, LNT_F32, of_.shapes[node.output]);
  slots_[{node.output, LNT_PLAIN}] = to;
  append_step(node.op == Op::conv2d ? LNT_CONV2D_DYNAMIC : LNT_DENSE_DYNAMIC, reads, to, params);
  if (const StateValue* fused = attributes.find("activation")) program_.ops.insert(fused->text());
  const Shape& sample = of_.shapes[of_.sources[x]];
  add_scratch(4 * of_.shapes[node.inputs[1]][0] + sample.size() / sample[0]);
}

}  // namespace linnet::deploy
