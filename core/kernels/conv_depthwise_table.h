// SPDX-License-Identifier: Apache-2.0
#pragma once
// Depthwise convolution, as every instruction set offers it: lanes run over the channels. A patch is a grid
// of places that see the same taps, so that no image is ever padded; conv_depthwise.cpp cuts images into
// patches. All strides count floats, weights are [taps][channels].

#include "linnet/core/kernels/gemm.h"

namespace linnet::kernels {

/// One product behind each place of a patch.
struct Tap {
  Index source;  ///< from the source of the place
  Index weight;  ///< from the first weight
};

struct Patch {
  Index lines, places, channels;
  const float* source;             ///< of the first place
  Index source_line, source_step;  ///< from one line to the next, and from one place
  Index target_line, target_step;
  const Tap* taps;
  Index count;  ///< of taps
};

struct DepthwiseTable {
  /// target = one chain over the taps of source * weight, then the epilogue.
  void (*apply)(const Patch& patch, const float* weight, const Epilogue& end, float* target);
  /// dweight += for each tap, one chain over the places, line by line, of source * dtarget.
  void (*grad_weight)(const Patch& patch, const float* dtarget, float* dweight);
};

LINNET_DECLARE_TABLE(DepthwiseTable, depthwise)

}  // namespace linnet::kernels
