// SPDX-License-Identifier: Apache-2.0
// What each op becomes: opcode, operands and parameters of runtime/format_ops.h.
#include <bit>
#include <cmath>

#include "linnet/autograd/ops/window_attributes.h"
#include "linnet/autograd/recorder.h"
#include "linnet/core/find_op.h"
#include "linnet/core/window.h"
#include "linnet/deploy/program_writer.h"
#include "linnet/graph/graph.h"
#include "linnet/runtime/format.h"

namespace linnet::deploy {

using graph::Node;

namespace {

using Params = std::vector<std::uint32_t>;

std::uint32_t number(std::int64_t value) { return static_cast<std::uint32_t>(value); }
std::uint32_t bits(double value) { return std::bit_cast<std::uint32_t>(static_cast<float>(value)); }
std::uint32_t bits_of(const State& attributes, std::string_view name) {
  return attributes.has(name) ? bits(attributes[name].real()) : 0;
}
void append_pair(Params& params, Pair pair) {
  params.push_back(number(pair.h));
  params.push_back(number(pair.w));
}
void append_window(Params& params, const Window& window) {
  for (std::int64_t pad : {window.top, window.bottom, window.left, window.right})
    params.push_back(number(pad));
}

}  // namespace

void append_activation(Params& params, const State& attributes) {
  std::uint16_t opcode = 0;
  if (const StateValue* fused = attributes.find("activation"))
    if (const std::optional<Op> op = find_op(fused->text())) opcode = elementwise_opcode(*op);
  params.push_back(opcode);
  params.push_back(opcode ? bits_of(attributes, "p") : 0);
  params.push_back(opcode ? bits_of(attributes, "q") : 0);
}

std::uint16_t elementwise_opcode(Op op) {
  switch (op) {
    case Op::neg:
      return LNT_NEG;
    case Op::exp:
      return LNT_EXP;
    case Op::log:
      return LNT_LOG;
    case Op::sqrt:
      return LNT_SQRT;
    case Op::square:
      return LNT_SQUARE;
    case Op::abs:
      return LNT_ABS;
    case Op::relu:
      return LNT_RELU;
    case Op::sigmoid:
      return LNT_SIGMOID;
    case Op::tanh:
      return LNT_TANH;
    case Op::relu6:
      return LNT_RELU6;
    case Op::hard_swish:
      return LNT_HARD_SWISH;
    case Op::silu:
      return LNT_SILU;
    case Op::gelu:
      return LNT_GELU;
    case Op::softplus:
      return LNT_SOFTPLUS;
    case Op::elu:
      return LNT_ELU;
    case Op::leaky_relu:
      return LNT_LEAKY_RELU;
    case Op::pow:
      return LNT_POW;
    case Op::clamp:
      return LNT_CLAMP;
    case Op::add:
      return LNT_ADD;
    case Op::sub:
      return LNT_SUB;
    case Op::mul:
      return LNT_MUL;
    case Op::div:
      return LNT_DIV;
    case Op::maximum:
      return LNT_MAXIMUM;
    case Op::minimum:
      return LNT_MINIMUM;
    case Op::prelu:
      return LNT_PRELU;
    default:
      return 0;
  }
}

void ProgramWriter::add(const Node& node) {
  const State attributes = graph::attributes_at(node, 1);
  const std::uint16_t opcode = elementwise_opcode(node.op);
  if (const StateValue* fused = attributes.find("activation")) program_.ops.insert(fused->text());
  if (opcode == 0) {
    if (!add_layout(node, attributes)) add_structured(node, attributes);
  } else if (opcode >= LNT_ADD) {
    write(node, opcode, slots_of(node, 0, LNT_PLAIN), {});
  } else {
    write(node, opcode, slots_of(node, 0, LNT_PLAIN), {bits_of(attributes, "p"), bits_of(attributes, "q")});
  }
}

void ProgramWriter::add_structured(const Node& node, const State& attributes) {
  Params params;
  switch (node.op) {
    case Op::dense:
      check_weights(node, 1);
      append_activation(params, attributes);
      return write(node, LNT_DENSE, slots_of(node, 1, of_.layout), params);
    case Op::matmul:
      return write(node, LNT_MATMUL, slots_of(node, 0, LNT_PLAIN), {});
    case Op::conv2d:
      return add_convolution(node, attributes);
    case Op::conv_transpose2d:
      return add_transposed_convolution(node, attributes);
    case Op::max_pool2d:
    case Op::avg_pool2d:
      return write(node, node.op == Op::max_pool2d ? LNT_MAX_POOL2D : LNT_AVG_POOL2D,
                   slots_of(node, 0, LNT_PLAIN), pool_params(node, attributes));
    case Op::rnn:
    case Op::gru:
    case Op::lstm:
      return add_recurrent(node, attributes);
    case Op::sum:
    case Op::mean:
    case Op::max:
      return add_reduction(node, attributes);
    case Op::softmax:
    case Op::log_softmax:
      return write(node, node.op == Op::softmax ? LNT_SOFTMAX : LNT_LOG_SOFTMAX, slots_of(node, 0, LNT_PLAIN),
                   {number(attributes["axis"].integer())});
    case Op::batch_norm:
      return add_batch_norm(node, attributes);
    case Op::group_norm:
    case Op::layer_norm: {
      check_weights(node, 1);
      const bool group = node.op == Op::group_norm;
      params = {number(attributes[group ? "groups" : "axes"].integer()), bits(attributes["eps"].real())};
      return write(node, group ? LNT_GROUP_NORM : LNT_LAYER_NORM, slots_of(node, 0, LNT_PLAIN), params);
    }
    case Op::embedding:
      return write(node, LNT_EMBEDDING, slots_of(node, 0, LNT_PLAIN), {});
    default:
      fail<GraphError>("deploy: ", graph::Graph::op_name(node), " has no lowering.");
  }
}

/// Ops that move elements; false for others.
bool ProgramWriter::add_layout(const Node& node, const State& attributes) {
  Params params;
  switch (node.op) {
    case Op::reshape:
      write(node, LNT_RESHAPE, slots_of(node, 0, LNT_PLAIN), {});
      return true;
    case Op::transpose:
      for (std::int64_t axis : integers(attributes, "order")) params.push_back(number(axis));
      params.resize(LNT_MAX_RANK);
      write(node, LNT_TRANSPOSE, slots_of(node, 0, LNT_PLAIN), params);
      return true;
    case Op::slice:
      for (const char* key : {"axis", "begin", "step"}) params.push_back(number(attributes[key].integer()));
      write(node, LNT_SLICE, slots_of(node, 0, LNT_PLAIN), params);
      return true;
    case Op::upsample2d:
      params.push_back(attributes["mode"].text() == "nearest" ? LNT_NEAREST : LNT_BILINEAR);
      write(node, LNT_UPSAMPLE2D, slots_of(node, 0, LNT_PLAIN), params);
      return true;
    case Op::concat:
      add_concat(node, attributes);
      return true;
    case Op::pad:
      add_pad(node, attributes);
      return true;
    default:
      return false;
  }
}

ProgramWriter::Params ProgramWriter::window_params(const Node& node, const State& attributes) const {
  const Shape& weight = of_.shapes[node.inputs[1]];
  const Pair stride = pair(attributes, "stride"), dilation = pair(attributes, "dilation");
  Params params;
  append_pair(params, stride);
  append_pair(params, dilation);
  append_window(params, make_window("deploy", of_.shapes[node.inputs[0]], Pair(weight[1], weight[2]), stride,
                                    dilation, padding(attributes)));
  params.push_back(number(attributes["groups"].integer()));
  return params;
}

void ProgramWriter::add_convolution(const Node& node, const State& attributes) {
  check_weights(node, 1);
  Params params = window_params(node, attributes);
  append_activation(params, attributes);
  // A block of 16 outputs lies in one group, or is 16 channels of a depthwise convolution.
  const Shape& weight = of_.shapes[node.inputs[1]];
  const std::int64_t groups = attributes["groups"].integer();
  const bool depthwise = groups == weight[0] && weight[3] == 1;
  const bool blocks = groups == 1 || depthwise || weight[0] / groups % LNT_BLOCK == 0;
  write(node, LNT_CONV2D, slots_of(node, 1, blocks ? of_.layout : LNT_PLAIN), params);
}

void ProgramWriter::add_transposed_convolution(const Node& node, const State& attributes) {
  check_weights(node, 1);
  const Shape &x = of_.shapes[node.inputs[0]], &weight = of_.shapes[node.inputs[1]];
  const Pair kernel(weight[1], weight[2]), stride = pair(attributes, "stride"),
                                           dilation = pair(attributes, "dilation");
  const Window window = make_transposed_window("deploy", x, kernel, stride, dilation, padding(attributes),
                                               pair(attributes, "output_padding"));
  const auto left_over = [](std::int64_t size, std::int64_t pads, std::int64_t k, std::int64_t d,
                            std::int64_t s) { return (size + pads - (k - 1) * d - 1) % s; };
  Params params;
  append_pair(params, stride);
  append_pair(params, dilation);
  append_window(params, window);
  append_pair(params,
              Pair(left_over(window.in.h, window.top + window.bottom, kernel.h, dilation.h, stride.h),
                   left_over(window.in.w, window.left + window.right, kernel.w, dilation.w, stride.w)));
  params.push_back(number(attributes["groups"].integer()));
  append_activation(params, attributes);
  write(node, LNT_CONV_TRANSPOSE2D, slots_of(node, 1, LNT_PLAIN), params);
}

ProgramWriter::Params ProgramWriter::pool_params(const Node& node, const State& attributes) const {
  const Shape& x = of_.shapes[node.inputs[0]];
  Params params;
  if (node.op == Op::mean) {
    append_pair(params, Pair(x[1], x.rank() == 4 ? x[2] : 1));
    params.insert(params.end(), {1, 1, 0, 0, 0, 0});
    return params;
  }
  const Pair kernel = pair(attributes, "kernel"), stride = pair(attributes, "stride");
  append_pair(params, kernel);
  append_pair(params, stride);
  append_window(params, make_window("deploy", x, kernel, stride, 1, padding(attributes)));
  return params;
}

std::uint32_t ProgramWriter::recurrent_flags(const Node& node, const State& attributes) {
  const auto flag = [&](const char* key, int bit) {
    return attributes.has(key) && attributes[key].integer() != 0 ? number(bit) : 0u;
  };
  const std::size_t weights = node.op == Op::gru ? 5 : 4, masks = attributes["masked"].integer() != 0 ? 1 : 0;
  const std::uint32_t state = node.inputs.size() > weights + masks ? number(LNT_RNN_STATE) : 0u;
  return flag("reverse", LNT_RNN_REVERSE) | flag("sequence", LNT_RNN_SEQUENCE) |
         flag("masked", LNT_RNN_MASKED) | flag("cell_row", LNT_RNN_CELL) | flag("relu", LNT_RNN_RELU) | state;
}

void ProgramWriter::add_recurrent(const Node& node, const State& attributes) {
  Node weights_only = node;
  weights_only.inputs.resize(node.op == Op::gru ? 5 : 4);
  check_weights(weights_only, 1);
  const std::uint16_t opcode = node.op == Op::lstm ? LNT_LSTM : node.op == Op::gru ? LNT_GRU : LNT_RNN;
  write(node, opcode, slots_of(node, 2, of_.layout), {recurrent_flags(node, attributes)});
  const Shape& weight_h = of_.shapes[node.inputs[2]];
  add_scratch(4 * ((LNT_RNN_STEPS + 1) * weight_h[0] + 2 * weight_h[1]));
}

void ProgramWriter::add_reduction(const Node& node, const State& attributes) {
  std::uint32_t axes = 0;
  for (std::int64_t axis : integers(attributes, "axes")) axes |= 1u << axis;
  const std::uint16_t opcode = node.op == Op::sum ? LNT_SUM : node.op == Op::mean ? LNT_MEAN : LNT_MAX;
  write(node, opcode, slots_of(node, 0, LNT_PLAIN), {axes, number(attributes["keep_dims"].integer())});
}

std::vector<int> ProgramWriter::few_parts(std::vector<int> parts, std::int64_t axis) {
  while (parts.size() > LNT_MAX_PARTS) {
    const std::vector<int> first(parts.begin(), parts.begin() + LNT_MAX_PARTS);
    const Slot like = program_.slots[first[0]];
    std::int64_t total = 0;
    for (int part : first) total += program_.slots[part].shape[static_cast<int>(axis)];
    const int joined = new_slot(LNT_ACT, like.dtype, Shape(like.shape).with(static_cast<int>(axis), total));
    program_.slots[joined].quant = like.quant;
    append_step(LNT_CONCAT, first, joined, {number(axis)});
    parts.erase(parts.begin(), parts.begin() + LNT_MAX_PARTS);
    parts.insert(parts.begin(), joined);
  }
  return parts;
}

void ProgramWriter::add_concat(const Node& node, const State& attributes) {
  const std::int64_t axis = attributes["axis"].integer();
  write(node, LNT_CONCAT, few_parts(slots_of(node, 0, LNT_PLAIN), axis), {number(axis)});
}

void ProgramWriter::add_pad(const Node& node, const State& attributes) {
  Params params;
  for (const char* key : {"before", "after"}) {
    const std::size_t begin = params.size();
    for (std::int64_t width : integers(attributes, key)) params.push_back(number(width));
    params.resize(begin + LNT_MAX_RANK);
  }
  params.push_back(bits(attributes["value"].real()));
  write(node, LNT_PAD, slots_of(node, 0, LNT_PLAIN), params);
}

/// (x - mean) scale + shift with scale = weight / sqrt(variance + eps), shift = bias: as training reckons it.
void ProgramWriter::add_batch_norm(const Node& node, const State& attributes) {
  check_weights(node, 1);
  const bool affine = node.inputs.size() == 5;
  const Tensor variance = contents(of_.sources[node.inputs[2]]);
  const Tensor weight = affine ? contents(of_.sources[node.inputs[3]]) : Tensor::ones(variance.shape());
  Tensor scale = Tensor::empty(variance.shape());
  auto to = scale.mutable_data<float>();
  const double eps = attributes["eps"].real();
  for (std::size_t i = 0; i < to.size(); ++i)
    to[i] = static_cast<float>(static_cast<double>(weight.data<float>()[i]) /
                               std::sqrt(static_cast<double>(variance.data<float>()[i]) + eps));
  std::vector<int> reads{slot_of(node.inputs[0], LNT_PLAIN), slot_of(node.inputs[1], LNT_PLAIN),
                         constant(scale)};
  reads.push_back(affine ? slot_of(node.inputs[4], LNT_PLAIN) : constant(Tensor::zeros(variance.shape())));
  Params params;
  append_activation(params, attributes);
  write(node, LNT_BATCH_NORM, reads, params);
}

}  // namespace linnet::deploy
