// SPDX-License-Identifier: Apache-2.0
#include "linnet/data/dataset.h"

#include "linnet/core/error.h"
#include "support/check_close.h"
#include "support/fixtures.h"

using namespace linnet;
using namespace linnet::data;

namespace {

/// Sample i is [i, 10 i], its label i.
TensorDataset pairs(std::int64_t count, TensorDatasetOptions options = {}) {
  std::vector<std::uint8_t> values;
  for (std::int64_t i = 0; i < count; ++i) {
    values.push_back(static_cast<std::uint8_t>(i));
    values.push_back(static_cast<std::uint8_t>(10 * i));
  }
  return {Tensor::from(values, {count, 2}), Tensor::arange(count, i64), options};
}

Batch ask(const Dataset& dataset, std::vector<std::int64_t> indices) { return dataset.batch(indices); }

}  // namespace

TEST_CASE("weights of samples come with the batch, also through a Subset, and belong to the contents") {
  const Tensor x = Tensor::from({1, 2, 3}, {3, 1}), w = Tensor::from({0.5, 1, 2});
  const data::TensorDataset weighted(x, {}, {.weights = w}), plain(x, {});
  CHECK_SAME_BITS(weighted.batch(std::vector<std::int64_t>{2, 0}).weights, Tensor::from({2, 0.5}));
  CHECK_SAME_BITS(
      data::Subset(weighted, std::vector<std::int64_t>{1, 2}).batch(std::vector<std::int64_t>{1}).weights,
      Tensor::from({2.0}));
  CHECK_FALSE(plain.batch(std::vector<std::int64_t>{0}).weights.defined());
  CHECK(weighted.content_hash() != plain.content_hash());
  CHECK_THROWS_TEXT(data::TensorDataset(x, {}, {.weights = Tensor::ones({2})}), ShapeError,
                    "TensorDataset: expected one weight a sample, [3], got [2].");
  CHECK_THROWS_TEXT(data::TensorDataset(x, {}, {.weights = Tensor::ones({3}, i64)}), DTypeError,
                    "TensorDataset: weights must be f32 or f64, got i64.");
}

TEST_CASE("a batch holds the samples that were asked for, in that order, and unpacks to x and y") {
  const TensorDataset dataset = pairs(5);
  CHECK(dataset.size() == 5);
  const Batch batch = ask(dataset, {4, 0, 0});
  const auto& [x, y] = batch;
  CHECK_SAME_BITS(x, Tensor::from(std::vector<std::uint8_t>{4, 40, 0, 0, 0, 0}, {3, 2}));
  CHECK_SAME_BITS(y, Tensor::from(std::vector<std::int64_t>{4, 0, 0}));
  CHECK(batch.indices == PoolVector<std::int64_t>{4, 0, 0});
  CHECK_FALSE(batch.weights.defined());
  CHECK_FALSE(batch.mask.defined());
}

TEST_CASE("bytes become floats of 0 to 1, each the nearest to its value / 255") {
  const TensorDataset dataset = pairs(20, {.divide_by = 255});
  const Batch batch = ask(dataset, {0, 19});
  CHECK(batch.x.dtype() == f32);
  const auto values = batch.x.data<float>();
  CHECK(values[2] == 19.0f / 255.0f);
  CHECK(values[3] == 190.0f / 255.0f);
  CHECK(dataset.x().dtype() == u8);  // still kept as bytes
}

TEST_CASE("a dataset without labels gives batches without labels") {
  const TensorDataset dataset(Tensor::ones({3, 4}), Tensor());
  CHECK_FALSE(ask(dataset, {1}).y.defined());
}

TEST_CASE("wrong shapes, options and indices are refused") {
  CHECK_THROWS_TEXT(TensorDataset(Tensor::ones({3, 4}), Tensor::ones({2})), ShapeError,
                    "TensorDataset: x and y differ in samples: [3, 4] and [2].");
  CHECK_THROWS_TEXT(TensorDataset(Tensor::ones({}), Tensor()), ShapeError,
                    "TensorDataset: x needs an axis of samples, got [].");
  CHECK_THROWS_TEXT(TensorDataset(Tensor::ones({1}), Tensor(), {.divide_by = -1}), ValueError,
                    "TensorDataset: divide_by must not be negative: -1.");
  const TensorDataset dataset = pairs(5);
  CHECK_THROWS_TEXT(ask(dataset, {0, 5}), ValueError, "TensorDataset: index 5 is outside 0..4.");
  CHECK_THROWS_TEXT(ask(dataset, {-1}), ValueError, "TensorDataset: index -1 is outside 0..4.");
  CHECK_THROWS_TEXT(Subset(dataset, std::vector<std::int64_t>{5}), ValueError,
                    "Subset: index 5 is outside 0..4.");
  CHECK_THROWS_TEXT(Subset(dataset, -1), ValueError, "Subset: the count must not be negative: -1.");
}

TEST_CASE("a subset gives other numbers to some samples; the first N may be more than there are") {
  const TensorDataset dataset = pairs(5);
  const Subset picked(dataset, {3, 1});
  CHECK(picked.size() == 2);
  const Batch batch = ask(picked, {1, 0});
  CHECK_SAME_BITS(batch.y, Tensor::from(std::vector<std::int64_t>{1, 3}));
  CHECK(batch.indices == PoolVector<std::int64_t>{1, 0});
  CHECK_THROWS_TEXT(ask(picked, {2}), ValueError, "Subset: index 2 is outside 0..1.");

  CHECK(Subset(dataset, 2).size() == 2);
  CHECK(Subset(dataset, 99).size() == 5);
  const Subset owning(std::make_shared<TensorDataset>(pairs(4)), 3);
  CHECK_SAME_BITS(ask(owning, {2}).y, Tensor::from(std::vector<std::int64_t>{2}));
}

TEST_CASE(
    "the content hash changes with any byte, label, order, count and conversion, and with nothing else") {
  const std::uint64_t hash = pairs(50).content_hash();
  CHECK(pairs(50).content_hash() == hash);
  CHECK(pairs(49).content_hash() != hash);
  CHECK(pairs(50, {.divide_by = 255}).content_hash() != hash);
  for (std::int64_t at = 0; at < 100; ++at) {
    TensorDataset changed = pairs(50);
    Tensor x = changed.x();
    x.mutable_data<std::uint8_t>()[static_cast<std::size_t>(at)] ^= 1;
    CHECK(changed.content_hash() != hash);
  }
  const TensorDataset dataset = pairs(50);
  Tensor y = dataset.y().clone();
  y.mutable_data<std::int64_t>()[7] = 8;
  CHECK(TensorDataset(dataset.x(), y).content_hash() != hash);
  CHECK(TensorDataset(dataset.x(), Tensor()).content_hash() != hash);
  CHECK(Subset(dataset, {1, 2}).content_hash() != Subset(dataset, {2, 1}).content_hash());
}

TEST_CASE("the hash that every dataset has reads each sample") {
  struct Plain : Dataset {
    TensorDataset inner = pairs(100);
    std::int64_t size() const override { return inner.size(); }
    Batch batch(std::span<const std::int64_t> indices) const override { return inner.batch(indices); }
  };
  Plain dataset;
  const std::uint64_t hash = dataset.content_hash();
  CHECK(dataset.content_hash() == hash);
  Tensor x = dataset.inner.x();
  x.mutable_data<std::uint8_t>()[199] ^= 128;
  CHECK(dataset.content_hash() != hash);
}
