// SPDX-License-Identifier: Apache-2.0
#include "linnet/data/classes.h"
#include "linnet/data/loader.h"
#include "linnet/data/synthetic_digits.h"
#include "support/check_close.h"

using namespace linnet;

namespace {

/// x is the number of the sample.
data::TensorDataset numbered(const std::vector<double>& labels, DType dtype = i64) {
  const auto n = static_cast<std::int64_t>(labels.size());
  return data::TensorDataset(Tensor::arange(n), Tensor::from(labels, {n}).to(dtype));
}

std::vector<double> values_of(const Tensor& t) {
  const Tensor wide = t.to(f64);
  return {wide.data<double>().begin(), wide.data<double>().end()};
}

const std::vector<double> kLabels{3, 1, 7, 3, 3, 9, 1, 7, 1, 3};

}  // namespace

TEST_CASE(
    "chosen classes keep the order of the dataset and get the labels 0, 1, ... in the order they are named") {
  for (const DType dtype : {i64, i32, u8}) {
    const data::TensorDataset all = numbered(kLabels, dtype);
    const data::OfClasses some(all, {7, 3});
    CHECK(some.size() == 6);
    CHECK(some.in_memory());
    const std::vector<std::int64_t> order{5, 0, 1, 2, 3, 4};
    const data::Batch batch = some.batch(order);
    CHECK(batch.y.dtype() == i64);
    CHECK(values_of(batch.x) == std::vector<double>{9, 0, 2, 3, 4, 7});
    CHECK(values_of(batch.y) == std::vector<double>{1, 1, 0, 1, 1, 0});
    CHECK(std::vector<std::int64_t>(batch.indices.begin(), batch.indices.end()) == order);
  }
}

TEST_CASE("per_class takes the first so many samples of each class") {
  const data::TensorDataset all = numbered(kLabels);
  const data::OfClasses few(all, {1, 3}, {.per_class = 2});
  data::Loader batches(few, {.batch = 4});
  for (const auto& [x, y] : batches) {
    CHECK(values_of(x) == std::vector<double>{0, 1, 3, 6});
    CHECK(values_of(y) == std::vector<double>{1, 0, 1, 0});
  }
  const data::SyntheticDigits digits({.count = 100});
  CHECK(data::OfClasses(digits, {5, 6, 7, 8, 9}, {.per_class = 4}).size() == 20);
}

TEST_CASE("other classes are other data for a run that goes on") {
  const data::TensorDataset all = numbered(kLabels);
  const std::uint64_t hash = data::OfClasses(all, {1, 3}).content_hash();
  CHECK(data::OfClasses(all, {1, 3}).content_hash() == hash);
  CHECK(data::OfClasses(all, {3, 1}).content_hash() != hash);
  CHECK(data::OfClasses(all, {1, 7}).content_hash() != hash);
  CHECK(data::OfClasses(all, {1, 3}, {.per_class = 3}).content_hash() != hash);
}

TEST_CASE("labels_of reads all labels") {
  std::vector<double> labels(300);
  for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<double>(i % 7);
  const std::vector<std::int64_t> read = data::labels_of(numbered(labels, u8));
  REQUIRE(read.size() == 300);
  for (std::size_t i = 0; i < read.size(); ++i) CHECK(read[i] == static_cast<std::int64_t>(i % 7));
}

TEST_CASE(
    "classes that are not there, named twice or too small are refused, and so are labels that are none") {
  const data::TensorDataset all = numbered(kLabels);
  CHECK_THROWS_TEXT(data::OfClasses(all, {}), ValueError, "OfClasses: no class is named.");
  CHECK_THROWS_TEXT(data::OfClasses(all, {1, 3, 1}), ValueError, "OfClasses: class 1 is named twice.");
  CHECK_THROWS_TEXT(data::OfClasses(all, {1, 4}), ValueError,
                    "OfClasses: class 4 has 0 of 1 samples; the labels go from 1 to 9.");
  CHECK_THROWS_TEXT(data::OfClasses(all, {3, 7}, {.per_class = 3}), ValueError,
                    "OfClasses: class 7 has 2 of 3 samples; the labels go from 1 to 9.");
  CHECK_THROWS_TEXT(data::OfClasses(all, {3}, {.per_class = -1}), ValueError,
                    "OfClasses: per_class must not be negative: -1.");
  CHECK_THROWS_TEXT(data::labels_of(data::TensorDataset(Tensor::zeros({2, 3}), {})), ValueError,
                    "labels: the dataset has none.");
  CHECK_THROWS_TEXT(data::labels_of(numbered(kLabels, f32)), DTypeError,
                    "labels: expected one whole number a sample, got f32 [10].");
}
