// SPDX-License-Identifier: Apache-2.0
#pragma once
// Networks drawn from a seed: branches that meet again, odd sizes, strides, groups, what passes look for.

#include <cstdint>

#include "linnet/core/tensor.h"

namespace linnet::test {

/// x [N, 8, 7, 4] -> [N, 5]. The same seed always calls the same ops with the same weights.
Tensor run_random_net(std::uint64_t seed, const Tensor& x);

}  // namespace linnet::test
