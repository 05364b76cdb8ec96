// SPDX-License-Identifier: Apache-2.0
#include "linnet/optim/nadam.h"

#include <limits>

#include "linnet/core/kernels/optimizer.h"
#include "linnet/core/math.h"

namespace linnet::optim {

Optimizer::Setup NAdam::setup(const NAdamOptions& options) {
  check_option("NAdam", "beta1", options.beta1, 0.0, 1.0);
  check_option("NAdam", "beta2", options.beta2, 0.0, 1.0);
  check_option("NAdam", "momentum_decay", options.momentum_decay, 0.0,
               std::numeric_limits<double>::infinity());
  check_eps("NAdam", options.eps);
  return {.lr = options.lr,
          .weight_decay = options.weight_decay,
          .groups = options.groups,
          .tensors = {"m", "v"},
          .products = {"mu_product", "beta2_power"}};
}

NAdam::NAdam(const NamedTensors& parameters, const NAdamOptions& options)
    : Optimizer("NAdam", parameters, setup(options)), options_(options) {}

double NAdam::mu(std::int64_t t) const {
  return options_.beta1 * (1.0 - 0.5 * math::pow(0.96, static_cast<double>(t) * options_.momentum_decay));
}

void NAdam::update(Slot& slot, const Tensor& gradient) {
  double& product = slot.products[0];
  double& power2 = slot.products[1];
  const double now = mu(slot.steps + 1), next = mu(slot.steps + 2);
  product *= now;
  power2 *= options_.beta2;
  kernels::nadam_update(slot.parameter, gradient, slot.tensors[0], slot.tensors[1],
                        {.lr = rate(slot),
                         .beta1 = options_.beta1,
                         .beta2 = options_.beta2,
                         .eps = options_.eps,
                         .weight_decay = slot.weight_decay,
                         .moment_share = next / (1.0 - product * next),
                         .gradient_share = (1.0 - now) / (1.0 - product),
                         .correction2 = 1.0 - power2});
}

}  // namespace linnet::optim
