// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/kernels/norm.h"

#include <cmath>

#include "linnet/core/kernels/norm_sums.h"

namespace linnet::kernels {

Moments moments(const Tensor& x, const NormShape& shape) {
  Moments result;
  dispatch_float("moments", x.dtype(), [&](auto zero) { result = moments_of<decltype(zero)>(x, shape); });
  return result;
}

Normalizer normalizer(const Moments& moments, double eps) {
  Tensor inv_std = Tensor::empty(moments.variance.shape(), f64);
  for (std::int64_t i = 0; i < inv_std.size(); ++i)
    writable<double>(inv_std)[i] = 1.0 / std::sqrt(readable<double>(moments.variance)[i] + eps);
  return {moments.mean, inv_std};
}

Tensor normalize(const Tensor& x, const NormShape& shape, const Normalizer& by, const Tensor& weight,
                 const Tensor& bias, bool relu) {
  Tensor y = Tensor::empty(x.shape(), x.dtype());
  const Chunks chunks(shape);
  dispatch_float("normalize", x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    Coefficients<T> k(chunks, 3);
    set_affine(k, shape, by, weight, bias);
    chunks.for_each(3, [&](std::int64_t sample, std::int64_t, std::int64_t column, std::int64_t place,
                           const Block& block) {
      column_norm_kernels<T>().apply(readable<T>(x) + place, writable<T>(y) + place, block,
                                     k.affine(sample, column), relu);
    });
  });
  return y;
}

namespace {

/// The sum over samples, as a gradient of shape [C].
template <class T>
Tensor over_samples(const PoolVector<double>& sums, const NormShape& shape) {
  Tensor total = Tensor::empty({shape.channels}, dtype_of<T>());
  for (std::int64_t channel = 0; channel < shape.channels; ++channel) {
    double sum = 0.0;
    for (std::int64_t sample = 0; sample < shape.samples; ++sample)
      sum += sums[static_cast<std::size_t>(sample * shape.channels + channel)];
    writable<T>(total)[channel] = static_cast<T>(sum);
  }
  return total;
}

/// dx = a g + (b (x - head) + c), a = inv_std weight, b = -inv_std^2 mean(g xhat), c = -inv_std mean(g) +
/// b rest. With fixed statistics b and c are 0.
template <class T>
void set_slopes(Coefficients<T>& k, const NormShape& shape, const Normalizer& by, const Tensor& weight,
                const GradSums* sums) {
  const auto groups = static_cast<std::size_t>(shape.samples * shape.groups);
  PoolVector<double> mean(groups), slope(groups);
  if (sums)
    for_channels(shape, [&](std::int64_t sample, std::int64_t channel, std::int64_t statistics) {
      const auto i = static_cast<std::size_t>(sample * shape.channels + channel);
      const auto g = static_cast<std::size_t>(statistics);
      const double w = value_or<T>(weight, channel, 1.0) / static_cast<double>(shape.count());
      mean[g] += w * sums->g[i];
      slope[g] += w * sums->product[i];
    });
  for_channels(shape, [&](std::int64_t sample, std::int64_t channel, std::int64_t statistics) {
    const Channel<T> c(by, statistics);
    const auto g = static_cast<std::size_t>(statistics);
    const double b = sums ? -c.inv_std * c.inv_std * slope[g] : 0.0;  // not -0
    k.set(sample, k.kA, channel, c.inv_std * value_or<T>(weight, channel, 1.0));
    k.set(sample, k.kB, channel, b);
    k.set(sample, k.kC, channel, sums ? b * c.rest - c.inv_std * mean[g] : 0.0);
  });
}

template <class T>
Tensor grad_input(const Tensor& x, const Tensor& dy, const Chunks& chunks, const Coefficients<T>& k,
                  bool relu, Tensor dx) {
  if (!dx.defined()) dx = Tensor::empty(dy.shape(), dy.dtype());
  chunks.for_each(4, [&](std::int64_t sample, std::int64_t, std::int64_t column, std::int64_t place,
                         const Block& block) {
    column_norm_kernels<T>().grad(readable<T>(x) + place, readable<T>(dy) + place, writable<T>(dx) + place,
                                  block, k.affine(sample, column), relu, k.slopes(sample, column));
  });
  return dx;
}

/// inv_std weight dy: the statistics do not depend on x.
Tensor scaled(const Tensor& dy, const NormShape& shape, const Normalizer& by, const Tensor& weight) {
  return normalize(dy, shape, {Tensor::zeros(by.mean.shape(), f64), by.inv_std}, weight, {});
}

}  // namespace

template <class T>
NormGradients gradients_of(const GradSums& sums, const Tensor& x, const Tensor& dy, const NormShape& shape,
                           const Normalizer& by, const Tensor& weight, Coefficients<T>& k,
                           const NormGradOptions& options) {
  NormGradients gradients;
  if (options.want_parameters) {
    gradients.weight = over_samples<T>(sums.product, shape);
    gradients.bias = over_samples<T>(sums.g, shape);
  }
  if (!options.want_x) return gradients;
  set_slopes(k, shape, by, weight, options.fixed_statistics ? nullptr : &sums);
  gradients.x = grad_input<T>(x, dy, Chunks(shape), k, options.relu, options.into);
  return gradients;
}
template NormGradients gradients_of(const GradSums&, const Tensor&, const Tensor&, const NormShape&,
                                    const Normalizer&, const Tensor&, Coefficients<float>&,
                                    const NormGradOptions&);

NormGradients normalize_grad(const Tensor& x, const Tensor& dy, const NormShape& shape, const Normalizer& by,
                             const Tensor& weight, const Tensor& bias, const NormGradOptions& options) {
  NormGradients gradients;
  const bool fixed = options.fixed_statistics;
  if (fixed && options.want_x && !options.relu) gradients.x = scaled(dy, shape, by, weight);
  if (fixed && !options.want_parameters && !options.relu) return gradients;
  // A value that is its own mean: exactly 0, where the sums below leave rounding errors over sqrt(eps).
  const bool lone = !fixed && shape.count() == 1;
  if (lone && options.want_x) gradients.x = Tensor::zeros(dy.shape(), dy.dtype());
  NormGradOptions left = options;
  left.want_x = options.want_x && !gradients.x.defined();
  const Chunks chunks(shape);
  dispatch_float("normalize_grad", dy.dtype(), [&](auto zero) {
    using T = decltype(zero);
    Coefficients<T> k(chunks, 6);
    set_affine(k, shape, by, weight, bias);
    const GradSums sums = GradientSums<T>(x, dy, shape, k, options.relu).finish(by);
    NormGradients rest = gradients_of(sums, x, dy, shape, by, weight, k, left);
    if (left.want_x) gradients.x = rest.x;
    gradients.weight = rest.weight;
    gradients.bias = rest.bias;
  });
  return gradients;
}

}  // namespace linnet::kernels
