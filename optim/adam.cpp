// SPDX-License-Identifier: Apache-2.0
#include "linnet/optim/adam.h"

#include "linnet/core/kernels/optimizer.h"

namespace linnet::optim {

Optimizer::Setup Adam::setup(const char* name, const AdamOptions& options) {
  check_option(name, "beta1", options.beta1, 0.0, 1.0);
  check_option(name, "beta2", options.beta2, 0.0, 1.0);
  check_eps(name, options.eps);
  return {.lr = options.lr,
          .weight_decay = options.weight_decay,
          .groups = options.groups,
          .tensors = options.amsgrad ? std::vector<std::string>{"m", "v", "v_max"}
                                     : std::vector<std::string>{"m", "v"},
          .products = {"beta1_power", "beta2_power"}};
}

Adam::Adam(const char* name, const NamedTensors& parameters, const AdamOptions& options, bool decoupled)
    : Optimizer(name, parameters, setup(name, options)), options_(options), decoupled_(decoupled) {}

Adam::Adam(const NamedTensors& parameters, const AdamOptions& options)
    : Adam("Adam", parameters, options, false) {}

AdamW::AdamW(const NamedTensors& parameters, const AdamWOptions& o)
    : Adam("AdamW", parameters,
           {.lr = o.lr,
            .beta1 = o.beta1,
            .beta2 = o.beta2,
            .eps = o.eps,
            .weight_decay = o.weight_decay,
            .amsgrad = o.amsgrad,
            .groups = o.groups},
           true) {}

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
                        .weight_decay = slot.weight_decay,
                        .decoupled = decoupled_,
                        .correction1 = 1.0 - power1,
                        .correction2 = 1.0 - power2},
                       options_.amsgrad ? &slot.tensors[2] : nullptr);
}

}  // namespace linnet::optim
