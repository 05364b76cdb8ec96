// SPDX-License-Identifier: Apache-2.0
#pragma once
// What datasets over datasets share. Private to data/.

#include <memory>
#include <string>
#include <vector>

#include "linnet/data/dataset.h"

namespace linnet::data {

/// A handle on an object that somebody else owns.
inline std::shared_ptr<const Dataset> borrowed(const Dataset& dataset) {
  return {std::shared_ptr<const Dataset>(), &dataset};
}

}  // namespace linnet::data
