// SPDX-License-Identifier: Apache-2.0
#include "linnet/optim/sgd.h"

#include <limits>

#include "linnet/core/error.h"
#include "linnet/core/kernels/optimizer.h"

namespace linnet::optim {

SGD::SGD(const NamedTensors& parameters, const SgdOptions& options)
    : Optimizer("SGD", parameters, options.lr,
                options.momentum == 0.0 ? std::vector<std::string>{} : std::vector<std::string>{"momentum"}),
      options_(options) {
  check_option("SGD", "momentum", options.momentum, 0.0, 1.0);
  check_option("SGD", "dampening", options.dampening, 0.0, 1.0);
  check_option("SGD", "weight_decay", options.weight_decay, 0.0, std::numeric_limits<double>::infinity());
  check<ValueError>(!options.nesterov || (options.momentum > 0.0 && options.dampening == 0.0),
                    "SGD: nesterov needs momentum above 0 and dampening 0, got ", options.momentum, " and ",
                    options.dampening, ".");
}

void SGD::update(Slot& slot, const Tensor& gradient) {
  Tensor none;
  kernels::sgd_update(slot.parameter, gradient, slot.tensors.empty() ? none : slot.tensors[0],
                      {.lr = rate(slot),
                       .momentum = options_.momentum,
                       .dampening = options_.dampening,
                       .weight_decay = options_.weight_decay,
                       .nesterov = options_.nesterov,
                       .first = slot.steps == 0});
}

}  // namespace linnet::optim
