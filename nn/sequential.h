// SPDX-License-Identifier: Apache-2.0
#pragma once
// Sequential: layers applied one after the other, named "0", "1", ... in checkpoints and messages.
//
//   nn::Sequential model{nn::Flatten(), nn::Dense(784, 128), nn::ReLU(), nn::Dense(128, 10)};

#include <concepts>
#include <memory>
#include <utility>
#include <vector>

#include "linnet/nn/module.h"

namespace linnet::nn {

class Sequential : public Layer {
 public:
  Sequential() = default;
  /// Layers are moved in: pass temporaries or std::move(layer). Write braces: in parentheses the compiler may
  /// make the layers in any order, and with it their random weights.
  template <class... Layers>
  requires(sizeof...(Layers) > 0 && (std::derived_from<Layers, Layer> &&
                                     ...)) explicit(sizeof...(Layers) == 1) Sequential(Layers&&... layers) {
    (add(std::move(layers)), ...);
  }

  /// Appends a layer, in the mode (training or not) of this one. ValueError for a null pointer.
  Sequential& add(std::unique_ptr<Layer> layer);
  template <std::derived_from<Layer> L>
  Sequential& add(L&& layer) {
    return add(std::unique_ptr<Layer>(std::make_unique<L>(std::move(layer))));
  }

  std::int64_t size() const { return static_cast<std::int64_t>(layers_.size()); }
  /// ValueError outside [0, size()).
  Layer& operator[](std::int64_t index);

  void members(Members& m) override;
  std::string describe() const override;
  /// Without layers, x itself.
  Tensor forward(const Tensor& x) override;

 private:
  std::vector<std::unique_ptr<Layer>> layers_;
};

}  // namespace linnet::nn
