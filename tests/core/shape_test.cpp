// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/shape.h"

#include "linnet/core/error.h"
#include "support/check_close.h"

using namespace linnet;

TEST_CASE("a shape knows its rank, sizes and number of elements") {
  const Shape shape{2, 3, 4};
  CHECK(shape.rank() == 3);
  CHECK(shape.size() == 24);
  CHECK(shape[1] == 3);
  CHECK(shape.dim(-1) == 4);
  CHECK(shape.back() == 4);
  CHECK(shape.product(1, 3) == 12);
  CHECK(shape.product(1, 1) == 1);
  CHECK(shape.str() == "[2, 3, 4]");
}

TEST_CASE("the empty shape is a scalar with one element, a size of zero makes none") {
  CHECK(Shape{}.size() == 1);
  CHECK(Shape{}.str() == "[]");
  CHECK(Shape{5, 0, 7}.size() == 0);
}

TEST_CASE("shapes are equal when rank and sizes are") {
  CHECK(Shape{2, 3} == Shape{2, 3});
  CHECK(Shape{2, 3} != Shape{3, 2});
  CHECK(Shape{2} != Shape{2, 1});
}

TEST_CASE("one size can be replaced, removed or inserted") {
  const Shape shape{2, 3, 4};
  CHECK(shape.with(1, 7) == Shape{2, 7, 4});
  CHECK(shape.with(1, 7).size() == 56);
  CHECK(shape.without(0) == Shape{3, 4});
  CHECK(shape.inserted(0, 9) == Shape{9, 2, 3, 4});
  CHECK(shape.inserted(3, 9) == Shape{2, 3, 4, 9});
  CHECK(shape.inserted(3, 9).size() == 216);
}

TEST_CASE("a shape that cannot be is refused") {
  CHECK_THROWS_TEXT((Shape{1, 1, 1, 1, 1, 1, 1}), ShapeError,
                    "shape: expected at most 6 axes, got 7. Merge axes with reshape.");
  CHECK_THROWS_TEXT((Shape{2, -3}), ShapeError, "shape: sizes must not be negative, got -3 at axis 1.");
  const std::int64_t large = std::int64_t{1} << 24;
  CHECK((Shape{large, large}).size() == std::int64_t{1} << 48);
  CHECK_THROWS_TEXT((Shape{large, large, 2}), ShapeError, "shape: more than 2^48 elements at axis 2.");
  CHECK_THROWS_TEXT((Shape{3, INT64_MAX}), ShapeError, "shape: more than 2^48 elements at axis 1.");
  CHECK_THROWS_TEXT((Shape{1, 1, 1, 1, 1, 1}).inserted(0, 1), ShapeError,
                    "shape: expected at most 6 axes, got 7. Merge axes with reshape.");
  CHECK_THROWS_TEXT((Shape{2, 3}).dim(2), ShapeError, "dim: axis 2 is outside a tensor of rank 2.");
  CHECK_THROWS_TEXT((Shape{2, 3}).dim(-3), ShapeError, "dim: axis -3 is outside a tensor of rank 2.");
}

TEST_CASE("axes become a mask, negative ones counted from the end, none meaning all") {
  const auto all = Axes().mask("sum", 3);
  CHECK((all[0] && all[1] && all[2] && !all[3]));
  const auto some = Axes{0, -1}.mask("sum", 3);
  CHECK((some[0] && !some[1] && some[2]));
  CHECK(reduced(Shape{2, 3, 4}, some, false) == Shape{3});
  CHECK(reduced(Shape{2, 3, 4}, some, true) == Shape{1, 3, 1});
  CHECK(reduced(Shape{2, 3, 4}, all, false) == Shape{});
}

TEST_CASE("axes that are repeated, missing or too many are refused") {
  CHECK_THROWS_TEXT((Axes{1, -2}).mask("sum", 3), ShapeError, "sum: axis 1 is named twice.");
  CHECK_THROWS_TEXT(Axes(3).mask("mean", 3), ShapeError, "mean: axis 3 is outside a tensor of rank 3.");
  CHECK_THROWS_TEXT((Axes{0, 1, 2, 3, 4, 5, 6}), ShapeError, "axes: expected at most 6, got 7.");
}

TEST_CASE("broadcasting aligns at the last axis and repeats sizes of one") {
  CHECK(broadcast("add", Shape{2, 3}, Shape{2, 3}) == Shape{2, 3});
  CHECK(broadcast("add", Shape{2, 3}, Shape{3}) == Shape{2, 3});
  CHECK(broadcast("add", Shape{2, 1, 4}, Shape{5, 1}) == Shape{2, 5, 4});
  CHECK(broadcast("add", Shape{}, Shape{5, 1}) == Shape{5, 1});
  CHECK(broadcast("add", Shape{0, 3}, Shape{1, 3}) == Shape{0, 3});
  CHECK(broadcast("add", Shape{1}, Shape{0}) == Shape{0});
  CHECK_THROWS_TEXT(
      broadcast("add", Shape{2, 3}, Shape{2}), ShapeError,
      "add: shapes do not broadcast: [2, 3] and [2]. Sizes must be equal or 1, counted from the last "
      "axis.");
}
