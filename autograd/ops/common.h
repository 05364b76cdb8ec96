// SPDX-License-Identifier: Apache-2.0
#pragma once
// Checks that the rule files share. Private to autograd.

#include "linnet/autograd/autograd.h"
#include "linnet/autograd/ops.h"
#include "linnet/autograd/record.h"
#include "linnet/autograd/recorder.h"
#include "linnet/core/error.h"
#include "linnet/core/tensor.h"

namespace linnet {

inline void check_float(const char* op, const char* argument, const Tensor& t) {
  check<ValueError>(t.defined(), op, ": ", argument, " is undefined.");
  check<DTypeError>(is_float(t.dtype()), op, ": ", argument, " must be f32 or f64, got ", t.dtype(),
                    ". Convert with to(f32).");
}

inline void check_same_dtype(const char* op, const char* a_name, const Tensor& a, const char* b_name,
                             const Tensor& b) {
  check<DTypeError>(a.dtype() == b.dtype(), op, ": ", a_name, " is ", a.dtype(), " but ", b_name, " is ",
                    b.dtype(), ". Convert one with to().");
}

inline void check_rank(const char* op, const char* argument, const Tensor& t, int rank) {
  check<ShapeError>(t.rank() == rank, op, ": ", argument, " must have ", rank, " axes, got shape ", t.shape(),
                    ".");
}

inline bool any_grad(std::initializer_list<const Tensor*> tensors) {
  for (const Tensor* t : tensors)
    if (needed_by(*t)) return true;
  return false;
}

/// Nobody else can see the contents of t, so they may be changed.
bool owned(const Tensor& t);
/// Where a rule that reads each element of dy before it writes the same one may put its result: dy itself, or
/// an undefined tensor, for a fresh one.
inline Tensor in_place_of(const Tensor& dy) { return owned(dy) ? dy : Tensor(); }

}  // namespace linnet
