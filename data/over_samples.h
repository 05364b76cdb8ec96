// SPDX-License-Identifier: Apache-2.0
#pragma once
// What datasets over datasets and passes over all samples share. Private to data/.

#include <algorithm>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "linnet/data/dataset.h"

namespace linnet::data {

/// A handle on an object that somebody else owns.
inline std::shared_ptr<const Dataset> borrowed(const Dataset& dataset) {
  return {std::shared_ptr<const Dataset>(), &dataset};
}

/// take(batch) for all samples in order, a few at once.
template <class Take>
void over_batches(const Dataset& dataset, Take take) {
  constexpr std::int64_t kAtOnce = 64;
  for (std::int64_t begin = 0; begin < dataset.size(); begin += kAtOnce) {
    std::vector<std::int64_t> indices(static_cast<std::size_t>(std::min(kAtOnce, dataset.size() - begin)));
    std::iota(indices.begin(), indices.end(), begin);
    take(dataset.batch(indices));
  }
}

}  // namespace linnet::data
