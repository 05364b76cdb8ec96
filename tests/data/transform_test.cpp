// SPDX-License-Identifier: Apache-2.0
#include "linnet/data/transform.h"

#include <map>
#include <set>

#include "linnet/core/error.h"
#include "linnet/data/loader.h"
#include "support/check_close.h"
#include "support/fixtures.h"

using namespace linnet;
using namespace linnet::data;

namespace {

/// `count` images [height, width, channels] with values 1, 2, 3, ...
TensorDataset counting(std::int64_t count, std::int64_t height, std::int64_t width,
                       std::int64_t channels = 1) {
  std::vector<float> values(static_cast<std::size_t>(count * height * width * channels));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i + 1);
  return {Tensor::from(values, {count, height, width, channels}), Tensor::arange(count, i64)};
}

/// Sample 0 behind one transform, in the epoch of a key.
Tensor once(const Dataset& dataset, const Transform& transform, RandomKey key = {}) {
  return Transformed(dataset, {transform}).epoch_batch(std::vector<std::int64_t>{0}, key).x;
}

std::vector<Transform> all_transforms() {
  return {normalise({.mean = {0.4}, .std = {0.3}}),
          random_shift({.pixels = 2}),
          random_rotate({.degrees = 30}),
          random_flip({.horizontal = 0.5, .vertical = 0.5}),
          crop({.height = 6, .width = 5, .random = true}),
          random_noise({.deviation = 0.1}),
          cutout({.size = 3})};
}

/// How often each different result comes up in many epochs.
std::set<std::vector<float>> results(const Dataset& dataset, const Transform& transform) {
  std::set<std::vector<float>> seen;
  for (std::uint64_t call = 0; call < 400; ++call) {
    const Tensor x = once(dataset, transform, {.seed = 1, .call = call});
    const auto values = x.data<float>();
    seen.insert(std::vector<float>(values.begin(), values.end()));
  }
  return seen;
}

}  // namespace

TEST_CASE("normalise subtracts the mean and divides by the deviation of each channel, or of all") {
  const TensorDataset images = counting(1, 1, 2, 2);
  CHECK_SAME_BITS(once(images, normalise({.mean = {1, 2}, .std = {2, 4}})),
                  Tensor::from({0, 0, 1, 0.5}, {1, 1, 2, 2}));
  CHECK_SAME_BITS(once(images, normalise({.mean = {1}, .std = {0.5}})),
                  Tensor::from({0, 2, 4, 6}, {1, 1, 2, 2}));
  const TensorDataset series(Tensor::from({1, 2, 3, 4, 5, 6}, {1, 3, 2}), {}),
      rows(Tensor::from({{1, 2}}), {});
  CHECK_SAME_BITS(once(series, normalise({.mean = {1, 2}, .std = {2, 2}})),
                  Tensor::from({0, 0, 1, 1, 2, 2}, {1, 3, 2}));
  CHECK_SAME_BITS(once(rows, normalise({.mean = {1, 2}, .std = {2, 2}})), Tensor::from({{0, 0}}));
}

TEST_CASE(
    "a shift moves the whole picture by at most so many pixels, each shift comes up, the rest is fill") {
  const TensorDataset images = counting(1, 3, 3);
  const auto seen = results(images, random_shift({.pixels = 1, .fill = -1}));
  CHECK(seen.size() == 9);
  CHECK(seen.contains({1, 2, 3, 4, 5, 6, 7, 8, 9}));
  CHECK(seen.contains({5, 6, -1, 8, 9, -1, -1, -1, -1}));
  CHECK(seen.contains({-1, -1, -1, -1, 1, 2, -1, 4, 5}));
  const TensorDataset series(Tensor::from({1, 10, 2, 20, 3, 30}, {1, 3, 2}), {});
  CHECK(results(series, random_shift({.pixels = 1})) ==
        std::set<std::vector<float>>{{1, 10, 2, 20, 3, 30}, {0, 0, 1, 10, 2, 20}, {2, 20, 3, 30, 0, 0}});
  const TensorDataset row(Tensor::from({1, 2, 3}, {1, 3}), {});  // has neither height nor width
  CHECK(results(row, random_shift({.pixels = 1})) == std::set<std::vector<float>>{{1, 2, 3}});
  CHECK(results(images, random_shift({.pixels = 9})).contains(std::vector<float>(9, 0.0f)));
}

TEST_CASE("a flip mirrors left and right, top and bottom, with the probability asked for") {
  const TensorDataset images = counting(1, 2, 2);
  CHECK(results(images, random_flip()) == std::set<std::vector<float>>{{1, 2, 3, 4}, {2, 1, 4, 3}});
  CHECK(results(images, random_flip({.horizontal = 1, .vertical = 1})) ==
        std::set<std::vector<float>>{{4, 3, 2, 1}});
  CHECK(results(images, random_flip({.horizontal = 0})).size() == 1);
  CHECK(results(images, random_flip({.vertical = 0.5})).size() == 4);
}

TEST_CASE("a crop is a window of the picture: the middle, or any") {
  const TensorDataset images = counting(1, 3, 4);
  CHECK_SAME_BITS(once(images, crop({.height = 1, .width = 2})), Tensor::from({6, 7}, {1, 1, 2, 1}));
  CHECK(results(images, crop({.height = 2, .width = 3, .random = true})) ==
        std::set<std::vector<float>>{
            {1, 2, 3, 5, 6, 7}, {2, 3, 4, 6, 7, 8}, {5, 6, 7, 9, 10, 11}, {6, 7, 8, 10, 11, 12}});
}

TEST_CASE("cutout fills one square whose centre lies in the picture, and all centres come up") {
  const TensorDataset images = counting(1, 3, 3);
  const auto seen = results(images, cutout({.size = 1, .fill = -1}));
  CHECK(seen.size() == 9);
  for (const std::vector<float>& values : seen) CHECK(std::count(values.begin(), values.end(), -1.0f) == 1);
  CHECK(results(images, cutout({.size = 3})).contains({0, 0, 3, 0, 0, 6, 7, 8, 9}));
  CHECK(results(images, cutout({.size = 0})).size() == 1);
  CHECK(results(images, cutout({.size = 9, .probability = 0.5})).size() == 2);
}

TEST_CASE("noise has mean 0 and the deviation asked for, other numbers for every value") {
  const TensorDataset images(Tensor::full({1, 100, 100, 1}, 2.0), {});
  const Tensor x = once(images, random_noise({.deviation = 0.5}), {.seed = 3, .call = 4});
  double sum = 0.0, squares = 0.0;
  for (const float value : x.data<float>()) {
    sum += value - 2.0;
    squares += (value - 2.0) * (value - 2.0);
  }
  CHECK(std::abs(sum / 10000) < 4 * 0.5 / 100);  // four deviations of the mean
  CHECK_CLOSE(squares / 10000, 0.25, (test::Tolerance{0.02, 0.0}));
  const auto values = x.data<float>();
  CHECK(std::set<float>(values.begin(), values.end()).size() > 9900);
  CHECK_SAME_BITS(once(images, random_noise({.deviation = 0})), images.x());
}

TEST_CASE("a rotation by 0 changes nothing; the middle stays, and a straight line stays one") {
  const TensorDataset images = counting(1, 5, 5);
  CHECK_SAME_BITS(once(images, random_rotate({.degrees = 0})), images.x());
  // Bilinear values of a plane lie on the plane: value = 13 + 5 (y - 2) + (x - 2) turned by the angle.
  const Tensor turned = once(images, random_rotate({.degrees = 20}), {.seed = 3, .call = 4});
  const auto values = turned.data<float>();
  CHECK_CLOSE(values[12], 13.0f, tol::f32);
  CHECK_CLOSE(values[13] - values[12], values[12] - values[11], (test::Tolerance{1e-5, 0.0}));
  const float along = values[13] - values[12], down = values[17] - values[12];
  CHECK_CLOSE(along * along + down * down, 26.0f, (test::Tolerance{1e-4, 0.0}));
  CHECK(along != 1.0f);
}

TEST_CASE(
    "random numbers depend on epoch and sample, not on order, batch, neighbours, prefetching or threads") {
  const TensorDataset images(test::random_tensor({20, 8, 8, 3}, 1, 0.0, 1.0), {});
  const Transformed changed(images, all_transforms());
  REQUIRE(changed.random());
  const RandomKey epoch{.seed = 7, .call = 3};
  const Tensor together = changed.epoch_batch(std::vector<std::int64_t>{4, 5, 6, 4}, epoch).x;
  CHECK(together.shape() == Shape{4, 6, 5, 3});
  const Tensor alone = changed.epoch_batch(std::vector<std::int64_t>{6}, epoch).x;
  const auto all = together.data<float>(), one = alone.data<float>();
  CHECK(std::equal(one.begin(), one.end(), all.begin() + 2 * 90));
  CHECK(std::equal(all.begin(), all.begin() + 90, all.begin() + 3 * 90));
  CHECK_FALSE(std::equal(one.begin(), one.end(),
                         changed.epoch_batch(std::vector<std::int64_t>{6}, {7, 4}).x.data<float>().begin()));

  // The same samples over two epochs, by sample, however they are loaded.
  const auto by_sample = [&](LoaderOptions options, int threads) {
    const test::ThreadScope scope(threads);
    manual_seed(11);
    Loader loader(changed, options);
    std::map<std::pair<int, std::int64_t>, std::vector<float>> samples;
    for (int number = 0; number < 2; ++number)
      for (const Batch& batch : loader)
        for (std::size_t i = 0; i < batch.indices.size(); ++i) {
          const auto values = batch.x.data<float>().subspan(i * 90, 90);
          samples[{number, batch.indices[i]}].assign(values.begin(), values.end());
        }
    return samples;
  };
  const auto expected = by_sample({.batch = 3}, 1);
  CHECK(expected.size() == 40);
  CHECK(expected.at({0, 2}) != expected.at({1, 2}));
  CHECK(expected.at({0, 2}) != expected.at({0, 3}));
  CHECK(by_sample({.batch = 7, .shuffle = true, .prefetch = 0}, 4) == expected);
  CHECK(by_sample({.batch = 7, .shuffle = true, .prefetch = 3}, 2) == expected);
}

TEST_CASE("a loader that goes on in the middle of an epoch gives the samples that were left, changed alike") {
  const TensorDataset images(test::random_tensor({10, 8, 8, 3}, 1, 0.0, 1.0), {});
  const Transformed changed(images, all_transforms());
  manual_seed(2);
  Loader whole(changed, {.batch = 4});
  std::vector<Tensor> expected;
  for (int number = 0; number < 2; ++number)
    for (const Batch& batch : whole) expected.push_back(batch.x);
  manual_seed(2);
  Loader first(changed, {.batch = 4});
  for (const Batch& batch : first)
    if (batch.indices[0] == 4) break;
  Loader second(changed, {.batch = 4});
  second.load(first.state());
  std::vector<Tensor> rest;
  for (const Batch& batch : second) rest.push_back(batch.x);
  for (const Batch& batch : second) rest.push_back(batch.x);
  REQUIRE(rest.size() == 4);
  for (std::size_t i = 0; i < rest.size(); ++i) CHECK_SAME_BITS(rest[i], expected[i + 2]);
}

TEST_CASE("transforms work through a Subset, on top of each other, and count as contents") {
  const TensorDataset images = counting(4, 3, 3);
  const Transformed shifted(images, {random_shift({.pixels = 1})});
  const Subset part(shifted, std::vector<std::int64_t>{2, 0});
  const RandomKey epoch{1, 2};
  CHECK(part.random());
  CHECK_SAME_BITS(part.epoch_batch(std::vector<std::int64_t>{0}, epoch).x,
                  shifted.epoch_batch(std::vector<std::int64_t>{2}, epoch).x);
  CHECK(part.epoch_batch(std::vector<std::int64_t>{0}, epoch).indices == PoolVector<std::int64_t>{0});

  // Two layers of the same shift draw different numbers: their sum is not always even.
  std::set<float> corners;
  const Transformed twice(shifted, {random_shift({.pixels = 1})});
  for (std::uint64_t call = 0; call < 100; ++call)
    corners.insert(twice.epoch_batch(std::vector<std::int64_t>{0}, {1, call}).x.data<float>()[4]);
  CHECK(corners.contains(6.0f));  // by one to the left

  CHECK(shifted.content_hash() == Transformed(images, {random_shift({.pixels = 1})}).content_hash());
  CHECK(shifted.content_hash() != Transformed(images, {random_shift({.pixels = 2})}).content_hash());
  CHECK(shifted.content_hash() != images.content_hash());
  const Transformed fixed(images, {normalise({.mean = {0}, .std = {2}})}), none(images, {});
  CHECK_FALSE(fixed.random());
  CHECK_FALSE(fixed.in_memory());
  CHECK(none.in_memory());
  CHECK_SAME_BITS(none.batch(std::vector<std::int64_t>{1}).x, images.batch(std::vector<std::int64_t>{1}).x);
}

TEST_CASE("a transform of one's own is an aggregate") {
  const Transform doubled{.text = "doubled", .apply = [](const Pixels& from, const Pixels& to, Rng&) {
                            for (std::int64_t i = 0; i < from.width; ++i) *to.at(0, i) = 2 * *from.at(0, i);
                          }};
  CHECK_SAME_BITS(once(counting(1, 1, 3), doubled), Tensor::from({2, 4, 6}, {1, 1, 3, 1}));
}

TEST_CASE("transforms that cannot be, or do not fit the samples, are refused") {
  CHECK_THROWS_TEXT(normalise({.mean = {1, 2}, .std = {1}}), ValueError,
                    "normalise: expected one mean and one std for each channel, got 2 and 1.");
  CHECK_THROWS_TEXT(normalise({.mean = {1}, .std = {0}}), ValueError,
                    "normalise: mean must be finite and std above 0, got 1 and 0.");
  CHECK_THROWS_TEXT(random_shift({.pixels = -1}), ValueError,
                    "random_shift: pixels must be in 0..2^30, got -1.");
  CHECK_THROWS_TEXT(random_rotate({.degrees = 200}), ValueError,
                    "random_rotate: degrees must be in 0..180, got 200.");
  CHECK_THROWS_TEXT(crop({.height = 0, .width = 3}), ValueError,
                    "crop: height and width must be at least 1, got 0 and 3.");
  CHECK_THROWS_TEXT(random_flip({.horizontal = 1.5}), ValueError,
                    "random_flip: a probability must be in 0..1, got 1.5.");
  CHECK_THROWS_TEXT(random_noise({.deviation = -1}), ValueError,
                    "random_noise: the deviation must be finite and not negative, got -1.");
  CHECK_THROWS_TEXT(cutout({.size = -1}), ValueError, "cutout: the size must be in 0..2^30, got -1.");
  const TensorDataset images = counting(1, 3, 3), series(Tensor::ones({1, 4, 2}), {});
  CHECK_THROWS_TEXT(Transformed(images, {Transform{.text = "mine", .apply = {}}}), ValueError,
                    "Transformed: the transform \"mine\" has no function.");
  CHECK_THROWS_TEXT(once(images, crop({.height = 4, .width = 3})), ShapeError,
                    "crop: [3, 3, 1] is smaller than 4 x 3.");
  CHECK_THROWS_TEXT(once(series, random_flip()), ShapeError,
                    "random_flip: expected images [H, W, C], got [4, 2].");
  CHECK_THROWS_TEXT(once(series, normalise({.mean = {1, 2, 3}, .std = {1, 1, 1}})), ShapeError,
                    "normalise: expected samples of 3 channels, got [4, 2].");
  CHECK_THROWS_TEXT(once(TensorDataset(Tensor::ones({1, 2, 2, 1}, u8), {}), random_flip()), DTypeError,
                    "Transformed: expected samples of f32, got u8.");
  CHECK_THROWS_TEXT(once(TensorDataset(Tensor::ones({1, 2, 2, 1, 1}), {}), random_shift()), ShapeError,
                    "Transformed: expected samples of 1 to 3 axes, got [2, 2, 1, 1].");
}
