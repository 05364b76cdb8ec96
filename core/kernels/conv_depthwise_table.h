// SPDX-License-Identifier: Apache-2.0
#pragma once
// Depthwise convolution, as every instruction set offers it: lanes run over the channels. A patch is a grid
// of places that see the same taps, so that no image is ever padded; conv_depthwise.cpp cuts images into
// patches. All strides count floats, weights are [taps][channels].

#include "linnet/core/kernels/gemm.h"

namespace linnet::kernels {

struct Patch {
  Index lines, places, channels;
  const float* source;             ///< under the first tap of the first place
  Index source_line, source_step;  ///< from one line to the next, and from one place
  Index target_line, target_step;
  Index tap_lines, taps;     ///< a grid of taps
  Index tap_line, tap_step;  ///< in the source
  Index weight;              ///< of the first tap, from the first weight
  Index weight_line, weight_step;
};

struct DepthwiseTable {
  /// target = one chain over the taps of source * weight, then the epilogue.
  void (*apply)(const Patch& patch, const float* weight, const Epilogue& end, float* target);
  /// dweight += for each tap, one chain over the places, line by line, of source * dtarget.
  void (*grad_weight)(const Patch& patch, const float* dtarget, float* dweight);
};

LINNET_DECLARE_TABLE(DepthwiseTable, depthwise)

}  // namespace linnet::kernels
