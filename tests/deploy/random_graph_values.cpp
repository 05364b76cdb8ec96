// SPDX-License-Identifier: Apache-2.0
// Kinds of steps: elementwise, reductions, normalisation, moving elements.
#include "random_graph_kinds.h"

namespace linnet::test {
namespace {

// ---- elementwise: arguments are kept where the op neither overflows nor loses what it had ----------------

void add_unary(std::vector<Kind>& kinds) {
  const auto unary = [&](const char* name, Tensor (*f)(const Tensor&)) {
    kinds.push_back({name, 0, 1, [](Draw&, const Arguments&, GraphStep&) {},
                     [f](const GraphStep&, const Arguments& in) { return f(in[0]); }});
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
  unary("gaussian_noise", [](const Tensor& x) { return gaussian_noise(x, 0.3, false); });
  unary("spatial_dropout", [](const Tensor& x) { return x.rank() > 1 ? spatial_dropout(x, 0.3, false) : x; });
  kinds.push_back({"pow", 0, 1,
                   [](Draw& draw, const Arguments&, GraphStep& s) { s.numbers = {draw.any(-4, 5)}; },
                   [](const GraphStep& s, const Arguments& in) {
                     return pow(abs(tanh(in[0])) + 0.5, static_cast<double>(s.numbers[0]) / 2.0);
                   }});
}

/// The second argument is another value of that shape, or a weight that is repeated along some axes.
void add_binary(std::vector<Kind>& kinds) {
  const auto binary = [&](const char* name, Tensor (*f)(const Tensor&, const Tensor&)) {
    kinds.push_back({name, 0, 1,
                     [](Draw& draw, const Arguments& in, GraphStep& s) {
                       Shape shape = in[0].shape().with(0, 1);
                       for (int axis = 1; axis < shape.rank(); ++axis)
                         if (draw.coin()) shape = shape.with(axis, 1);
                       if (draw.coin()) shape = shape.without(0);
                       s.numbers = {draw.any(0, 1)};
                       s.weights = {draw.positive(shape)};
                     },
                     [f](const GraphStep& s, const Arguments& in) {
                       return s.numbers[0] != 0 ? f(in[0], s.weights[0]) : f(s.weights[0], in[0]);
                     }});
    kinds.push_back({std::string(name) + " of two", 0, 2, [](Draw&, const Arguments&, GraphStep&) {},
                     [f](const GraphStep&, const Arguments& in) { return f(in[0], in[1]); }});
  };
  binary("add", [](const Tensor& a, const Tensor& b) { return add(a, b); });
  binary("sub", [](const Tensor& a, const Tensor& b) { return sub(a, b); });
  binary("mul", [](const Tensor& a, const Tensor& b) { return mul(a, b); });
  binary("div", [](const Tensor& a, const Tensor& b) { return div(a, abs(b) + 0.5); });
  binary("maximum", [](const Tensor& a, const Tensor& b) { return maximum(a, b); });
  binary("minimum", [](const Tensor& a, const Tensor& b) { return minimum(a, b); });
  binary("prelu", [](const Tensor& a, const Tensor& b) { return prelu(a, b); });
}

// ---- reductions and normalisation ------------------------------------------------------------------------

void add_reductions(std::vector<Kind>& kinds) {
  using Reduce = Tensor (*)(const Tensor&, const Axes&, bool);
  const std::vector<std::pair<std::string, Reduce>> reductions{{"sum", sum}, {"mean", mean}, {"max", max}};
  for (const auto& entry : reductions) {
    const Reduce f = entry.second;
    kinds.push_back({entry.first, 0, 1,
                     [](Draw& draw, const Arguments& in, GraphStep& s) {
                       for (int axis = 1; axis < in[0].rank(); ++axis)
                         if (draw.coin()) s.numbers.push_back(axis);
                       if (s.numbers.empty()) s.numbers.push_back(in[0].rank() - 1);
                       s.numbers.push_back(draw.any(0, 1));
                     },
                     [f](const GraphStep& s, const Arguments& in) {
                       const std::vector<int> axes(s.numbers.begin(), s.numbers.end() - 1);
                       return f(in[0], Axes(axes), s.numbers.back() != 0);
                     }});
  }
  for (const bool log : {false, true})
    kinds.push_back(
        {log ? "log_softmax" : "softmax", 0, 1,
         [](Draw& draw, const Arguments& in, GraphStep& s) { s.numbers = {draw.any(1, in[0].rank() - 1)}; },
         [log](const GraphStep& s, const Arguments& in) {
           const int axis = static_cast<int>(s.numbers[0]);
           return log ? log_softmax(in[0], axis) : softmax(in[0], axis);
         }});
}

void add_norms(std::vector<Kind>& kinds) {
  kinds.push_back({"batch_norm", 0, 1,
                   [](Draw& draw, const Arguments& in, GraphStep& s) {
                     const Shape c{in[0].shape().back()};
                     s.weights = {draw.weight(c), draw.positive(c)};
                     if (draw.coin()) s.weights.insert(s.weights.end(), {draw.positive(c), draw.weight(c)});
                   },
                   [](const GraphStep& s, const Arguments& in) {
                     Tensor running_mean = s.weights[0], running_var = s.weights[1];
                     return batch_norm(in[0], running_mean, running_var, optional(s, 2), optional(s, 3), {},
                                       false);
                   }});
  kinds.push_back({"group_norm", 0, 1,
                   [](Draw& draw, const Arguments& in, GraphStep& s) {
                     const std::int64_t c = in[0].shape().back();
                     s.numbers = {c % 3 == 0 ? 3 : c % 2 == 0 ? 2 : 1};
                     if (draw.coin()) s.weights = {draw.positive({c}), draw.weight({c})};
                   },
                   [](const GraphStep& s, const Arguments& in) {
                     return group_norm(in[0], s.numbers[0], optional(s, 0), optional(s, 1), 0.1);
                   }});
  kinds.push_back({"layer_norm", 0, 1,
                   [](Draw& draw, const Arguments& in, GraphStep& s) {
                     const int axes = static_cast<int>(draw.any(1, in[0].rank() - 1));
                     Shape shape = in[0].shape();
                     while (shape.rank() > axes) shape = shape.without(0);
                     s.numbers = {axes};
                     if (draw.coin()) s.weights = {draw.positive(shape), draw.weight(shape)};
                   },
                   [](const GraphStep& s, const Arguments& in) {
                     return layer_norm(in[0], static_cast<int>(s.numbers[0]), optional(s, 0), optional(s, 1),
                                       0.1);
                   }});
}

// ---- moving elements -------------------------------------------------------------------------------------

Tensor transposed(const GraphStep& s, const Arguments& in) {
  std::vector<int> order(s.numbers.begin(), s.numbers.end());
  return transpose(in[0], std::span<const int>(order));
}

void add_moves(std::vector<Kind>& kinds) {
  kinds.push_back({"reshape", 0, 1, [](Draw&, const Arguments&, GraphStep&) {},
                   [](const GraphStep&, const Arguments& in) { return flatten(in[0]); }});
  kinds.push_back({"transpose", 0, 1,
                   [](Draw& draw, const Arguments& in, GraphStep& s) {
                     for (int i = 0; i < in[0].rank(); ++i) s.numbers.push_back(i);
                     for (int i = in[0].rank() - 1; i > 1; --i)
                       std::swap(s.numbers[static_cast<std::size_t>(i)],
                                 s.numbers[static_cast<std::size_t>(draw.any(1, i))]);
                   },
                   transposed});
  kinds.push_back(
      {"slice", 0, 1,
       [](Draw& draw, const Arguments& in, GraphStep& s) {
         const std::int64_t axis = draw.any(1, in[0].rank() - 1), size = in[0].dim(static_cast<int>(axis));
         const std::int64_t begin = draw.any(0, size - 1);
         s.numbers = {axis, begin, draw.any(begin + 1, size), draw.any(1, 3)};
       },
       [](const GraphStep& s, const Arguments& in) {
         return slice(in[0], static_cast<int>(s.numbers[0]), s.numbers[1], s.numbers[2], s.numbers[3]);
       }});
  kinds.push_back({"concat", 0, 1,
                   [](Draw& draw, const Arguments& in, GraphStep& s) {
                     s.numbers = {draw.any(1, in[0].rank() - 1), draw.any(1, 11)};
                   },
                   [](const GraphStep& s, const Arguments& in) {
                     std::vector<Tensor> parts{in[0]};
                     for (std::int64_t i = 0; i < s.numbers[1] && in[0].size() < 2000 * in[0].dim(0); ++i)
                       parts.push_back(i == 0 ? relu(in[0]) : parts[0]);
                     return concat(parts, static_cast<int>(s.numbers[0]));
                   }});
  kinds.push_back(
      {"concat of two", 0, 2,
       [](Draw& draw, const Arguments& in, GraphStep& s) { s.numbers = {draw.any(1, in[0].rank() - 1)}; },
       [](const GraphStep& s, const Arguments& in) {
         return concat({in[0], in[1]}, static_cast<int>(s.numbers[0]));
       }});
  kinds.push_back({"pad", 0, 1,
                   [](Draw& draw, const Arguments& in, GraphStep& s) {
                     s.numbers = {0, 0};
                     for (int i = 1; i < in[0].rank(); ++i)
                       s.numbers.insert(s.numbers.end(), {draw.any(0, 2), draw.any(0, 1)});
                   },
                   [](const GraphStep& s, const Arguments& in) {
                     std::vector<std::pair<std::int64_t, std::int64_t>> widths;
                     for (std::size_t i = 0; i < s.numbers.size(); i += 2)
                       widths.emplace_back(s.numbers[i], s.numbers[i + 1]);
                     return pad(in[0], widths, 0.25);
                   }});
}

}  // namespace

void add_elementwise_kinds(std::vector<Kind>& kinds) {
  add_unary(kinds);
  add_binary(kinds);
}
void add_reduction_kinds(std::vector<Kind>& kinds) {
  add_reductions(kinds);
  add_norms(kinds);
}
void add_move_kinds(std::vector<Kind>& kinds) { add_moves(kinds); }

}  // namespace linnet::test
