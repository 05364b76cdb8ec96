// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "linnet/core/op_cost.h"
#include "linnet/graph/shape_rules_impl.h"

namespace linnet::graph {

std::vector<int> Call::list(std::string_view attribute) const {
  std::vector<int> all;
  for (std::int64_t value : integers(attributes, attribute)) all.push_back(static_cast<int>(value));
  return all;
}

Pair Call::pair(std::string_view attribute) const {
  auto values = integers(attributes, attribute);
  check<GraphError>(values.size() == 2, "attribute ", attribute, " must have two entries, got ",
                    values.size(), ".");
  return Pair(values[0], values[1]);
}

namespace {

/// Times the largest dilation that attributes may have, a kernel stays within 64 bits.
constexpr std::int64_t kLargestKernel = std::int64_t{1} << 31;

Padding padding_of(const Call& call) {
  const std::string& kind = call.attributes["padding"].text();
  if (kind == "same") return Padding::same_size();
  check<GraphError>(kind == "given", "attribute padding must be same or given, got ", kind, ".");
  auto pads = integers(call.attributes, "pads");
  check<GraphError>(pads.size() == 4, "attribute pads must have four entries, got ", pads.size(), ".");
  return Padding(pads[0], pads[1], pads[2], pads[3]);
}

Shape image(const Call& call, Pair size, std::int64_t channels) {
  return {call.in[0][0], size.h, size.w, channels};
}

Shape matmul_shape(const Call& call) {
  const Shape &a = call.in[0], &b = call.in[1];
  check<GraphError>(a.rank() == 2 && b.rank() == 2 && a[1] == b[0], "inner sizes differ: ", a, " x ", b, ".");
  return {a[0], b[1]};
}

void check_bias(const Call& call, std::int64_t size) {
  if (call.in.size() < 3) return;
  check<GraphError>(call.in[2] == Shape{size}, "bias must have shape [", size, "], got ", call.in[2], ".");
}

Shape dense_shape(const Call& call) {
  const Shape &x = call.in[0], &weight = call.in[1];
  check<GraphError>(x.rank() >= 1 && weight.rank() == 2 && x.back() == weight[1], "x ", x,
                    " does not fit weight ", weight, ".");
  check_bias(call, weight[0]);
  return x.with(x.rank() - 1, weight[0]);
}

void check_convolution(const Call& call) {
  const Shape &x = call.in[0], &weight = call.in[1];
  std::int64_t groups = call.number("groups");
  check<GraphError>(x.rank() == 4 && weight.rank() == 4, "x ", x, " and weight ", weight,
                    " must have four axes.");
  check<GraphError>(groups >= 1 && groups <= x[3] && x[3] % groups == 0 && weight[0] % groups == 0 &&
                        weight[3] == x[3] / groups,
                    "x ", x, " does not fit weight ", weight, " in ", groups, " group(s).");
  check<GraphError>(std::max(weight[1], weight[2]) <= kLargestKernel, "weight ", weight,
                    " has too large a kernel.");
  check_bias(call, weight[0]);
}

Shape conv2d_shape(const Call& call) {
  check_convolution(call);
  const Shape& weight = call.in[1];
  Window window = make_window("conv2d", call.in[0], Pair(weight[1], weight[2]), call.pair("stride"),
                              call.pair("dilation"), padding_of(call));
  return image(call, window.out, weight[0]);
}

Shape conv_transpose2d_shape(const Call& call) {
  check_convolution(call);
  const Shape& weight = call.in[1];
  Window window =
      make_transposed_window("conv_transpose2d", call.in[0], Pair(weight[1], weight[2]), call.pair("stride"),
                             call.pair("dilation"), padding_of(call), call.pair("output_padding"));
  return image(call, window.in, weight[0]);
}

Shape upsample2d_shape(const Call& call) {
  const Shape& x = call.in[0];
  const std::string& mode = call.attributes["mode"].text();
  const Pair size = call.pair("size");
  check<GraphError>(x.rank() == 4 && size.h >= 1 && size.w >= 1, "x ", x, " cannot be resized to [", size.h,
                    ", ", size.w, "].");
  check<GraphError>(mode == "nearest" || mode == "bilinear",
                    "attribute mode must be nearest or bilinear, got ", mode, ".");
  return image(call, size, x[3]);
}

Shape pool_shape(const Call& call) {
  const Shape& x = call.in[0];
  check<GraphError>(x.rank() == 4, "x must have four axes, got ", x, ".");
  Window window = make_window(call.text(), x, call.pair("kernel"), call.pair("stride"), 1, padding_of(call));
  return image(call, window.out, x[3]);
}

Shape recurrent_shape(const Call& call) {
  const std::size_t weights = call.op == Op::gru ? 5 : 4, given = call.in.size();
  const std::int64_t gates = call.op == Op::lstm ? 4 : call.op == Op::gru ? 3 : 1;
  const Shape &x = call.in[0], &weight_x = call.in[1], &weight_h = call.in[2];
  check<GraphError>(x.rank() == 3 && weight_h.rank() == 2, "x ", x, " must have three axes, weight_h ",
                    weight_h, " two.");
  const std::int64_t units = weight_h[1], rows = saturating_product(gates, units);
  check<GraphError>(x[1] >= 1 && weight_h[0] == rows && weight_x == Shape{rows, x[2]} &&
                        call.in[3] == Shape{rows} && (weights == 4 || call.in[4] == Shape{units}),
                    "x ", x, " does not fit weight_x ", weight_x, ", weight_h ", weight_h, " and the bias.");
  const bool masked = call.number("masked") != 0, lstm = call.op == Op::lstm;
  const std::size_t states = given - weights - (masked ? 1 : 0);  // wraps around where the mask is missing
  check<GraphError>(states == 0 || states == (lstm ? 2 : 1), "expected ", lstm ? "h and c" : "h",
                    " or neither, got ", given, " inputs.");
  for (std::size_t i = 0; i < states; ++i)
    check<GraphError>(call.in[weights + i] == Shape{x[0], units}, "a state must have shape ",
                      Shape{x[0], units}, ", got ", call.in[weights + i], ".");
  check<GraphError>(!masked || call.in[given - 1] == x.without(2), "the mask must have shape ", x.without(2),
                    ", got ", call.in[given - 1], ".");
  const std::int64_t cells = lstm && call.number("cell_row") != 0 ? 1 : 0;
  if (call.number("sequence") != 0) return {x[0], x[1] + cells, units};
  return cells ? Shape{x[0], 2, units} : Shape{x[0], units};
}

Shape reduce_shape(const Call& call) {
  std::array<bool, Shape::kMaxRank> mask{};
  for (int axis : call.list("axes")) {
    check<GraphError>(axis >= 0 && axis < call.in[0].rank() && !mask[axis], "axis ", axis, " does not fit ",
                      call.in[0], ".");
    mask[axis] = true;
  }
  return reduced(call.in[0], mask, call.number("keep_dims") != 0);
}

Shape reshape_shape(const Call& call) {
  Shape shape(integers(call.attributes, "shape"));
  check<GraphError>(shape.size() == call.in[0].size(), call.in[0], " has ", call.in[0].size(), " elements, ",
                    shape, " has ", shape.size(), ".");
  return shape;
}

Shape transpose_shape(const Call& call) {
  const Shape& x = call.in[0];
  std::vector<int> order = call.list("order");
  std::vector<std::int64_t> sizes;
  std::array<bool, Shape::kMaxRank> seen{};
  check<GraphError>(static_cast<int>(order.size()) == x.rank(), "the order has ", order.size(),
                    " axes, x is ", x, ".");
  for (int axis : order) {
    check<GraphError>(axis >= 0 && axis < x.rank() && !seen[axis], "axis ", axis,
                      " of the order does not fit ", x, ".");
    seen[axis] = true;
    sizes.push_back(x[axis]);
  }
  return Shape(sizes);
}

Shape slice_shape(const Call& call) {
  const Shape& x = call.in[0];
  int axis = call.axis(x.rank());
  std::int64_t begin = call.number("begin"), end = call.number("end"), step = call.number("step");
  check<GraphError>(step >= 1 && begin <= end && end <= x[axis], begin, "..", end, " in steps of ", step,
                    " does not fit ", x, ".");
  return x.with(axis, (end - begin + step - 1) / step);
}

Shape concat_shape(const Call& call) {
  const Shape& first = call.in[0];
  int axis = call.axis(first.rank());
  std::int64_t total = 0;
  for (const Shape& part : call.in) {
    check<GraphError>(part.rank() == first.rank() && part.with(axis, 0) == first.with(axis, 0), first,
                      " and ", part, " differ outside axis ", axis, ".");
    total += part[axis];
  }
  return first.with(axis, total);
}

Shape pad_shape(const Call& call) {
  Shape x = call.in[0];
  auto before = integers(call.attributes, "before"), after = integers(call.attributes, "after");
  check<GraphError>(before.size() == after.size() && static_cast<int>(before.size()) == x.rank(), "expected ",
                    x.rank(), " widths, got ", before.size(), " and ", after.size(), ".");
  for (int i = 0; i < x.rank(); ++i) x = x.with(i, before[i] + x[i] + after[i]);
  return x;
}

/// Every input behind the first is [the size of the last axis].
void check_per_channel(const Call& call, int rank) {
  const Shape& x = call.in[0];
  check<GraphError>(x.rank() >= rank && x.back() >= 1, "x ", x, " must have at least ", rank,
                    " axes, and channels.");
  for (std::size_t i = 1; i < call.in.size(); ++i)
    check<GraphError>(call.in[i] == Shape{x.back()}, "expected shape [", x.back(), "] for input ", i,
                      ", got ", call.in[i], ".");
}

/// Weight and bias come together.
void check_pairs(const Call& call) {
  check<GraphError>(call.in.size() % 2 == 1, "expected weight and bias, or neither.");
}

Shape batch_norm_shape(const Call& call) {
  check_per_channel(call, 2);
  check_pairs(call);
  return call.in[0];
}

Shape group_norm_shape(const Call& call) {
  check_per_channel(call, 2);
  check_pairs(call);
  const std::int64_t groups = call.number("groups");
  check<GraphError>(groups >= 1 && call.in[0].back() % groups == 0, groups, " groups do not divide ",
                    call.in[0].back(), " channels.");
  return call.in[0];
}

Shape layer_norm_shape(const Call& call) {
  const Shape& x = call.in[0];
  const std::int64_t axes = call.number("axes");
  check<GraphError>(axes >= 1 && axes <= x.rank(), axes, " axes do not fit ", x, ".");
  check_pairs(call);
  Shape normalized = x;
  while (normalized.rank() > axes) normalized = normalized.without(0);
  for (std::size_t i = 1; i < call.in.size(); ++i)
    check<GraphError>(call.in[i] == normalized, "expected shape ", normalized, " for input ", i, ", got ",
                      call.in[i], ".");
  return x;
}

Shape fake_quant_shape(const Call& call) {
  const Shape& x = call.in[0];
  const std::int64_t bits = call.number("bits");
  check<GraphError>(bits >= 2 && bits <= 8, "bits must be in 2..8, got ", bits, ".");
  const bool given = call.in.size() == 2;
  for (const char* name : {"symmetric", "momentum", "frozen"})
    check<GraphError>(call.attributes.has(name) == given, "attribute ", name, " goes with a range.");
  check<GraphError>(x.rank() >= 1, "x must have an axis, got ", x, ".");
  if (!given) return x;
  const Shape& range = call.in[1];
  const bool symmetric = call.number("symmetric") != 0;
  check<GraphError>(symmetric ? range == Shape{1} || range == Shape{x[0]} : range == Shape{2}, "range ",
                    range, " does not fit x ", x, ".");
  return x;
}

/// weight [V, D], indices [...].
Shape embedding_shape(const Call& call) {
  const Shape &weight = call.in[0], &indices = call.in[1];
  check<GraphError>(weight.rank() == 2 && indices.rank() < Shape::kMaxRank, "weight ", weight,
                    " does not fit indices ", indices, ".");
  return indices.inserted(indices.rank(), weight[1]);
}

/// logits [..., C] with labels [...] or soft labels [..., C].
Shape cross_entropy_shape(const Call& call) {
  const Shape &logits = call.in[0], &target = call.in[1];
  check<GraphError>(logits.rank() >= 1 && (target == logits || target == logits.without(logits.rank() - 1)),
                    "logits ", logits, " do not fit the target ", target, ".");
  return {};
}

/// prediction, target of the same shape, and perhaps a weight for each term: an element, or a row of kl_div
/// and cosine_loss. focal: also labels, as above.
Shape loss_shape(const Call& call) {
  const Shape& target = call.in[1];
  const bool of_labels = call.op == Op::focal && target != call.in[0];
  const bool of_rows = target.rank() >= 1 && (call.op == Op::kl_div || call.op == Op::cosine_loss);
  const Shape terms = of_rows ? target.without(target.rank() - 1) : target;
  if (call.in.size() == 3)
    check<GraphError>(call.in[2] == terms, "weights ", call.in[2], " do not fit the terms ", terms, ".");
  if (of_labels) return cross_entropy_shape(call);
  check<GraphError>(call.in[0] == call.in[1], "prediction ", call.in[0], " and target ", call.in[1],
                    " differ.");
  return {};
}

Shape axis_kept_shape(const Call& call) {
  call.axis(call.in[0].rank());
  return call.in[0];
}
Shape same_shape(const Call& call) { return call.in[0]; }
Shape broadcast_shape(const Call& call) { return broadcast(call.text(), call.in[0], call.in[1]); }

}  // namespace

Rule rule_of(Op op) {
  switch (op) {
#define BINARY(name, ...) case Op::name:
#include "linnet/core/ops/binary.def"
#undef BINARY
    return {2, 2, broadcast_shape};
#define UNARY(name, ...) case Op::name:
#define UNARY1(name, ...) case Op::name:
#define UNARY2(name, ...) case Op::name:
#include "linnet/core/ops/unary.def"
#undef UNARY
#undef UNARY1
#undef UNARY2
    case Op::dropout:
    case Op::spatial_dropout:
    case Op::gaussian_noise:
      return {1, 1, same_shape};
    case Op::softmax:
    case Op::log_softmax:
      return {1, 1, axis_kept_shape};
    case Op::matmul:
      return {2, 2, matmul_shape};
    case Op::dense:
      return {2, 3, dense_shape};
    case Op::conv2d:
      return {2, 3, conv2d_shape};
    case Op::conv_transpose2d:
      return {2, 3, conv_transpose2d_shape};
    case Op::upsample2d:
      return {1, 1, upsample2d_shape};
    case Op::max_pool2d:
    case Op::avg_pool2d:
      return {1, 1, pool_shape};
    case Op::rnn:
      return {4, 6, recurrent_shape};
    case Op::gru:
    case Op::lstm:
      return {op == Op::gru ? std::size_t{5} : std::size_t{4}, 7, recurrent_shape};
    case Op::sum:
    case Op::mean:
    case Op::max:
      return {1, 1, reduce_shape};
    case Op::cross_entropy:
      return {2, 2, cross_entropy_shape};
    case Op::kl_div:
    case Op::cosine_loss:
    case Op::mse:
    case Op::mae:
    case Op::bce_with_logits:
    case Op::huber:
    case Op::hinge:
    case Op::focal:
      return {2, 3, loss_shape};
    case Op::reshape:
      return {1, 1, reshape_shape};
    case Op::transpose:
      return {1, 1, transpose_shape};
    case Op::slice:
      return {1, 1, slice_shape};
    case Op::concat:
      return {1, std::size_t{1} << 20, concat_shape};
    case Op::pad:
      return {1, 1, pad_shape};
    case Op::embedding:
      return {2, 2, embedding_shape};
    case Op::batch_norm:
      return {3, 5, batch_norm_shape};
    case Op::group_norm:
      return {1, 3, group_norm_shape};
    case Op::layer_norm:
      return {1, 3, layer_norm_shape};
    case Op::fake_quant:
      return {1, 2, fake_quant_shape};
    case Op::custom:
      break;
  }
  return {0, 0, nullptr};
}

}  // namespace linnet::graph
