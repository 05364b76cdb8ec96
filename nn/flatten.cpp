// SPDX-License-Identifier: Apache-2.0
#include "linnet/nn/flatten.h"

#include "linnet/autograd/ops.h"

namespace linnet::nn {

Tensor Flatten::forward(const Tensor& x) { return flatten(x); }

}  // namespace linnet::nn
