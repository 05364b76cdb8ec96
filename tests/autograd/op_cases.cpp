// SPDX-License-Identifier: Apache-2.0
#include "op_cases.h"

#include <algorithm>
#include <cmath>

#include "linnet/autograd/ops.h"
#include "op_draws.h"

namespace linnet::test {

namespace {

// ---- elementwise --------------------------------------------------------------------------------------

bool defined_for_negative(Op op) { return op != Op::log && op != Op::sqrt && op != Op::pow; }

OpCase unary_case(Op op, double low, double high, Tensor (*call)(const Tensor&)) {
  return {op, std::string(name(op)), [=](Rng& rng) {
            return OpExample{{draw(rng, random_shape(rng, 0, 4), low, high, defined_for_negative(op))},
                             [=](const Inputs& in) { return call(in[0]); }};
          }};
}

/// One of the two is sometimes smaller along some axes, or of lower rank.
std::pair<Shape, Shape> broadcast_shapes(Rng& rng) {
  Shape whole = random_shape(rng, 0, 4, 5), part = whole;
  for (int axis = 0; axis < part.rank(); ++axis)
    if (rng.below(3) == 0) part = part.with(axis, 1);
  while (part.rank() > 0 && rng.below(4) == 0) part = part.without(0);
  return coin(rng) ? std::pair(whole, part) : std::pair(part, whole);
}

OpCase binary_case(Op op, double low, double high, Tensor (*call)(const Tensor&, const Tensor&)) {
  return {op, std::string(name(op)), [=](Rng& rng) {
            auto [a_shape, b_shape] = broadcast_shapes(rng);
            Tensor a = draw(rng, a_shape, low, high), b = draw(rng, b_shape, low, high);
            bool kinked = op == Op::maximum || op == Op::minimum;
            if (kinked)  // a on a grid, b between its points
              for (double& v : a.mutable_data<double>()) v = std::round(v * 8.0) / 8.0;
            if (kinked)
              for (double& v : b.mutable_data<double>()) v = std::round(v * 8.0) / 8.0 + 0.0625;
            return OpExample{{a, b},
                             [=](const Inputs& in) { return call(in[0], in[1]); },
                             broadcast("test", a_shape, b_shape).size(),
                             4.0};
          }};
}

void add_elementwise(std::vector<OpCase>& cases) {
#define UNARY(name, value, derivative, needs, low, high, ...) \
  cases.push_back(unary_case(Op::name, low, high, [](const Tensor& x) { return name(x); }));
#define UNARY1(name, p, default_p, value, derivative, needs, low, high, ...) \
  cases.push_back(unary_case(Op::name, low, high, [](const Tensor& x) { return name(x, default_p); }));
#define UNARY2(name, p, q, default_p, default_q, value, derivative, needs, low, high, ...) \
  cases.push_back(                                                                         \
      unary_case(Op::name, low, high, [](const Tensor& x) { return name(x, default_p, default_q); }));
#include "linnet/core/ops/unary.def"
#undef UNARY
#undef UNARY1
#undef UNARY2
  for (double exponent : {-1.5, -1.0, 0.5, 1.0, 2.7, 3.0})
    cases.push_back({Op::pow, "pow, exponent " + std::to_string(exponent), [=](Rng& rng) {
                       return OpExample{{draw_between(rng, random_shape(rng, 0, 3), 0.3, 2.0)},
                                        [=](const Inputs& in) { return pow(in[0], exponent); },
                                        1,
                                        4.0};
                     }});
  cases.push_back({Op::clamp, "clamp, inside", [](Rng& rng) {
                     return OpExample{{draw_between(rng, random_shape(rng, 0, 3), 0.0, 0.7)},
                                      [](const Inputs& in) { return clamp(in[0], -0.5, 0.75); }};
                   }});
#define BINARY(name, value, da, db, needs, low, high, ...) \
  cases.push_back(                                         \
      binary_case(Op::name, low, high, [](const Tensor& a, const Tensor& b) { return name(a, b); }));
#include "linnet/core/ops/binary.def"
#undef BINARY
}

// ---- products, windows --------------------------------------------------------------------------------

void add_products(std::vector<OpCase>& cases) {
  cases.push_back({Op::matmul, "matmul", [](Rng& rng) {
                     std::int64_t n = odd_size(rng), k = odd_size(rng), m = odd_size(rng);
                     return OpExample{{draw(rng, {n, k}), draw(rng, {k, m})},
                                      [](const Inputs& in) { return matmul(in[0], in[1]); },
                                      std::max({n, k, m})};
                   }});
  cases.push_back({Op::dense, "dense", [](Rng& rng) {
                     std::int64_t in = odd_size(rng), out = odd_size(rng);
                     Shape x = random_shape(rng, 0, 3, 4).inserted(0, any(rng, 1, 4));
                     x = x.with(x.rank() - 1, in);
                     std::vector<Tensor> inputs{draw(rng, x), draw(rng, {out, in})};
                     if (coin(rng)) inputs.push_back(draw(rng, {out}));
                     return OpExample{
                         inputs,
                         [](const Inputs& t) { return dense(t[0], t[1], t.size() > 2 ? t[2] : Tensor()); },
                         std::max({in, out, x.size() / in})};
                   }});
}

OpExample conv_example(Rng& rng, std::int64_t largest_stride, std::int64_t largest_dilation, bool grouped) {
  Conv2DParams params;
  params.stride = {any(rng, 1, largest_stride), any(rng, 1, largest_stride)};
  params.dilation = {any(rng, 1, largest_dilation), any(rng, 1, largest_dilation)};
  std::int64_t kh = any(rng, 1, 3), kw = any(rng, 1, 3);
  std::int64_t reach_h = (kh - 1) * params.dilation.h + 1, reach_w = (kw - 1) * params.dilation.w + 1;
  params.padding = random_padding(rng, reach_h, reach_w);
  params.groups = grouped ? any(rng, 2, 4) : 1;
  std::int64_t c = any(rng, 1, 4), o = grouped ? any(rng, 1, 3) : odd_size(rng) / 2 + 1;
  Shape x{any(rng, 1, 3), reach_h + any(rng, 0, 4), reach_w + any(rng, 0, 4), c * params.groups};
  std::vector<Tensor> inputs{draw(rng, x), draw(rng, {o * params.groups, kh, kw, c})};
  if (coin(rng)) inputs.push_back(draw(rng, {o * params.groups}));
  return {inputs, [=](const Inputs& t) { return conv2d(t[0], t[1], t.size() > 2 ? t[2] : Tensor(), params); },
          std::max({kh * kw * c, kh * kw * o, x[0] * x[1] * x[2]})};
}

void add_windows(std::vector<OpCase>& cases) {
  cases.push_back({Op::conv2d, "conv2d", [](Rng& rng) { return conv_example(rng, 1, 1, false); }});
  cases.push_back({Op::conv2d, "conv2d, strided", [](Rng& rng) { return conv_example(rng, 3, 1, false); }});
  cases.push_back({Op::conv2d, "conv2d, dilated", [](Rng& rng) { return conv_example(rng, 2, 3, false); }});
  cases.push_back({Op::conv2d, "conv2d, grouped", [](Rng& rng) { return conv_example(rng, 2, 2, true); }});
  for (bool largest : {true, false})
    cases.push_back(
        {largest ? Op::max_pool2d : Op::avg_pool2d, largest ? "max_pool2d" : "avg_pool2d", [=](Rng& rng) {
           Pool2DParams params;
           params.kernel = {any(rng, 1, 3), any(rng, 1, 3)};
           if (coin(rng)) params.stride = Pair(any(rng, 1, 3), any(rng, 1, 3));
           params.padding = random_padding(rng, params.kernel.h, params.kernel.w);
           Shape x{any(rng, 1, 3), any(rng, 3, 8), any(rng, 3, 8), odd_size(rng)};
           return OpExample{{draw_distinct(rng, x)},
                            [=](const Inputs& in) {
                              return largest ? max_pool2d(in[0], params) : avg_pool2d(in[0], params);
                            },
                            9};
         }});
}

// ---- reductions, softmax, losses ----------------------------------------------------------------------

std::vector<int> random_axes(Rng& rng, int rank) {
  std::vector<int> axes;
  for (int axis = 0; axis < rank; ++axis)
    if (coin(rng)) axes.push_back(coin(rng) ? axis : axis - rank);
  return axes;
}

void add_reductions(std::vector<OpCase>& cases) {
  using Reduce = Tensor (*)(const Tensor&, const Axes&, bool);
  auto reduction = [&](Op op, Reduce reduce, Tensor (*drawn)(Rng&, const Shape&)) {
    cases.push_back({op, std::string(name(op)), [=](Rng& rng) {
                       Shape shape = random_shape(rng, 0, 4, 7);
                       std::vector<int> axes = random_axes(rng, shape.rank());
                       bool keep = coin(rng);
                       return OpExample{{drawn(rng, shape)},
                                        [=](const Inputs& in) { return reduce(in[0], Axes(axes), keep); },
                                        shape.size()};
                     }});
  };
  reduction(Op::sum, sum, draw);
  reduction(Op::mean, mean, draw);
  reduction(Op::max, max, draw_distinct);

  using AlongAxis = Tensor (*)(const Tensor&, int);
  auto along = [&](Op op, AlongAxis call) {
    cases.push_back({op, std::string(name(op)), [=](Rng& rng) {
                       Shape shape = random_shape(rng, 1, 4, 7);
                       int axis = static_cast<int>(rng.below(shape.rank()));
                       return OpExample{{draw(rng, shape, 0.0, 3.0)},
                                        [=](const Inputs& in) { return call(in[0], axis); },
                                        shape[axis],
                                        6.0};
                     }});
  };
  along(Op::softmax, softmax);
  along(Op::log_softmax, log_softmax);
}

void add_losses(std::vector<OpCase>& cases) {
  cases.push_back({Op::cross_entropy, "cross_entropy", [](Rng& rng) {
                     Shape logits = random_shape(rng, 1, 3, 7);
                     Tensor target = labels(rng, logits.without(logits.rank() - 1), logits.back());
                     return OpExample{{draw(rng, logits, 0.0, 3.0)},
                                      [=](const Inputs& in) { return cross_entropy(in[0], target); },
                                      logits.size(),
                                      6.0};
                   }});
  cases.push_back({Op::cross_entropy, "cross_entropy, soft labels", [](Rng& rng) {
                     Shape logits = random_shape(rng, 1, 3, 7);
                     return OpExample{{draw(rng, logits, 0.0, 3.0), draw_between(rng, logits, 0.0, 1.0)},
                                      [](const Inputs& in) { return cross_entropy(in[0], in[1]); },
                                      logits.size(),
                                      40.0};
                   }});
  using Loss = Tensor (*)(const Tensor&, const Tensor&);
  auto elementwise = [&](Op op, Loss loss) {
    cases.push_back({op, std::string(name(op)), [=](Rng& rng) {
                       Shape shape = random_shape(rng, 0, 4, 6);
                       // targets stay clear of predictions: |prediction - target| has a kink at 0
                       return OpExample{{draw(rng, shape, 1.2, 2.0), draw_between(rng, shape, 0.0, 1.0)},
                                        [=](const Inputs& in) { return loss(in[0], in[1]); },
                                        shape.size(),
                                        4.0};
                     }});
  };
  elementwise(Op::mse, mse);
  elementwise(Op::mae, mae);
  elementwise(Op::bce_with_logits, bce_with_logits);
}

// ---- moving elements, random --------------------------------------------------------------------------

void add_layout(std::vector<OpCase>& cases) {
  cases.push_back(
      {Op::reshape, "reshape", [](Rng& rng) {
         Shape shape = random_shape(rng, 1, 4, 6);
         std::int64_t first = shape[0];
         return OpExample{{draw(rng, shape)}, [=](const Inputs& in) { return in[0].reshape({-1, first}); }};
       }});
  cases.push_back(
      {Op::transpose, "transpose", [](Rng& rng) {
         Shape shape = random_shape(rng, 1, 5, 5);
         std::vector<int> order(static_cast<std::size_t>(shape.rank()));
         std::iota(order.begin(), order.end(), 0);
         rng.shuffle(order.data(), shape.rank());
         return OpExample{{draw(rng, shape)}, [=](const Inputs& in) { return transpose(in[0], order); }};
       }});
  cases.push_back({Op::slice, "slice", [](Rng& rng) {
                     Shape shape = random_shape(rng, 1, 4, 7);
                     int axis = static_cast<int>(rng.below(shape.rank()));
                     std::int64_t begin = any(rng, 0, shape[axis] - 1),
                                  end = any(rng, begin + 1, shape[axis] + 2);
                     std::int64_t step = any(rng, 1, 3);
                     return OpExample{{draw(rng, shape)},
                                      [=](const Inputs& in) { return slice(in[0], axis, begin, end, step); }};
                   }});
  cases.push_back({Op::concat, "concat", [](Rng& rng) {
                     Shape shape = random_shape(rng, 1, 4, 5);
                     int axis = static_cast<int>(rng.below(shape.rank()));
                     std::vector<Tensor> parts;
                     for (std::int64_t n = any(rng, 1, 5); n > 0; --n)
                       parts.push_back(draw(rng, shape.with(axis, any(rng, 1, 4))));
                     return OpExample{parts, [=](const Inputs& in) { return concat(in, axis); }};
                   }});
  cases.push_back(
      {Op::pad, "pad", [](Rng& rng) {
         Shape shape = random_shape(rng, 1, 4, 5);
         std::vector<std::pair<std::int64_t, std::int64_t>> widths;
         for (int i = 0; i < shape.rank(); ++i) widths.emplace_back(any(rng, 0, 2), any(rng, 0, 2));
         return OpExample{{draw(rng, shape)}, [=](const Inputs& in) { return pad(in[0], widths, 0.5); }};
       }});
  cases.push_back({Op::dropout, "dropout", [](Rng& rng) {
                     bool training = rng.below(4) != 0;
                     return OpExample{{draw(rng, random_shape(rng, 0, 4))},
                                      [=](const Inputs& in) { return dropout(in[0], 0.375, training); }};
                   }});
}

std::vector<OpCase> all_cases() {
  std::vector<OpCase> cases;
  add_elementwise(cases);
  add_products(cases);
  add_windows(cases);
  add_reductions(cases);
  add_losses(cases);
  add_loss_ops(cases);
  add_layout(cases);
  add_norm(cases);
  add_conv(cases);
  add_recurrent(cases);
  return cases;
}

}  // namespace

const std::vector<OpCase>& op_cases() {
  static const std::vector<OpCase> cases = all_cases();
  return cases;
}

}  // namespace linnet::test
