// SPDX-License-Identifier: Apache-2.0
#pragma once
// Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel Random Numbers: As
// Easy as 1, 2, 3", 2011). A number is a pure function of (seed, call, index), so it depends neither on
// threads nor on the order of work, and a mask can be computed again instead of being stored.
//
// The library's generator is two integers: the seed and the number of the next call. Every op that draws
// takes one call number, whatever the size of what it draws.

#include <array>
#include <cstdint>
#include <utility>

#include "linnet/core/state.h"

namespace linnet {

/// Restarts the generator: call numbers count from 0 again. A program that never calls it has seed 0.
void manual_seed(std::uint64_t seed);
/// {"seed", "next_call"}: part of every checkpoint.
State rng_state();
/// StateError, with nothing changed, unless both are there as integers and next_call is not negative.
void set_rng_state(const State& state);

/// What identifies one stream of random numbers.
struct RandomKey {
  std::uint64_t seed = 0;
  std::uint64_t call = 0;
};
/// Takes the next call number of the generator.
RandomKey next_random_key();

/// Four 32-bit words for block `index` of a stream.
std::array<std::uint32_t, 4> philox(RandomKey key, std::uint64_t index);

/// A sequential reader of one stream, for shuffling, augmentation and initialisation on one thread.
class Rng {
 public:
  /// Begins at a block of the stream: readers that stay within their blocks are independent.
  explicit Rng(RandomKey key, std::uint64_t first_block = 0) : key_(key), block_(first_block) {}
  Rng(std::uint64_t seed, std::uint64_t call) : key_{seed, call} {}

  std::uint32_t bits();                     ///< 32 random bits
  double uniform();                         ///< in [0, 1), 53 bits
  double uniform(double low, double high);  ///< in [low, high)
  double normal();                          ///< standard normal (Box-Muller, formulas of core/math.h)
  std::int64_t below(std::int64_t n);       ///< in [0, n), without bias; ValueError unless n is in 1..2^32

  template <class T>
  void shuffle(T* values, std::int64_t n) {  ///< Fisher-Yates
    for (std::int64_t i = n - 1; i > 0; --i) std::swap(values[i], values[below(i + 1)]);
  }

 private:
  RandomKey key_;
  std::uint64_t block_ = 0;
  int used_ = 4;
  std::array<std::uint32_t, 4> words_{};
};

}  // namespace linnet
