// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/parallel.h"

#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

#include "linnet/core/error.h"
#include "linnet/core/storage.h"
#include "support/check_close.h"
#include "support/fixtures.h"

using namespace linnet;

namespace {
constexpr std::int64_t kMuchWork = 1'000'000'000;
}

TEST_CASE("every tile runs exactly once and is done when the loop returns, for any number of threads") {
  for (int threads : {1, 2, 3, 4, 7}) {
    const test::ThreadScope scope(threads);
    for (std::int64_t tiles : {0, 1, 2, 3, 5, 64, 1000}) {
      std::vector<int> runs(static_cast<std::size_t>(tiles), 0);  // no atomics: tiles own their place
      parallel_for(tiles, kMuchWork, [&](std::int64_t tile) { ++runs[static_cast<std::size_t>(tile)]; });
      for (int count : runs) CHECK(count == 1);
    }
  }
}

TEST_CASE("many loops in a row with changing numbers of threads lose no tile") {
  const test::ThreadScope scope(1);
  std::atomic<std::int64_t> sum{0};
  std::int64_t expected = 0;
  for (int i = 0; i < 3000; ++i) {
    set_num_threads(1 + i % 5);
    const std::int64_t tiles = 1 + i % 9;
    parallel_for(tiles, kMuchWork, [&](std::int64_t tile) { sum += tile; });
    expected += tiles * (tiles - 1) / 2;
    if (i % 500 == 0)
      std::this_thread::sleep_for(std::chrono::milliseconds(2));  // let the workers fall asleep
  }
  CHECK(sum == expected);
}

TEST_CASE("two threads really work on one loop") {
  const test::ThreadScope scope(2);
  std::atomic<int> arrived{0};
  parallel_for(2, kMuchWork,
               [&](std::int64_t) {  // each tile waits for the other: one thread alone would hang
                 ++arrived;
                 while (arrived < 2) std::this_thread::yield();
               });
  CHECK(arrived == 2);
}

TEST_CASE("small loops stay on the calling thread") {
  const test::ThreadScope scope(4);
  const std::thread::id here = std::this_thread::get_id();
  int elsewhere = 0;
  parallel_for(100, 1000, [&](std::int64_t) { elsewhere += std::this_thread::get_id() != here; });
  CHECK(elsewhere == 0);
}

TEST_CASE("the exception of the lowest failing tile arrives after all tiles have run") {
  for (int threads : {1, 2, 4}) {
    const test::ThreadScope scope(threads);
    for (int round = 0; round < 50; ++round) {
      std::atomic<int> runs{0};
      CHECK_THROWS_TEXT(parallel_for(20, kMuchWork,
                                     [&](std::int64_t tile) {
                                       ++runs;
                                       check<ValueError>(tile % 5 != 3, "tile ", tile);
                                     }),
                        ValueError, "tile 3");
      CHECK(runs == 20);
    }
    int after = 0;
    parallel_for(1, kMuchWork, [&](std::int64_t) { ++after; });
    CHECK(after == 1);
  }
}

TEST_CASE("a loop inside a tile runs inline") {
  const test::ThreadScope scope(3);
  std::vector<int> runs(6 * 50, 0);
  std::atomic<int> moved{0};
  parallel_for(6, kMuchWork, [&](std::int64_t outer) {
    const std::thread::id here = std::this_thread::get_id();
    parallel_for(50, kMuchWork, [&](std::int64_t inner) {
      ++runs[static_cast<std::size_t>(outer * 50 + inner)];
      moved += std::this_thread::get_id() != here;
    });
  });
  for (int count : runs) CHECK(count == 1);
  CHECK(moved == 0);
}

TEST_CASE("loops of several callers at once do not disturb each other") {
  const test::ThreadScope scope(2);
  std::atomic<int> wrong{0};
  const auto caller = [&](std::int64_t tiles) {
    for (int i = 0; i < 500; ++i) {
      std::vector<int> runs(static_cast<std::size_t>(tiles), 0);
      parallel_for(tiles, kMuchWork, [&](std::int64_t tile) { ++runs[static_cast<std::size_t>(tile)]; });
      for (int count : runs) wrong += count != 1;
    }
  };
  std::thread first(caller, 7), second(caller, 12);
  caller(5);
  first.join(), second.join();
  CHECK(wrong == 0);
}

TEST_CASE("a body is called through its own type, const or not, with state of its own") {
  std::int64_t total = 0;
  auto counting = [&total](std::int64_t tile) mutable { total += tile; };
  parallel_for(4, 0, counting);
  const auto constant = [&total](std::int64_t tile) { total += 10 * tile; };
  parallel_for(4, 0, constant);
  CHECK(total == 66);
}

TEST_CASE("the number of threads is checked") {
  const int before = num_threads();
  CHECK(before >= 1);
  CHECK_THROWS_TEXT(set_num_threads(0), ValueError, "set_num_threads: expected 1..256, got 0.");
  CHECK_THROWS_TEXT(set_num_threads(257), ValueError, "set_num_threads: expected 1..256, got 257.");
  CHECK(num_threads() == before);
}

TEST_CASE("own process: LINNET_THREADS is three" * doctest::skip()) { CHECK(num_threads() == 3); }
TEST_CASE("own process: LINNET_THREADS is wrong" * doctest::skip()) {
  CHECK_THROWS_TEXT(num_threads(), ValueError, "LINNET_THREADS: expected a number in 1..256, got '3x'.");
}

TEST_CASE("LINNET_THREADS sets the number of threads, and must be a number") {
  CHECK_PASSES_IN_OWN_PROCESS("own process: LINNET_THREADS is three", "LINNET_THREADS=3");
  CHECK_PASSES_IN_OWN_PROCESS("own process: LINNET_THREADS is wrong", "LINNET_THREADS=3x");
}
