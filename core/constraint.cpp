// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/constraint.h"

#include <array>

#include "linnet/core/error.h"
#include "linnet/core/tensor_impl.h"

namespace linnet {
namespace {

void check_part(const char* what, const Tensor& part, const Tensor& parameter) {
  if (!part.defined()) return;
  check<DTypeError>(part.dtype() == u8, "set_constraint: ", what, " must be u8, got ", part.dtype(), ".");
  check<ShapeError>(part.shape() == parameter.shape(), "set_constraint: ", what, " has shape ", part.shape(),
                    ", the parameter has ", parameter.shape(), ".");
}

/// Of the elements of each group that are not masked, in f64 and in the order of the elements: their sum, or
/// their mean, taken from the first on so that equal elements keep every bit.
template <class T>
std::array<double, 256> group_values(const T* values, const std::uint8_t* group, const std::uint8_t* keep,
                                     std::int64_t n, bool mean) {
  std::array<double, 256> sum{}, first{};
  std::array<std::int64_t, 256> count{};
  for (std::int64_t i = 0; i < n; ++i) {
    if (keep && !keep[i]) continue;
    const double value = static_cast<double>(values[i]);
    if (mean && count[group[i]] == 0) first[group[i]] = value;
    sum[group[i]] += value - first[group[i]];
    ++count[group[i]];
  }
  for (std::size_t g = 0; mean && g < sum.size(); ++g)
    if (count[g]) sum[g] = first[g] + sum[g] / static_cast<double>(count[g]);
  return sum;
}

const std::uint8_t* bytes(const Tensor& t) { return t.defined() ? readable<std::uint8_t>(t) : nullptr; }

template <class T>
void apply(const Constraint& c, Tensor& t, bool mean) {
  T* values = writable<T>(t);
  const std::uint8_t *keep = bytes(c.mask), *group = bytes(c.groups);
  const std::int64_t n = t.size();
  if (group) {
    const auto shared = group_values(values, group, keep, n, mean);
    for (std::int64_t i = 0; i < n; ++i) values[i] = static_cast<T>(shared[group[i]]);
  }
  if (keep)
    for (std::int64_t i = 0; i < n; ++i)
      if (!keep[i]) values[i] = T(0);
}

void apply(const Constraint& c, Tensor& t, bool mean) {
  if (t.dtype() == f32)
    apply<float>(c, t, mean);
  else
    apply<double>(c, t, mean);
  t.impl()->storage->bump_version();
}

}  // namespace

void set_constraint(const Tensor& parameter, const Constraint& constraint) {
  check<ValueError>(parameter.defined(), "set_constraint: the parameter is undefined.");
  check<DTypeError>(is_float(parameter.dtype()), "set_constraint: the parameter must be f32 or f64, got ",
                    parameter.dtype(), ".");
  check_part("mask", constraint.mask, parameter);
  check_part("groups", constraint.groups, parameter);
  TensorImpl& impl = *parameter.impl();
  if (constraint.empty()) {
    impl.constraint.reset();
    return;
  }
  const auto own = [](const Tensor& t) { return t.defined() ? t.clone() : Tensor(); };
  impl.constraint = std::make_shared<Constraint>(Constraint{own(constraint.mask), own(constraint.groups)});
  Tensor values = parameter;
  constrain(*impl.constraint, values);
}

const Constraint* constraint(const Tensor& parameter) { return parameter.impl()->constraint.get(); }

void constrain(const Constraint& constraint, Tensor& values) { apply(constraint, values, true); }

void constrain_gradient(const Constraint& constraint, Tensor& gradient) {
  apply(constraint, gradient, false);
}

}  // namespace linnet
