// SPDX-License-Identifier: Apache-2.0
#include "linnet/optim/sgd.h"

#include "linnet/core/error.h"
#include "linnet/core/kernels/optimizer.h"

namespace linnet::optim {

Optimizer::Setup SGD::setup(const SgdOptions& options) {
  check_option("SGD", "momentum", options.momentum, 0.0, 1.0);
  check_option("SGD", "dampening", options.dampening, 0.0, 1.0);
  check<ValueError>(!options.nesterov || (options.momentum > 0.0 && options.dampening == 0.0),
                    "SGD: nesterov needs momentum above 0 and dampening 0, got ", options.momentum, " and ",
                    options.dampening, ".");
  return {
      .lr = options.lr,
      .weight_decay = options.weight_decay,
      .groups = options.groups,
      .tensors = options.momentum == 0.0 ? std::vector<std::string>{} : std::vector<std::string>{"momentum"}};
}

SGD::SGD(const NamedTensors& parameters, const SgdOptions& options)
    : Optimizer("SGD", parameters, setup(options)), options_(options) {}

void SGD::update(Slot& slot, const Tensor& gradient) {
  Tensor none;
  kernels::sgd_update(slot.parameter, gradient, slot.tensors.empty() ? none : slot.tensors[0],
                      {.lr = rate(slot),
                       .momentum = options_.momentum,
                       .dampening = options_.dampening,
                       .weight_decay = slot.weight_decay,
                       .nesterov = options_.nesterov,
                       .first = slot.steps == 0});
}

}  // namespace linnet::optim
