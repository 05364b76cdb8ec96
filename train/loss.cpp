// SPDX-License-Identifier: Apache-2.0
#include "linnet/train/loss.h"

#include "linnet/core/error.h"

namespace linnet::train {

Tensor Loss::operator()(const Tensor& prediction, const Tensor& target, const Tensor& weights) const {
  if (!weights.defined()) return plain_(prediction, target);
  check<ValueError>(
      static_cast<bool>(weighted_),
      "train: the dataset has sample weights, the loss takes none. Use a loss object, for example "
      "nn::CrossEntropy() or nn::MSE().");
  return weighted_(prediction, target, weights);
}

}  // namespace linnet::train
