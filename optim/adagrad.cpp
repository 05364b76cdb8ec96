// SPDX-License-Identifier: Apache-2.0
#include "linnet/optim/adagrad.h"

#include <limits>

#include "linnet/core/kernels/optimizer.h"

namespace linnet::optim {

Optimizer::Setup Adagrad::setup(const AdagradOptions& options) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  check_option("Adagrad", "lr_decay", options.lr_decay, 0.0, kInfinity);
  check_option("Adagrad", "initial", options.initial, 0.0, kInfinity);
  check_eps("Adagrad", options.eps);
  return {
      .lr = options.lr, .weight_decay = options.weight_decay, .groups = options.groups, .tensors = {"sum"}};
}

Adagrad::Adagrad(const NamedTensors& parameters, const AdagradOptions& options)
    : Optimizer("Adagrad", parameters, setup(options)), options_(options) {}

void Adagrad::update(Slot& slot, const Tensor& gradient) {
  if (slot.steps == 0 && options_.initial != 0.0) slot.tensors[0].fill_(options_.initial);
  kernels::adagrad_update(slot.parameter, gradient, slot.tensors[0],
                          {.rate = rate(slot) / (1.0 + static_cast<double>(slot.steps) * options_.lr_decay),
                           .eps = options_.eps,
                           .weight_decay = slot.weight_decay});
}

}  // namespace linnet::optim
