// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/constraint.h"

#include "support/check_close.h"
#include "support/fixtures.h"

using namespace linnet;

namespace {

Tensor bytes(std::initializer_list<double> values, const Shape& shape) {
  return Tensor::from(values, shape, u8);
}

}  // namespace

TEST_CASE("a mask makes elements zero, groups make them their mean, at once and together") {
  Tensor w = Tensor::from({1, 2, 3, 5, 7, 9}, {2, 3});
  set_constraint(w, {.mask = bytes({1, 0, 1, 1, 1, 1}, {2, 3})});
  CHECK_SAME_BITS(w, Tensor::from({1, 0, 3, 5, 7, 9}, {2, 3}));
  // the masked element is in group 0 too, and does not count
  set_constraint(
      w, {.mask = bytes({1, 0, 1, 1, 1, 1}, {2, 3}), .groups = bytes({0, 0, 0, 255, 255, 4}, {2, 3})});
  CHECK_SAME_BITS(w, Tensor::from({2, 0, 2, 6, 6, 9}, {2, 3}));
  Tensor gradient = Tensor::from({1, 10, 2, 3, 4, 5}, {2, 3});
  constrain_gradient(*constraint(w), gradient);
  CHECK_SAME_BITS(gradient, Tensor::from({3, 0, 3, 7, 7, 5}, {2, 3}));
}

TEST_CASE("values that keep to a constraint do not move by a bit when they are constrained again") {
  for (const DType type : {f32, f64}) {
    Tensor w = test::random_tensor({100, 70}, 1, -1.0, 1.0, type);
    set_constraint(w, {.groups = test::random_labels({100, 70}, 2, 7, u8)});
    const Tensor once = w.clone();
    constrain(*constraint(w), w);
    CHECK_SAME_BITS(w, once);
  }
}

TEST_CASE("a constraint keeps its own copies, goes with an empty one and with another shape") {
  Tensor w = Tensor::ones({4}), mask = bytes({1, 0, 1, 1}, {4});
  CHECK(constraint(w) == nullptr);
  set_constraint(w, {.mask = mask});
  mask.fill_(0.0);
  CHECK(constraint(w)->mask.data<std::uint8_t>()[0] == 1);
  w.set_contents(Tensor::full({4}, 3.0));
  CHECK(constraint(w) != nullptr);
  w.set_contents(Tensor::ones({2}));
  CHECK(constraint(w) == nullptr);
  set_constraint(w, {.mask = bytes({1, 1}, {2})});
  set_constraint(w, {});
  CHECK(constraint(w) == nullptr);
}

TEST_CASE("constraints that do not fit are refused and change nothing") {
  Tensor w = Tensor::ones({2, 3});
  CHECK_THROWS_TEXT(set_constraint({}, {}), ValueError, "set_constraint: the parameter is undefined.");
  CHECK_THROWS_TEXT(set_constraint(Tensor::ones({2}, i32), {}), DTypeError,
                    "set_constraint: the parameter must be f32 or f64, got i32.");
  CHECK_THROWS_TEXT(set_constraint(w, {.mask = Tensor::zeros({2, 3})}), DTypeError,
                    "set_constraint: mask must be u8, got f32.");
  CHECK_THROWS_TEXT(set_constraint(w, {.mask = Tensor::zeros({2, 3}, u8), .groups = Tensor::zeros({6}, u8)}),
                    ShapeError, "set_constraint: groups has shape [6], the parameter has [2, 3].");
  CHECK_SAME_BITS(w, Tensor::ones({2, 3}));
  CHECK(constraint(w) == nullptr);
}
