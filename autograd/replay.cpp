// SPDX-License-Identifier: Apache-2.0
// From a recorded node back to a call of its op.
#include "linnet/autograd/ops/common.h"
#include "linnet/autograd/ops/window_attributes.h"
#include "linnet/autograd/recorder.h"
#include "linnet/autograd/weighted_loss.h"
#include "linnet/core/find_op.h"

namespace linnet {

Tensor integers(std::span<const std::int64_t> values) {
  return Tensor::from<std::int64_t>(values, {static_cast<std::int64_t>(values.size())});
}

std::span<const std::int64_t> integers(const State& attributes, std::string_view name) {
  return attributes[name].tensor().data<std::int64_t>();
}

Tensor integers(Pair pair) {
  std::int64_t values[] = {pair.h, pair.w};
  return integers(values);
}

Pair pair(const State& attributes, std::string_view name) {
  auto values = integers(attributes, name);
  check<StateError>(values.size() == 2, "attribute ", name, ": expected two integers, got ", values.size(),
                    ".");
  return Pair(values[0], values[1]);
}

State window_attributes(Pair stride, const Padding& padding) {
  State state{{"stride", integers(stride)}};
  if (padding.kind == Padding::Kind::same) {
    state.set("padding", "same");
    return state;
  }
  std::int64_t pads[] = {padding.top, padding.bottom, padding.left, padding.right};
  state.set("padding", "given");
  state.set("pads", integers(pads));
  return state;
}

Padding padding(const State& attributes) {
  if (attributes["padding"].text() == "same") return Padding::same_size();
  auto pads = integers(attributes, "pads");
  check<StateError>(pads.size() == 4, "attribute pads: expected four integers, got ", pads.size(), ".");
  return Padding(pads[0], pads[1], pads[2], pads[3]);
}

namespace {

Tensor input(const OpCall& call, std::size_t i) { return i < call.inputs.size() ? call.inputs[i] : Tensor(); }
int axis(const OpCall& call) { return static_cast<int>(call.attributes["axis"].integer()); }

std::vector<int> small_integers(const State& attributes, std::string_view name) {
  std::vector<int> list;
  for (std::int64_t value : integers(attributes, name)) list.push_back(static_cast<int>(value));
  return list;
}

Pool2DParams pool_params(const OpCall& call) {
  return {.kernel = pair(call.attributes, "kernel"),
          .stride = pair(call.attributes, "stride"),
          .padding = padding(call.attributes)};
}

using Reduce = Tensor (*)(const Tensor&, const Axes&, bool);
/// A reduction over no axis is the identity, which an empty Axes (all axes) would not be.
Tensor replay_reduce(Reduce reduce, const OpCall& call) {
  std::vector<int> axes = small_integers(call.attributes, "axes");
  if (axes.empty()) return reduce(input(call, 0).reshape(call.inputs[0].shape().inserted(0, 1)), 0, false);
  return reduce(input(call, 0), Axes(axes), call.attributes["keep_dims"].integer() != 0);
}

Tensor replay_pad(const OpCall& call) {
  auto before = integers(call.attributes, "before"), after = integers(call.attributes, "after");
  check<StateError>(before.size() == after.size(), "pad: attributes before and after differ in length.");
  std::vector<std::pair<std::int64_t, std::int64_t>> widths;
  for (std::size_t i = 0; i < before.size(); ++i) widths.emplace_back(before[i], after[i]);
  return pad(input(call, 0), widths, call.attributes["value"].real());
}

Tensor replay_conv2d(const OpCall& call) {
  const State& a = call.attributes;
  return conv2d(input(call, 0), input(call, 1), input(call, 2),
                {.stride = pair(a, "stride"),
                 .dilation = pair(a, "dilation"),
                 .padding = padding(a),
                 .groups = a["groups"].integer()});
}

Tensor replay_conv_transpose2d(const OpCall& call) {
  const State& a = call.attributes;
  return conv_transpose2d(input(call, 0), input(call, 1), input(call, 2),
                          {.stride = pair(a, "stride"),
                           .dilation = pair(a, "dilation"),
                           .padding = padding(a),
                           .output_padding = pair(a, "output_padding"),
                           .groups = a["groups"].integer()});
}

Tensor replay_upsample2d(const OpCall& call) {
  const std::string& mode = call.attributes["mode"].text();
  check<StateError>(mode == "nearest" || mode == "bilinear",
                    "attribute mode: expected nearest or bilinear, got ", mode, ".");
  return upsample2d(input(call, 0), pair(call.attributes, "size"),
                    mode == "nearest" ? Interpolation::nearest : Interpolation::bilinear);
}

Tensor replay_slice(const OpCall& call) {
  const State& a = call.attributes;
  return slice(input(call, 0), axis(call), a["begin"].integer(), a["end"].integer(), a["step"].integer());
}

Tensor replay_batch_norm(const OpCall& call) {
  const State& a = call.attributes;
  Tensor mean = input(call, 1), variance = input(call, 2);
  return batch_norm(
      input(call, 0), mean, variance, input(call, 3), input(call, 4),
      {.eps = a["eps"].real(), .momentum = a["momentum"].real(), .frozen = a["frozen"].integer() != 0},
      call.training);
}

Tensor replay_embedding(const OpCall& call) {
  const StateValue* padding = call.attributes.find("padding_idx");
  return embedding(input(call, 1), input(call, 0),
                   padding ? std::optional(padding->integer()) : std::nullopt);
}

Tensor replay_fake_quant(const OpCall& call) {
  const State& a = call.attributes;
  const int bits = static_cast<int>(a["bits"].integer());
  if (call.inputs.size() < 2) return fake_quant_dynamic(input(call, 0), bits);
  Tensor range = input(call, 1);
  return fake_quant(input(call, 0), range,
                    {.bits = bits,
                     .symmetric = a["symmetric"].integer() != 0,
                     .momentum = a["momentum"].real(),
                     .frozen = a["frozen"].integer() != 0},
                    call.training);
}

/// Tensors behind the weights follow in this order: h, c, mask.
RecurrentParams recurrent_params(const OpCall& call, std::size_t weights) {
  const State& a = call.attributes;
  const std::size_t masks = a["masked"].integer() != 0 ? 1 : 0, given = call.inputs.size();
  check<StateError>(given >= weights + masks, "attribute masked: the node has no mask.");
  RecurrentParams params{.reverse = a["reverse"].integer() != 0, .sequence = a["sequence"].integer() != 0};
  if (masks) params.mask = call.inputs[given - 1];
  if (given - masks > weights) params.h = call.inputs[weights];
  if (given - masks > weights + 1) params.c = call.inputs[weights + 1];
  return params;
}

Tensor replay_recurrent(Op op, const OpCall& call) {
  const State& a = call.attributes;
  const Tensor x = input(call, 0), weight_x = input(call, 1), weight_h = input(call, 2),
               bias = input(call, 3);
  RecurrentParams params = recurrent_params(call, op == Op::gru ? 5 : 4);
  if (op == Op::gru) return gru(x, weight_x, weight_h, bias, input(call, 4), params);
  if (op == Op::rnn) {
    params.relu = a["relu"].integer() != 0;
    return rnn(x, weight_x, weight_h, bias, params);
  }
  params.cell_row = a["cell_row"].integer() != 0;
  return lstm(x, weight_x, weight_h, bias, params);
}

Tensor apply_plain(Op op, const OpCall& call) {
  const State& a = call.attributes;
  switch (op) {
#define UNARY(name, ...) \
  case Op::name:         \
    return name(input(call, 0));
#define UNARY1(name, ...) \
  case Op::name:          \
    return name(input(call, 0), a["p"].real());
#define UNARY2(name, ...) \
  case Op::name:          \
    return name(input(call, 0), a["p"].real(), a["q"].real());
#include "linnet/core/ops/unary.def"
#undef UNARY
#undef UNARY1
#undef UNARY2
#define BINARY(name, ...) \
  case Op::name:          \
    return name(input(call, 0), input(call, 1));
#include "linnet/core/ops/binary.def"
#undef BINARY
    case Op::matmul:
      return matmul(input(call, 0), input(call, 1));
    case Op::dense:
      return dense(input(call, 0), input(call, 1), input(call, 2));
    case Op::conv2d:
      return replay_conv2d(call);
    case Op::conv_transpose2d:
      return replay_conv_transpose2d(call);
    case Op::upsample2d:
      return replay_upsample2d(call);
    case Op::max_pool2d:
      return max_pool2d(input(call, 0), pool_params(call));
    case Op::avg_pool2d:
      return avg_pool2d(input(call, 0), pool_params(call));
    case Op::sum:
      return replay_reduce(sum, call);
    case Op::mean:
      return replay_reduce(mean, call);
    case Op::max:
      return replay_reduce(max, call);
    case Op::rnn:
    case Op::gru:
    case Op::lstm:
      return replay_recurrent(op, call);
    case Op::softmax:
      return softmax(input(call, 0), axis(call));
    case Op::log_softmax:
      return log_softmax(input(call, 0), axis(call));
    case Op::cross_entropy:
      return cross_entropy(input(call, 0), input(call, 1));
    case Op::mse:
    case Op::mae:
    case Op::bce_with_logits:
    case Op::huber:
    case Op::hinge:
    case Op::focal:
    case Op::kl_div:
    case Op::cosine_loss:
      return weighted_loss(op, input(call, 0), input(call, 1), input(call, 2),
                           a.has("p") ? a["p"].real() : 0.0);
    case Op::reshape:
      return reshape(input(call, 0), integers(a, "shape"));
    case Op::transpose:
      return transpose(input(call, 0), small_integers(a, "order"));
    case Op::slice:
      return replay_slice(call);
    case Op::concat:
      return concat(call.inputs, axis(call));
    case Op::pad:
      return replay_pad(call);
    case Op::batch_norm:
      return replay_batch_norm(call);
    case Op::group_norm:
      return group_norm(input(call, 0), a["groups"].integer(), input(call, 1), input(call, 2),
                        a["eps"].real());
    case Op::layer_norm:
      return layer_norm(input(call, 0), static_cast<int>(a["axes"].integer()), input(call, 1), input(call, 2),
                        a["eps"].real());
    case Op::embedding:
      return replay_embedding(call);
    case Op::spatial_dropout:
      return spatial_dropout(input(call, 0), a["p"].real(), call.training);
    case Op::dropout:
      return dropout(input(call, 0), a["p"].real(), call.training);
    case Op::gaussian_noise:
      return gaussian_noise(input(call, 0), a["p"].real(), call.training);
    case Op::fake_quant:
      return replay_fake_quant(call);
    case Op::custom:
      break;
  }
  fail<GraphError>("apply_op: an op of the user cannot be run from a graph.");
}

}  // namespace

Tensor apply_op(Op op, const OpCall& call) {
  Tensor y = apply_plain(op, call);
  const StateValue* fused = call.attributes.find("activation");
  if (!fused) return y;
  const std::optional<Op> activation = find_op(fused->text());
  check<StateError>(activation && is_unary(*activation), "attribute activation: ", fused->text(),
                    " is no elementwise op of one tensor.");
  return apply_plain(*activation, {.inputs = std::span(&y, 1), .attributes = call.attributes});
}

}  // namespace linnet
