// SPDX-License-Identifier: Apache-2.0
#include "linnet/data/windows.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "linnet/core/error.h"
#include "linnet/data/split.h"
#include "linnet/data/standardiser.h"
#include "support/check_close.h"
#include "support/fixtures.h"

using namespace linnet;
using namespace linnet::data;

namespace {

/// Row i is [i, 10 i], its target -i.
Tensor counting(std::int64_t rows) {
  std::vector<float> values;
  for (std::int64_t i = 0; i < rows; ++i) {
    values.push_back(static_cast<float>(i));
    values.push_back(static_cast<float>(10 * i));
  }
  return Tensor::from(values, {rows, 2});
}
Tensor targets(std::int64_t rows) {
  std::vector<float> values;
  for (std::int64_t i = 0; i < rows; ++i) values.push_back(static_cast<float>(-i));
  return Tensor::from(values, {rows, 1});
}
Windows windows(std::int64_t rows, WindowOptions options) {
  return Windows(counting(rows), targets(rows), std::move(options));
}

/// The first channel of a window.
std::vector<float> column(const Dataset& dataset, std::int64_t index) {
  const Tensor x = dataset.batch(std::vector<std::int64_t>{index}).x;
  std::vector<float> values;
  for (std::int64_t i = 0; i < x.dim(1); ++i)
    values.push_back(x.data<float>()[static_cast<std::size_t>(2 * i)]);
  return values;
}
float target(const Dataset& dataset, std::int64_t index) {
  return static_cast<float>(dataset.batch(std::vector<std::int64_t>{index}).y.item());
}

}  // namespace

TEST_CASE("windows slide over the rows; the target is that of the row `horizon` behind the last") {
  const Windows all = windows(6, {.length = 3, .horizon = 1});
  CHECK(all.size() == 3);
  CHECK(column(all, 2) == std::vector<float>{2, 3, 4});
  CHECK(target(all, 2) == -5.0f);
  CHECK(all.first_row(2) == 2);
  CHECK(all.last_row(2) == 5);
  const Batch batch = all.batch(std::vector<std::int64_t>{1, 0});
  CHECK_SAME_BITS(batch.x, Tensor::from({1, 10, 2, 20, 3, 30, 0, 0, 1, 10, 2, 20}, {2, 3, 2}));
  CHECK_SAME_BITS(batch.y, Tensor::from({-4, -3}, {2, 1}));
  CHECK(batch.indices == PoolVector<std::int64_t>{1, 0});
  const Windows apart = windows(7, {.length = 3, .stride = 2});
  CHECK(apart.size() == 3);
  CHECK(column(apart, 1) == std::vector<float>{2, 3, 4});
  CHECK_FALSE(Windows(counting(4), {}, {.length = 2}).batch(std::vector<std::int64_t>{0}).y.defined());
}

TEST_CASE("no window has rows of two groups") {
  const Windows all = windows(7, {.length = 2, .groups = {5, 5, 5, 8, 8, 3, 3}});
  CHECK(all.size() == 4);
  CHECK(all.groups() == std::vector<std::int64_t>{5, 5, 8, 3});
  CHECK(column(all, 2) == std::vector<float>{3, 4});
  CHECK(column(all, 3) == std::vector<float>{5, 6});
  const Windows last = windows(7, {.length = 2, .groups = {5, 5, 5, 8, 8, 3, 3}, .last_only = true});
  CHECK(last.size() == 3);
  CHECK(column(last, 0) == std::vector<float>{1, 2});
}

TEST_CASE("short groups are refused, skipped, or padded in front with their first row") {
  const WindowOptions options{.length = 3, .groups = {1, 1, 2, 2, 2}};
  WindowOptions skip = options, pad = options;
  skip.too_short = Short::skip;
  pad.too_short = Short::pad;
  CHECK_THROWS_TEXT(windows(5, options), ValueError,
                    "Windows: group 1 has 2 rows, a window needs 3. Choose Short::skip or Short::pad.");
  CHECK(windows(5, skip).groups() == std::vector<std::int64_t>{2});
  const Windows padded = windows(5, pad);
  CHECK(padded.groups() == std::vector<std::int64_t>{1, 2});
  CHECK(column(padded, 0) == std::vector<float>{0, 0, 1});
  CHECK(target(padded, 0) == -1.0f);
  CHECK(padded.first_row(0) == 0);
  CHECK(padded.last_row(0) == 1);
  pad.groups = {1, 2, 2, 2, 2};
  pad.horizon = 1;
  CHECK(windows(5, pad).groups() ==
        std::vector<std::int64_t>{2});  // a row and its target are needed at least
}

TEST_CASE("windows that cannot be are refused") {
  CHECK_THROWS_TEXT(Windows(Tensor::ones({4}), {}), ShapeError, "Windows: expected rows [R, C], got [4].");
  CHECK_THROWS_TEXT(Windows(Tensor::ones({4, 1}, f64), {}), DTypeError,
                    "Windows: expected rows of f32, got f64.");
  CHECK_THROWS_TEXT(Windows(Tensor::ones({4, 1}), Tensor::ones({3})), ShapeError,
                    "Windows: rows and targets differ: [4, 1] and [3].");
  CHECK_THROWS_TEXT(
      windows(4, {.length = 0}), ValueError,
      "Windows: length and stride must be at least 1, horizon at least 0, all at most 2^40: 0, 1, 0.");
  CHECK_THROWS_TEXT(windows(4, {.length = 1, .groups = {1}}), ValueError,
                    "Windows: expected a group for each of 4 rows, got 1.");
  CHECK_THROWS_TEXT(
      windows(3, {.length = 1, .groups = {1, 2, 1}}), ValueError,
      "Windows: the rows of group 1 do not lie together: row 2 is apart from those before. Sort them.");
  CHECK_THROWS_TEXT(windows(3, {.length = 3, .horizon = 1, .too_short = Short::skip}), ValueError,
                    "Windows: 3 rows hold no window of 3 rows and horizon 1.");
  CHECK_THROWS_TEXT(windows(4, {.length = 4}).batch(std::vector<std::int64_t>{1}), ValueError,
                    "Windows: index 1 is outside 0..0.");
  CHECK(windows(6, {.length = 3}).content_hash() != windows(6, {.length = 2}).content_hash());
  CHECK(windows(6, {.length = 3}).content_hash() != windows(6, {.length = 3, .stride = 2}).content_hash());
  CHECK(windows(6, {.length = 3}).content_hash() == windows(6, {.length = 3}).content_hash());
}

TEST_CASE("a split by group has every sample once and no group in both parts, whatever the seed") {
  std::vector<std::int64_t> groups;
  for (std::int64_t i = 0; i < 200; ++i) groups.push_back((i * 37) % 11 - 5);
  std::set<std::vector<std::int64_t>> chosen;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const SplitParts parts = split_by_group(groups, {.held_out = 0.3, .seed = seed});
    std::set<std::int64_t> trained, held;
    for (const std::int64_t i : parts.training) trained.insert(groups[static_cast<std::size_t>(i)]);
    for (const std::int64_t i : parts.held_out) held.insert(groups[static_cast<std::size_t>(i)]);
    CHECK(parts.training.size() + parts.held_out.size() == 200);
    CHECK(held.size() == 3);
    for (const std::int64_t group : held) CHECK_FALSE(trained.contains(group));
    chosen.insert(parts.held_out);
    CHECK(split_by_group(groups, {.held_out = 0.3, .seed = seed}).held_out == parts.held_out);
  }
  CHECK(chosen.size() > 5);
  const std::vector<std::string> names{"bob", "ann", "bob"};
  CHECK(number_groups(names) == std::vector<std::int64_t>{0, 1, 0});
  CHECK_THROWS_TEXT(split_by_group(std::vector<std::int64_t>{1, 1}), ValueError,
                    "split_by_group: expected at least two groups, got 1.");
  CHECK_THROWS_TEXT(split_by_group(groups, {.held_out = 1}), ValueError,
                    "split_by_group: the share to hold out must be between 0 and 1, got 1.");
}

TEST_CASE("a split by time shares no row, of window or target, between the parts, in any group") {
  std::vector<std::int64_t> groups(100, 0);
  std::fill(groups.begin() + 60, groups.end(), 1);
  for (const std::int64_t stride : {1, 3}) {
    const Windows all = windows(100, {.length = 5, .stride = stride, .horizon = 2, .groups = groups});
    const SplitParts parts = split_by_time(all, 0.25);
    std::set<std::int64_t> rows;
    std::map<std::int64_t, std::int64_t> newest;
    for (const std::int64_t i : parts.training) {
      for (std::int64_t row = all.first_row(i); row <= all.last_row(i); ++row) rows.insert(row);
      newest[all.groups()[static_cast<std::size_t>(i)]] = all.last_row(i);
    }
    for (const std::int64_t i : parts.held_out) {
      CHECK(all.first_row(i) > newest.at(all.groups()[static_cast<std::size_t>(i)]));
      for (std::int64_t row = all.first_row(i); row <= all.last_row(i); ++row)
        CHECK_FALSE(rows.contains(row));
    }
    CHECK(parts.held_out.size() >= (stride == 1 ? 10u : 3u));
  }
  CHECK_THROWS_TEXT(
      split_by_time(windows(10, {.length = 8}), 0.5), ValueError,
      "split_by_time: 0.5 of 3 windows leaves 0 for training and 0 held out. Use shorter windows or "
      "another share.");
}

TEST_CASE("a standardiser makes mean 0 and deviation 1 of what it was fitted to, and saves itself exactly") {
  const Tensor x = test::random_tensor({50, 4, 3}, 1, 100.0, 101.0);
  const TensorDataset training(x, {});
  const Standardiser scale = Standardiser::fit(training);
  const Tensor y = scale(x);
  for (std::size_t c = 0; c < 3; ++c) {
    double sum = 0.0, squares = 0.0;
    for (std::size_t i = c; i < 600; i += 3) {
      sum += y.data<float>()[i];
      squares += y.data<float>()[i] * y.data<float>()[i];
    }
    CHECK(std::abs(sum / 200) < 1e-4);  // 100 in f32 is 8e-6 coarse, the deviation 0.29
    CHECK_CLOSE(squares / 200, 1.0, (test::Tolerance{1e-4, 0.0}));
  }
  CHECK_SAME_BITS(Transformed(training, {scale.transform()}).batch(std::vector<std::int64_t>{7}).x,
                  scale(training.batch(std::vector<std::int64_t>{7}).x));
  Standardiser loaded;
  CHECK(loaded.empty());
  loaded.load(scale.state());
  CHECK(loaded.mean() == scale.mean());
  CHECK(loaded.deviation() == scale.deviation());
}

TEST_CASE("statistics that make no sense are refused") {
  CHECK_THROWS_TEXT(Standardiser::fit(TensorDataset(Tensor::from({{1, 5}, {2, 5}}), {})), ValueError,
                    "Standardiser: channel 1 is 5 in all 2 values. Leave it out, or choose Constant::keep.");
  CHECK_SAME_BITS(Standardiser::fit(TensorDataset(Tensor::from({{1, 5}, {3, 5}}), {}),
                                    Constant::keep)(Tensor::from({{1, 5}, {3, 6}})),
                  Tensor::from({{-1, 0}, {1, 1}}));
  const float nan = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_TEXT(Standardiser::fit(TensorDataset(Tensor::from({1, nan}, {2, 1}), {})), ValueError,
                    "Standardiser: a value of channel 0 is nan. Every value must be finite.");
  CHECK_THROWS_TEXT(Standardiser::fit(TensorDataset(Tensor::ones({0, 2}), {})), ValueError,
                    "Standardiser: there are no samples to learn from.");
  const Standardiser scale({1, 2}, {3, 4});
  CHECK_THROWS_TEXT(scale(Tensor::ones({5, 3})), ShapeError,
                    "Standardiser: expected 2 channels, got [5, 3].");
  Standardiser other = scale;
  CHECK_THROWS_TEXT(other.load(State{{"mean", Tensor::ones({2}, f64)}}), StateError,
                    "Standardiser: expected a tensor deviation of f64 in the state.");
  CHECK_THROWS_TEXT(
      other.load(State{{"mean", Tensor::ones({2}, f64)}, {"deviation", Tensor::zeros({2}, f64)}}), StateError,
      "Standardiser: the state makes no sense: normalise: mean must be finite and std above 0, got 1 and 0.");
  CHECK(other.mean() == scale.mean());
}
