// SPDX-License-Identifier: Apache-2.0
#pragma once
// IDX, the file format of MNIST: two zero bytes, a type byte, the number of axes, the sizes as 32-bit
// big-endian integers, then the values, big-endian, row-major.

#include <string>

#include "linnet/core/tensor.h"

namespace linnet::data {

/// Reads a plain or gzip-compressed IDX file (told apart by its first bytes, not its name). Types 08 u8, 09
/// i8, 0B 16 bit (becomes i32), 0C i32, 0D f32, 0E f64. Nothing is allocated before the sizes are known to
/// fit the file; a compressed file may not grow more than a hundredfold. IoError says what is wrong and
/// where.
Tensor read_idx(const std::string& path);

}  // namespace linnet::data
