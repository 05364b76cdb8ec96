// SPDX-License-Identifier: Apache-2.0
#pragma once
// Depthwise convolution, as every instruction set offers it: lanes run over the channels. All strides count
// floats; x is a padded image [.., .., C], y [YH][YW][C], weights [taps][C] in the order of the taps.

#include "linnet/core/kernels/gemm_table.h"

namespace linnet::kernels {

struct Depthwise {
  Index C, YH, YW, KH, KW;
  Index x_line, x_pixel;          ///< from one place of y to the next, down and right
  Index x_tap_line, x_tap_pixel;  ///< from one tap to the next, down and right
};

struct DepthwiseTable {
  /// y: one chain over the taps, then the bias (may be null).
  void (*forward)(const Depthwise& d, const float* x, const float* weight, const float* bias, float* y);
  /// dx += dy * weight, tap by tap.
  void (*grad_input)(const Depthwise& d, const float* dy, const float* weight, float* dx);
  /// dweight [taps][C] += the sum over the pixels of this image.
  void (*grad_weight)(const Depthwise& d, const float* dy, const float* x, float* dweight);
};

LINNET_DECLARE_TABLE(DepthwiseTable, depthwise)

}  // namespace linnet::kernels
