// SPDX-License-Identifier: Apache-2.0
#include "linnet/optim/lion.h"

#include "linnet/core/kernels/optimizer.h"

namespace linnet::optim {

Optimizer::Setup Lion::setup(const LionOptions& options) {
  check_option("Lion", "beta1", options.beta1, 0.0, 1.0);
  check_option("Lion", "beta2", options.beta2, 0.0, 1.0);
  return {.lr = options.lr, .weight_decay = options.weight_decay, .groups = options.groups, .tensors = {"m"}};
}

Lion::Lion(const NamedTensors& parameters, const LionOptions& options)
    : Optimizer("Lion", parameters, setup(options)), options_(options) {}

void Lion::update(Slot& slot, const Tensor& gradient) {
  kernels::lion_update(slot.parameter, gradient, slot.tensors[0],
                       {.lr = rate(slot),
                        .beta1 = options_.beta1,
                        .beta2 = options_.beta2,
                        .weight_decay = slot.weight_decay});
}

}  // namespace linnet::optim
