// SPDX-License-Identifier: Apache-2.0
#pragma once
// Initialisers: a shape in, an f32 tensor out. Weights are output-first, [out, in] or [out, kh, kw,
// in/groups],
//
//   fan_in = product of all sizes but the first,  fan_out = out * kh * kw.
//
// Every random one takes one call number of the generator and gives the same bits on every machine.
//
//   nn::Dense(784, 128, {.weight_init = nn::init::he_uniform})
//   layer.weight.copy_(nn::init::orthogonal(layer.weight.shape()));

#include <functional>

#include "linnet/core/tensor.h"

namespace linnet::nn {

using Initializer = std::function<Tensor(const Shape&)>;

namespace init {

Tensor zeros(const Shape& shape);

// ---- for weights: ShapeError below two axes -----------------------------------------------------
/// Uniform in +-sqrt(6 / (fan_in + fan_out)): keeps the variance of signals and gradients (Glorot, Bengio
/// 2010).
Tensor glorot_uniform(const Shape& shape);
/// Glorot uniform of one channel by itself, for depthwise weights [c, kh, kw, 1]: fan_in = fan_out = kh kw.
Tensor depthwise_uniform(const Shape& shape);
/// Uniform in +-sqrt(6 / fan_in), normal with deviation sqrt(2 / fan_in): for layers followed by ReLU (He
/// 2015).
Tensor he_uniform(const Shape& shape);
Tensor he_normal(const Shape& shape);
/// Seen as the matrix [out, fan_in]: orthonormal rows, or columns if those are fewer; uniformly distributed
/// (Saxe 2013).
Tensor orthogonal(const Shape& shape);

// ---- made from numbers: ValueError unless they are finite and in order -----------------------------
Initializer constant(double value);
Initializer uniform(double low, double high);
Initializer normal(double mean, double deviation);

}  // namespace init

/// A new parameter of a layer. ValueError when there is no initialiser, ShapeError when it returns another
/// shape.
Tensor initial_parameter(const char* layer, const Initializer& initializer, const Shape& shape);

}  // namespace linnet::nn
