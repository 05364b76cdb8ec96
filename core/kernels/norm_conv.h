// SPDX-License-Identifier: Apache-2.0
#pragma once
// The convolution of relu(normalize(x)), forward and backward, by a few images at a time where a batch is
// worth it: what was normalised is read and its sums are taken while these are in a cache. Bits are those of
// normalize(), conv2d() and their gradients.

#include "linnet/core/kernels/norm.h"
#include "linnet/core/window.h"

namespace linnet::kernels {

/// relu((x - mean) inv_std weight + bias), batch-norm of x [N, H, W, C]; weight and bias are [C], or both
/// undefined.
struct NormalizedImages {
  Tensor x;
  Normalizer by;
  Tensor weight, bias;
};

Tensor conv2d(const NormalizedImages& images, const Tensor& weight, const Tensor& bias, const Window& window,
              std::int64_t groups);

struct NormalizedConvGradients {
  NormGradients norm;  ///< of x, and of weight and bias of the normalisation
  Tensor weight;       ///< of the convolution
};
struct NormalizedConvOptions {
  bool fixed_statistics = false;  ///< given from outside: they do not depend on x
  bool want_x = true, want_affine = true, want_weight = true;
};
NormalizedConvGradients conv2d_grad(const NormalizedImages& images, const Tensor& weight, const Tensor& dy,
                                    const Window& window, std::int64_t groups,
                                    const NormalizedConvOptions& options);

}  // namespace linnet::kernels
