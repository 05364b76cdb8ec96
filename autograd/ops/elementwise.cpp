// SPDX-License-Identifier: Apache-2.0
// The elementwise ops: value and derivative are the rows of core/ops/*.def; here they meet the tape.
#include "linnet/core/kernels/elementwise.h"

#include "linnet/autograd/ops/common.h"

namespace linnet {
namespace {

enum class Needs { NONE, X, Y, AB };

/// One tensor, p and q: y = op(x; p, q), dx = dy * dop/dx.
template <class Attributes>
Tensor unary(Op op, Needs needs, const Tensor& x, double p, double q, Attributes attributes) {
  std::string_view op_name = name(op);
  check_float(op_name.data(), "x", x);
  Tensor y = kernels::unary(op, x, p, q);
  bool keep = needed_by(x);
  return record(op, y, {x}, attributes,
                [op, p, q, x = saved(x, keep && needs == Needs::X), y = saved(y, keep && needs == Needs::Y)](
                    const Tensor& dy, Grads& grad) {
                  Tensor into = in_place_of(dy);
                  grad.add(0, kernels::unary_grad(op, *x, *y, dy, p, q, std::move(into)));
                });
}

Tensor binary(Op op, Needs needs, const Tensor& a, const Tensor& b) {
  const char* op_name = name(op).data();
  check_float(op_name, "a", a);
  check_float(op_name, "b", b);
  check_same_dtype(op_name, "a", a, "b", b);
  Tensor y = kernels::binary(op, a, b);
  bool keep = needs == Needs::AB && any_grad({&a, &b});
  return record(op, y, {a, b}, [op, a = saved(a, keep), b = saved(b, keep)](const Tensor& dy, Grads& grad) {
    for (int side = 0; side < 2; ++side)
      if (grad.wanted(side)) grad.add(side, kernels::binary_grad(op, side, *a, *b, dy));
  });
}

State no_attributes() { return {}; }

/// A number as a tensor that broadcasts against t.
Tensor number(double value, const Tensor& t) {
  check<ValueError>(t.defined(), "arithmetic: the tensor beside the number is undefined.");
  return Tensor::full({}, value, t.dtype());
}

}  // namespace

#define UNARY(name, value, derivative, needs, ...) \
  Tensor name(const Tensor& x) { return unary(Op::name, Needs::needs, x, 0.0, 0.0, no_attributes); }
#define UNARY1(name, p_name, p_default, value, derivative, needs, ...)                \
  Tensor name(const Tensor& x, double p) {                                            \
    return unary(Op::name, Needs::needs, x, p, 0.0, [p] { return State{{"p", p}}; }); \
  }
#define UNARY2(name, p_name, q_name, p_default, q_default, value, derivative, needs, ...)        \
  Tensor name(const Tensor& x, double p, double q) {                                             \
    return unary(Op::name, Needs::needs, x, p, q, [p, q] { return State{{"p", p}, {"q", q}}; }); \
  }
#include "linnet/core/ops/unary.def"
#undef UNARY
#undef UNARY1
#undef UNARY2

#define BINARY(name, value, da, db, needs, ...) \
  Tensor name(const Tensor& a, const Tensor& b) { return binary(Op::name, Needs::needs, a, b); }
#include "linnet/core/ops/binary.def"
#undef BINARY

Tensor operator+(const Tensor& a, double b) { return add(a, number(b, a)); }
Tensor operator-(const Tensor& a, double b) { return sub(a, number(b, a)); }
Tensor operator*(const Tensor& a, double b) { return mul(a, number(b, a)); }
Tensor operator/(const Tensor& a, double b) { return div(a, number(b, a)); }
Tensor operator+(double a, const Tensor& b) { return add(number(a, b), b); }
Tensor operator-(double a, const Tensor& b) { return sub(number(a, b), b); }
Tensor operator*(double a, const Tensor& b) { return mul(number(a, b), b); }
Tensor operator/(double a, const Tensor& b) { return div(number(a, b), b); }

}  // namespace linnet
