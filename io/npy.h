// SPDX-License-Identifier: Apache-2.0
#pragma once
// NumPy's .npy files: one array each (numpy.lib.format, versions 1.0 and 2.0).

#include <string>

#include "linnet/core/tensor.h"

namespace linnet::io {

/// Reads little-endian f4, f8, i1, u1, i4 or i8 in C order, up to six axes. IoError for anything else, for a
/// file whose size is not that of its array, and for a header of more than 64 KiB.
Tensor read_npy(const std::string& path);

/// Writes version 1.0; replaces the file atomically.
void write_npy(const std::string& path, const Tensor& tensor);

}  // namespace linnet::io
