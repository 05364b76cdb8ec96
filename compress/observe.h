// SPDX-License-Identifier: Apache-2.0
#pragma once
// Observers: what range of real numbers the integers of a quantized tensor stand for, chosen from what was
// seen of it.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace linnet::compress {

/// How the range of an activation is chosen. A percentile leaves half of what it cuts at either end.
enum class RangeRule : std::uint8_t {
  min_max,
  percentile_99_9,
  percentile_99_99,
  percentile_99_999,
  mse,  ///< the smallest mean squared error
};
inline constexpr RangeRule kRangeRules[] = {RangeRule::min_max, RangeRule::percentile_99_9,
                                            RangeRule::percentile_99_99, RangeRule::percentile_99_999,
                                            RangeRule::mse};
const char* name(RangeRule rule);  ///< "min-max", "99.9 %", ..., "mse"

/// low <= 0 <= high, so that 0 is one of the integers.
struct Range {
  double low = 0.0, high = 0.0;
};

/// At most 2048 bins whose width is the smallest power of two that covers everything seen, and 0. So the
/// counts depend neither on the order of the values nor on how they were cut into batches.
class Histogram {
 public:
  static constexpr std::int64_t kBins = 2048;

  /// NumericError for one that is not finite; nothing has changed then.
  void add(std::span<const float> values);
  std::int64_t count() const { return count_; }
  /// min_max: the smallest and the largest value. Percentiles: linear within a bin. mse: of 128 steps at
  /// either end those with the smallest sum of
  ///   s^2 / 12 for each value inside but the zeros, which are exact,  s = (high - low) / (2^bits - 1),
  ///   (c - end)^2 for each outside, c the middle of its bin;
  /// the widest of equals. {0, 1} when only zeros were seen, or nothing.
  Range range(RangeRule rule, int bits = 8) const;

 private:
  void widen(int exponent, std::int64_t first, std::int64_t last);
  Range percentile(double share) const;
  Range smallest_error(int bits) const;
  double edge(std::int64_t bin) const;

  int exponent_ = -126;     ///< bin i is [i, i + 1) 2^exponent
  std::int64_t first_ = 0;  ///< number of the first bin
  std::vector<std::int64_t> bins_;
  float low_ = 0.0f, high_ = 0.0f;
  std::int64_t count_ = 0, zeros_ = 0;
};

/// Largest absolute value that the integers -(2^(bits-1) - 1) .. 2^(bits-1) - 1 stand for, of one channel of
/// a weight: of 1.00, 0.99, ... 0.80 (0.50 below 8 bits) times its largest absolute value, the one with the
/// smallest squared error; the largest of equals. 0 for a channel of zeros.
double weight_range(std::span<const float> weights, int bits);

}  // namespace linnet::compress
