// SPDX-License-Identifier: Apache-2.0
#include "linnet/train/loss.h"

#include "linnet/core/error.h"

namespace linnet::train {

Tensor Loss::operator()(const Tensor& prediction, const data::Batch& batch) const {
  if (of_batch_) return of_batch_(prediction, batch);
  if (!batch.weights.defined()) return plain_(prediction, batch.y);
  check<ValueError>(
      static_cast<bool>(weighted_),
      "train: the dataset has sample weights, the loss takes none. Use a loss object, for example "
      "nn::CrossEntropy() or nn::MSE().");
  return weighted_(prediction, batch.y, batch.weights);
}

}  // namespace linnet::train
