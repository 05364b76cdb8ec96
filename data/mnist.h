// SPDX-License-Identifier: Apache-2.0
#pragma once
// MNIST: 60,000 + 10,000 handwritten digits, and anything else that comes in its four files.

#include <string>

#include "linnet/data/dataset.h"

namespace linnet::data {

/// Images [28, 28, 1] f32 in 0 .. 1 (kept as u8), labels i64 in 0 .. 9.
class Mnist : public TensorDataset {
 public:
  /// `dir` is the folder with {train,t10k}-{images-idx3,labels-idx1}-ubyte, plain or .gz, or the parent of a
  /// folder `mnist` that has them. IoError when a file is missing, damaged or holds something else.
  Mnist(const std::string& dir, Split split);
};

}  // namespace linnet::data
