// SPDX-License-Identifier: Apache-2.0
#include "random_graph.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "linnet/autograd/ops.h"
#include "linnet/core/error.h"
#include "linnet/core/random.h"
#include "support/fixtures.h"

namespace linnet::test {
namespace {

/// Draws for one graph.
class Draw {
 public:
  explicit Draw(std::uint64_t seed) : state_(seed * 2654435761u + 12345u) {}
  /// low .. high
  std::int64_t any(std::int64_t low, std::int64_t high) {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return low + static_cast<std::int64_t>((state_ >> 33) % static_cast<std::uint64_t>(high - low + 1));
  }
  bool coin() { return any(0, 1) == 1; }
  Tensor weight(const Shape& shape, double scale = 1.0) {
    const double size = std::max(1.0, static_cast<double>(shape.size()) / static_cast<double>(shape[0]));
    const double limit = scale * (shape.rank() > 1 ? std::min(1.0, 2.0 / std::sqrt(size)) : 0.5);
    return random_tensor(shape, static_cast<std::uint64_t>(any(1, 1 << 30)), -limit, limit);
  }
  Tensor positive(const Shape& shape) {
    return random_tensor(shape, static_cast<std::uint64_t>(any(1, 1 << 30)), 0.5, 1.5);
  }

 private:
  std::uint64_t state_;
};

using Values = std::vector<Tensor>;

/// How a kind is drawn for arguments of the rank that it takes, and how it is called.
struct Kind {
  std::string name;
  int rank;  ///< of its arguments; 0 for any
  int arity;
  std::function<void(Draw&, const Values&, GraphStep&)> draw;
  std::function<Tensor(const GraphStep&, const Values&)> call;
};

Pair pair_at(const GraphStep& s, std::size_t at) { return Pair(s.numbers[at], s.numbers[at + 1]); }
Padding pads_at(const GraphStep& s, std::size_t at) {
  return Padding(s.numbers[at], s.numbers[at + 1], s.numbers[at + 2], s.numbers[at + 3]);
}
Tensor optional(const GraphStep& s, std::size_t at) {
  return at < s.weights.size() ? s.weights[at] : Tensor();
}

// ---- elementwise: arguments are kept where the op neither overflows nor loses what it had ----------------

void add_unary(std::vector<Kind>& kinds) {
  const auto unary = [&](const char* name, Tensor (*f)(const Tensor&)) {
    kinds.push_back({name, 0, 1, [](Draw&, const Values&, GraphStep&) {},
                     [f](const GraphStep&, const Values& in) { return f(in[0]); }});
  };
  unary("neg", [](const Tensor& x) { return neg(x); });
  unary("exp", [](const Tensor& x) { return exp(tanh(x) * 2.0); });
  unary("log", [](const Tensor& x) { return log(abs(x) + 0.5); });
  unary("sqrt", [](const Tensor& x) { return sqrt(abs(x) + 0.1); });
  unary("square", [](const Tensor& x) { return square(tanh(x)); });
  unary("abs", [](const Tensor& x) { return abs(x); });
  unary("relu", [](const Tensor& x) { return relu(x); });
  unary("sigmoid", [](const Tensor& x) { return sigmoid(x); });
  unary("tanh", [](const Tensor& x) { return tanh(x); });
  unary("relu6", [](const Tensor& x) { return relu6(x * 4.0); });
  unary("hard_swish", [](const Tensor& x) { return hard_swish(x * 2.0); });
  unary("silu", [](const Tensor& x) { return silu(x); });
  unary("gelu", [](const Tensor& x) { return gelu(x); });
  unary("softplus", [](const Tensor& x) { return softplus(x); });
  unary("elu", [](const Tensor& x) { return elu(x, 0.7); });
  unary("leaky_relu", [](const Tensor& x) { return leaky_relu(x, 0.2); });
  unary("clamp", [](const Tensor& x) { return clamp(x, -0.4, 0.6); });
  unary("dropout", [](const Tensor& x) { return dropout(x, 0.3, false); });
  unary("spatial_dropout", [](const Tensor& x) { return x.rank() > 1 ? spatial_dropout(x, 0.3, false) : x; });
  kinds.push_back({"pow", 0, 1,
                   [](Draw& draw, const Values&, GraphStep& s) { s.numbers = {draw.any(-4, 5)}; },
                   [](const GraphStep& s, const Values& in) {
                     return pow(abs(tanh(in[0])) + 0.5, static_cast<double>(s.numbers[0]) / 2.0);
                   }});
}

/// The second argument is another value of that shape, or a weight that is repeated along some axes.
void add_binary(std::vector<Kind>& kinds) {
  const auto binary = [&](const char* name, Tensor (*f)(const Tensor&, const Tensor&)) {
    kinds.push_back({name, 0, 1,
                     [](Draw& draw, const Values& in, GraphStep& s) {
                       Shape shape = in[0].shape().with(0, 1);
                       for (int axis = 1; axis < shape.rank(); ++axis)
                         if (draw.coin()) shape = shape.with(axis, 1);
                       if (draw.coin()) shape = shape.without(0);
                       s.numbers = {draw.any(0, 1)};
                       s.weights = {draw.positive(shape)};
                     },
                     [f](const GraphStep& s, const Values& in) {
                       return s.numbers[0] != 0 ? f(in[0], s.weights[0]) : f(s.weights[0], in[0]);
                     }});
    kinds.push_back({std::string(name) + " of two", 0, 2, [](Draw&, const Values&, GraphStep&) {},
                     [f](const GraphStep&, const Values& in) { return f(in[0], in[1]); }});
  };
  binary("add", [](const Tensor& a, const Tensor& b) { return add(a, b); });
  binary("sub", [](const Tensor& a, const Tensor& b) { return sub(a, b); });
  binary("mul", [](const Tensor& a, const Tensor& b) { return mul(a, b); });
  binary("div", [](const Tensor& a, const Tensor& b) { return div(a, abs(b) + 0.5); });
  binary("maximum", [](const Tensor& a, const Tensor& b) { return maximum(a, b); });
  binary("minimum", [](const Tensor& a, const Tensor& b) { return minimum(a, b); });
  binary("prelu", [](const Tensor& a, const Tensor& b) { return prelu(a, b); });
}

// ---- products and windows --------------------------------------------------------------------------------

void draw_window(Draw& draw, const Shape& x, std::int64_t kh, std::int64_t kw, bool dilated, GraphStep& s) {
  const std::int64_t dh = dilated ? draw.any(1, 2) : 1, dw = dilated ? draw.any(1, 2) : 1;
  const std::int64_t rh = (kh - 1) * dh + 1, rw = (kw - 1) * dw + 1;
  std::int64_t pads[4];
  for (int i = 0; i < 4; ++i) pads[i] = draw.any(0, (i < 2 ? rh : rw) - 1);
  if (x[1] + pads[0] + pads[1] < rh) pads[0] = pads[1] = rh - 1;
  if (x[2] + pads[2] + pads[3] < rw) pads[2] = pads[3] = rw - 1;
  s.numbers = {draw.any(1, 2), draw.any(1, 2), dh, dw, pads[0], pads[1], pads[2], pads[3]};
}

void draw_convolution(Draw& draw, const Shape& x, GraphStep& s, std::int64_t groups, std::int64_t outs) {
  const std::int64_t kh = draw.any(1, 3), kw = draw.any(1, 3);
  draw_window(draw, x, kh, kw, true, s);
  s.numbers.push_back(groups);
  s.weights = {draw.weight({outs, kh, kw, x[3] / groups})};
  if (draw.coin()) s.weights.push_back(draw.weight({outs}));
}

Tensor call_conv2d(const GraphStep& s, const Values& in) {
  return conv2d(
      in[0], s.weights[0], optional(s, 1),
      {.stride = pair_at(s, 0), .dilation = pair_at(s, 2), .padding = pads_at(s, 4), .groups = s.numbers[8]});
}

void add_convolutions(std::vector<Kind>& kinds) {
  kinds.push_back({"conv2d", 4, 1,
                   [](Draw& draw, const Values& in, GraphStep& s) {
                     draw_convolution(draw, in[0].shape(), s, 1, draw.any(1, 37));
                   },
                   call_conv2d});
  kinds.push_back({"conv2d 1x1", 4, 1,
                   [](Draw& draw, const Values& in, GraphStep& s) {
                     s.numbers = {1, 1, 1, 1, 0, 0, 0, 0, 1};
                     s.weights = {draw.weight({draw.any(1, 40), 1, 1, in[0].dim(3)})};
                   },
                   call_conv2d});
  kinds.push_back({"conv2d depthwise", 4, 1,
                   [](Draw& draw, const Values& in, GraphStep& s) {
                     draw_convolution(draw, in[0].shape(), s, in[0].dim(3), in[0].dim(3) * draw.any(1, 2));
                   },
                   call_conv2d});
  kinds.push_back({"conv2d in groups", 4, 1,
                   [](Draw& draw, const Values& in, GraphStep& s) {
                     const std::int64_t c = in[0].dim(3), groups = c % 2 == 0 ? 2 : c % 3 == 0 ? 3 : 1;
                     draw_convolution(draw, in[0].shape(), s, groups,
                                      groups * (draw.coin() ? 16 : draw.any(1, 5)));
                   },
                   call_conv2d});
  kinds.push_back({"conv_transpose2d", 4, 1,
                   [](Draw& draw, const Values& in, GraphStep& s) {
                     const std::int64_t c = in[0].dim(3), groups = draw.coin() && c % 2 == 0 ? 2 : 1;
                     const std::int64_t outs = groups * draw.any(1, 4), kh = draw.any(1, 3),
                                        kw = draw.any(1, 3);
                     const std::int64_t stride = draw.any(1, 2);
                     s.numbers = {stride, stride, draw.any(1, 2), 1,     draw.coin() && kh > 1 ? 1 : 0, 0,
                                  0,      0,      stride - 1,     groups};
                     s.weights = {draw.weight({outs, kh, kw, c / groups})};
                     if (draw.coin()) s.weights.push_back(draw.weight({outs}));
                   },
                   [](const GraphStep& s, const Values& in) {
                     return conv_transpose2d(in[0], s.weights[0], optional(s, 1),
                                             {.stride = pair_at(s, 0),
                                              .dilation = pair_at(s, 2),
                                              .padding = pads_at(s, 4),
                                              .output_padding = Pair(s.numbers[8], 0),
                                              .groups = s.numbers[9]});
                   }});
  for (const bool max : {true, false})
    kinds.push_back({max ? "max_pool2d" : "avg_pool2d", 4, 1,
                     [](Draw& draw, const Values& in, GraphStep& s) {
                       const std::int64_t kh = draw.any(1, 3), kw = draw.any(1, 3);
                       draw_window(draw, in[0].shape(), kh, kw, false, s);
                       s.numbers.insert(s.numbers.end(), {kh, kw});
                     },
                     [max](const GraphStep& s, const Values& in) {
                       const Pool2DParams params{
                           .kernel = pair_at(s, 8), .stride = pair_at(s, 0), .padding = pads_at(s, 4)};
                       return max ? max_pool2d(in[0], params) : avg_pool2d(in[0], params);
                     }});
  kinds.push_back({"upsample2d", 4, 1,
                   [](Draw& draw, const Values&, GraphStep& s) {
                     s.numbers = {draw.any(1, 8), draw.any(1, 8), draw.any(0, 1)};
                   },
                   [](const GraphStep& s, const Values& in) {
                     return upsample2d(in[0], pair_at(s, 0),
                                       s.numbers[2] ? Interpolation::bilinear : Interpolation::nearest);
                   }});
}

void add_products(std::vector<Kind>& kinds) {
  kinds.push_back(
      {"dense", 0, 1,
       [](Draw& draw, const Values& in, GraphStep& s) {
         const std::int64_t outs = draw.any(1, 40);
         s.weights = {draw.weight({outs, in[0].shape().back()})};
         if (draw.coin()) s.weights.push_back(draw.weight({outs}));
       },
       [](const GraphStep& s, const Values& in) { return dense(in[0], s.weights[0], optional(s, 1)); }});
  kinds.push_back({"matmul", 2, 1,
                   [](Draw& draw, const Values& in, GraphStep& s) {
                     s.weights = {draw.weight({in[0].dim(1), draw.any(1, 40)}, 0.5)};
                   },
                   [](const GraphStep& s, const Values& in) { return matmul(in[0], s.weights[0]); }});
  kinds.push_back({"embedding", 0, 1,
                   [](Draw& draw, const Values&, GraphStep& s) {
                     s.weights = {draw.weight({7, 3}), random_labels({3}, 5, 7)};
                   },
                   [](const GraphStep& s, const Values& in) {
                     const Tensor rows = embedding(s.weights[1], s.weights[0]);  // of the graph's own indices
                     return in[0] * mean(rows);
                   }});
}

// ---- recurrent -------------------------------------------------------------------------------------------

void draw_recurrent(Draw& draw, const Values& in, GraphStep& s, std::int64_t gates) {
  const std::int64_t units = draw.any(1, 9), c = in[0].dim(2);
  s.numbers = {draw.any(0, 1), draw.any(0, 1), draw.any(0, 1), units};
  s.weights = {draw.weight({gates * units, c}), draw.weight({gates * units, units}),
               draw.weight({gates * units}), draw.weight({units})};
}

RecurrentParams params_of(const GraphStep& s, const Tensor& x, bool cell) {
  RecurrentParams params{.reverse = s.numbers[0] != 0, .sequence = s.numbers[1] != 0};
  if (s.numbers[2] == 0) return params;  // else with a state and a mask that come from x
  params.h = dense(mean(x, 1), Tensor::full({s.numbers[3], x.dim(2)}, 0.1));
  if (cell) params.c = params.h * 0.5;
  params.mask = relu(mean(x, -1));
  return params;
}

void add_recurrent(std::vector<Kind>& kinds) {
  kinds.push_back({"rnn", 3, 1, [](Draw& d, const Values& in, GraphStep& s) { draw_recurrent(d, in, s, 1); },
                   [](const GraphStep& s, const Values& in) {
                     RecurrentParams params = params_of(s, in[0], false);
                     params.relu = s.numbers[3] % 2 == 0;
                     return rnn(in[0], s.weights[0], s.weights[1], s.weights[2], params);
                   }});
  kinds.push_back({"gru", 3, 1, [](Draw& d, const Values& in, GraphStep& s) { draw_recurrent(d, in, s, 3); },
                   [](const GraphStep& s, const Values& in) {
                     return gru(in[0], s.weights[0], s.weights[1], s.weights[2], s.weights[3],
                                params_of(s, in[0], false));
                   }});
  kinds.push_back({"lstm", 3, 1, [](Draw& d, const Values& in, GraphStep& s) { draw_recurrent(d, in, s, 4); },
                   [](const GraphStep& s, const Values& in) {
                     RecurrentParams params = params_of(s, in[0], true);
                     params.cell_row = s.numbers[3] % 3 == 0;
                     return lstm(in[0], s.weights[0], s.weights[1], s.weights[2], params);
                   }});
}

// ---- reductions and normalisation ------------------------------------------------------------------------

void add_reductions(std::vector<Kind>& kinds) {
  using Reduce = Tensor (*)(const Tensor&, const Axes&, bool);
  const std::vector<std::pair<std::string, Reduce>> reductions{{"sum", sum}, {"mean", mean}, {"max", max}};
  for (const auto& entry : reductions) {
    const Reduce f = entry.second;
    kinds.push_back({entry.first, 0, 1,
                     [](Draw& draw, const Values& in, GraphStep& s) {
                       for (int axis = 1; axis < in[0].rank(); ++axis)
                         if (draw.coin()) s.numbers.push_back(axis);
                       if (s.numbers.empty()) s.numbers.push_back(in[0].rank() - 1);
                       s.numbers.push_back(draw.any(0, 1));
                     },
                     [f](const GraphStep& s, const Values& in) {
                       const std::vector<int> axes(s.numbers.begin(), s.numbers.end() - 1);
                       return f(in[0], Axes(axes), s.numbers.back() != 0);
                     }});
  }
  for (const bool log : {false, true})
    kinds.push_back(
        {log ? "log_softmax" : "softmax", 0, 1,
         [](Draw& draw, const Values& in, GraphStep& s) { s.numbers = {draw.any(1, in[0].rank() - 1)}; },
         [log](const GraphStep& s, const Values& in) {
           const int axis = static_cast<int>(s.numbers[0]);
           return log ? log_softmax(in[0], axis) : softmax(in[0], axis);
         }});
}

void add_norms(std::vector<Kind>& kinds) {
  kinds.push_back({"batch_norm", 0, 1,
                   [](Draw& draw, const Values& in, GraphStep& s) {
                     const Shape c{in[0].shape().back()};
                     s.weights = {draw.weight(c), draw.positive(c)};
                     if (draw.coin()) s.weights.insert(s.weights.end(), {draw.positive(c), draw.weight(c)});
                   },
                   [](const GraphStep& s, const Values& in) {
                     Tensor running_mean = s.weights[0], running_var = s.weights[1];
                     return batch_norm(in[0], running_mean, running_var, optional(s, 2), optional(s, 3), {},
                                       false);
                   }});
  kinds.push_back({"group_norm", 0, 1,
                   [](Draw& draw, const Values& in, GraphStep& s) {
                     const std::int64_t c = in[0].shape().back();
                     s.numbers = {c % 3 == 0 ? 3 : c % 2 == 0 ? 2 : 1};
                     if (draw.coin()) s.weights = {draw.positive({c}), draw.weight({c})};
                   },
                   [](const GraphStep& s, const Values& in) {
                     return group_norm(in[0], s.numbers[0], optional(s, 0), optional(s, 1), 0.1);
                   }});
  kinds.push_back({"layer_norm", 0, 1,
                   [](Draw& draw, const Values& in, GraphStep& s) {
                     const int axes = static_cast<int>(draw.any(1, in[0].rank() - 1));
                     Shape shape = in[0].shape();
                     while (shape.rank() > axes) shape = shape.without(0);
                     s.numbers = {axes};
                     if (draw.coin()) s.weights = {draw.positive(shape), draw.weight(shape)};
                   },
                   [](const GraphStep& s, const Values& in) {
                     return layer_norm(in[0], static_cast<int>(s.numbers[0]), optional(s, 0), optional(s, 1),
                                       0.1);
                   }});
}

// ---- moving elements -------------------------------------------------------------------------------------

Tensor transposed(const GraphStep& s, const Values& in) {
  std::vector<int> order(s.numbers.begin(), s.numbers.end());
  return transpose(in[0], std::span<const int>(order));
}

void add_moves(std::vector<Kind>& kinds) {
  kinds.push_back({"reshape", 0, 1, [](Draw&, const Values&, GraphStep&) {},
                   [](const GraphStep&, const Values& in) { return flatten(in[0]); }});
  kinds.push_back({"transpose", 0, 1,
                   [](Draw& draw, const Values& in, GraphStep& s) {
                     for (int i = 0; i < in[0].rank(); ++i) s.numbers.push_back(i);
                     for (int i = in[0].rank() - 1; i > 1; --i)
                       std::swap(s.numbers[static_cast<std::size_t>(i)],
                                 s.numbers[static_cast<std::size_t>(draw.any(1, i))]);
                   },
                   transposed});
  kinds.push_back(
      {"slice", 0, 1,
       [](Draw& draw, const Values& in, GraphStep& s) {
         const std::int64_t axis = draw.any(1, in[0].rank() - 1), size = in[0].dim(static_cast<int>(axis));
         const std::int64_t begin = draw.any(0, size - 1);
         s.numbers = {axis, begin, draw.any(begin + 1, size), draw.any(1, 3)};
       },
       [](const GraphStep& s, const Values& in) {
         return slice(in[0], static_cast<int>(s.numbers[0]), s.numbers[1], s.numbers[2], s.numbers[3]);
       }});
  kinds.push_back({"concat", 0, 1,
                   [](Draw& draw, const Values& in, GraphStep& s) {
                     s.numbers = {draw.any(1, in[0].rank() - 1), draw.any(1, 11)};
                   },
                   [](const GraphStep& s, const Values& in) {
                     std::vector<Tensor> parts{in[0]};
                     for (std::int64_t i = 0; i < s.numbers[1] && in[0].size() < 2000 * in[0].dim(0); ++i)
                       parts.push_back(i == 0 ? relu(in[0]) : parts[0]);
                     return concat(parts, static_cast<int>(s.numbers[0]));
                   }});
  kinds.push_back(
      {"concat of two", 0, 2,
       [](Draw& draw, const Values& in, GraphStep& s) { s.numbers = {draw.any(1, in[0].rank() - 1)}; },
       [](const GraphStep& s, const Values& in) {
         return concat({in[0], in[1]}, static_cast<int>(s.numbers[0]));
       }});
  kinds.push_back({"pad", 0, 1,
                   [](Draw& draw, const Values& in, GraphStep& s) {
                     s.numbers = {0, 0};
                     for (int i = 1; i < in[0].rank(); ++i)
                       s.numbers.insert(s.numbers.end(), {draw.any(0, 2), draw.any(0, 1)});
                   },
                   [](const GraphStep& s, const Values& in) {
                     std::vector<std::pair<std::int64_t, std::int64_t>> widths;
                     for (std::size_t i = 0; i < s.numbers.size(); i += 2)
                       widths.emplace_back(s.numbers[i], s.numbers[i + 1]);
                     return pad(in[0], widths, 0.25);
                   }});
}

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> all = [] {
    std::vector<Kind> list;
    add_unary(list);
    add_binary(list);
    add_convolutions(list);
    add_products(list);
    add_recurrent(list);
    add_reductions(list);
    add_norms(list);
    add_moves(list);
    return list;
  }();
  return all;
}

/// x as a tensor of that rank, by a reshape.
Tensor of_rank(const Tensor& x, int rank) {
  if (rank == 0 || x.rank() == rank) return x.rank() >= 2 ? x : flatten(x);
  const std::int64_t size = x.size() / x.dim(0);
  if (rank == 2) return flatten(x);
  std::int64_t a = 1, b = 1;  // size = a b (the rest), odd factors first
  for (std::int64_t f : {3, 5, 2, 7})
    if (a == 1 && size % f == 0) a = f;
  for (std::int64_t f : {2, 3, 5, 7})
    if (b == 1 && rank == 4 && size / a % f == 0) b = f;
  if (rank == 3) return x.reshape({-1, a, size / a});
  return x.reshape({-1, a, b, size / a / b});
}

Tensor apply_step(const GraphStep& step, const Values& values) {
  const Kind& kind = kinds()[static_cast<std::size_t>(step.kind)];
  Values in;
  for (int value : step.in) in.push_back(of_rank(values[static_cast<std::size_t>(value)], kind.rank));
  return kind.call(step, in);
}

}  // namespace

int step_kinds() { return static_cast<int>(kinds().size()); }
std::string step_name(int kind) { return kinds()[static_cast<std::size_t>(kind)].name; }

Tensor RandomGraph::run(const Tensor& x) const {
  Values values{x};
  std::vector<bool> read(steps.size() + 1, false);
  for (const GraphStep& step : steps) {
    for (int in : step.in) read[static_cast<std::size_t>(in)] = true;
    values.push_back(apply_step(step, values));
  }
  Values ends;
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!read[i]) ends.push_back(flatten(values[i]));
  return ends.size() == 1 ? ends[0] : concat(ends, 1);
}

std::string RandomGraph::str() const {
  std::string text = concat({"seed ", static_cast<std::int64_t>(seed), ", input ", input, "\n"});
  for (std::size_t k = 0; k < steps.size(); ++k) {
    text += concat({static_cast<std::int64_t>(k + 1), " = ", step_name(steps[k].kind), " of"});
    for (int in : steps[k].in) text += concat({" ", in});
    text += ";";
    for (std::int64_t number : steps[k].numbers) text += concat({" ", number});
    for (const Tensor& weight : steps[k].weights) text += concat({" ", weight.shape()});
    text += "\n";
  }
  return text;
}

RandomGraph random_graph(std::uint64_t seed) {
  constexpr std::int64_t kSteps = 12;
  Draw draw(seed);
  RandomGraph graph;
  graph.seed = seed;
  graph.input = {1, draw.any(3, 9), draw.any(3, 8), draw.any(1, 20)};
  Values values{random_tensor(graph.input, seed)};
  for (std::int64_t k = 0; k < kSteps; ++k) {
    GraphStep step;
    // The first three go round all kinds with the seed, so that each has its turn.
    const int turn = static_cast<int>((seed * 3 + static_cast<std::uint64_t>(k)) % kinds().size());
    step.kind = k < 3 ? turn : static_cast<int>(draw.any(0, step_kinds() - 1));
    const Kind& kind = kinds()[static_cast<std::size_t>(step.kind)];
    // Mostly what came last, sometimes an earlier value: a branch.
    const std::int64_t last = static_cast<std::int64_t>(values.size()) - 1;
    step.in = {static_cast<int>(draw.any(0, 2) > 0 ? last : draw.any(0, last))};
    if (kind.arity == 2) {
      std::vector<int> fitting;
      for (std::size_t i = 0; i < values.size(); ++i)
        if (values[i].shape() == values[static_cast<std::size_t>(step.in[0])].shape())
          fitting.push_back(static_cast<int>(i));
      step.in.push_back(
          fitting[static_cast<std::size_t>(draw.any(0, static_cast<std::int64_t>(fitting.size()) - 1))]);
    }
    Values in;
    for (int value : step.in) in.push_back(of_rank(values[static_cast<std::size_t>(value)], kind.rank));
    kind.draw(draw, in, step);
    const Tensor y = kind.call(step, in);
    if (y.size() > 6000) continue;  // large enough
    values.push_back(y);
    graph.steps.push_back(std::move(step));
  }
  return graph;
}

bool without_step(const RandomGraph& graph, std::size_t k, RandomGraph& smaller) {
  smaller = graph;
  const int gone = static_cast<int>(k) + 1, instead = graph.steps[k].in[0];
  smaller.steps.erase(smaller.steps.begin() + static_cast<std::ptrdiff_t>(k));
  for (GraphStep& step : smaller.steps)
    for (int& in : step.in) in = in == gone ? instead : in > gone ? in - 1 : in;
  if (smaller.steps.empty()) return false;
  try {
    smaller.run(random_tensor(graph.input, 1));
    return true;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace linnet::test
