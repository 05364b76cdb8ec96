// SPDX-License-Identifier: Apache-2.0
#pragma once
// Random numbers for models under test.

#include <cstddef>
#include <random>
#include <vector>

namespace linnet::test {

using Floats = std::vector<float>;

inline Floats random_between(std::mt19937& random, std::size_t n, float low, float high) {
  std::uniform_real_distribution<float> uniform(low, high);
  Floats values(n);
  for (float& v : values) v = uniform(random);
  return values;
}

inline Floats random_floats(std::mt19937& random, std::size_t n, float scale = 1.0f) {
  return random_between(random, n, -scale, scale);
}

}  // namespace linnet::test
