// SPDX-License-Identifier: Apache-2.0
#pragma once
// Tensor: a dense, row-major array of up to six axes, and the place where autograd hangs its records.
//
// A Tensor is a handle: copies share contents, gradient and history. `clone()` copies the contents,
// `detach()` shares them without the history. A default-constructed Tensor is undefined: it has no
// contents, and everything but defined() and assignment throws ValueError.
//
// Functions that change contents end in `_`; they and mutable_data() bump a version, so that backward
// notices when a value it needs was changed; on the result of a taped op they throw AutogradError. Reading is
// safe from several threads, writing is not.

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include "linnet/core/dtype.h"
#include "linnet/core/shape.h"
#include "linnet/core/storage.h"

namespace linnet {

class Tensor;
struct TensorImpl;
void retain(TensorImpl* impl) noexcept;
void release(TensorImpl* impl) noexcept;

class Tensor {
 public:
  Tensor() = default;

  // ---- making ------------------------------------------------------------------------------------
  static Tensor empty(const Shape& shape, DType dtype = f32);  ///< contents undefined
  static Tensor zeros(const Shape& shape, DType dtype = f32);
  static Tensor ones(const Shape& shape, DType dtype = f32);
  static Tensor full(const Shape& shape, double value,
                     DType dtype = f32);  ///< ValueError unless it fits dtype
  /// 0, 1, ... n-1.
  static Tensor arange(std::int64_t n, DType dtype = f32);
  /// Standard normal and uniform in [low, high), f32 or f64, from the generator of manual_seed().
  static Tensor randn(const Shape& shape, DType dtype = f32);
  static Tensor uniform(const Shape& shape, double low = 0.0, double high = 1.0, DType dtype = f32);

  /// Copies values; the element type is T. ShapeError unless the counts agree.
  template <class T>
  static Tensor from(std::span<const T> values, const Shape& shape);
  template <class T>
  static Tensor from(const std::vector<T>& values, const Shape& shape) {
    return from(std::span<const T>(values), shape);
  }
  template <class T>
  static Tensor from(const std::vector<T>& values) {
    return from(std::span<const T>(values), {static_cast<std::int64_t>(values.size())});
  }
  static Tensor from(std::initializer_list<double> values, const Shape& shape, DType dtype = f32);
  static Tensor from(std::initializer_list<double> values, DType dtype = f32);
  /// A matrix, row by row: from({{1, 2}, {3, 4}}).
  static Tensor from(std::initializer_list<std::initializer_list<double>> rows, DType dtype = f32);

  // ---- asking ------------------------------------------------------------------------------------
  bool defined() const { return static_cast<bool>(impl_); }
  const Shape& shape() const;
  int rank() const { return shape().rank(); }
  std::int64_t dim(int axis) const { return shape().dim(axis); }  ///< negative axes count from the end
  std::int64_t size() const { return shape().size(); }            ///< number of elements
  DType dtype() const;

  /// The elements, row-major, valid as long as some handle holds the tensor (`for (x : f().data<float>())`
  /// does not). DTypeError unless T is the element type. GraphError on a traced tensor.
  template <class T>
  std::span<const T> data() const;
  template <class T>
  std::span<T> mutable_data();
  /// The only element, as a double. ShapeError unless size() == 1. GraphError on a traced tensor.
  double item() const;
  /// Shape, type and the first 1000 elements, for people. A traced tensor shows no elements.
  std::string str() const;

  // ---- contents ----------------------------------------------------------------------------------
  // Those that change contents throw GraphError on a traced tensor: a trace records ops, not changes in
  // place.
  Tensor clone() const;          ///< own contents, no history
  Tensor detach() const;         ///< same contents, no history
  Tensor to(DType dtype) const;  ///< converted copy without history (this, if the type is already right)
  Tensor view(const Shape& shape) const;  ///< same contents under another shape, no history
  Tensor& fill_(double value);
  Tensor& copy_(const Tensor& source);  ///< same shape; converts the element type
  Tensor& add_(const Tensor& other,
               double scale = 1.0);  ///< this += scale * other; same shape and float type
  Tensor& mul_(double factor);       ///< f32 and f64
  /// Takes over shape, type and contents of `source` as a copy; seen through every handle. The gradient is
  /// dropped, and with another shape the constraint (core/constraint.h). AutogradError on the result of an
  /// op, DTypeError when a gradient is required of integers.
  void set_contents(const Tensor& source);

  // ---- autograd (the meaning is in autograd/) ----------------------------------------------------
  bool requires_grad() const;
  /// ValueError for element types other than f32 and f64, AutogradError on the result of an op.
  Tensor& set_requires_grad(bool on);
  Tensor grad() const;                ///< undefined until backward() has reached this tensor
  void set_grad(const Tensor& grad);  ///< same shape and type, or undefined to drop it
  /// Differentiable; one size may be -1. Defined in autograd, as are the operators on tensors.
  Tensor reshape(std::initializer_list<std::int64_t> shape) const;
  Tensor reshape(const Shape& shape) const;

  /// The shared record behind the handle, for the library's own code: no checks.
  TensorImpl* impl() const { return impl_.get(); }
  explicit Tensor(Ref<TensorImpl> impl) : impl_(std::move(impl)) {}
  bool same_as(const Tensor& other) const { return impl_ == other.impl_; }

 private:
  Ref<TensorImpl> impl_;
};

}  // namespace linnet
