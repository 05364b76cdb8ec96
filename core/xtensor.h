// SPDX-License-Identifier: Apache-2.0
#pragma once
// The meeting point with xtensor: a tensor's elements as an xtensor expression, without a copy, and an
// expression's values as a tensor. Optional: nothing of Linnet includes this header, linnet.h included; it
// needs xtensor (Debian: libxtensor-dev) in the user's project. An op written so is proved by gradcheck like
// any other.
//
// Beware of keep_dims in xtensor 0.24.3, which Debian 12 has: a lazy reduction with keep_dims inside a
// broadcast,
//   a - xt::amax(a, {1}, xt::keep_dims)
// silently reads out of bounds, and made immediate it has a wrong rank under g++ in C++20 (a huge allocation;
// g++'s -fno-new-ttp-matching cures that). Reduce into an array of its own and give it back its axis:
//   xt::xarray<float> largest = xt::amax(a, {1});
//   a - xt::view(largest, xt::all(), xt::newaxis())

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

#include <xtensor/xadapt.hpp>
#include <xtensor/xarray.hpp>
#include <xtensor/xnoalias.hpp>

#include "linnet/core/tensor.h"

namespace linnet {
namespace xtensor_detail {

inline xt::dynamic_shape<std::size_t> sizes(const Tensor& tensor) {
  return xt::dynamic_shape<std::size_t>(tensor.shape().begin(), tensor.shape().end());
}

}  // namespace xtensor_detail

/// The elements of `tensor`, readable. Valid as long as a handle to the tensor lives and its contents are not
/// replaced. DTypeError unless T is the element type; GraphError on a traced tensor.
template <class T>
auto view(const Tensor& tensor) {
  const auto values = tensor.data<T>();
  return xt::adapt(values.data(), values.size(), xt::no_ownership(), xtensor_detail::sizes(tensor));
}

/// The same, writable: `mutable_view<float>(x) = 2 * view<float>(y)`. Counts as a change of the tensor, as
/// mutable_data() does, once for each call.
template <class T>
auto mutable_view(Tensor& tensor) {
  const auto values = tensor.mutable_data<T>();
  return xt::adapt(values.data(), values.size(), xt::no_ownership(), xtensor_detail::sizes(tensor));
}

/// The values of an expression, computed once into a new tensor of its value type.
template <class E>
Tensor from(const xt::xexpression<E>& expression) {
  using T = std::remove_const_t<typename E::value_type>;
  const E& values = expression.derived_cast();
  std::vector<std::int64_t> sizes(values.shape().begin(), values.shape().end());
  Tensor tensor = Tensor::empty(Shape(std::span<const std::int64_t>(sizes)), dtype_of<T>());
  auto target = mutable_view<T>(tensor);
  xt::noalias(target) = values;
  return tensor;
}

}  // namespace linnet
