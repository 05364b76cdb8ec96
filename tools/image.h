// SPDX-License-Identifier: Apache-2.0
#pragma once
// PNG images as tensors.

#include <string>

#include "linnet/core/tensor.h"

namespace linnet::tools {

/// The pixels of a PNG as u8 [H, W, channels] with 1 (grey) or 3 (RGB) channels, converted if the file has
/// others. IoError when it is damaged, larger than 4096 x 4096, or this program was built without libpng.
Tensor read_png(const std::string& path, std::int64_t channels);

}  // namespace linnet::tools
