// SPDX-License-Identifier: Apache-2.0
#pragma once
// The loops behind random_fill.h.

#include <cstddef>
#include <cstdint>

#include "linnet/core/kernels/isa_table.h"

namespace linnet::kernels {

struct RandomFillKernels {
  /// words[4 b + k] = word k of Philox block `first_block + b` of the stream, for b < blocks.
  void (*philox_words)(std::uint64_t seed, std::uint64_t call, std::uint64_t first_block,
                       std::ptrdiff_t blocks, std::uint32_t* words);
  /// y_i = words_i >= threshold ? factor x_i : 0.
  void (*keep)(const float* x, const std::uint32_t* words, float* y, std::ptrdiff_t n,
               std::uint32_t threshold, float factor);
};
LINNET_DECLARE_TABLE(RandomFillKernels, random_fill)

}  // namespace linnet::kernels
