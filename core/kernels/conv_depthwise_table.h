// SPDX-License-Identifier: Apache-2.0
#pragma once
// Depthwise convolution, as every instruction set offers it: lanes run over the channels. A run is a number
// of places in one line that see the same taps, so that no image is ever padded; conv_depthwise.cpp cuts
// images into runs. All sizes and strides count floats, weights are [taps][channels].

#include "linnet/core/kernels/gemm_table.h"

namespace linnet::kernels {

/// One product behind each place of a run.
struct Tap {
  Index source;  ///< from the source of the place
  Index weight;  ///< from the first weight
};

struct Run {
  Index places, channels;
  const float* source;  ///< of the first place
  Index source_step;    ///< from one place to the next
  Index target_step;
  const Tap* taps;
  Index count;  ///< of taps
};

struct DepthwiseTable {
  /// target = one chain over the taps of source * weight, then the bias (may be null).
  void (*apply)(const Run& run, const float* weight, const float* bias, float* target);
  /// dweight += for each tap, one chain over the places of source * dtarget.
  void (*grad_weight)(const Run& run, const float* dtarget, float* dweight);
};

LINNET_DECLARE_TABLE(DepthwiseTable, depthwise)

}  // namespace linnet::kernels
