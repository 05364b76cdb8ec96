// SPDX-License-Identifier: Apache-2.0
#include "linnet/nn/sequential.h"

#include "linnet/nn/activation.h"

namespace linnet::nn {

Sequential& Sequential::add(std::unique_ptr<Layer> layer) {
  check<ValueError>(layer != nullptr, "Sequential: a layer is missing: null pointer for layer ", size(),
                    ". Pass a layer that exists.");
  layer->train(training());
  layers_.push_back(std::move(layer));
  return *this;
}

Layer& Sequential::operator[](std::int64_t index) {
  check<ValueError>(index >= 0 && index < size(), "Sequential: no such layer: ", index, " of ", size(),
                    ". Layers count from 0.");
  return *layers_[static_cast<std::size_t>(index)];
}

void Sequential::members(Members& m) {
  for (std::size_t i = 0; i < layers_.size(); ++i) m.child(std::to_string(i), *layers_[i]);
}

std::string Sequential::describe() const { return concat({"Sequential of ", size()}); }

Tensor Sequential::forward(const Tensor& x) {
  Tensor y = x;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const bool before_relu = i + 1 < layers_.size() && dynamic_cast<ReLU*>(layers_[i + 1].get());
    if (before_relu)
      y = layers_[i++]->with_relu(y);
    else
      y = (*layers_[i])(y);
  }
  return y;
}

}  // namespace linnet::nn
