// SPDX-License-Identifier: Apache-2.0
#include "linnet/data/loader.h"

#include <algorithm>
#include <atomic>
#include <numeric>
#include <stdexcept>

#include "linnet/core/error.h"
#include "linnet/core/random.h"
#include "support/check_close.h"
#include "support/fixtures.h"

using namespace linnet;
using namespace linnet::data;

namespace {

using Numbers = std::vector<std::int64_t>;

TensorDataset numbers(std::int64_t count) {
  return {Tensor::arange(count, f32).view({count, 1}), Tensor::arange(count, i64)};
}

/// The same, but worth a thread; throws when sample `bad` is asked for.
struct Slow : Dataset {
  explicit Slow(std::int64_t count, std::int64_t bad_one = -1) : inner(numbers(count)), bad(bad_one) {}
  std::int64_t size() const override { return inner.size(); }
  Batch batch(std::span<const std::int64_t> indices) const override {
    ++asked;
    for (const std::int64_t index : indices)
      if (index == bad) throw std::runtime_error("sample is broken");
    return inner.batch(indices);
  }
  TensorDataset inner;
  std::int64_t bad;
  mutable std::atomic<int> asked{0};
};

/// The samples of the rest of an epoch, in order.
Numbers rest(Loader& loader) {
  Numbers seen;
  for (const Batch& batch : loader) seen.insert(seen.end(), batch.indices.begin(), batch.indices.end());
  return seen;
}

Numbers iota(std::int64_t count) {
  Numbers all(static_cast<std::size_t>(count));
  std::iota(all.begin(), all.end(), std::int64_t{0});
  return all;
}

Numbers sorted(Numbers values) {
  std::sort(values.begin(), values.end());
  return values;
}

}  // namespace

TEST_CASE("an epoch without shuffling is all samples in order, the last batch smaller or left out") {
  const TensorDataset dataset = numbers(10);
  Loader loader(dataset, {.batch = 4});
  CHECK(loader.size() == 10);
  CHECK(loader.batches() == 3);
  Numbers sizes;
  for (const auto& [x, y] : loader) {
    sizes.push_back(x.dim(0));
    CHECK_CLOSE(x.view({x.dim(0)}), y, tol::exact);
  }
  CHECK(sizes == Numbers{4, 4, 2});
  CHECK(rest(loader) == iota(10));
  CHECK(loader.epoch() == 2);

  Loader full(dataset, {.batch = 4, .drop_last = true});
  CHECK(full.batches() == 2);
  CHECK(rest(full) == iota(8));
  Loader large(dataset, {.batch = 99});
  CHECK(rest(large) == iota(10));
}

TEST_CASE("a shuffled epoch is every sample once, in an order given by the seed, another in each epoch") {
  const TensorDataset dataset = numbers(100);
  const auto orders = [&](std::uint64_t seed) {
    manual_seed(seed);
    Loader loader(dataset, {.batch = 7, .shuffle = true});
    return std::pair(rest(loader), rest(loader));
  };
  const auto first = orders(1);
  CHECK(sorted(first.first) == iota(100));
  CHECK(first.first != iota(100));
  CHECK(sorted(first.second) == iota(100));
  CHECK(first.first != first.second);
  CHECK(orders(1) == first);
  CHECK(orders(2).first != first.first);
}

TEST_CASE("an epoch takes one call number when it shuffles and none otherwise") {
  const TensorDataset dataset = numbers(100);
  const auto next_call = [] { return rng_state()["next_call"].integer(); };
  manual_seed(1);
  Loader shuffled(dataset, {.shuffle = true}), plain(dataset);
  rest(plain);
  CHECK(next_call() == 0);
  rest(shuffled);
  rest(shuffled);
  CHECK(next_call() == 2);
}

TEST_CASE("neither prefetching nor the number of threads changes the batches") {
  const Slow dataset(103);
  manual_seed(3);
  Loader alone(dataset, {.batch = 8, .shuffle = true, .prefetch = 0});
  const Numbers expected = rest(alone);
  for (const int prefetch : {1, 2, 7})
    for (const int threads : {1, 2, 4}) {
      const test::ThreadScope scope(threads);
      manual_seed(3);
      Loader loader(dataset, {.batch = 8, .shuffle = true, .prefetch = prefetch});
      CHECK(rest(loader) == expected);
    }
}

TEST_CASE("the thread stays within its lead and stops when the loop is left or the loader goes") {
  const Slow dataset(1000);
  {
    Loader loader(dataset, {.batch = 1, .prefetch = 3});
    int taken = 0;
    for ([[maybe_unused]] const Batch& batch : loader)
      if (++taken == 5) break;
    CHECK(dataset.asked <= 5 + 3 + 1);  // taken, waiting, and one in the making
  }
  CHECK(dataset.asked <= 9);
}

TEST_CASE("what the dataset throws comes out of the loop at its batch, with and without the thread") {
  for (const int prefetch : {0, 2}) {
    const Slow dataset(10, 6);
    Loader loader(dataset, {.batch = 2, .prefetch = prefetch});
    Numbers seen;
    CHECK_THROWS_WITH_AS(
        [&] {
          for (const Batch& batch : loader) seen.push_back(batch.indices.front());
        }(),
        "sample is broken", std::runtime_error);
    CHECK(seen == Numbers{0, 2, 4});
    CHECK(loader.position() == 3);
    CHECK_THROWS_AS(loader.begin(), std::runtime_error);  // still the same batch
  }
}

TEST_CASE("an epoch that was left goes on where it was, or is begun anew by restart()") {
  const TensorDataset dataset = numbers(10);
  Loader loader(dataset, {.batch = 2});
  for (const Batch& batch : loader)
    if (batch.indices.front() == 4) break;
  CHECK(loader.position() == 3);
  CHECK(rest(loader) == Numbers{6, 7, 8, 9});
  CHECK(loader.epoch() == 1);

  for (const Batch& batch : loader)
    if (batch.indices.front() == 4) break;
  loader.restart();
  CHECK(loader.epoch() == 1);
  CHECK(rest(loader) == iota(10));
}

TEST_CASE(
    "a fresh loader that loads a state goes on with exactly the remaining batches, wherever it was saved") {
  const Slow dataset(23);
  const LoaderOptions options{.batch = 4, .shuffle = true};
  for (int stop = 0; stop <= 13; ++stop) {  // 6 batches an epoch: within the first three epochs
    manual_seed(11);
    Loader loader(dataset, options);
    State saved = loader.state(), generator = rng_state();
    Numbers expected;
    int taken = 0;
    for (int epoch = 0; epoch < 3; ++epoch)
      for (const Batch& batch : loader) {
        if (++taken == stop) {
          saved = loader.state();
          generator = rng_state();
        }
        if (taken > stop) expected.insert(expected.end(), batch.indices.begin(), batch.indices.end());
      }

    manual_seed(99);
    Loader fresh(dataset, options);
    fresh.load(saved);
    set_rng_state(generator);
    Numbers seen;
    while (fresh.epoch() < 3) {
      const Numbers part = rest(fresh);
      seen.insert(seen.end(), part.begin(), part.end());
    }
    CHECK(seen == expected);
    CHECK(fresh.state() == loader.state());
  }
}

TEST_CASE("a state between epochs may be loaded with other options, one within an epoch may not") {
  const TensorDataset dataset = numbers(10);
  Loader loader(dataset, {.batch = 2});
  Loader other(dataset, {.batch = 5});
  rest(loader);
  other.load(loader.state());
  CHECK(other.epoch() == 1);
  CHECK(rest(other) == iota(10));

  loader.begin();
  const State before = other.state();
  CHECK_THROWS_TEXT(other.load(loader.state()), StateError,
                    "Loader: saved in the middle of an epoch with batch 2, now 5. Use the same options.");
  CHECK(other.state() == before);
}

TEST_CASE("other data, damaged states and unknown entries are refused and change nothing") {
  const TensorDataset dataset = numbers(10), longer = numbers(11);
  Tensor x = dataset.x().clone();
  x.mutable_data<float>()[3] = 3.5f;
  const TensorDataset changed(x, dataset.y());
  Loader loader(dataset), on_longer(longer), on_changed(changed);
  loader.begin();
  CHECK_THROWS_TEXT(on_longer.load(loader.state()), StateError,
                    "Loader: the data changed: 10 samples when saved, 11 now. Resume with the same data.");
  CHECK_THROWS_TEXT(on_changed.load(loader.state()), StateError,
                    "Loader: the data changed: still 10 samples, but other contents than when saved. Resume "
                    "with the same data.");

  const State good = loader.state();
  const auto with = [&](const std::string& key, const StateValue& value) {
    State state;
    for (const auto& [name, old] : good) state.set(name, name == key ? value : old);
    if (!good.has(key)) state.set(key, value);
    return state;
  };
  CHECK_THROWS_TEXT(loader.load(with("position", 2)), StateError,
                    "Loader: no such place: epoch 0, batch 2 of 1.");
  CHECK_THROWS_TEXT(loader.load(with("epoch", -1)), StateError,
                    "Loader: no such place: epoch -1, batch 1 of 1.");
  CHECK_THROWS_TEXT(loader.load(with("epoch", "one")), StateError,
                    "Loader: expected an integer 'epoch' in the state, got text.");
  CHECK_THROWS_TEXT(loader.load(with("extra", 1)), StateError, "Loader: unexpected 'extra' in the state.");
  CHECK_THROWS_TEXT(loader.load({}), StateError,
                    "Loader: expected an integer 'samples' in the state, got none.");
  CHECK(loader.state() == good);
}

TEST_CASE("options out of range and empty datasets are refused") {
  const TensorDataset dataset = numbers(10), empty = numbers(0);
  CHECK_THROWS_TEXT(Loader(dataset, {.batch = 0}), ValueError, "Loader: batch must be at least 1: 0.");
  CHECK_THROWS_TEXT(Loader(dataset, {.batch = -3}), ValueError, "Loader: batch must be at least 1: -3.");
  CHECK_THROWS_TEXT(Loader(dataset, {.prefetch = -1}), ValueError, "Loader: prefetch must be 0..64: -1.");
  CHECK_THROWS_TEXT(Loader(dataset, {.prefetch = 65}), ValueError, "Loader: prefetch must be 0..64: 65.");
  CHECK_THROWS_TEXT(Loader(empty), ValueError, "Loader: the dataset is empty.");
  CHECK_THROWS_TEXT(
      Loader(dataset, {.batch = 11, .drop_last = true}), ValueError,
      "Loader: drop_last leaves nothing: 10 samples, batch 11. Use a smaller batch or keep the last one.");
}

TEST_CASE("a dataset of one sample is an epoch of one batch") {
  const TensorDataset dataset = numbers(1);
  Loader loader(dataset, {.batch = 32, .shuffle = true});
  CHECK(rest(loader) == Numbers{0});
}
