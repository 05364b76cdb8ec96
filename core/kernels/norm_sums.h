// SPDX-License-Identifier: Apache-2.0
#pragma once
// The sums of batch- and group-norm over a tensor, whole or while it is being made. Chunks of the tensor have
// sums of their own, which are added in order: when they were taken cannot change a bit.

#include "linnet/core/kernels/norm_columns.h"
#include "linnet/core/pool_vector.h"

namespace linnet::kernels {

/// Mean and variance of x.
template <class T>
Moments moments_of(const Tensor& x, const NormShape& shape);

/// Sums of g and of g xhat over the rows of each sample, in f64: [N, C] each.
struct GradSums {
  PoolVector<double> g, product;
};

/// The sums of the gradient dy of relu(normalize(x)), or of normalize(x). Elements of dy need to be there
/// only when they are covered, or at the end.
template <class T>
class GradientSums {
 public:
  GradientSums(const Tensor& x, const Tensor& dy, const NormShape& shape, const Coefficients<T>& k,
               bool relu);
  GradientSums(const GradientSums&) = delete;
  /// Takes the sums of the chunks inside elements [begin, end) of the only sample, unless they are there.
  /// Threads may cover ranges that do not overlap.
  void cover(std::int64_t begin, std::int64_t end);
  GradSums finish(const Normalizer& by);

 private:
  void take(std::int64_t sample, std::int64_t chunk, std::int64_t column, std::int64_t place,
            const Block& block);
  Chunks chunks_;
  PoolVector<char> covered_;  ///< of each chunk
  const Coefficients<T>& k_;
  bool relu_;
  const T *x_, *dy_;
  Tensor sums_;
};

/// What normalize_grad() returns, from sums that were taken before. k gets the slopes.
template <class T>
NormGradients gradients_of(const GradSums& sums, const Tensor& x, const Tensor& dy, const NormShape& shape,
                           const Normalizer& by, const Tensor& weight, Coefficients<T>& k,
                           const NormGradOptions& options);

}  // namespace linnet::kernels
