// SPDX-License-Identifier: Apache-2.0
// Activations off their main branch, normalisation, embedding, dropout of whole channels and noise.
#include <cmath>

#include "linnet/autograd/ops.h"
#include "op_cases.h"
#include "op_draws.h"
#include "support/fixtures.h"

namespace linnet::test {
namespace {

void add_activations(std::vector<OpCase>& cases) {
  const auto between = [&](Op op, const char* name, double low, double high, Tensor (*call)(const Tensor&)) {
    cases.push_back({op, name, [=](Rng& rng) {
                       return OpExample{{draw_between(rng, {any(rng, 1, 3), any(rng, 1, 33)}, low, high)},
                                        [=](const Inputs& in) { return call(in[0]); },
                                        1,
                                        1.0};
                     }});
  };
  between(Op::relu6, "relu6, above 6", 6.1, 9.0, relu6);
  between(Op::hard_swish, "hard_swish, below -3", -5.0, -3.1, hard_swish);
  between(Op::hard_swish, "hard_swish, above 3", 3.1, 5.0, hard_swish);
  between(Op::gelu, "gelu, where the tail begins", -6.0, 6.0, gelu);
  between(Op::softplus, "softplus, far out", -30.0, 30.0, softplus);
  between(Op::elu, "elu, alpha 0.3", -3.0, -0.1, [](const Tensor& x) { return elu(x, 0.3); });
}

Shape with_channels(Rng& rng, std::int64_t channels) {
  Shape shape{any(rng, 1, 3)};
  for (std::int64_t axes = rng.below(3); axes > 0; --axes) shape = shape.inserted(1, any(rng, 1, 5));
  return shape.inserted(shape.rank(), channels);
}

/// Values that differ by 3 at least once in each run of `length` elements that are `step` apart: a variance
/// near 0 would make central differences and f32 coarse.
Tensor draw_spread(Rng& rng, const Shape& shape, std::int64_t step, std::int64_t length) {
  Tensor x = draw_between(rng, shape);
  auto values = x.mutable_data<double>();
  for (std::int64_t i = 0; i < x.size(); ++i) {
    const std::int64_t place = i / step % length;
    if (length > 1 && place < 2) values[static_cast<std::size_t>(i)] += place == 0 ? -2.0 : 2.0;
  }
  return x;
}

std::vector<Tensor> with_affine(Rng& rng, Tensor x, const Shape& shape) {
  std::vector<Tensor> inputs{std::move(x)};
  if (rng.below(3) == 0) return inputs;
  inputs.push_back(draw_between(rng, shape, 0.5, 1.5));
  inputs.push_back(draw_between(rng, shape));
  return inputs;
}

Tensor given(const Inputs& in, std::size_t i) { return i < in.size() ? in[i] : Tensor(); }

/// Values behind a statistic reach the gradient through sums of that many terms, of this size.
constexpr double kScale = 16.0;

OpExample batch_norm_example(Rng& rng, bool training, bool frozen) {
  const std::int64_t channels = any(rng, 1, 35);
  const Shape shape = with_channels(rng, channels);
  const std::int64_t rows = shape.size() / channels;
  const Tensor mean = random_tensor({channels}, 7), variance = random_tensor({channels}, 8, 0.5, 2.0);
  const auto call = [=](const Inputs& in) {
    Tensor running_mean = mean.to(in[0].dtype()).clone(), running_var = variance.to(in[0].dtype()).clone();
    return batch_norm(in[0], running_mean, running_var, given(in, 1), given(in, 2), {.frozen = frozen},
                      training);
  };
  return {with_affine(rng, draw_spread(rng, shape, channels, rows), {channels}), call, rows, kScale};
}

void add_norms(std::vector<OpCase>& cases) {
  cases.push_back(
      {Op::batch_norm, "batch_norm", [](Rng& rng) { return batch_norm_example(rng, true, false); }});
  cases.push_back(
      {Op::batch_norm, "batch_norm, frozen", [](Rng& rng) { return batch_norm_example(rng, true, true); }});
  cases.push_back({Op::batch_norm, "batch_norm, outside training",
                   [](Rng& rng) { return batch_norm_example(rng, false, false); }});
  cases.push_back(
      {Op::group_norm, "group_norm", [](Rng& rng) {
         const std::int64_t groups = any(rng, 1, 4), channels = groups * any(rng, 2, 9);
         const Shape shape = with_channels(rng, channels);
         return OpExample{
             with_affine(rng, draw_spread(rng, shape, 1, channels / groups), {channels}),
             [=](const Inputs& in) { return group_norm(in[0], groups, given(in, 1), given(in, 2)); },
             shape.size(), kScale};
       }});
  cases.push_back(
      {Op::layer_norm, "layer_norm", [](Rng& rng) {
         const Shape shape = with_channels(rng, any(rng, 2, 35));
         const int axes = static_cast<int>(any(rng, 1, shape.rank() - 1));
         Shape normalized = shape;
         while (normalized.rank() > axes) normalized = normalized.without(0);
         return OpExample{
             with_affine(rng, draw_spread(rng, shape, 1, normalized.size()), normalized),
             [=](const Inputs& in) { return layer_norm(in[0], axes, given(in, 1), given(in, 2)); },
             shape.size(), kScale};
       }});
}

void add_tables_and_noise(std::vector<OpCase>& cases) {
  cases.push_back({Op::embedding, "embedding", [](Rng& rng) {
                     const std::int64_t rows = any(rng, 1, 9), size = any(rng, 1, 33);
                     Shape shape;
                     for (std::int64_t axes = rng.below(3); axes > 0; --axes)
                       shape = shape.inserted(0, any(rng, 1, 7));
                     const DType types[] = {i64, i32, u8};
                     const Tensor indices = random_labels(shape, static_cast<std::uint64_t>(rows), rows,
                                                          types[static_cast<std::size_t>(rng.below(3))]);
                     return OpExample{{draw_between(rng, {rows, size})},
                                      [=](const Inputs& in) { return embedding(indices, in[0]); },
                                      shape.size()};
                   }});
  cases.push_back({Op::spatial_dropout, "spatial_dropout", [](Rng& rng) {
                     const Shape shape = with_channels(rng, any(rng, 1, 35));
                     const bool training = rng.below(4) != 0;
                     return OpExample{{draw_between(rng, shape)}, [=](const Inputs& in) {
                                        return spatial_dropout(in[0], 0.375, training);
                                      }};
                   }});
  cases.push_back({Op::gaussian_noise, "gaussian_noise", [](Rng& rng) {
                     const Shape shape = with_channels(rng, any(rng, 1, 35));
                     const bool training = rng.below(4) != 0;
                     // a normal number beyond 6 is not met
                     return OpExample{{draw_between(rng, shape)},
                                      [=](const Inputs& in) { return gaussian_noise(in[0], 0.5, training); },
                                      1,
                                      0.5 * 6};
                   }});
}

/// Numbers at most 0.4 of a step from a multiple of it, up to `steps` and 2 beyond.
Tensor draw_near_steps(Rng& rng, const Shape& shape, double step, std::int64_t low, std::int64_t high) {
  Tensor t = Tensor::empty(shape, f64);
  for (double& v : t.mutable_data<double>())
    v = step * (static_cast<double>(any(rng, low - 2, high + 2)) + std::round(rng.uniform(-6.0, 6.0)) / 16.0);
  return t.set_requires_grad(true);
}

OpExample fake_quant_example(Rng& rng, bool symmetric, std::int64_t channels_with_range) {
  const int bits = static_cast<int>(any(rng, 2, 8));
  const Shape shape{any(rng, 1, 4), any(rng, 1, 33)};
  const std::int64_t largest = (std::int64_t{1} << (bits - 1)) - 1;
  const double step = 0.0625;
  const std::int64_t low = symmetric ? -largest : -any(rng, 0, 2 * largest + 1);
  const std::int64_t high = symmetric ? largest : low + 2 * largest + 1;
  const Tensor range = symmetric
                           ? Tensor::full({channels_with_range ? shape[0] : 1}, step * double(largest), f64)
                           : Tensor::from({step * double(low), step * double(high)}, f64);
  const auto call = [=](const Inputs& in) {
    Tensor own = range.to(in[0].dtype()).clone();
    return fake_quant(in[0], own, {.bits = bits, .symmetric = symmetric}, false);
  };
  const auto slope = [=](const Inputs& in) {
    return clamp(in[0], step * (double(low) - 0.5), step * (double(high) + 0.5));
  };
  return {{draw_near_steps(rng, shape, step, low, high)}, call, 1, 0.0, slope};
}

void add_fake_quant(std::vector<OpCase>& cases) {
  cases.push_back({Op::fake_quant, "fake_quant", [](Rng& rng) { return fake_quant_example(rng, false, 0); }});
  cases.push_back(
      {Op::fake_quant, "fake_quant, symmetric", [](Rng& rng) { return fake_quant_example(rng, true, 0); }});
  cases.push_back(
      {Op::fake_quant, "fake_quant, by channel", [](Rng& rng) { return fake_quant_example(rng, true, 1); }});
}

}  // namespace

void add_norm(std::vector<OpCase>& cases) {
  add_activations(cases);
  add_norms(cases);
  add_tables_and_noise(cases);
  add_fake_quant(cases);
}

}  // namespace linnet::test
