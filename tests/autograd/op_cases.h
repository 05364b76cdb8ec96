// SPDX-License-Identifier: Apache-2.0
#pragma once
// Every op under test, as small objects: random arguments for a seed, and the call. The harnesses in
// gradcheck_test.cpp and precision_test.cpp do the rest; a test fails by name for an op that has no case
// here.

#include <functional>
#include <string>
#include <vector>

#include "linnet/core/op.h"
#include "linnet/core/random.h"
#include "linnet/core/tensor.h"

namespace linnet::test {

/// One call of an op with its arguments, in f64 and with values that f32 can hold too.
struct OpExample {
  std::vector<Tensor> inputs;  ///< those with requires_grad are differentiated
  std::function<Tensor(const std::vector<Tensor>&)> call;
  std::int64_t terms = 1;  ///< length of the longest sum in forward or backward
  double scale = 0.0;      ///< size of intermediate terms that inputs and result do not show
  /// The function whose derivative backward gives, where the op's own is of no use: fake_quant is a
  /// staircase.
  std::function<Tensor(const std::vector<Tensor>&)> slope = {};
};

struct OpCase {
  Op op;
  std::string name;  ///< of the variant: "conv2d, dilated"
  std::function<OpExample(Rng&)> example;
};

const std::vector<OpCase>& op_cases();

// One function a family that has a file of its own.
void add_loss_ops(std::vector<OpCase>& cases);
void add_norm(std::vector<OpCase>& cases);
void add_conv(std::vector<OpCase>& cases);
void add_recurrent(std::vector<OpCase>& cases);

}  // namespace linnet::test
