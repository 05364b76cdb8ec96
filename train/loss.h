// SPDX-License-Identifier: Apache-2.0
#pragma once
// Loss: what the Trainer minimises.

#include <concepts>
#include <functional>
#include <type_traits>
#include <utility>

#include "linnet/core/tensor.h"
#include "linnet/data/dataset.h"

namespace linnet::train {

template <class F>
concept TargetLoss = std::is_invocable_r_v<Tensor, F&, const Tensor&, const Tensor&>;
template <class F>
concept BatchLoss = std::is_invocable_r_v<Tensor, F&, const Tensor&, const data::Batch&>;

/// A function or object of (prediction, target) that gives a scalar: cross_entropy, nn::Huber({.delta =
/// 0.5}), a lambda. If it can also be called with (prediction, target, sample_weights), as the loss objects
/// of nn/, it is when a batch has weights. Or one of (prediction, batch), which looks at weights itself.
class Loss {
 public:
  Loss() = default;
  template <class F>
  requires(!std::same_as<std::remove_cvref_t<F>, Loss> && (TargetLoss<F> || BatchLoss<F>)) Loss(F function) {
    if constexpr (TargetLoss<F>) {
      if constexpr (std::is_invocable_r_v<Tensor, F&, const Tensor&, const Tensor&, const Tensor&>)
        weighted_ = function;
      plain_ = std::move(function);
    } else {
      of_batch_ = std::move(function);
    }
  }

  explicit operator bool() const { return plain_ || of_batch_; }
  /// ValueError when the batch has weights and the loss takes none.
  Tensor operator()(const Tensor& prediction, const data::Batch& batch) const;

 private:
  std::function<Tensor(const Tensor&, const Tensor&)> plain_;
  std::function<Tensor(const Tensor&, const Tensor&, const Tensor&)> weighted_;
  std::function<Tensor(const Tensor&, const data::Batch&)> of_batch_;
};

}  // namespace linnet::train
