// SPDX-License-Identifier: Apache-2.0
#pragma once
// How strides and paddings are written into the attributes of a recorded op, and read back.

#include "linnet/autograd/recorder.h"
#include "linnet/core/window.h"

namespace linnet {

Tensor integers(Pair pair);
Pair pair(const State& attributes, std::string_view name);

/// {"stride": [h, w], "padding": "same"} or {"stride": [h, w], "padding": "given", "pads": [top, bottom,
/// left, right]}
State window_attributes(Pair stride, const Padding& padding);
Padding padding(const State& attributes);

}  // namespace linnet
