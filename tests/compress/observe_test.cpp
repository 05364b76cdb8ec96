// SPDX-License-Identifier: Apache-2.0
#include "linnet/compress/observe.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "../golden/golden.h"
#include "support/check_close.h"
#include "support/fixtures.h"

namespace linnet {
namespace {

using compress::Histogram;
using compress::Range;
using compress::RangeRule;

Histogram histogram_of(const Tensor& x) {
  Histogram histogram;
  histogram.add(x.data<float>());
  return histogram;
}

void check_range(const Range& actual, const nlohmann::json& expected) {
  CHECK_CLOSE(actual.low, expected.at(0).get<double>(), tol::f64);
  CHECK_CLOSE(actual.high, expected.at(1).get<double>(), tol::f64);
}

TEST_CASE("ranges of activations and weights are those that NumPy finds") {
  for (const auto& golden : test::golden_cases("observe.json")) {
    CAPTURE(golden.at("name"));
    const Tensor x = test::golden_tensor(golden.at("x"), f32);
    if (golden.contains("bits")) {
      CHECK_CLOSE(compress::weight_range(x.data<float>(), golden["bits"]), golden["range"].get<double>(),
                  tol::f64);
      continue;
    }
    const Histogram histogram = histogram_of(x);
    for (RangeRule rule : compress::kRangeRules) {
      CAPTURE(std::string(name(rule)));
      check_range(histogram.range(rule), golden["ranges"][name(rule)]);
    }
    check_range(histogram.range(RangeRule::mse, 4), golden["ranges"]["mse, 4 bits"]);
  }
}

TEST_CASE("a range depends neither on the order of the values nor on how they come") {
  Tensor x = test::random_tensor({5000}, 1, -0.001, 0.002);
  auto values = x.mutable_data<float>();
  for (int i = 0; i < 50; ++i) values[i * 97] *= static_cast<float>(1 << (i % 14));
  values[3] = 0.0f;
  const Histogram whole = histogram_of(x);
  std::vector<float> turned(values.rbegin(), values.rend());
  Histogram pieces = histogram_of(Tensor::zeros({1}));
  turned.erase(turned.end() - 4);  // the zero, which pieces begins with
  for (std::size_t at = 0; at < turned.size(); at += 77)
    pieces.add(std::span(turned).subspan(at, std::min<std::size_t>(77, turned.size() - at)));
  CHECK(pieces.count() == whole.count());
  for (RangeRule rule : compress::kRangeRules) {
    CHECK(pieces.range(rule).low == whole.range(rule).low);
    CHECK(pieces.range(rule).high == whole.range(rule).high);
  }
}

TEST_CASE("zero is in every range, and nothing but zeros gives the range 0 to 1") {
  for (RangeRule rule : compress::kRangeRules) {
    CAPTURE(std::string(name(rule)));
    CHECK(histogram_of(Tensor::full({100}, 3.0)).range(rule).low == 0.0);
    CHECK(histogram_of(Tensor::full({100}, -3.0)).range(rule).high == 0.0);
    for (const Range& range : {histogram_of(Tensor::zeros({100})).range(rule), Histogram().range(rule)}) {
      CHECK(range.low == 0.0);
      CHECK(range.high == 1.0);
    }
    Tensor one = Tensor::zeros({1'000'000});  // a percentile would cut all that there is
    one.mutable_data<float>()[7] = -2.0f;
    CHECK(histogram_of(one).range(rule).low < 0.0);
    CHECK(histogram_of(one).range(rule).high == 0.0);
  }
}

TEST_CASE("a value that is not finite is refused and leaves the histogram as it was") {
  Histogram histogram = histogram_of(Tensor::ones({3}));
  const std::vector<float> bad = {5.0f, std::numeric_limits<float>::infinity()};
  CHECK_THROWS_TEXT(histogram.add(bad), NumericError, "Histogram: a value is inf.");
  CHECK(histogram.count() == 3);
  CHECK(histogram.range(RangeRule::min_max).high == 1.0);
}

TEST_CASE("a weight of zeros has the range 0") {
  CHECK(compress::weight_range(std::vector<float>(5, 0.0f), 8) == 0.0);
}

}  // namespace
}  // namespace linnet
