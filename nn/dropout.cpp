// SPDX-License-Identifier: Apache-2.0
#include "linnet/nn/dropout.h"

#include "linnet/autograd/ops.h"

namespace linnet::nn {

Dropout::Dropout(double p) : p_(p) {
  check<ValueError>(p >= 0.0 && p < 1.0, "Dropout: p must be in [0, 1), got ", p,
                    ". It is the share of elements that become 0.");
}

std::string Dropout::describe() const { return concat({"Dropout ", p_}); }

Tensor Dropout::forward(const Tensor& x) { return dropout(x, p_, training()); }

}  // namespace linnet::nn
