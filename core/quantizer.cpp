// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/quantizer.h"

#include <algorithm>
#include <cmath>

namespace linnet {
namespace {

constexpr double kLeastScale = 1e-30;

}  // namespace

Quantizer symmetric_quantizer(double largest, int bits) {
  const int high = (1 << (bits - 1)) - 1;
  return {static_cast<float>(std::max(largest / high, kLeastScale)), 0, -high, high};
}

Quantizer range_quantizer(double low, double high, int bits) {
  low = std::min(low, 0.0);
  high = std::max(high, 0.0);
  const int lowest = -(1 << (bits - 1)), steps = (1 << bits) - 1;
  const double scale = std::max((high - low) / steps, kLeastScale);
  const double zero =
      std::clamp(std::nearbyint(lowest - low / scale), double(lowest), double(lowest + steps));
  return {static_cast<float>(scale), static_cast<int>(zero), lowest, lowest + steps};
}

}  // namespace linnet
