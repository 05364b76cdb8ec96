// SPDX-License-Identifier: Apache-2.0
// Losses of autograd/ops/weighted_loss.cpp beyond mse, mae and bce_with_logits; and all of them with weights.
#include "linnet/autograd/ops.h"
#include "linnet/autograd/weighted_loss.h"
#include "op_cases.h"
#include "op_draws.h"

namespace linnet::test {
namespace {

Shape loss_shape(Rng& rng, int min_rank) {
  const std::int64_t sizes[] = {1, 2, 3, 5, 7, 9, 15, 16, 17, 33};
  std::vector<std::int64_t> shape(static_cast<std::size_t>(min_rank + rng.below(3)));
  for (auto& size : shape) size = 1 + rng.below(4);
  if (!shape.empty()) shape.back() = sizes[rng.below(10)];
  return Shape(std::span<const std::int64_t>(shape));
}

double rounded(double value) { return static_cast<double>(static_cast<float>(value)); }

Tensor fixed(Tensor t) { return t.set_requires_grad(false); }

Tensor signs(Rng& rng, const Shape& shape) {
  Tensor t = Tensor::empty(shape, f64);
  for (double& v : t.mutable_data<double>()) v = static_cast<double>(2 * rng.below(2) - 1);
  return t;
}

using Loss = Tensor (*)(const Tensor&, const Tensor&);

/// Arguments of an elementwise loss away from its kinks.
Inputs arguments(Op op, Rng& rng, const Shape& shape) {
  if (op == Op::hinge) {  // s a in 0.2..0.8 or 1.2..2 from the kink at 1
    Tensor s = signs(rng, shape), a = draw_between(rng, shape, 0.2, 0.8);
    auto values = a.mutable_data<double>();
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] = rounded(values[i] + (rng.below(2) == 0 ? 1.0 : 0.0)) * s.data<double>()[i];
    return {a, s};
  }
  if (op == Op::huber) {  // |a - b| in 0.1..0.8 or 1.2..1.9
    Tensor b = draw(rng, shape, 0.0, 0.125), a = draw(rng, shape, 0.25, 0.625);
    for (double& v : a.mutable_data<double>())
      if (rng.below(2) == 0) v = rounded(v + (v > 0 ? 1.0625 : -1.0625));
    return {a, b};
  }
  return {draw(rng, shape, 1.2, 3.0), draw_between(rng, shape, 0.0, 1.0)};
}

void add_elementwise_losses(std::vector<OpCase>& cases) {
  const auto plain = [&](Op op, Loss loss) {
    cases.push_back({op, std::string(name(op)), [=](Rng& rng) {
                       const Shape shape = loss_shape(rng, 0);
                       return OpExample{arguments(op, rng, shape),
                                        [=](const Inputs& in) { return loss(in[0], in[1]); }, shape.size(),
                                        8.0};
                     }});
  };
  plain(Op::huber, huber);
  plain(Op::hinge, hinge);
  plain(Op::focal, focal);
  for (const Op op : {Op::mse, Op::mae, Op::bce_with_logits, Op::huber, Op::hinge, Op::focal})
    cases.push_back({op, std::string(name(op)) + ", weighted", [=](Rng& rng) {
                       const Shape shape = loss_shape(rng, 0);
                       Inputs inputs = arguments(op, rng, shape);
                       inputs.push_back(fixed(draw_between(rng, shape, 0.0, 2.0)));
                       return OpExample{
                           inputs,
                           [=](const Inputs& in) { return weighted_loss(op, in[0], in[1], in[2], 1.0); },
                           shape.size(), 16.0};
                     }});
  for (const double gamma : {0.0, 0.5, 3.0})
    cases.push_back({Op::focal, "focal, gamma " + std::to_string(gamma), [=](Rng& rng) {
                       const Shape shape = loss_shape(rng, 0);
                       return OpExample{arguments(Op::focal, rng, shape),
                                        [=](const Inputs& in) {
                                          return weighted_loss(Op::focal, in[0], in[1], {}, gamma);
                                        },
                                        shape.size(), 16.0};
                     }});
}

void add_rows(std::vector<OpCase>& cases) {
  for (const double gamma : {2.0, 0.0, 0.5})
    cases.push_back(
        {Op::focal, "focal of labels, gamma " + std::to_string(gamma), [=](Rng& rng) {
           const Shape logits = loss_shape(rng, 1), rows = logits.without(logits.rank() - 1);
           // with one class its probability is 1, where u^0.5 has no derivative
           const Shape shape = logits.with(logits.rank() - 1, logits.back() + 1);
           const Tensor target = labels(rng, rows, shape.back());
           return OpExample{
               {draw(rng, shape, 0.0, 3.0), fixed(draw_between(rng, rows, 0.25, 2.0))},
               [=](const Inputs& in) { return weighted_loss(Op::focal, in[0], target, in[1], gamma); },
               shape.size(),
               40.0};
         }});
  cases.push_back({Op::kl_div, "kl_div", [](Rng& rng) {
                     const Shape shape = loss_shape(rng, 1);
                     return OpExample{
                         {draw_between(rng, shape, -4.0, 0.0), draw_between(rng, shape, 0.05, 1.0)},
                         [](const Inputs& in) { return kl_div(in[0], in[1]); },
                         shape.size(),
                         8.0 * static_cast<double>(shape.back())};
                   }});
  cases.push_back({Op::kl_div, "kl_div, weighted", [](Rng& rng) {
                     const Shape shape = loss_shape(rng, 1);
                     const Tensor weights =
                         fixed(draw_between(rng, shape.without(shape.rank() - 1), 0.0, 2.0));
                     return OpExample{
                         {draw_between(rng, shape, -4.0, 0.0), draw_between(rng, shape, 0.05, 1.0), weights},
                         [](const Inputs& in) { return weighted_loss(Op::kl_div, in[0], in[1], in[2], 0.0); },
                         shape.size(),
                         16.0 * static_cast<double>(shape.back())};
                   }});
  cases.push_back({Op::cosine_loss, "cosine_loss", [](Rng& rng) {
                     const Shape shape = loss_shape(rng, 1);
                     return OpExample{{draw(rng, shape, 0.25, 2.0), draw(rng, shape, 0.25, 2.0)},
                                      [](const Inputs& in) { return cosine_loss(in[0], in[1]); },
                                      shape.size(),
                                      8.0};
                   }});
  cases.push_back({Op::cosine_loss, "cosine_loss, weighted", [](Rng& rng) {
                     const Shape shape = loss_shape(rng, 1);
                     const Tensor weights =
                         fixed(draw_between(rng, shape.without(shape.rank() - 1), 0.0, 2.0));
                     return OpExample{{draw(rng, shape, 0.25, 2.0), draw(rng, shape, 0.25, 2.0), weights},
                                      [](const Inputs& in) {
                                        return weighted_loss(Op::cosine_loss, in[0], in[1], in[2], 0.0);
                                      },
                                      shape.size(),
                                      16.0};
                   }});
}

}  // namespace

void add_loss_ops(std::vector<OpCase>& cases) {
  add_elementwise_losses(cases);
  add_rows(cases);
}

}  // namespace linnet::test
