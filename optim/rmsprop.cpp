// SPDX-License-Identifier: Apache-2.0
#include "linnet/optim/rmsprop.h"

#include "linnet/core/kernels/optimizer.h"

namespace linnet::optim {
namespace {

std::vector<std::string> memory(const RMSpropOptions& options) {
  std::vector<std::string> names{"square"};
  if (options.centered) names.push_back("mean");
  if (options.momentum != 0.0) names.push_back("momentum");
  return names;
}

}  // namespace

Optimizer::Setup RMSprop::setup(const RMSpropOptions& options) {
  check_option("RMSprop", "alpha", options.alpha, 0.0, 1.0);
  check_option("RMSprop", "momentum", options.momentum, 0.0, 1.0);
  check_eps("RMSprop", options.eps);
  return {.lr = options.lr,
          .weight_decay = options.weight_decay,
          .groups = options.groups,
          .tensors = memory(options)};
}

RMSprop::RMSprop(const NamedTensors& parameters, const RMSpropOptions& options)
    : Optimizer("RMSprop", parameters, setup(options)), options_(options) {}

void RMSprop::update(Slot& slot, const Tensor& gradient) {
  kernels::rmsprop_update(slot.parameter, gradient, slot.tensors[0],
                          options_.centered ? &slot.tensors[1] : nullptr,
                          options_.momentum != 0.0 ? &slot.tensors.back() : nullptr,
                          {.lr = rate(slot),
                           .alpha = options_.alpha,
                           .eps = options_.eps,
                           .weight_decay = slot.weight_decay,
                           .momentum = options_.momentum});
}

}  // namespace linnet::optim
