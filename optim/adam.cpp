// SPDX-License-Identifier: Apache-2.0
#include "linnet/optim/adam.h"

#include <cmath>
#include <limits>

#include "linnet/core/error.h"
#include "linnet/core/kernels/optimizer.h"

namespace linnet::optim {

Adam::Adam(const NamedTensors& parameters, const AdamOptions& options)
    : Optimizer("Adam", parameters, options.lr, {"m", "v"}, {"beta1_power", "beta2_power"}),
      options_(options) {
  check_option("Adam", "beta1", options.beta1, 0.0, 1.0);
  check_option("Adam", "beta2", options.beta2, 0.0, 1.0);
  check_option("Adam", "weight_decay", options.weight_decay, 0.0, std::numeric_limits<double>::infinity());
  check<ValueError>(std::isfinite(options.eps) && options.eps > 0.0, "Adam: eps must be above 0, got ",
                    options.eps, ". It keeps a zero gradient from dividing by zero.");
}

void Adam::update(Slot& slot, const Tensor& gradient) {
  double& power1 = slot.products[0];
  double& power2 = slot.products[1];
  power1 *= options_.beta1;
  power2 *= options_.beta2;
  kernels::adam_update(slot.parameter, gradient, slot.tensors[0], slot.tensors[1],
                       {.lr = rate(slot),
                        .beta1 = options_.beta1,
                        .beta2 = options_.beta2,
                        .eps = options_.eps,
                        .weight_decay = options_.weight_decay,
                        .decoupled = false,
                        .correction1 = 1.0 - power1,
                        .correction2 = 1.0 - power2});
}

}  // namespace linnet::optim
