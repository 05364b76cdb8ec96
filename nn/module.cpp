// SPDX-License-Identifier: Apache-2.0
#include "linnet/nn/module.h"

#include <algorithm>
#include <functional>
#include <unordered_set>

#include "linnet/autograd/ops.h"
#include "linnet/core/constraint.h"
#include "linnet/core/name_pattern.h"
#include "linnet/core/profile_impl.h"
#include "linnet/nn/norm.h"

namespace linnet::nn {

/// Visits a tree of modules in member order and tells every module on the way where it is.
class Walk final : public Members {
 public:
  std::function<void(const std::string& name, Module& module, int depth)> on_module;
  std::function<void(const std::string&name, Tensor&tensor)> on_parameter, on_buffer;

  /// Const walks only read what members() names, which a module cannot know: hence the cast.
  void over(const Module& root) { visit(const_cast<Module&>(root)); }

  void parameter(const char* name, Tensor& tensor) override { report(on_parameter, name, tensor); }
  void buffer(const char* name, Tensor& tensor) override { report(on_buffer, name, tensor); }

  void child(const std::string& name, Module& module) override {
    const std::string full = claim(name);
    // Below a module that has been walked from further up, the longer path stays. Written only when it
    // changes, so that threads may walk the same labelled tree.
    const std::string path = here_->path_.empty() ? name : here_->path_ + "." + name;
    if (module.path_ != path) module.path_ = path;

    Module* above = here_;
    std::string outer = std::exchange(prefix_, full + ".");
    ++depth_;
    visit(module);
    --depth_;
    prefix_ = std::move(outer);
    here_ = above;
  }

  static void set_training(Module& module, bool on) { module.training_ = on; }
  /// Of the module that on_buffer is being called for.
  void freeze_buffer(const Tensor& buffer, bool on) { here_->freeze_buffer(buffer, on); }

 private:
  void visit(Module& module) {
    here_ = &module;
    if (on_module) on_module(prefix_.substr(0, prefix_.empty() ? 0 : prefix_.size() - 1), module, depth_);
    module.members(*this);
  }

  void report(const std::function<void(const std::string&, Tensor&)>& on, const char* name, Tensor& tensor) {
    if (!tensor.defined()) return;
    const std::string full = claim(name);
    if (on && tensors_.insert(tensor.impl()).second) on(full, tensor);
  }

  std::string claim(const std::string& name) {
    std::string full = prefix_ + name;
    check<ValueError>(names_.insert(full).second, "members: two members of ", here_->location(),
                      " have one name: \"", name, "\". Give each its own: it is the name in checkpoints.");
    return full;
  }

  Module* here_ = nullptr;
  std::string prefix_;
  int depth_ = 0;
  std::unordered_set<std::string> names_;
  std::unordered_set<const TensorImpl*> tensors_;
};

namespace {

/// Calls visit(name, tensor) for every parameter and buffer, in member order.
template <class Visit>
void for_each_tensor(const Module& module, Visit&& visit) {
  Walk walk;
  walk.on_parameter = walk.on_buffer = visit;
  walk.over(module);
}

NamedTensors tensors(const Module& module) {
  NamedTensors all;
  for_each_tensor(module, [&](const std::string& name, Tensor& tensor) { all.emplace_back(name, tensor); });
  return all;
}

}  // namespace

NamedTensors Module::parameters() const {
  NamedTensors found;
  Walk walk;
  walk.on_parameter = [&](const std::string& name, Tensor& tensor) { found.emplace_back(name, tensor); };
  walk.over(*this);
  return found;
}

NamedTensors Module::buffers() const {
  NamedTensors found;
  Walk walk;
  walk.on_buffer = [&](const std::string& name, Tensor& tensor) { found.emplace_back(name, tensor); };
  walk.over(*this);
  return found;
}

std::int64_t Module::parameter_count() const {
  std::int64_t count = 0;
  for (const NamedTensor& parameter : parameters()) count += parameter.second.size();
  return count;
}

State Module::state() const {
  State state;
  for (const auto& [name, tensor] : tensors(*this)) {
    state.set(name, tensor.detach());
    const Constraint* kept = constraint(tensor);
    if (kept && kept->mask.defined()) state.set(name + std::string(kMaskEntry), kept->mask);
    if (kept && kept->groups.defined()) state.set(name + std::string(kGroupsEntry), kept->groups);
  }
  return state;
}

namespace {

/// The constraint of a parameter in a state; StateError when it does not fit the parameter.
Constraint read_constraint(const State& state, const std::string& name, const Tensor& parameter) {
  const auto part = [&](std::string_view entry) {
    const StateValue* found = state.find(name + std::string(entry));
    if (!found) return Tensor();
    const Tensor& t = found->tensor();
    check<StateError>(t.dtype() == u8 && t.shape() == parameter.shape(), "load: ", name, entry,
                      ": expected u8 ", parameter.shape(), ", got ", t.dtype(), " ", t.shape(), ".");
    return t;
  };
  return {part(kMaskEntry), part(kGroupsEntry)};
}

}  // namespace

void Module::load(const State& state) {
  const NamedTensors all = tensors(*this);
  State contents;  // what belongs to no constraint of a parameter
  std::vector<Constraint> constraints;
  std::unordered_set<std::string> read;
  for (const auto& [name, tensor] : all) {
    if (!is_float(tensor.dtype())) continue;
    constraints.push_back(read_constraint(state, name, tensor));
    if (constraints.back().mask.defined()) read.insert(name + std::string(kMaskEntry));
    if (constraints.back().groups.defined()) read.insert(name + std::string(kGroupsEntry));
  }
  for (const auto& [name, value] : state)
    if (!read.count(name)) contents.set(name, value);
  load_tensors("load", all, contents);
  auto kept = constraints.begin();
  for (const auto& [name, tensor] : all)
    if (is_float(tensor.dtype())) set_constraint(tensor, *kept++);
}

void Module::train(bool on) {
  Walk walk;
  walk.on_module = [on](const std::string&, Module& module, int) { Walk::set_training(module, on); };
  walk.over(*this);
}

void Module::freeze(const std::string& pattern) { set_frozen("freeze", pattern, true); }
void Module::unfreeze(const std::string& pattern) { set_frozen("unfreeze", pattern, false); }

void Module::set_frozen(const char* function, const std::string& pattern, bool on) {
  matching(function, pattern, tensors(*this));  // before any change
  Walk walk;
  walk.on_parameter = [&](const std::string& name, Tensor& parameter) {
    if (!matches(pattern, name) || !is_float(parameter.dtype())) return;
    parameter.set_requires_grad(!on);
    if (on) parameter.set_grad({});
  };
  walk.on_buffer = [&](const std::string& name, Tensor& buffer) {
    if (matches(pattern, name)) walk.freeze_buffer(buffer, on);
  };
  walk.over(*this);
}

void freeze_batch_norm(Module& module, bool on) {
  Walk walk;
  walk.on_buffer = [&](const std::string&, Tensor& buffer) { walk.freeze_buffer(buffer, on); };
  walk.over(module);
}

void Module::zero_grad() {
  for (NamedTensor& parameter : parameters()) parameter.second.set_grad({});
}

void Module::to(DType dtype) {
  check<DTypeError>(is_float(dtype), "to: a module computes in f32 or f64, not in ", dtype,
                    ". Quantized models are made by compress.");
  for_each_tensor(*this, [dtype](const std::string&, Tensor& tensor) {
    if (is_float(tensor.dtype()) && tensor.dtype() != dtype) tensor.set_contents(tensor.to(dtype));
  });
}

std::string Module::str() const {
  std::string text;
  Walk walk;
  walk.on_module = [&](const std::string& name, Module& module, int depth) {
    const std::string last = name.substr(name.rfind('.') + 1);
    const std::int64_t count = module.parameter_count();
    text.append(2 * static_cast<std::size_t>(depth), ' ');
    text += (last.empty() ? "" : last + ": ") + module.describe();
    text += (count ? concat({" (", count, " parameters)\n"}) : "\n");
  };
  walk.over(*this);
  return text;
}

std::string Module::location() const { return path_.empty() ? describe() : path_ + " (" + describe() + ")"; }

Tensor Layer::forward_relu(const Tensor& x) { return relu(forward(x)); }

Tensor Layer::forward_behind(BatchNorm& norm, const Tensor& x) { return forward(norm.forward_relu(x)); }

namespace {

template <class Body>
Tensor located(const Layer& layer, Body body) {
  profile::LayerScope profiled;
  if (profile::on()) [[unlikely]]
    profiled.begin(layer.location());
  try {
    return body();
  } catch (Error& error) {
    error.set_module(layer.location());
    throw;
  }
}

}  // namespace

Tensor Layer::operator()(const Tensor& x) {
  return located(*this, [&] { return forward(x); });
}
Tensor Layer::with_relu(const Tensor& x) {
  return located(*this, [&] { return forward_relu(x); });
}
Tensor Layer::behind(BatchNorm& norm, const Tensor& x) {
  return located(*this, [&] { return forward_behind(norm, x); });
}

}  // namespace linnet::nn
