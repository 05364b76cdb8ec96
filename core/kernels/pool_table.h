// SPDX-License-Identifier: Apache-2.0
#pragma once
// Pooling of one image, as every instruction set offers it: lanes run over the channels.

#include <cstddef>
#include <cstdint>

#include "linnet/core/kernels/isa_table.h"

namespace linnet::kernels {

/// One image [H, W, C] -> [YH, YW, C].
struct PoolSizes {
  std::ptrdiff_t H, W, C, YH, YW, KH, KW;
  std::ptrdiff_t stride_h, stride_w, top, left;
};

struct PoolTable {
  /// index: place kh KW + kw of the first maximum; null when it is not wanted.
  void (*max_forward)(const PoolSizes& p, const float* x, float* y, std::uint8_t* index);
  void (*max_forward_wide)(const PoolSizes& p, const float* x, float* y, std::int32_t* index);
  void (*max_backward)(const PoolSizes& p, const float* dy, const std::uint8_t* index, float* dx);
  void (*max_backward_wide)(const PoolSizes& p, const float* dy, const std::int32_t* index, float* dx);
  void (*average_forward)(const PoolSizes& p, const float* x, float* y);
  void (*average_backward)(const PoolSizes& p, const float* dy, float* dx);
};

LINNET_DECLARE_TABLE(PoolTable, pool)

}  // namespace linnet::kernels
