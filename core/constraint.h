// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the values of a parameter keep to while it is trained: zeros that stay zero (pruning), elements that
// share one value (clustering). A constraint belongs to the tensor, so everybody who holds it sees it: the
// gradient that backward() leaves, the step of an optimizer and an average of weights keep to it, and
// Module::state() saves it as "fc1.weight/mask" and "fc1.weight/groups".

#include <string_view>

#include "linnet/core/tensor.h"

namespace linnet {

struct Constraint {
  Tensor mask = {};    ///< u8, of the parameter's shape: 0 where it stays 0; undefined: nowhere
  Tensor groups = {};  ///< u8, likewise: elements with the same number share one value; undefined: none do
  bool empty() const { return !mask.defined() && !groups.defined(); }
};

/// Makes the parameter keep to it from now on, beginning with its contents; an empty one sets it free. Copies
/// mask and groups. ValueError for an undefined parameter, ShapeError and DTypeError for a mask or groups
/// that do not fit it or a parameter that is not f32 or f64.
void set_constraint(const Tensor& parameter, const Constraint& constraint);
/// nullptr: the parameter is free.
const Constraint* constraint(const Tensor& parameter);

/// Masked elements become 0; the elements of a group, without the masked ones, become their mean.
void constrain(const Constraint& constraint, Tensor& values);
/// The gradient for values that keep to it: 0 for masked elements, and for each element of a group the sum
/// over the group.
void constrain_gradient(const Constraint& constraint, Tensor& gradient);

inline constexpr std::string_view kMaskEntry = "/mask", kGroupsEntry = "/groups";
/// Whether an entry of a module's state is a constraint and not a tensor of the module.
inline bool names_constraint(std::string_view entry) {
  return entry.ends_with(kMaskEntry) || entry.ends_with(kGroupsEntry);
}

}  // namespace linnet
