// SPDX-License-Identifier: Apache-2.0
#pragma once
// Handwritten digits that need no file: drawn stroke by stroke in the shape of MNIST.

#include <cstdint>

#include "linnet/data/dataset.h"

namespace linnet::data {

struct SyntheticDigitsOptions {
  std::int64_t count = 12'000;
  std::uint64_t seed = 0;  ///< the same seed gives the same pixels on every machine
};

/// Images [28, 28, 1] f32 in 0 .. 1 (kept as u8), labels i64. Sample i is a function of (seed, i) and shows
/// the digit i % 10, so any first N samples are balanced. Drawing 12,000 takes under a second on one core.
class SyntheticDigits : public TensorDataset {
 public:
  /// The built-in parts: 12,000 for training, 2,000 others for testing.
  explicit SyntheticDigits(Split split);
  /// ValueError for a negative count.
  explicit SyntheticDigits(SyntheticDigitsOptions options);
};

}  // namespace linnet::data
