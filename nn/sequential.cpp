// SPDX-License-Identifier: Apache-2.0
#include "linnet/nn/sequential.h"

#include <typeinfo>

#include "linnet/nn/activation.h"
#include "linnet/nn/conv2d.h"
#include "linnet/nn/dense.h"
#include "linnet/nn/depthwise_conv2d.h"
#include "linnet/nn/norm.h"

namespace linnet::nn {
namespace {

/// Not for a class derived from one of these, whose forward() may do more.
template <class... Exactly>
bool is_one_of(const Layer& layer) {
  const std::type_info& type = typeid(layer);
  return ((type == typeid(Exactly)) || ...);
}

/// The batch-norm that layer `i` is, if a ReLU and a convolution follow that it can be one op with for x.
BatchNorm* norm_before_convolution(const std::vector<std::unique_ptr<Layer>>& layers, std::size_t i,
                                   const Tensor& x) {
  const auto at = [&](std::size_t place) { return place < layers.size() ? layers[place].get() : nullptr; };
  Layer *first = at(i), *relu = at(i + 1), *convolution = at(i + 2), *next = at(i + 3);
  if (!convolution || !is_one_of<BatchNorm>(*first) || !is_one_of<ReLU>(*relu) ||
      !is_one_of<Conv2D, DepthwiseConv2D, SeparableConv2D>(*convolution) || (next && is_one_of<ReLU>(*next)))
    return nullptr;
  auto* norm = static_cast<BatchNorm*>(first);
  const bool fits = x.defined() && x.rank() == 4 && x.size() > 0 && x.dim(-1) == norm->running_mean.size() &&
                    x.dtype() == norm->running_mean.dtype();
  return fits ? norm : nullptr;  // an error is that of the layer
}

}  // namespace

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
    if (BatchNorm* norm = norm_before_convolution(layers_, i, y)) {
      i += 2;
      y = layers_[i]->behind(*norm, y);
      continue;
    }
    const bool with_relu = i + 1 < layers_.size() && is_one_of<ReLU>(*layers_[i + 1]) &&
                           is_one_of<Dense, Conv2D, DepthwiseConv2D, SeparableConv2D, BatchNorm>(*layers_[i]);
    if (with_relu)
      y = layers_[i++]->with_relu(y);
    else
      y = (*layers_[i])(y);
  }
  return y;
}

}  // namespace linnet::nn
