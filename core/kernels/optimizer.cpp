// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/kernels/optimizer.h"

#include "linnet/core/kernels/loop_nest.h"
#include "linnet/core/kernels/optimizer_table.h"
#include "linnet/core/kernels/select.h"
#include "linnet/core/tensor_impl.h"

namespace linnet::kernels {
namespace {

LINNET_FLOAT_TABLE(OptimizerKernels, optimizer, naive_optimizer)

template <class T>
SgdFactors<T> factors(const SgdStep& s) {
  // At first the velocity is the gradient: momentum times its zeros, plus all of the gradient.
  return {static_cast<T>(s.lr), static_cast<T>(s.momentum), static_cast<T>(s.first ? 1.0 : 1.0 - s.dampening),
          static_cast<T>(s.weight_decay), s.nesterov};
}

template <class T>
AdamFactors<T> factors(const AdamStep& s) {
  return {static_cast<T>(s.beta1),
          static_cast<T>(1.0 - s.beta1),
          static_cast<T>(s.beta2),
          static_cast<T>(1.0 - s.beta2),
          static_cast<T>(s.lr / s.correction1),
          static_cast<T>(1.0 / s.correction2),
          static_cast<T>(s.eps),
          static_cast<T>(s.decoupled ? 0.0 : s.weight_decay),
          static_cast<T>(s.decoupled ? 1.0 - s.lr * s.weight_decay : 1.0)};
}

void check_like(const char* op, const Tensor& parameter, const char* what, const Tensor& other) {
  check<ShapeError>(other.shape() == parameter.shape(), op, ": the shape of ", what, " differs: parameter ",
                    parameter.shape(), ", ", what, " ", other.shape(), ".");
  check<DTypeError>(other.dtype() == parameter.dtype(), op, ": the element type of ", what,
                    " differs: parameter ", parameter.dtype(), ", ", what, " ", other.dtype(), ".");
}

void bump(Tensor& t) { t.impl()->storage->bump_version(); }

}  // namespace

void sgd_update(Tensor& parameter, const Tensor& gradient, Tensor& velocity, const SgdStep& step) {
  check_like("sgd", parameter, "gradient", gradient);
  if (velocity.defined()) check_like("sgd", parameter, "velocity", velocity);
  dispatch_float("sgd", parameter.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const SgdFactors<T> f = factors<T>(step);
    T* const v = velocity.defined() ? writable<T>(velocity) : nullptr;
    for_tiles(parameter.size(), 4, [&](std::int64_t begin, std::int64_t n) {
      T* const part = v ? v + begin : nullptr;
      if (part && step.first) std::fill_n(part, n, T(0));
      table<T>().sgd(writable<T>(parameter) + begin, readable<T>(gradient) + begin, part, n, f);
    });
  });
  bump(parameter);
  if (velocity.defined()) bump(velocity);
}

void adam_update(Tensor& parameter, const Tensor& gradient, Tensor& m, Tensor& v, const AdamStep& step) {
  check_like("adam", parameter, "gradient", gradient);
  check_like("adam", parameter, "m", m);
  check_like("adam", parameter, "v", v);
  dispatch_float("adam", parameter.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const AdamFactors<T> f = factors<T>(step);
    for_tiles(parameter.size(), 10, [&](std::int64_t begin, std::int64_t n) {
      table<T>().adam(writable<T>(parameter) + begin, readable<T>(gradient) + begin, writable<T>(m) + begin,
                      writable<T>(v) + begin, n, f);
    });
  });
  bump(parameter);
  bump(m);
  bump(v);
}

}  // namespace linnet::kernels
