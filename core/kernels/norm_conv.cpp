// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/kernels/norm_conv.h"

#include "linnet/core/kernels/conv.h"
#include "linnet/core/kernels/conv_plan.h"
#include "linnet/core/kernels/gemm_scratch.h"
#include "linnet/core/kernels/norm_sums.h"

namespace linnet::kernels {
namespace {

constexpr Index kImageFloats = 1 << 15;  // normalised at once, where an image is not larger
constexpr Index kMostFloats = 1 << 18;   // larger images and weights do not stay in a cache anyway
constexpr Index kFewFloats = 3 << 15;    // smaller batches do
constexpr Index kParts = 8;              // of a batch, that threads share

NormShape shape_of(const Tensor& x) {
  const std::int64_t channels = x.shape()[x.rank() - 1];
  return {1, x.size() / channels, channels, channels};
}

/// A batch that is worth cutting into images. Weights are packed for every step, so they are not many.
bool by_images(const ConvPlan& plan, const Tensor& x) {
  const Index image = plan.H * plan.W * plan.C;
  return x.dtype() == f32 && plan.N >= 4 && plan.N * image > kFewFloats &&
         image * images_at_once(plan) <= kMostFloats && plan.O * plan.terms <= kMostFloats &&
         plan.YH * plan.YW * plan.O > 0;
}

Index step_of(const ConvPlan& plan) {
  const Index unit = images_at_once(plan), image = plan.H * plan.W * plan.C;
  return std::max<Index>(kImageFloats / (image * unit), 1) * unit;
}

/// body(first image, count) for all images of a band, a step at a time.
template <class Body>
void for_steps(const ConvPlan& plan, Band images, Body body) {
  const Index step = step_of(plan);
  for (Index n = images.begin; n < images.end; n += step) body(n, std::min(step, images.end - n));
}

/// relu(normalize()) of `size` values that begin with the first channel.
void normalize_part(const Chunks& chunks, const Coefficients<float>& k, const float* x, Index size,
                    float* y) {
  const Index width = chunks.width, rows = size / width, rest = size % width;
  const auto& apply = column_norm_kernels().apply;
  if (rows > 0) apply(x, y, {rows, width, width}, k.affine(0, 0), true);
  if (rest > 0) apply(x + rows * width, y + rows * width, {1, rest, width}, k.affine(0, 0), true);
}

}  // namespace

Tensor conv2d(const NormalizedImages& images, const Tensor& weight, const Tensor& bias, const Window& window,
              std::int64_t groups) {
  const Tensor& x = images.x;
  const ConvPlan plan(x.shape(), weight.shape(), window, groups);
  const NormShape shape = shape_of(x);
  if (!by_images(plan, x))
    return conv2d(normalize(x, shape, images.by, images.weight, images.bias, true), weight, bias, window,
                  groups);
  Tensor y = Tensor::empty({plan.N, plan.YH, plan.YW, plan.O});
  const Chunks chunks(shape);
  Coefficients<float> k(chunks, 3);
  set_affine(k, shape, images.by, images.weight, images.bias);
  const Epilogue end{bias.defined() ? readable<float>(bias) : nullptr, false};
  const Index in = plan.H * plan.W * plan.C, out = plan.YH * plan.YW * plan.O;
  const float *from = readable<float>(x), *weights = readable<float>(weight);
  float* to = writable<float>(y);
  const Index parts = std::min(plan.N, kParts);
  parallel_for(parts, plan.N * plan.image_work(), [&](std::int64_t part) {
    const Band own = band(part, parts, plan.N, 1);
    for_steps(plan, own, [&](Index n, Index count) {
      float* normalized = scratch(Scratch::normalized, count * in);
      normalize_part(chunks, k, from + n * in, count * in, normalized);
      conv_forward(plan.of_images(count), normalized, weights, end, to + n * out);
    });
  });
  return y;
}

NormalizedConvGradients conv2d_grad(const NormalizedImages& images, const Tensor& weight, const Tensor& dy,
                                    const Window& window, std::int64_t groups,
                                    const NormalizedConvOptions& options) {
  const Tensor& x = images.x;
  const ConvPlan plan(x.shape(), weight.shape(), window, groups);
  const NormShape shape = shape_of(x);
  const bool below = options.want_x || options.want_affine;
  NormalizedConvGradients gradients;
  NormGradOptions norm{.fixed_statistics = options.fixed_statistics,
                       .relu = true,
                       .want_x = options.want_x,
                       .want_parameters = options.want_affine};
  if (!by_images(plan, x) || !below || !options.want_weight) {
    if (options.want_weight) {
      const Tensor normalized = normalize(x, shape, images.by, images.weight, images.bias, true);
      gradients.weight = conv2d_grad_weight(dy, normalized, weight.shape(), window, groups);
    }
    if (!below) return gradients;
    norm.into = conv2d_grad_input(dy, weight, x.shape(), window, groups);
    gradients.norm = normalize_grad(x, norm.into, shape, images.by, images.weight, images.bias, norm);
    return gradients;
  }
  norm.into = Tensor::empty(x.shape());
  gradients.weight = Tensor::empty(weight.shape());
  const Chunks chunks(shape);
  Coefficients<float> k(chunks, 6);
  set_affine(k, shape, images.by, images.weight, images.bias);
  GradientSums<float> sums(x, norm.into, shape, k, true);
  const Index in = plan.H * plan.W * plan.C, out = plan.YH * plan.YW * plan.O, size = plan.O * plan.terms;
  const float *from = readable<float>(x), *weights = readable<float>(weight), *arrived = readable<float>(dy);
  float* dx = writable<float>(norm.into);
  const Index parts = image_groups(plan);
  float* partial = scratch(Scratch::partial, parts * size);
  parallel_for(parts, plan.N * plan.image_work(), [&](std::int64_t part) {
    const Band own = band(part, parts, plan.N, 1);
    for_steps(plan, own, [&](Index n, Index count) {
      float* normalized = scratch(Scratch::normalized, count * in);
      normalize_part(chunks, k, from + n * in, count * in, normalized);
      conv_add_images(plan.of_images(plan.N - n), arrived + n * out, normalized, count, n == own.begin,
                      partial + part * size);
      conv_grad_input(plan.of_images(count), arrived + n * out, weights, dx + n * in);
      sums.cover(own.begin * in, (n + count) * in);
    });
  });
  conv_finish_weight(plan, partial, parts, writable<float>(gradients.weight));
  gradients.norm =
      gradients_of(sums.finish(images.by), x, norm.into, shape, images.by, images.weight, k, norm);
  return gradients;
}

}  // namespace linnet::kernels
