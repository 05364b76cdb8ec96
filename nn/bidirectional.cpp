// SPDX-License-Identifier: Apache-2.0
#include "linnet/nn/bidirectional.h"

#include "linnet/autograd/ops.h"

namespace linnet::nn {

Bidirectional::Bidirectional(std::unique_ptr<Recurrent> forward, std::unique_ptr<Recurrent> backward,
                             const BidirectionalOptions& options)
    : forward_(std::move(forward)), backward_(std::move(backward)), options_(options) {
  check<ValueError>(forward_ && backward_, "Bidirectional: a layer is missing: null pointer.");
  check<ValueError>(!forward_->reverse() && backward_->reverse(),
                    "Bidirectional: the second layer, and only it, must be reverse: ", forward_->describe(),
                    " and ", backward_->describe(), ".");
  check<ValueError>(forward_->return_sequences() == backward_->return_sequences() &&
                        forward_->inputs() == backward_->inputs(),
                    "Bidirectional: inputs and return_sequences must agree: ", forward_->describe(), " and ",
                    backward_->describe(), ".");
  check<ValueError>(options_.merge == Merge::concat || forward_->units() == backward_->units(),
                    "Bidirectional: a sum needs as many units on both sides: ", forward_->units(), " and ",
                    backward_->units(), ". Use concat?");
}

void Bidirectional::members(Members& m) {
  m.child("forward", *forward_);
  m.child("backward", *backward_);
}

std::string Bidirectional::describe() const {
  return options_.merge == Merge::concat ? "Bidirectional, concat" : "Bidirectional, sum";
}

Tensor Bidirectional::merged(const Tensor& forward, const Tensor& backward) const {
  return options_.merge == Merge::concat ? concat({forward, backward}, -1) : forward + backward;
}

Tensor Bidirectional::forward(const Tensor& x) { return merged((*forward_)(x), (*backward_)(x)); }

BidirectionalResult Bidirectional::operator()(const Tensor& x, const BidirectionalContext& context) {
  const auto with_mask = [&](const RecurrentContext& states) {
    return RecurrentContext{.mask = context.mask, .h = states.h, .c = states.c};
  };
  RecurrentResult forward = (*forward_)(x, with_mask(context.forward));
  RecurrentResult backward = (*backward_)(x, with_mask(context.backward));
  Tensor output = merged(forward.output, backward.output);
  return {output, forward, backward};
}

}  // namespace linnet::nn
