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

template <class T>
NAdamFactors<T> factors(const NAdamStep& s) {
  return {static_cast<T>(s.beta1),
          static_cast<T>(1.0 - s.beta1),
          static_cast<T>(s.beta2),
          static_cast<T>(1.0 - s.beta2),
          static_cast<T>(s.lr * s.moment_share),
          static_cast<T>(s.lr * s.gradient_share),
          static_cast<T>(1.0 / s.correction2),
          static_cast<T>(s.eps),
          static_cast<T>(s.weight_decay)};
}

template <class T>
RmspropFactors<T> factors(const RmspropStep& s) {
  return {static_cast<T>(s.lr),  static_cast<T>(s.alpha),        static_cast<T>(1.0 - s.alpha),
          static_cast<T>(s.eps), static_cast<T>(s.weight_decay), static_cast<T>(s.momentum)};
}

template <class T>
AdagradFactors<T> factors(const AdagradStep& s) {
  return {static_cast<T>(s.rate), static_cast<T>(s.eps), static_cast<T>(s.weight_decay)};
}

template <class T>
LionFactors<T> factors(const LionStep& s) {
  return {static_cast<T>(s.lr),          static_cast<T>(s.beta1),
          static_cast<T>(1.0 - s.beta1), static_cast<T>(s.beta2),
          static_cast<T>(1.0 - s.beta2), static_cast<T>(1.0 - s.lr * s.weight_decay)};
}

void check_like(const char* op, const Tensor& parameter, const char* what, const Tensor& other) {
  check<ShapeError>(other.shape() == parameter.shape(), op, ": the shape of ", what, " differs: parameter ",
                    parameter.shape(), ", ", what, " ", other.shape(), ".");
  check<DTypeError>(other.dtype() == parameter.dtype(), op, ": the element type of ", what,
                    " differs: parameter ", parameter.dtype(), ", ", what, " ", other.dtype(), ".");
}

/// The same place of a tensor that may not be there.
template <class T>
T* part_of(Tensor* t, std::int64_t begin) {
  return t ? writable<T>(*t) + begin : nullptr;
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

void adam_update(Tensor& parameter, const Tensor& gradient, Tensor& m, Tensor& v, const AdamStep& step,
                 Tensor* v_max) {
  check_like("adam", parameter, "gradient", gradient);
  check_like("adam", parameter, "m", m);
  check_like("adam", parameter, "v", v);
  if (v_max) check_like("adam", parameter, "v_max", *v_max);
  dispatch_float("adam", parameter.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const AdamFactors<T> f = factors<T>(step);
    for_tiles(parameter.size(), 10, [&](std::int64_t begin, std::int64_t n) {
      table<T>().adam(writable<T>(parameter) + begin, readable<T>(gradient) + begin, writable<T>(m) + begin,
                      writable<T>(v) + begin, part_of<T>(v_max, begin), n, f);
    });
  });
  bump(parameter);
  bump(m);
  bump(v);
  if (v_max) bump(*v_max);
}

void nadam_update(Tensor& parameter, const Tensor& gradient, Tensor& m, Tensor& v, const NAdamStep& step) {
  check_like("nadam", parameter, "gradient", gradient);
  check_like("nadam", parameter, "m", m);
  check_like("nadam", parameter, "v", v);
  dispatch_float("nadam", parameter.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const NAdamFactors<T> f = factors<T>(step);
    for_tiles(parameter.size(), 10, [&](std::int64_t begin, std::int64_t n) {
      table<T>().nadam(writable<T>(parameter) + begin, readable<T>(gradient) + begin, writable<T>(m) + begin,
                       writable<T>(v) + begin, n, f);
    });
  });
  bump(parameter);
  bump(m);
  bump(v);
}

void rmsprop_update(Tensor& parameter, const Tensor& gradient, Tensor& square, Tensor* mean, Tensor* velocity,
                    const RmspropStep& step) {
  check_like("rmsprop", parameter, "gradient", gradient);
  check_like("rmsprop", parameter, "square", square);
  if (mean) check_like("rmsprop", parameter, "mean", *mean);
  if (velocity) check_like("rmsprop", parameter, "velocity", *velocity);
  dispatch_float("rmsprop", parameter.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const RmspropFactors<T> f = factors<T>(step);
    for_tiles(parameter.size(), 10, [&](std::int64_t begin, std::int64_t n) {
      table<T>().rmsprop(writable<T>(parameter) + begin, readable<T>(gradient) + begin,
                         writable<T>(square) + begin, part_of<T>(mean, begin), part_of<T>(velocity, begin), n,
                         f);
    });
  });
  bump(parameter);
  bump(square);
  if (mean) bump(*mean);
  if (velocity) bump(*velocity);
}

void adagrad_update(Tensor& parameter, const Tensor& gradient, Tensor& sum, const AdagradStep& step) {
  check_like("adagrad", parameter, "gradient", gradient);
  check_like("adagrad", parameter, "sum", sum);
  dispatch_float("adagrad", parameter.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const AdagradFactors<T> f = factors<T>(step);
    for_tiles(parameter.size(), 8, [&](std::int64_t begin, std::int64_t n) {
      table<T>().adagrad(writable<T>(parameter) + begin, readable<T>(gradient) + begin,
                         writable<T>(sum) + begin, n, f);
    });
  });
  bump(parameter);
  bump(sum);
}

void lion_update(Tensor& parameter, const Tensor& gradient, Tensor& m, const LionStep& step) {
  check_like("lion", parameter, "gradient", gradient);
  check_like("lion", parameter, "m", m);
  dispatch_float("lion", parameter.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const LionFactors<T> f = factors<T>(step);
    for_tiles(parameter.size(), 6, [&](std::int64_t begin, std::int64_t n) {
      table<T>().lion(writable<T>(parameter) + begin, readable<T>(gradient) + begin, writable<T>(m) + begin,
                      n, f);
    });
  });
  bump(parameter);
  bump(m);
}

void ema_update(Tensor& average, const Tensor& parameter, double decay) {
  check_like("ema", parameter, "average", average);
  dispatch_float("ema", average.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T rest = static_cast<T>(1.0 - decay);
    for_tiles(average.size(), 3, [&](std::int64_t begin, std::int64_t n) {
      table<T>().ema(writable<T>(average) + begin, readable<T>(parameter) + begin, n, rest);
    });
  });
  bump(average);
}

}  // namespace linnet::kernels
