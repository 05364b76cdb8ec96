// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/random.h"

#include <cmath>
#include <mutex>

#include "linnet/core/error.h"
#include "linnet/core/math.h"
#include "linnet/core/spin_lock.h"

namespace linnet {
namespace {

struct Generator {
  SpinLock lock;
  RandomKey next;
};
constinit Generator generator;

using Words = std::array<std::uint32_t, 4>;

constexpr std::uint32_t low(std::uint64_t x) { return static_cast<std::uint32_t>(x); }
constexpr std::uint32_t high(std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); }

/// 53 bits as a number in [0, 1).
double fraction(std::uint32_t a, std::uint32_t b) {
  return static_cast<double>(std::uint64_t{a >> 5} << 26 | b >> 6) * 0x1p-53;
}

std::int64_t state_integer(const State& state, const char* name) {
  const StateValue* value = state.find(name);
  check<StateError>(value && value->is_integer(), "set_rng_state: expected an integer '", name, "', got ",
                    value ? value->kind() : "none", ".");
  return value->integer();
}

}  // namespace

void manual_seed(std::uint64_t seed) {
  const std::lock_guard guard(generator.lock);
  generator.next = {.seed = seed, .call = 0};
}

RandomKey next_random_key() {
  const std::lock_guard guard(generator.lock);
  const RandomKey key = generator.next;
  ++generator.next.call;
  return key;
}

State rng_state() {
  const std::lock_guard guard(generator.lock);
  return {{"seed", static_cast<std::int64_t>(generator.next.seed)},
          {"next_call", static_cast<std::int64_t>(generator.next.call)}};
}

void set_rng_state(const State& state) {
  const std::int64_t seed = state_integer(state, "seed"), call = state_integer(state, "next_call");
  check<StateError>(call >= 0, "set_rng_state: next_call must not be negative, got ", call, ".");
  check<StateError>(state.size() == 2, "set_rng_state: expected seed and next_call, got ", state.size(),
                    " entries.");
  const std::lock_guard guard(generator.lock);
  generator.next = {.seed = static_cast<std::uint64_t>(seed), .call = static_cast<std::uint64_t>(call)};
}

// Ten rounds of Philox4x32: two products, their halves crossed over and mixed with a key that advances by
// Weyl's constants (the golden ratio and sqrt(3) - 1).
Words philox(RandomKey key, std::uint64_t index) {
  Words x{low(index), high(index), low(key.call), high(key.call)};
  std::uint32_t k0 = low(key.seed), k1 = high(key.seed);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{0xD2511F53} * x[0], p1 = std::uint64_t{0xCD9E8D57} * x[2];
    x = {high(p1) ^ x[1] ^ k0, low(p1), high(p0) ^ x[3] ^ k1, low(p0)};
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
  return x;
}

std::uint32_t Rng::bits() {
  if (used_ == 4) {
    words_ = philox(key_, block_++);
    used_ = 0;
  }
  return words_[used_++];
}

double Rng::uniform() {
  const std::uint32_t a = bits(), b = bits();
  return fraction(a, b);
}

// The sum may round up to `high`, which is outside the interval.
double Rng::uniform(double low, double high) {
  const double x = low + (high - low) * uniform();
  return x < high || !(low < high) ? x : std::nextafter(high, low);
}

// Box and Muller: sqrt(-2 log u) cos(2 pi v) with u in (0, 1].
double Rng::normal() {
  const double u = 1.0 - uniform(), v = uniform();
  return std::sqrt(-2.0 * math::log(u)) * math::cos_turn(v);
}

// Lemire: the high word of n x is uniform once the few values of x that come once too often are drawn again.
std::int64_t Rng::below(std::int64_t n) {
  constexpr std::int64_t kMost = std::int64_t{1} << 32;
  check<ValueError>(n >= 1 && n <= kMost, "below: expected n in 1..", kMost, ", got ", n, ".");
  const auto count = static_cast<std::uint64_t>(n);
  const std::uint64_t surplus = (static_cast<std::uint64_t>(kMost) - count) % count;
  std::uint64_t product;
  do product = count * bits();
  while (low(product) < surplus);
  return static_cast<std::int64_t>(product >> 32);
}

}  // namespace linnet
