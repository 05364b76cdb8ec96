// SPDX-License-Identifier: Apache-2.0
#include "linnet/nn/init.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "linnet/autograd/ops.h"
#include "linnet/core/error.h"
#include "support/check_close.h"
#include "support/fixtures.h"

namespace linnet::test {
namespace {

struct Moments {
  double mean = 0.0, deviation = 0.0, largest = 0.0;
};

Moments moments(const Tensor& t) {
  Moments m;
  double squares = 0.0;
  for (const float value : t.data<float>()) {
    m.mean += value;
    squares += double{value} * value;
    m.largest = std::max(m.largest, std::abs(double{value}));
  }
  const double n = static_cast<double>(t.size());
  m.mean /= n;
  m.deviation = std::sqrt(squares / n - m.mean * m.mean);
  return m;
}

/// 40,000 draws: the mean is known to deviation / 200, the deviation to less than 1 %; five of those are
/// allowed.
void check_spread(const Tensor& t, double deviation) {
  REQUIRE(t.size() == 40000);
  const Moments m = moments(t);
  CHECK(std::abs(m.mean) < 5.0 * deviation / 200.0);
  CHECK(std::abs(m.deviation / deviation - 1.0) < 5.0 * 0.5 / 100.0);
}

TEST_CASE("weights have the spread that their fans ask for") {
  manual_seed(1);
  const Shape dense{100, 400}, conv{50, 4, 4, 50};
  const double root3 = std::sqrt(3.0);
  check_spread(nn::init::glorot_uniform(dense), std::sqrt(2.0 / 500.0));
  check_spread(nn::init::he_uniform(dense), std::sqrt(2.0 / 400.0));
  check_spread(nn::init::he_normal(dense), std::sqrt(2.0 / 400.0));
  check_spread(nn::init::glorot_uniform(conv), std::sqrt(2.0 / (800.0 + 800.0)));
  check_spread(nn::init::he_uniform(conv), std::sqrt(2.0 / 800.0));
  check_spread(nn::init::he_normal(conv), std::sqrt(2.0 / 800.0));
  CHECK(moments(nn::init::glorot_uniform(dense)).largest <= root3 * std::sqrt(2.0 / 500.0) * 1.000001);
  CHECK(moments(nn::init::he_normal(dense)).largest > root3 * std::sqrt(2.0 / 400.0));
}

/// Rows of the matrix [shape[0], rest], or its columns, are orthonormal.
void check_orthonormal(const Shape& shape) {
  CAPTURE(shape.str());
  const std::int64_t rows = shape[0], columns = shape.size() / rows;
  const Tensor q = nn::init::orthogonal(shape);
  CHECK(q.shape() == shape);
  const Tensor matrix = q.to(f64).reshape({rows, columns});
  const bool wide = rows <= columns;
  const Tensor product = wide ? matmul(matrix, transpose(matrix)) : matmul(transpose(matrix), matrix);
  std::vector<double> identity;
  for (std::int64_t i = 0; i < product.dim(0); ++i)
    for (std::int64_t j = 0; j < product.dim(0); ++j) identity.push_back(i == j ? 1.0 : 0.0);
  CHECK_CLOSE(product.reshape({-1}), identity, tol::f32);
}

TEST_CASE("orthogonal weights have orthonormal rows, or columns when those are fewer") {
  manual_seed(2);
  for (const Shape& shape :
       {Shape{1, 1}, Shape{7, 7}, Shape{3, 50}, Shape{50, 3}, Shape{200, 200}, Shape{8, 3, 3, 2}})
    check_orthonormal(shape);
}

TEST_CASE("orthogonal weights point everywhere: the first element has both signs and variance 1/n") {
  manual_seed(3);
  double sum = 0.0, squares = 0.0;
  constexpr int kDraws = 2000;
  for (int i = 0; i < kDraws; ++i) {
    const double value = nn::init::orthogonal({4, 4}).data<float>()[0];
    sum += value;
    squares += value * value;
  }
  CHECK(std::abs(sum / kDraws) < 5.0 * 0.5 / std::sqrt(kDraws));
  CHECK(std::abs(squares / kDraws - 0.25) < 5.0 * 0.25 / std::sqrt(kDraws));
}

TEST_CASE("initialisers made from numbers keep to them") {
  manual_seed(4);
  CHECK_SAME_BITS(nn::init::zeros({3}), Tensor::zeros({3}));
  CHECK_SAME_BITS(nn::init::constant(0.25)({2, 2}), Tensor::full({2, 2}, 0.25));
  const Tensor uniform = nn::init::uniform(2.0, 4.0)({40000});
  CHECK(std::ranges::all_of(uniform.data<float>(), [](float v) { return v >= 2.0f && v < 4.0f; }));
  check_spread(uniform - 3.0, std::sqrt(1.0 / 3.0));
  check_spread(nn::init::normal(-3.0, 0.5)({40000}) + 3.0, 0.5);
}

TEST_CASE("the same seed gives the same weights, and every initialiser takes one call number") {
  const std::vector<nn::Initializer> all{nn::init::glorot_uniform,     nn::init::he_uniform,
                                         nn::init::he_normal,          nn::init::orthogonal,
                                         nn::init::uniform(-1.0, 1.0), nn::init::normal(0.0, 1.0)};
  for (const nn::Initializer& initializer : all) {
    manual_seed(5);
    const Tensor first = initializer({5, 9});
    CHECK(rng_state()["next_call"].integer() == 1);
    CHECK_FALSE(bit_difference(initializer({5, 9}), first).empty());
    manual_seed(5);
    CHECK_SAME_BITS(initializer({5, 9}), first);
  }
}

TEST_CASE("a weight without two axes and numbers that are none are refused") {
  const std::string hint =
      ": a weight has at least two axes, got [7]. Use constant, uniform or normal for others.";
  CHECK_THROWS_TEXT(nn::init::glorot_uniform({7}), ShapeError, "glorot_uniform" + hint);
  CHECK_THROWS_TEXT(nn::init::he_uniform({7}), ShapeError, "he_uniform" + hint);
  CHECK_THROWS_TEXT(nn::init::he_normal({7}), ShapeError, "he_normal" + hint);
  CHECK_THROWS_TEXT(nn::init::orthogonal({7}), ShapeError, "orthogonal" + hint);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_TEXT(nn::init::constant(nan), ValueError, "constant: the value must be finite, got nan.");
  CHECK_THROWS_TEXT(nn::init::uniform(1.0, 1.0), ValueError,
                    "uniform: bounds must be finite and in order, got [1, 1).");
  CHECK_THROWS_TEXT(
      nn::init::normal(0.0, -1.0), ValueError,
      "normal: mean and deviation must be finite and the deviation not negative, got 0 and -1.");
}

}  // namespace
}  // namespace linnet::test
