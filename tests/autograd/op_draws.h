// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the op cases draw their arguments with.

#include <algorithm>
#include <numeric>
#include <span>
#include <vector>

#include "linnet/core/random.h"
#include "linnet/core/tensor.h"
#include "linnet/core/window.h"

namespace linnet::test {

using Inputs = std::vector<Tensor>;

inline std::int64_t any(Rng& rng, std::int64_t low, std::int64_t high) {
  return low + rng.below(high - low + 1);
}
inline bool coin(Rng& rng) { return rng.below(2) == 0; }

/// Sizes that are odd, one, or beside a vector width more often than not.
inline std::int64_t odd_size(Rng& rng) {
  const std::int64_t sizes[] = {1, 2, 3, 5, 7, 9, 13, 15, 16, 17, 31, 33};
  return sizes[rng.below(12)];
}

inline Shape random_shape(Rng& rng, int min_rank, int max_rank, std::int64_t largest = 9) {
  std::vector<std::int64_t> sizes(static_cast<std::size_t>(any(rng, min_rank, max_rank)));
  for (auto& size : sizes) size = any(rng, 1, largest);
  if (!sizes.empty() && largest > 3) sizes.back() = std::min(odd_size(rng), std::int64_t{3} * largest);
  return Shape(std::span<const std::int64_t>(sizes));
}

/// Uniform in [low, high], mirrored at random when both signs are wanted, rounded to f32.
inline Tensor draw(Rng& rng, const Shape& shape, double low, double high, bool both_signs = true) {
  Tensor t = Tensor::empty(shape, f64);
  for (double& v : t.mutable_data<double>()) {
    double value = rng.uniform(low, high);
    v = static_cast<double>(static_cast<float>(both_signs && coin(rng) ? -value : value));
  }
  t.set_requires_grad(true);
  return t;
}

inline Tensor draw(Rng& rng, const Shape& shape) { return draw(rng, shape, 0.0, 1.0); }

/// Uniform in [low, high] as it is, rounded to f32.
inline Tensor draw_between(Rng& rng, const Shape& shape, double low = -1.0, double high = 1.0) {
  return draw(rng, shape, low, high, false);
}

/// All different by at least 1/8, so that no maximum is in doubt.
inline Tensor draw_distinct(Rng& rng, const Shape& shape) {
  std::vector<double> values(static_cast<std::size_t>(shape.size()));
  std::iota(values.begin(), values.end(), -static_cast<double>(values.size()) / 2);
  rng.shuffle(values.data(), static_cast<std::int64_t>(values.size()));
  for (double& value : values) value /= 8.0;
  Tensor t = Tensor::from(values, shape);
  t.set_requires_grad(true);
  return t;
}

inline Tensor labels(Rng& rng, const Shape& shape, std::int64_t classes) {
  Tensor t = Tensor::empty(shape, i64);
  for (std::int64_t& label : t.mutable_data<std::int64_t>()) label = rng.below(classes);
  return t;
}

/// None, `same`, or explicit and smaller than the reach of the window.
inline Padding random_padding(Rng& rng, std::int64_t reach_h, std::int64_t reach_w) {
  switch (rng.below(3)) {
    case 0:
      return {};
    case 1:
      return Padding::same_size();
    default:
      return {any(rng, 0, reach_h - 1), any(rng, 0, reach_h - 1), any(rng, 0, reach_w - 1),
              any(rng, 0, reach_w - 1)};
  }
}

}  // namespace linnet::test
