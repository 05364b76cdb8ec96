// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/tensor.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <new>

#include "linnet/core/kernels/elementwise.h"
#include "linnet/core/kernels/random_fill.h"
#include "linnet/core/random.h"
#include "linnet/core/tensor_impl.h"

namespace linnet {
namespace {

void check_defined(const char* op, const TensorImpl* impl) {
  check<ValueError>(impl != nullptr, op, ": this tensor is undefined: it was never given contents.");
}

void check_readable(const char* op, const TensorImpl* impl) {
  check_defined(op, impl);
  check<GraphError>(
      !impl->traced, op,
      ": this tensor is being traced, its values stand for any batch. Compute with ops instead.");
}

void check_writable(const char* op, const TensorImpl* impl) {
  check_defined(op, impl);
  check<GraphError>(
      !impl->traced, op,
      ": this tensor is being traced, and a trace records no changes in place. Use an op instead.");
  check<AutogradError>(!impl->node, op,
                       ": this tensor is the result of an op, and its gradient would not know of the change. "
                       "Use an op instead, or change a clone().");
}

void check_same_shape(const char* op, const Shape& expected, const Shape& actual) {
  check<ShapeError>(expected == actual, op, ": shapes differ: expected ", expected, ", got ", actual, ".");
}

void check_same_type(const char* op, DType expected, DType actual) {
  check<DTypeError>(expected == actual, op, ": types differ: expected ", expected, ", got ", actual,
                    ". Convert with to(", expected, ").");
}

/// `value` as an element; integers must hold it exactly.
template <class T>
T element(const char* op, double value) {
  if constexpr (std::is_integral_v<T>) {
    // The smallest value and one past the largest are exact doubles for every integer type.
    constexpr double low = static_cast<double>(std::numeric_limits<T>::min());
    const double beyond = std::ldexp(1.0, std::numeric_limits<T>::digits);
    check<ValueError>(value >= low && value < beyond && value == std::trunc(value), op, ": ", value,
                      " is no value of type ", dtype_of<T>(), ".");
  }
  return static_cast<T>(value);
}

template <class T>
std::span<T> elements(const TensorImpl* impl) {
  return {impl->as<T>(), static_cast<std::size_t>(impl->shape.size())};
}

std::size_t byte_count(const TensorImpl& impl) {
  return static_cast<std::size_t>(impl.shape.size()) * size_of(impl.dtype);
}

void copy_bytes(const TensorImpl& to, const TensorImpl& from) {
  std::memmove(to.as<std::byte>(), from.as<std::byte>(), byte_count(to));
}

Tensor filled(const char* op, const Shape& shape, double value, DType dtype) {
  return dispatch(dtype, [&](auto zero) {
    const auto fill = element<decltype(zero)>(op, value);
    Tensor tensor = Tensor::empty(shape, dtype);
    std::ranges::fill(elements<decltype(zero)>(tensor.impl()), fill);
    return tensor;
  });
}

/// A tensor with the same contents and no history. What is computed from a traced tensor stays traced.
Tensor shared(const TensorImpl& impl, const Shape& shape) {
  Tensor tensor = make_tensor(impl.storage, impl.offset, shape, impl.dtype);
  tensor.impl()->traced = impl.traced;
  return tensor;
}

void check_float(const char* op, DType dtype) {
  check<DTypeError>(is_float(dtype), op, ": expected f32 or f64, got ", dtype, ".");
}

}  // namespace

// ---- the record behind the handle -------------------------------------------------------------------

// A gradient may have a gradient: the chain is walked, not recursed into.
void TensorImpl::destroy() noexcept {
  for (TensorImpl* dead = this; dead;) {
    TensorImpl* next = dead->grad.take();
    dead->~TensorImpl();
    free_object(dead, sizeof(TensorImpl));
    const bool last = next && next->references.fetch_sub(1, std::memory_order_acq_rel) == 1;
    dead = last ? next : nullptr;
  }
}

void retain(TensorImpl* impl) noexcept { impl->references.fetch_add(1, std::memory_order_relaxed); }

void release(TensorImpl* impl) noexcept {
  if (impl->references.fetch_sub(1, std::memory_order_acq_rel) == 1) impl->destroy();
}

Tensor make_tensor(Ref<Storage> storage, std::int64_t offset, const Shape& shape, DType dtype) {
  auto* impl = new (allocate_object(sizeof(TensorImpl))) TensorImpl;
  impl->storage = std::move(storage);
  impl->offset = offset;
  impl->shape = shape;
  impl->dtype = dtype;
  return Tensor(Ref<TensorImpl>(impl));
}

// ---- making -----------------------------------------------------------------------------------------

Tensor Tensor::empty(const Shape& shape, DType dtype) {
  const std::size_t bytes = static_cast<std::size_t>(shape.size()) * size_of(dtype);
  return make_tensor(Storage::allocate(bytes), 0, shape, dtype);
}

Tensor Tensor::zeros(const Shape& shape, DType dtype) {
  Tensor tensor = empty(shape, dtype);
  std::memset(tensor.impl()->as<std::byte>(), 0, byte_count(*tensor.impl()));
  return tensor;
}

Tensor Tensor::ones(const Shape& shape, DType dtype) { return filled("ones", shape, 1.0, dtype); }

Tensor Tensor::full(const Shape& shape, double value, DType dtype) {
  return filled("full", shape, value, dtype);
}

Tensor Tensor::arange(std::int64_t n, DType dtype) {
  const Shape shape{n};
  return dispatch(dtype, [&](auto zero) {
    using T = decltype(zero);
    if (n > 0) element<T>("arange", static_cast<double>(n - 1));
    Tensor tensor = empty(shape, dtype);
    T* values = tensor.impl()->as<T>();
    for (std::int64_t i = 0; i < n; ++i) values[i] = static_cast<T>(i);
    return tensor;
  });
}

Tensor Tensor::randn(const Shape& shape, DType dtype) {
  check_float("randn", dtype);
  Tensor tensor = empty(shape, dtype);
  kernels::fill_normal(tensor, next_random_key());
  return tensor;
}

Tensor Tensor::uniform(const Shape& shape, double low, double high, DType dtype) {
  check_float("uniform", dtype);
  check<ValueError>(std::isfinite(low) && std::isfinite(high) && low <= high,
                    "uniform: expected finite low <= high, got ", low, " and ", high, ".");
  Tensor tensor = empty(shape, dtype);
  kernels::fill_uniform(tensor, next_random_key(), low, high);
  return tensor;
}

template <class T>
Tensor Tensor::from(std::span<const T> values, const Shape& shape) {
  check<ShapeError>(static_cast<std::int64_t>(values.size()) == shape.size(), "from: shape ", shape, " has ",
                    shape.size(), " elements, got ", values.size(), " values.");
  Tensor tensor = empty(shape, dtype_of<T>());
  std::ranges::copy(values, tensor.impl()->as<T>());
  return tensor;
}

Tensor Tensor::from(std::initializer_list<double> values, const Shape& shape, DType dtype) {
  return dispatch(dtype, [&](auto zero) {
    using T = decltype(zero);
    std::vector<T> converted;
    for (double value : values) converted.push_back(element<T>("from", value));
    return from(std::span<const T>(converted), shape);
  });
}

Tensor Tensor::from(std::initializer_list<double> values, DType dtype) {
  return from(values, {static_cast<std::int64_t>(values.size())}, dtype);
}

Tensor Tensor::from(std::initializer_list<std::initializer_list<double>> rows, DType dtype) {
  const std::size_t columns = rows.size() ? rows.begin()->size() : 0;
  return dispatch(dtype, [&](auto zero) {
    using T = decltype(zero);
    std::vector<T> converted;
    for (const auto& row : rows) {
      check<ShapeError>(row.size() == columns, "from: rows differ in length: expected ", columns, ", got ",
                        row.size(), ".");
      for (double value : row) converted.push_back(element<T>("from", value));
    }
    return from(std::span<const T>(converted),
                {static_cast<std::int64_t>(rows.size()), static_cast<std::int64_t>(columns)});
  });
}

// ---- asking -----------------------------------------------------------------------------------------

const Shape& Tensor::shape() const {
  check_defined("shape", impl());
  return impl_->shape;
}

DType Tensor::dtype() const {
  check_defined("dtype", impl());
  return impl_->dtype;
}

template <class T>
std::span<const T> Tensor::data() const {
  check_readable("data", impl());
  check<DTypeError>(impl_->dtype == dtype_of<T>(), "data: the elements are ", impl_->dtype, ", asked for as ",
                    dtype_of<T>(), ". Convert with to(", dtype_of<T>(), ").");
  return elements<const T>(impl());
}

template <class T>
std::span<T> Tensor::mutable_data() {
  check_writable("mutable_data", impl());
  check<DTypeError>(impl_->dtype == dtype_of<T>(), "mutable_data: the elements are ", impl_->dtype,
                    ", asked for as ", dtype_of<T>(), ".");
  impl_->storage->bump_version();
  return elements<T>(impl());
}

double Tensor::item() const {
  check_readable("item", impl());
  check<ShapeError>(size() == 1, "item: expected one element, got shape ", shape(), ".");
  return dispatch(impl_->dtype, [&](auto zero) { return static_cast<double>(*impl_->as<decltype(zero)>()); });
}

// ---- contents ---------------------------------------------------------------------------------------

Tensor Tensor::clone() const {
  check_defined("clone", impl());
  Tensor copy = empty(impl_->shape, impl_->dtype);
  copy_bytes(*copy.impl(), *impl());
  copy.impl()->traced = impl_->traced;
  return copy;
}

Tensor Tensor::detach() const {
  check_defined("detach", impl());
  return shared(*impl(), impl_->shape);
}

Tensor Tensor::to(DType dtype) const {
  check_defined("to", impl());
  if (impl_->dtype == dtype) return *this;
  Tensor converted = kernels::convert(*this, dtype);
  converted.impl()->traced = impl_->traced;
  return converted;
}

Tensor Tensor::view(const Shape& shape) const {
  check_defined("view", impl());
  check<ShapeError>(shape.size() == size(), "view: ", impl_->shape, " has ", size(), " elements, ", shape,
                    " has ", shape.size(), ".");
  return shared(*impl(), shape);
}

Tensor& Tensor::fill_(double value) {
  check_writable("fill_", impl());
  dispatch(impl_->dtype, [&](auto zero) {
    using T = decltype(zero);
    const T fill = element<T>("fill_", value);
    impl_->storage->bump_version();
    std::ranges::fill(elements<T>(impl()), fill);
  });
  return *this;
}

Tensor& Tensor::copy_(const Tensor& source) {
  check_writable("copy_", impl());
  check_readable("copy_", source.impl());
  check_same_shape("copy_", impl_->shape, source.shape());
  const Tensor same_type = source.to(impl_->dtype);
  impl_->storage->bump_version();
  copy_bytes(*impl(), *same_type.impl());
  return *this;
}

Tensor& Tensor::add_(const Tensor& other, double scale) {
  check_writable("add_", impl());
  check_readable("add_", other.impl());
  check_same_shape("add_", impl_->shape, other.shape());
  check_same_type("add_", impl_->dtype, other.dtype());
  check_float("add_", impl_->dtype);
  impl_->storage->bump_version();
  kernels::accumulate(*this, other, scale);
  return *this;
}

Tensor& Tensor::mul_(double factor) {
  check_writable("mul_", impl());
  check_float("mul_", impl_->dtype);
  impl_->storage->bump_version();
  kernels::scale_in_place(*this, factor);
  return *this;
}

void Tensor::set_contents(const Tensor& source) {
  check_writable("set_contents", impl());
  check_readable("set_contents", source.impl());
  check<DTypeError>(!impl_->requires_grad || is_float(source.dtype()),
                    "set_contents: a tensor that requires a gradient must be f32 or f64, got ",
                    source.dtype(), ". Call set_requires_grad(false) first.");
  Tensor copy = source.clone();
  if (copy.shape() != impl_->shape) impl_->constraint.reset();
  impl_->storage = copy.impl()->storage;
  impl_->offset = 0;
  impl_->shape = copy.shape();
  impl_->dtype = copy.dtype();
  impl_->grad = {};
}

// ---- autograd ---------------------------------------------------------------------------------------

bool Tensor::requires_grad() const {
  check_defined("requires_grad", impl());
  return impl_->requires_grad || impl_->node;
}

Tensor& Tensor::set_requires_grad(bool on) {
  check_defined("set_requires_grad", impl());
  check<ValueError>(!on || is_float(impl_->dtype), "set_requires_grad: only f32 and f64 have gradients, got ",
                    impl_->dtype, ". Convert with to(f32).");
  check<AutogradError>(!impl_->node,
                       "set_requires_grad: this tensor is the result of an op. Call detach() first.");
  impl_->requires_grad = on;
  return *this;
}

Tensor Tensor::grad() const {
  check_defined("grad", impl());
  return Tensor(impl_->grad);
}

void Tensor::set_grad(const Tensor& grad) {
  check_defined("set_grad", impl());
  if (grad.defined()) {
    check_same_shape("set_grad", impl_->shape, grad.shape());
    check_same_type("set_grad", impl_->dtype, grad.dtype());
  }
  impl_->grad = Ref<TensorImpl>(grad.impl());
}

#define LINNET_INSTANTIATE(T)                                        \
  template Tensor Tensor::from<T>(std::span<const T>, const Shape&); \
  template std::span<const T> Tensor::data<T>() const;               \
  template std::span<T> Tensor::mutable_data<T>();
LINNET_INSTANTIATE(float)
LINNET_INSTANTIATE(double)
LINNET_INSTANTIATE(std::int8_t)
LINNET_INSTANTIATE(std::uint8_t)
LINNET_INSTANTIATE(std::int32_t)
LINNET_INSTANTIATE(std::int64_t)
#undef LINNET_INSTANTIATE

}  // namespace linnet
