// SPDX-License-Identifier: Apache-2.0
#pragma once
// What is behind a Tensor. Private to the library: kernels and autograd read it without checks.

#include <memory>
#include <span>

#include "linnet/core/tensor.h"

namespace linnet {

/// The record of the op that made a tensor. Core stores it; autograd defines and interprets it.
struct TapeNode {
  std::atomic<std::int32_t> references{0};
  virtual void destroy() noexcept = 0;

 protected:
  ~TapeNode() = default;
};

struct Constraint;

struct TensorImpl {
  Ref<Storage> storage;
  std::int64_t offset = 0;  ///< in bytes
  Shape shape;
  DType dtype = DType::f32;
  bool requires_grad = false;
  bool traced = false;  ///< seen by a running recorder: its values stand for any batch
  Ref<TensorImpl> grad;
  Ref<TensorImpl> incoming;  ///< gradient that a running backward() has gathered so far
  Ref<TapeNode> node;
  std::shared_ptr<const Constraint> constraint;  ///< core/constraint.h; of few parameters

  std::atomic<std::int32_t> references{0};
  void destroy() noexcept;

  template <class T>
  T* as() const {
    return reinterpret_cast<T*>(storage->data() + offset);
  }
};

/// A tensor on existing storage, without history.
Tensor make_tensor(Ref<Storage> storage, std::int64_t offset, const Shape& shape, DType dtype);

/// Unchecked access for kernels; `writable` does not bump the version (fresh results have no readers).
template <class T>
const T* readable(const Tensor& t) {
  return t.impl()->as<const T>();
}
template <class T>
T* writable(const Tensor& t) {
  return t.impl()->as<T>();
}

inline std::span<std::byte> writable_bytes(const Tensor& t) {
  return {writable<std::byte>(t), static_cast<std::size_t>(t.size()) * size_of(t.dtype())};
}

}  // namespace linnet
