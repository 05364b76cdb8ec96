// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/random.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <thread>
#include <vector>

#include "linnet/core/error.h"
#include "support/check_close.h"
#include "support/fixtures.h"

using namespace linnet;

namespace {

using Words = std::array<std::uint32_t, 4>;
constexpr std::uint64_t kOnes = ~std::uint64_t{0};

/// Restores the generator at the end of a test.
struct GeneratorScope {
  State before = rng_state();
  ~GeneratorScope() { set_rng_state(before); }
};

struct SampleMoments {
  double mean = 0.0, variance = 0.0, fourth = 0.0;
};
template <class Draw>
SampleMoments moments(int n, Draw&& draw) {
  std::vector<double> values(static_cast<std::size_t>(n));
  SampleMoments m;
  for (double& value : values) m.mean += (value = draw()) / n;
  for (double value : values) {
    const double d = value - m.mean;
    m.variance += d * d / n;
    m.fourth += d * d * d * d / n;
  }
  return m;
}

}  // namespace

// Random123's kat_vectors: philox4x32 10 rounds, counter, key, result.
TEST_CASE("Philox gives the published known answers") {
  CHECK(philox({0, 0}, 0) == Words{0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8});
  CHECK(philox({kOnes, kOnes}, kOnes) == Words{0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD});
  CHECK(philox({0x299F31D0A4093822, 0x0370734413198A2E}, 0x85A308D3243F6A88) ==
        Words{0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1});
}

TEST_CASE("seed, call and index each choose other numbers") {
  std::set<Words> seen;
  for (std::uint64_t seed : {0ull, 1ull, 1ull << 32})
    for (std::uint64_t call : {0ull, 1ull, 1ull << 32})
      for (std::uint64_t index : {0ull, 1ull, 1ull << 32}) seen.insert(philox({seed, call}, index));
  CHECK(seen.size() == 27);
}

TEST_CASE("a reader hands out the words of its stream in order") {
  Rng rng(7, 3);
  for (std::uint64_t block = 0; block < 3; ++block)
    for (std::uint32_t word : philox({7, 3}, block)) CHECK(rng.bits() == word);
}

TEST_CASE("a reader gives these very numbers on every machine") {
  Rng rng(42, 0);
  const std::vector<double> numbers{rng.uniform(), rng.uniform(-1.0, 3.0), rng.normal(), rng.normal()};
  CHECK(numbers == std::vector<double>{0x1.39d5e09dfd524p-1, -0x1.6a057aa8bd4c4p-1, -0x1.7a3f30519ae3cp+1,
                                       -0x1.7e53e275cf872p+0});
  CHECK(rng.below(1000) == 729);
}

TEST_CASE("uniform numbers fill [0, 1) evenly") {
  Rng rng(1, 0);
  double low = 1.0, high = 0.0;
  const SampleMoments m = moments(200'000, [&] {
    const double x = rng.uniform();
    low = std::min(low, x), high = std::max(high, x);
    return x;
  });
  CHECK(low >= 0.0);
  CHECK(high < 1.0);
  CHECK(std::abs(m.mean - 0.5) < 0.005);             // standard error 0.00065
  CHECK(std::abs(m.variance - 1.0 / 12.0) < 0.001);  // standard error 0.00017
}

TEST_CASE("uniform numbers never reach the upper bound, however narrow the interval") {
  Rng rng(1, 0);
  const double low = 1.0, high = std::nextafter(1.0, 2.0);
  for (int i = 0; i < 1000; ++i) CHECK(rng.uniform(low, high) == low);
  CHECK(rng.uniform(2.0, 2.0) == 2.0);
}

TEST_CASE("normal numbers have mean 0, variance 1 and the fourth moment 3") {
  Rng rng(2, 0);
  const SampleMoments m = moments(200'000, [&] { return rng.normal(); });
  CHECK(std::abs(m.mean) < 0.02);            // standard error 0.0022
  CHECK(std::abs(m.variance - 1.0) < 0.02);  // standard error 0.0032
  CHECK(std::abs(m.fourth - 3.0) < 0.15);    // standard error 0.022
}

TEST_CASE("below gives each number equally often and nothing else") {
  Rng rng(3, 0);
  std::vector<int> counts(7, 0);
  for (int i = 0; i < 70'000; ++i) ++counts[static_cast<std::size_t>(rng.below(7))];
  for (int count : counts) CHECK(std::abs(count - 10'000) < 500);  // standard deviation 93
  CHECK(rng.below(1) == 0);
  const std::int64_t most = std::int64_t{1} << 32;
  for (int i = 0; i < 100; ++i) CHECK(rng.below(most) < most);
}

TEST_CASE("below has no bias where the range does not divide the words") {
  Rng rng(4, 0);
  const std::int64_t n = std::int64_t{3} << 30;  // a plain remainder would favour the lowest third two to one
  int lowest = 0;
  for (int i = 0; i < 30'000; ++i) lowest += rng.below(n) < n / 3;
  CHECK(std::abs(lowest - 10'000) < 450);  // standard deviation 82
}

TEST_CASE("below refuses an empty range and one beyond 32 bits") {
  Rng rng(5, 0);
  CHECK_THROWS_TEXT(rng.below(0), ValueError, "below: expected n in 1..4294967296, got 0.");
  CHECK_THROWS_TEXT(rng.below((std::int64_t{1} << 32) + 1), ValueError,
                    "below: expected n in 1..4294967296, got 4294967297.");
}

TEST_CASE("a shuffle permutes, and each order comes equally often") {
  std::vector<int> counts(27, 0);
  Rng rng(6, 0);
  for (int i = 0; i < 6000; ++i) {
    int order[] = {0, 1, 2};
    rng.shuffle(order, 3);
    CHECK(order[0] + order[1] + order[2] == 3);
    ++counts[static_cast<std::size_t>(9 * order[0] + 3 * order[1] + order[2])];
  }
  for (int count : counts) CHECK((count == 0 || std::abs(count - 1000) < 150));  // standard deviation 29
  CHECK(std::ranges::count(counts, 0) == 21);
}

TEST_CASE("each call takes one number, and a seed starts over") {
  const GeneratorScope scope;
  manual_seed(42);
  const RandomKey first = next_random_key(), second = next_random_key();
  CHECK((first.seed == 42 && first.call == 0 && second.call == 1));
  const Tensor a = Tensor::randn({3, 5});
  manual_seed(42);
  next_random_key(), next_random_key();
  CHECK_SAME_BITS(Tensor::randn({3, 5}), a);
}

TEST_CASE("what is drawn does not depend on the size of what was drawn before") {
  const GeneratorScope scope;
  manual_seed(1);
  static_cast<void>(Tensor::uniform({5}));
  const Tensor after_few = Tensor::uniform({4});
  manual_seed(1);
  static_cast<void>(Tensor::uniform({5000}));
  CHECK_SAME_BITS(Tensor::uniform({4}), after_few);
}

TEST_CASE("the generator continues from its saved state") {
  const GeneratorScope scope;
  manual_seed(0xFFFFFFFFFFFFFFFF);
  static_cast<void>(Tensor::randn({3}));
  const State saved = rng_state();
  const Tensor expected = Tensor::randn({3});
  manual_seed(5);
  set_rng_state(saved);
  CHECK_SAME_BITS(Tensor::randn({3}), expected);
}

TEST_CASE("a state that is no generator's is refused and changes nothing") {
  const State before = rng_state();
  CHECK_THROWS_TEXT(set_rng_state({{"seed", 1}}), StateError,
                    "set_rng_state: expected an integer 'next_call', got none.");
  CHECK_THROWS_TEXT(set_rng_state({{"seed", 1.5}, {"next_call", 0}}), StateError,
                    "set_rng_state: expected an integer 'seed', got real.");
  CHECK_THROWS_TEXT(set_rng_state({{"seed", 1}, {"next_call", -1}}), StateError,
                    "set_rng_state: next_call must not be negative, got -1.");
  CHECK_THROWS_TEXT(set_rng_state({{"seed", 1}, {"next_call", 1}, {"more", 1}}), StateError,
                    "set_rng_state: expected seed and next_call, got 3 entries.");
  CHECK(rng_state() == before);
}

TEST_CASE("threads that draw at once never get the same call number") {
  const GeneratorScope scope;
  manual_seed(9);
  std::vector<std::uint64_t> calls(4000);
  const auto draw = [&](std::size_t first) {
    for (std::size_t i = first; i < calls.size(); i += 2) calls[i] = next_random_key().call;
  };
  std::thread other(draw, 1);
  draw(0);
  other.join();
  std::ranges::sort(calls);
  for (std::size_t i = 0; i < calls.size(); ++i) CHECK(calls[i] == i);
}
