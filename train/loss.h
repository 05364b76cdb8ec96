// SPDX-License-Identifier: Apache-2.0
#pragma once
// Loss: what the Trainer minimises.

#include <concepts>
#include <functional>
#include <type_traits>
#include <utility>

#include "linnet/core/tensor.h"

namespace linnet::train {

/// A function or object of (prediction, target) that gives a scalar: cross_entropy, nn::Huber({.delta =
/// 0.5}), a lambda. If it can also be called with (prediction, target, sample_weights), as the loss objects
/// of nn/, it is when a batch has weights.
class Loss {
 public:
  Loss() = default;
  template <class F>
  requires(!std::same_as<std::remove_cvref_t<F>, Loss> &&
           std::is_invocable_r_v<Tensor, F&, const Tensor&, const Tensor&>) Loss(F function) {
    if constexpr (std::is_invocable_r_v<Tensor, F&, const Tensor&, const Tensor&, const Tensor&>)
      weighted_ = function;
    plain_ = std::move(function);
  }

  explicit operator bool() const { return static_cast<bool>(plain_); }
  /// `weights` is undefined for a batch without. ValueError when there are weights and the loss takes none.
  Tensor operator()(const Tensor& prediction, const Tensor& target, const Tensor& weights) const;

 private:
  std::function<Tensor(const Tensor&, const Tensor&)> plain_;
  std::function<Tensor(const Tensor&, const Tensor&, const Tensor&)> weighted_;
};

}  // namespace linnet::train
