// SPDX-License-Identifier: Apache-2.0
#include "linnet/optim/ema.h"

#include <algorithm>
#include <utility>

#include "linnet/core/constraint.h"
#include "linnet/core/error.h"
#include "linnet/core/kernels/optimizer.h"
#include "linnet/core/tensor_impl.h"

namespace linnet::optim {

EMA::EMA(const NamedTensors& tensors, const EmaOptions& options) : options_(options), tensors_(tensors) {
  check<ValueError>(options.decay >= 0.0 && options.decay < 1.0, "EMA: decay must be in [0, 1), got ",
                    options.decay, ".");
  check<ValueError>(!tensors.empty(), "EMA: there are no tensors to average. Pass model.parameters().");
  for (const auto& [name, tensor] : tensors) {
    check<ValueError>(tensor.defined(), "EMA: \"", name, "\" is undefined.");
    check<DTypeError>(is_float(tensor.dtype()), "EMA: \"", name, "\" must be f32 or f64, got ",
                      tensor.dtype(), ".");
    for (const auto& [other, earlier] : averages_)
      check<ValueError>(other != name, "EMA: two tensors are called \"", name, "\".");
    for (std::size_t i = 0; i < averages_.size(); ++i)
      check<ValueError>(!tensors[i].second.same_as(tensor), "EMA: \"", tensors[i].first, "\" and \"", name,
                        "\" are one tensor. Name it once.");
    averages_.emplace_back(name, tensor.clone());
  }
}

void EMA::check_fit(const char* function) const {
  for (std::size_t i = 0; i < tensors_.size(); ++i) {
    const Tensor &w = tensors_[i].second, &average = averages_[i].second;
    check<ShapeError>(w.shape() == average.shape() && w.dtype() == average.dtype(), "EMA: ", function, ": \"",
                      tensors_[i].first, "\" was ", average.dtype(), " ", average.shape(), ", now it is ",
                      w.dtype(), " ", w.shape(), ". Make a new EMA after changing a model.");
  }
}

void EMA::update() {
  check<ValueError>(!swapped_,
                    "EMA: update: the averages are in the tensors. Call swap() before training on.");
  check_fit("update");
  const auto t = static_cast<double>(++updates_);
  const double decay = options_.warm_up ? std::min(options_.decay, t / (9.0 + t)) : options_.decay;
  for (std::size_t i = 0; i < tensors_.size(); ++i) {
    kernels::ema_update(averages_[i].second, tensors_[i].second, decay);
    if (const Constraint* kept = constraint(tensors_[i].second)) constrain(*kept, averages_[i].second);
  }
}

void EMA::swap() {
  check_fit("swap");
  for (std::size_t i = 0; i < tensors_.size(); ++i) {
    TensorImpl &w = *tensors_[i].second.impl(), &average = *averages_[i].second.impl();
    std::swap(w.storage, average.storage);
    std::swap(w.offset, average.offset);
    if (w.constraint) constrain(*w.constraint, tensors_[i].second);  // it may be younger than the average
  }
  swapped_ = !swapped_;
}

State EMA::state() const {
  State state{{"updates", updates_}, {"swapped", swapped_ ? 1 : 0}};
  for (const auto& [name, average] : averages_) state.set(name, average.detach());
  return state;
}

void EMA::load(const State& state) {
  const std::int64_t updates = state["updates"].integer();
  check<StateError>(updates >= 0, "EMA: updates must be at least 0, got ", updates, ".");
  const bool swapped = state["swapped"].integer() != 0;
  State tensors;
  for (const auto& [name, value] : state)
    if (name != "updates" && name != "swapped") tensors.set(name, value);
  load_tensors("EMA", averages_, tensors);
  updates_ = updates;
  swapped_ = swapped;
}

}  // namespace linnet::optim
