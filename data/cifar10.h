// SPDX-License-Identifier: Apache-2.0
#pragma once
// CIFAR-10 (A. Krizhevsky: "Learning Multiple Layers of Features from Tiny Images", 2009): photos of 32 x 32
// pixels in ten classes, and anything else in its binary format: records of 3073 bytes, the label, then the
// red, green and blue plane.

#include <string>

#include "linnet/data/dataset.h"

namespace linnet::data {

/// Images [32, 32, 3] f32 in 0 .. 1 (kept as u8), labels i64 in 0 .. 9, in the order of the files.
class Cifar10 : public TensorDataset {
 public:
  /// `dir` is the folder with data_batch_1.bin .. data_batch_5.bin and test_batch.bin, or with a part of them
  /// as cifar10_train_*.bin and cifar10_test_*.bin (in the order of their names), plain or gzip-compressed,
  /// or the parent of a folder `cifar10` that has them. IoError when a file is missing, damaged or holds
  /// something else.
  Cifar10(const std::string& dir, Split split);
};

/// One file of records. IoError that names the file and the first bad record.
TensorDataset read_cifar10(const std::string& path);

}  // namespace linnet::data
