// SPDX-License-Identifier: Apache-2.0
#include "linnet/compress/observe.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "linnet/core/error.h"

namespace linnet::compress {
namespace {

constexpr int kSteps = 128;  ///< of either end of a range

/// A whole number, perhaps beyond all integers.
double bin_of(float value, int exponent) {
  return std::floor(std::ldexp(static_cast<double>(value), -exponent));
}

}  // namespace

const char* name(RangeRule rule) {
  constexpr const char* names[] = {"min-max", "99.9 %", "99.99 %", "99.999 %", "mse"};
  return names[static_cast<int>(rule)];
}

double Histogram::edge(std::int64_t bin) const {
  return std::ldexp(static_cast<double>(first_ + bin), exponent_);
}

/// Bin i of width w is half of bin floor(i / 2) of width 2 w.
void Histogram::widen(int exponent, std::int64_t first, std::int64_t last) {
  std::vector<std::int64_t> bins(static_cast<std::size_t>(last - first + 1), 0);
  const int shift = std::min(63, exponent - exponent_);
  for (std::size_t i = 0; i < bins_.size(); ++i)
    bins[static_cast<std::size_t>(((first_ + static_cast<std::int64_t>(i)) >> shift) - first)] += bins_[i];
  bins_ = std::move(bins);
  exponent_ = exponent;
  first_ = first;
}

void Histogram::add(std::span<const float> values) {
  if (values.empty()) return;
  float low = low_, high = high_;
  for (float value : values) {
    check<NumericError>(std::isfinite(value), "Histogram: a value is ", static_cast<double>(value), ".");
    low = std::min(low, value);
    high = std::max(high, value);
  }
  int exponent = exponent_;
  while (bin_of(high, exponent) - bin_of(low, exponent) >= kBins) ++exponent;
  widen(exponent, static_cast<std::int64_t>(bin_of(low, exponent)),
        static_cast<std::int64_t>(bin_of(high, exponent)));
  low_ = low;
  high_ = high;
  const double per_width = std::ldexp(1.0, -exponent);
  for (float value : values) {
    zeros_ += value == 0.0f;
    ++bins_[static_cast<std::size_t>(static_cast<std::int64_t>(std::floor(value * per_width)) - first_)];
  }
  count_ += static_cast<std::int64_t>(values.size());
}

Range Histogram::range(RangeRule rule, int bits) const {
  if (low_ == high_) return {0.0, 1.0};
  switch (rule) {
    case RangeRule::percentile_99_9:
      return percentile(0.999);
    case RangeRule::percentile_99_99:
      return percentile(0.9999);
    case RangeRule::percentile_99_999:
      return percentile(0.99999);
    case RangeRule::mse:
      return smallest_error(bits);
    case RangeRule::min_max:
      break;
  }
  return {low_, high_};
}

Range Histogram::percentile(double share) const {
  const double cut = 0.5 * (1.0 - share) * static_cast<double>(count_);
  const double width = std::ldexp(1.0, exponent_);
  Range range;
  double before = 0.0;
  for (std::size_t i = 0; i < bins_.size(); ++i) {
    const auto here = static_cast<double>(bins_[i]);
    if (before + here > cut) {
      range.low = edge(static_cast<std::int64_t>(i)) + (cut - before) / here * width;
      break;
    }
    before += here;
  }
  before = 0.0;
  for (std::size_t i = bins_.size(); i-- > 0;) {
    const auto here = static_cast<double>(bins_[i]);
    if (before + here > cut) {
      range.high = edge(static_cast<std::int64_t>(i) + 1) - (cut - before) / here * width;
      break;
    }
    before += here;
  }
  range.low = std::min(0.0, std::max<double>(range.low, low_));
  range.high = std::max(0.0, std::min<double>(range.high, high_));
  return range.low == range.high ? Range{low_, high_} : range;  // nearly everything is 0
}

namespace {

/// Where a range may end, with what lies beyond.
struct End {
  double at = 0.0, error = 0.0, outside = 0.0;
};

/// Ends from the farthest inwards, and none but 0 when nothing lies on that side. `middles` and `counts`
/// from the outermost bin inwards.
std::vector<End> ends_of(double farthest, const std::vector<double>& middles,
                         const std::vector<double>& counts) {
  if (farthest == 0.0) return {End{}};
  std::vector<End> ends;
  std::size_t next = 0;
  double n = 0.0, sum = 0.0, squares = 0.0;  // of the bins outside
  for (int step = kSteps; step >= 1; --step) {
    const double at = farthest * step / kSteps;
    for (; next < middles.size() && std::fabs(middles[next]) > std::fabs(at) && middles[next] * at > 0.0;
         ++next) {
      n += counts[next];
      sum += counts[next] * middles[next];
      squares += counts[next] * middles[next] * middles[next];
    }
    ends.push_back({at, squares - 2.0 * at * sum + at * at * n, n});
  }
  return ends;
}

}  // namespace

Range Histogram::smallest_error(int bits) const {
  std::vector<double> middles, counts;
  for (std::size_t i = 0; i < bins_.size(); ++i) {
    middles.push_back(edge(static_cast<std::int64_t>(i)) + std::ldexp(0.5, exponent_));
    counts.push_back(static_cast<double>(bins_[i]));
  }
  const std::vector<End> lows = ends_of(low_, middles, counts);
  std::reverse(middles.begin(), middles.end());
  std::reverse(counts.begin(), counts.end());
  const std::vector<End> highs = ends_of(high_, middles, counts);
  const double levels = std::ldexp(1.0, bits) - 1.0;
  Range best;
  double least = INFINITY;
  for (const End& low : lows)
    for (const End& high : highs) {
      const double step = (high.at - low.at) / levels;
      const double inside = static_cast<double>(count_ - zeros_) - low.outside - high.outside;
      const double error = step * step / 12.0 * inside + low.error + high.error;
      if (error >= least) continue;
      least = error;
      best = {low.at, high.at};
    }
  return best;
}

double weight_range(std::span<const float> weights, int bits) {
  double largest = 0.0;
  for (float w : weights) largest = std::max(largest, std::fabs(static_cast<double>(w)));
  if (largest == 0.0) return 0.0;
  const double most = std::ldexp(1.0, bits - 1) - 1.0;
  double best = largest, least = INFINITY;
  for (int percent = 100; percent >= (bits < 8 ? 50 : 80); --percent) {
    const double range = largest * percent / 100.0, scale = range / most;
    double error = 0.0;
    for (float w : weights) {
      const double q = std::clamp(std::nearbyint(w / scale), -most, most);
      error += (w - scale * q) * (w - scale * q);
    }
    if (error >= least) continue;
    least = error;
    best = range;
  }
  return best;
}

}  // namespace linnet::compress
