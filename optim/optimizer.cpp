// SPDX-License-Identifier: Apache-2.0
#include "linnet/optim/optimizer.h"

#include <cmath>
#include <limits>
#include <unordered_set>

#include "linnet/core/constraint.h"
#include "linnet/core/error.h"
#include "linnet/core/kernels/loop_nest.h"
#include "linnet/core/name_pattern.h"
#include "linnet/core/parallel.h"
#include "linnet/core/profile.h"

namespace linnet::optim {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
/// About the operations of an update, for each element.
constexpr std::int64_t kUpdateCost = 10;

}  // namespace

void Optimizer::check_option(const std::string& optimizer, const char* option, double value, double low,
                             double high) {
  check<ValueError>(std::isfinite(value) && value >= low && value < high, optimizer, ": ", option,
                    " must be in [", low, ", ", high, "), got ", value, ".");
}

void Optimizer::check_eps(const std::string& optimizer, double eps) {
  check<ValueError>(std::isfinite(eps) && eps > 0.0, optimizer, ": eps must be above 0, got ", eps,
                    ". It keeps a zero gradient from dividing by zero.");
}

Optimizer::Optimizer(std::string name, const NamedTensors& parameters, Setup setup)
    : name_(std::move(name)),
      tensor_names_(std::move(setup.tensors)),
      product_names_(std::move(setup.products)) {
  set_lr(setup.lr);
  check_option(name_, "weight_decay", setup.weight_decay, 0.0, kInfinity);
  check<ValueError>(!parameters.empty(), name_,
                    ": there are no parameters to train. Pass model.parameters().");
  std::unordered_set<std::string> names;
  std::unordered_set<const TensorImpl*> tensors;
  for (const auto& [parameter_name, parameter] : parameters) {
    check<ValueError>(names.insert(parameter_name).second, name_, ": two parameters have one name: \"",
                      parameter_name, "\". Names keep their state apart.");
    check<ValueError>(parameter.defined(), name_, ": parameter \"", parameter_name, "\" is undefined.");
    check<ValueError>(tensors.insert(parameter.impl()).second, name_, ": parameter \"", parameter_name,
                      "\" is given twice, under two names. It would be updated twice a step.");
    check<DTypeError>(is_float(parameter.dtype()), name_, ": parameter \"", parameter_name,
                      "\" must be f32 or f64, got ", parameter.dtype(), ".");
    slots_.push_back({parameter_name, parameter, {}, setup.weight_decay, {}, {}, 0});
  }
  apply(setup.groups, parameters);
  // Memory for what is remembered, and in the place of the gradients of a step before the first, so that the
  // first step meets the pool as every later one does: from the second on the system is asked for nothing.
  for (Slot& slot : slots_) {
    const Tensor& w = slot.parameter;
    if (!w.requires_grad()) continue;
    for (std::size_t i = 0; i < tensor_names_.size(); ++i)
      slot.tensors.push_back(Tensor::empty(w.shape(), w.dtype()));
    first_gradients_.push_back(Tensor::empty(w.shape(), w.dtype()));
  }
}

void Optimizer::apply(const std::vector<ParameterGroup>& groups, const NamedTensors& parameters) {
  NamedTensors frozen;
  for (const ParameterGroup& group : groups) {
    const NamedTensors matched = matching(name_.c_str(), group.pattern, parameters);
    if (group.lr) check_option(name_, "lr of a group", *group.lr, 0.0, kInfinity);
    if (group.weight_decay)
      check_option(name_, "weight_decay of a group", *group.weight_decay, 0.0, kInfinity);
    if (group.frozen) frozen.insert(frozen.end(), matched.begin(), matched.end());
    for (Slot& slot : slots_) {
      if (!matches(group.pattern, slot.name)) continue;
      if (group.lr) slot.lr = group.lr;
      slot.weight_decay = group.weight_decay.value_or(slot.weight_decay);
    }
  }
  for (NamedTensor& named : frozen) {  // nothing is wrong with any group
    named.second.set_requires_grad(false);
    named.second.set_grad({});
  }
}

void Optimizer::set_lr(double lr) {
  check_option(name_, "lr", lr, 0.0, kInfinity);
  lr_ = lr;
}

void Optimizer::set_lr_factor(double factor) {
  check_option(name_, "lr_factor", factor, 0.0, kInfinity);
  lr_factor_ = factor;
}

void Optimizer::check_fit(const Slot& slot) const {
  const Tensor& w = slot.parameter;
  LINNET_ASSERT(w.grad().shape() == w.shape() && w.grad().dtype() == w.dtype());  // set_grad sees to it
  if (slot.steps == 0) return;
  for (const Tensor& memory : slot.tensors)
    check<ShapeError>(memory.shape() == w.shape() && memory.dtype() == w.dtype(), name_, ": \"", slot.name,
                      "\" has changed since its last update: it was ", memory.dtype(), " ", memory.shape(),
                      ", now it is ", w.dtype(), " ", w.shape(),
                      ". Make a new optimizer after changing a model.");
}

/// Before the first update nothing is remembered.
void Optimizer::prepare(Slot& slot) const {
  if (slot.steps > 0) return;
  const Tensor& w = slot.parameter;
  slot.tensors.resize(tensor_names_.size());
  for (Tensor& memory : slot.tensors) {
    if (memory.defined() && memory.shape() == w.shape() && memory.dtype() == w.dtype())
      memory.fill_(0.0);
    else
      memory = Tensor::zeros(w.shape(), w.dtype());
  }
  slot.products.assign(product_names_.size(), 1.0);
}

void Optimizer::step() {
  const profile::Scope scope("optimizer step");
  first_gradients_.clear();
  for (const Slot& slot : slots_)
    if (slot.parameter.grad().defined()) check_fit(slot);
  for (Slot& slot : slots_)
    if (slot.parameter.grad().defined()) prepare(slot);
  const auto advance = [this](Slot& slot) {
    const Tensor gradient = slot.parameter.grad();
    if (!gradient.defined()) return;
    update(slot, gradient);
    if (const Constraint* kept = constraint(slot.parameter)) constrain(*kept, slot.parameter);
    ++slot.steps;
  };
  // Parameters of one tile share a loop over all of them; each of the others has its own.
  const auto is_small = [](const Slot& slot) { return slot.parameter.size() <= kernels::kTileElements; };
  std::int64_t small = 0;
  for (Slot& slot : slots_)
    if (is_small(slot))
      small += slot.parameter.size();
    else
      advance(slot);
  parallel_for(static_cast<std::int64_t>(slots_.size()), small * kUpdateCost, [&](std::int64_t i) {
    Slot& slot = slots_[static_cast<std::size_t>(i)];
    if (is_small(slot)) advance(slot);
  });
  ++steps_;
}

void Optimizer::zero_grad() {
  const profile::Scope scope("zero_grad");
  first_gradients_.clear();
  for (Slot& slot : slots_) slot.parameter.set_grad({});
}

State Optimizer::state() const {
  State state{{"optimizer", name_}, {"lr", lr_}, {"steps", steps_}};
  if (lr_factor_ != 1.0) state.set("lr_factor", lr_factor_);
  for (const Slot& slot : slots_) {
    state.set(slot.name + "/steps", slot.steps);
    if (slot.steps == 0) continue;
    for (std::size_t i = 0; i < slot.tensors.size(); ++i)
      state.set(slot.name + "/" + tensor_names_[i], slot.tensors[i].detach());
    for (std::size_t i = 0; i < slot.products.size(); ++i)
      state.set(slot.name + "/" + product_names_[i], slot.products[i]);
  }
  return state;
}

/// Takes entries out of a state, noting which were asked for and what was wrong with them.
class Optimizer::Reader {
 public:
  explicit Reader(const State& state) : state_(state) {}

  const StateValue* find(const std::string& key, const char* kind) {
    asked_.insert(key);
    const StateValue* value = state_.find(key);
    if (value && value->kind() == std::string_view(kind)) return value;
    complain(key, value ? concat({"expected ", kind, ", got ", value->kind()}) : "missing");
    return nullptr;
  }

  std::int64_t count(const std::string& key) {
    const StateValue* value = find(key, "integer");
    if (!value) return 0;
    if (value->integer() < 0) complain(key, concat({"expected at least 0, got ", value->integer()}));
    return value->integer();
  }

  Tensor tensor(const std::string& key, const Tensor& like) {
    const StateValue* value = find(key, "tensor");
    if (!value) return {};
    const Tensor& tensor = value->tensor();
    if (tensor.shape() != like.shape() || tensor.dtype() != like.dtype())
      complain(key, concat({"expected ", like.dtype(), " ", like.shape(), ", got ", tensor.dtype(), " ",
                            tensor.shape()}));
    return tensor.clone();
  }

  void finish(const std::string& optimizer) {
    for (const State::Entry& entry : state_)
      if (!asked_.count(entry.first)) complain(entry.first, "unexpected");
    check<StateError>(wrong_.empty(), optimizer, ": the state does not fit these parameters:", wrong_);
  }

 private:
  void complain(const std::string& key, const std::string& what) { wrong_ += "\n  " + key + ": " + what; }

  const State& state_;
  std::unordered_set<std::string> asked_{"optimizer"};
  std::string wrong_;
};

void Optimizer::load(const State& state) {
  const std::string& saved_by = state["optimizer"].text();
  check<StateError>(saved_by == name_, name_, ": cannot load the state of ", saved_by,
                    ". Make the optimizer that the state was saved from.");
  Reader reader(state);
  const StateValue* lr = reader.find("lr", "real");
  const std::int64_t steps = reader.count("steps");
  const StateValue* factor = state.has("lr_factor") ? reader.find("lr_factor", "real") : nullptr;
  std::vector<Slot> loaded;
  for (const Slot& slot : slots_) {
    Slot& own = loaded.emplace_back(Slot{
        slot.name, slot.parameter, slot.lr, slot.weight_decay, {}, {}, reader.count(slot.name + "/steps")});
    if (own.steps == 0) continue;
    for (const std::string& part : tensor_names_)
      own.tensors.push_back(reader.tensor(slot.name + "/" + part, slot.parameter));
    for (const std::string& part : product_names_) {
      const StateValue* value = reader.find(slot.name + "/" + part, "real");
      own.products.push_back(value ? value->real() : 1.0);
    }
  }
  reader.finish(name_);

  const double before = lr_;
  set_lr(lr->real());
  try {
    set_lr_factor(factor ? factor->real() : 1.0);
  } catch (...) {
    lr_ = before;
    throw;
  }
  steps_ = steps;
  slots_ = std::move(loaded);
}

}  // namespace linnet::optim
