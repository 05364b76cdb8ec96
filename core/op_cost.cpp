// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/op_cost.h"

#include "linnet/core/error.h"

namespace linnet {
namespace {

bool recurrent(Op op) { return op == Op::rnn || op == Op::gru || op == Op::lstm; }

}  // namespace

std::int64_t macs(Op op, const Shape& y, std::span<const Shape> inputs) {
  switch (op) {
    case Op::matmul:
    case Op::dense:
      return saturating_product(y.size(), inputs[0].back());
    case Op::conv2d:
      return saturating_product(y.size(), inputs[1].product(1, 4));
    case Op::conv_transpose2d:  // every place of x meets every weight
      return saturating_product(inputs[0].product(0, 3), inputs[1].size());
    case Op::rnn:
    case Op::gru:
    case Op::lstm:  // every step reads all weights
      return saturating_product(inputs[0].product(0, 2), inputs[1].size() + inputs[2].size());
    default:
      return 0;
  }
}

std::int64_t backward_macs(Op op, const Shape& y, std::span<const Shape> inputs, std::uint64_t wanted) {
  const auto times = [wanted](int input) { return static_cast<std::int64_t>(wanted >> input & 1); };
  if (!recurrent(op)) return saturating_product(macs(op, y, inputs), times(0) + times(1));
  // dx and dweight_x; dweight_h, and the gradient that every step hands to the one before it.
  return saturating_product(inputs[0].product(0, 2),
                            inputs[1].size() * (times(0) + times(1)) + inputs[2].size() * (1 + times(2)));
}

}  // namespace linnet
