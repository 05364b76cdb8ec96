// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/kernels/optimizer.h"

#include <algorithm>
#include <initializer_list>

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

void bump(Tensor& t) { t.impl()->storage->bump_version(); }

/// A tensor that an optimizer remembers about a parameter; null when these options need none.
struct Memory {
  const char* name;
  Tensor* tensor;
};

/// n elements of a parameter and of its gradient.
template <class T>
struct Tile {
  const OptimizerKernels<T>& kernels;
  T* w;
  const T* g;
  std::int64_t begin, n;
  /// The same elements of what is remembered; null for a tensor that is not there.
  T* of(Tensor* memory) const { return memory ? writable<T>(*memory) + begin : nullptr; }
};

/// What all updates do: checks that everything is like the parameter, calls run(tile, factors) for all of it
/// and makes the new contents known. `cost` is of an element.
template <class Step, class Run>
void update(const char* op, Tensor& parameter, const Tensor& gradient, std::initializer_list<Memory> memory,
            const Step& step, std::int64_t cost, Run run) {
  check_like(op, parameter, "gradient", gradient);
  for (const Memory& m : memory)
    if (m.tensor) check_like(op, parameter, m.name, *m.tensor);
  dispatch_float(op, parameter.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const auto f = factors<T>(step);
    for_tiles(parameter.size(), cost, [&](std::int64_t begin, std::int64_t n) {
      run(Tile<T>{optimizer_kernels<T>(), writable<T>(parameter) + begin, readable<T>(gradient) + begin,
                  begin, n},
          f);
    });
  });
  bump(parameter);
  for (const Memory& m : memory)
    if (m.tensor) bump(*m.tensor);
}

}  // namespace

void sgd_update(Tensor& parameter, const Tensor& gradient, Tensor& velocity, const SgdStep& step) {
  Tensor* const v = velocity.defined() ? &velocity : nullptr;
  update("sgd", parameter, gradient, {{"velocity", v}}, step, 4, [&](const auto& t, const auto& f) {
    if (v && step.first) std::fill_n(t.of(v), t.n, 0);
    t.kernels.sgd(t.w, t.g, t.of(v), t.n, f);
  });
}

void adam_update(Tensor& parameter, const Tensor& gradient, Tensor& m, Tensor& v, const AdamStep& step,
                 Tensor* v_max) {
  update("adam", parameter, gradient, {{"m", &m}, {"v", &v}, {"v_max", v_max}}, step, 10,
         [&](const auto& t, const auto& f) {
           t.kernels.adam(t.w, t.g, t.of(&m), t.of(&v), t.of(v_max), t.n, f);
         });
}

void nadam_update(Tensor& parameter, const Tensor& gradient, Tensor& m, Tensor& v, const NAdamStep& step) {
  update("nadam", parameter, gradient, {{"m", &m}, {"v", &v}}, step, 10,
         [&](const auto& t, const auto& f) { t.kernels.nadam(t.w, t.g, t.of(&m), t.of(&v), t.n, f); });
}

void rmsprop_update(Tensor& parameter, const Tensor& gradient, Tensor& square, Tensor* mean, Tensor* velocity,
                    const RmspropStep& step) {
  update("rmsprop", parameter, gradient, {{"square", &square}, {"mean", mean}, {"velocity", velocity}}, step,
         10, [&](const auto& t, const auto& f) {
           t.kernels.rmsprop(t.w, t.g, t.of(&square), t.of(mean), t.of(velocity), t.n, f);
         });
}

void adagrad_update(Tensor& parameter, const Tensor& gradient, Tensor& sum, const AdagradStep& step) {
  update("adagrad", parameter, gradient, {{"sum", &sum}}, step, 8,
         [&](const auto& t, const auto& f) { t.kernels.adagrad(t.w, t.g, t.of(&sum), t.n, f); });
}

void lion_update(Tensor& parameter, const Tensor& gradient, Tensor& m, const LionStep& step) {
  update("lion", parameter, gradient, {{"m", &m}}, step, 6,
         [&](const auto& t, const auto& f) { t.kernels.lion(t.w, t.g, t.of(&m), t.n, f); });
}

void ema_update(Tensor& average, const Tensor& parameter, double decay) {
  check_like("ema", parameter, "average", average);
  dispatch_float("ema", average.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T rest = static_cast<T>(1.0 - decay);
    for_tiles(average.size(), 3, [&](std::int64_t begin, std::int64_t n) {
      optimizer_kernels<T>().ema(writable<T>(average) + begin, readable<T>(parameter) + begin, n, rest);
    });
  });
  bump(average);
}

}  // namespace linnet::kernels
