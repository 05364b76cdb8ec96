// SPDX-License-Identifier: Apache-2.0
// The comparisons of tests/support: that they see what they should.
#include "support/check_close.h"

#include "linnet/core/error.h"
#include "special_values.h"
#include "support/fixtures.h"

using namespace linnet;
using test::difference;
using test::kInf;
using test::kNan;

TEST_CASE("values within the tolerance pass, the first one beyond does not") {
  CHECK(difference(1.5, 1.0, {0.5, 0.0}).empty());
  CHECK_FALSE(difference(1.51, 1.0, {0.5, 0.0}).empty());
  CHECK(difference(11.0, 10.0, {0.0, 0.1}).empty());
  CHECK_FALSE(difference(11.1, 10.0, {0.0, 0.1}).empty());
  CHECK(difference(-0.0, 0.0, tol::exact).empty());
  CHECK_FALSE(difference(1.0 + 1e-15, 1.0, tol::exact).empty());
}

TEST_CASE("NaN and infinity equal only themselves, whatever the tolerance") {
  const test::Tolerance generous{1e300, 1e300};
  CHECK(difference(kNan, kNan, tol::exact).empty());
  CHECK(difference(kInf, kInf, tol::exact).empty());
  CHECK_FALSE(difference(kNan, 1.0, generous).empty());
  CHECK_FALSE(difference(1.0, kNan, generous).empty());
  CHECK_FALSE(difference(kInf, 1.0, generous).empty());
  CHECK_FALSE(difference(-kInf, kInf, generous).empty());
}

TEST_CASE("a difference names shape, worst element, both values and the errors") {
  Tensor actual = Tensor::zeros({2, 3}, f64), expected = Tensor::full({2, 3}, 1.0, f64);
  actual.copy_(expected);
  actual.mutable_data<double>()[1] = 1.25;
  actual.mutable_data<double>()[5] = 3.0;
  CHECK(difference(actual, expected, {0.0, 0.125}) ==
        "shape [2, 3], 2 of 6 elements differ; worst at [1, 2]: 3, expected 1, absolute error 2, relative 2, "
        "allowed 0.125");
  CHECK(difference(actual, Tensor::zeros({3, 2}), tol::f32) == "shapes differ: [2, 3] and [3, 2]");
}

TEST_CASE("a scale replaces the expected value in the bound") {
  const test::Values scale(std::vector<double>{100.0, 1.0}), wrong(std::vector<double>{1.0});
  const std::vector<double> expected{0.0, 0.0};
  CHECK(difference(std::vector<double>{1.0, 0.01}, expected, {0.0, 0.01}, &scale).empty());
  CHECK_FALSE(difference(std::vector<double>{1.0, 0.02}, expected, {0.0, 0.01}, &scale).empty());
  CHECK_FALSE(difference(expected, expected, tol::f32, &wrong).empty());
  CHECK_CLOSE_TO_SCALE((std::vector<double>{1e-5, 0.0}), expected, scale, tol::f32_of_scale(1));
}

TEST_CASE("a bound for sums grows with the root of their length") {
  CHECK(tol::f32_accumulated(400).relative == doctest::Approx(20 * tol::f32_accumulated(1).relative));
  CHECK(tol::f32_of_scale(0).relative == tol::f32_of_scale(1).relative);
}

TEST_CASE("equal bits means equal type, shape and every bit") {
  using test::bit_difference;
  const Tensor a = Tensor::from({1, 0, 3});
  CHECK(bit_difference(a, a.clone()).empty());
  CHECK(bit_difference(Tensor::from({kNan}), Tensor::from({kNan})).empty());
  CHECK(bit_difference(a, Tensor::from({1, -0.0, 4})) ==
        "shape [3], 2 of 3 elements have other bits; first at [1]: 0, expected -0");
  CHECK(bit_difference(a, a.to(f64)) == "types differ: f32 and f64");
  CHECK(bit_difference(a, a.view({3, 1})) == "shapes differ: [3] and [3, 1]");
}

TEST_CASE("an error of another type, with another text, or none at all does not pass") {
  const auto report = [](auto call) {
    std::string text;
    LINNET_TEST_THROW_REPORT(text, call(), ShapeError, "op: no.")
    return text;
  };
  CHECK(report([] { fail<ShapeError>("op: no."); }).empty());
  CHECK_FALSE(report([] { fail<ShapeError>("op: no!"); }).empty());
  CHECK_FALSE(report([] { fail<ValueError>("op: no."); }).empty());
  CHECK_FALSE(report([] { throw std::runtime_error("op: no."); }).empty());
  CHECK(report([] {}).starts_with("threw nothing"));
}

TEST_CASE("random tensors of a seed are the same in both float types, others differ") {
  const Tensor a = test::random_tensor({50}, 3), b = test::random_tensor({50}, 3, -1.0, 1.0, f64);
  CHECK_SAME_BITS(b.to(f32), a);
  CHECK_FALSE(test::bit_difference(a, test::random_tensor({50}, 4)).empty());
  const Tensor labels = test::random_labels({1000}, 5, 3);
  int counts[3] = {};
  for (std::int64_t label : labels.data<std::int64_t>()) ++counts[label];
  for (int count : counts) CHECK(count > 250);
}

TEST_CASE("a temporary folder is there during its block only, and files keep their bytes") {
  std::string place;
  {
    const test::TemporaryFolder folder;
    place = folder.path().string();
    test::write_bytes(folder / "x", {0, 10, 255});
    CHECK(test::read_bytes(folder / "x") == std::vector<std::uint8_t>{0, 10, 255});
  }
  CHECK_FALSE(std::filesystem::exists(place));
}
