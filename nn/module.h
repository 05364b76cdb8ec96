// SPDX-License-Identifier: Apache-2.0
#pragma once
// Module: anything with parameters. A module names its members once, in members(); parameters, saving,
// loading, train/eval, printing and counting all follow from that.
//
//   struct Net : nn::Module {
//     nn::Dense fc1{784, 128}, fc2{128, 10};
//     void members(nn::Members& m) override { m.child("fc1", fc1); m.child("fc2", fc2); }
//     Tensor operator()(const Tensor& x) { return fc2(relu(fc1(x))); }
//   };
//
// Layer is a Module with one input and one output, so that Sequential can hold it.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "linnet/core/state.h"
#include "linnet/core/tensor.h"

namespace linnet::nn {

class Module;

/// What members() reports to. Names are those of checkpoints; order is the order of the calls.
class Members {
 public:
  virtual ~Members() = default;
  /// Trained by optimizers. Skipped while undefined (an absent bias).
  virtual void parameter(const char* name, Tensor& tensor) = 0;
  /// Saved but not trained.
  virtual void buffer(const char* name, Tensor& tensor) = 0;
  virtual void child(const std::string& name, Module& module) = 0;
};

/// Modules move but do not copy: a copy would silently share its weights with the original.
class Module {
 public:
  Module() = default;
  Module(Module&&) = default;
  Module& operator=(Module&&) = default;
  virtual ~Module() = default;
  virtual void members(Members&) {}
  /// One line for people: "Dense 784 -> 128".
  virtual std::string describe() const { return "Module"; }

  /// Full names ("fc1.weight") in member order. The tensors are handles: an optimizer that is given them
  /// trains this module. A tensor with two names (tied weights) is listed once, under the first. ValueError
  /// when two members of one module have the same name.
  NamedTensors parameters() const;
  NamedTensors buffers() const;
  std::int64_t parameter_count() const;

  /// Parameters and buffers by full name, in member order, each followed by its constraint if it has one
  /// ("fc1.weight/mask", core/constraint.h). Shares their contents: save it, or clone what is to be kept,
  /// before training on.
  State state() const;
  /// All or nothing; StateError prints the whole difference. Parameters without a constraint in the state
  /// have none afterwards.
  void load(const State& state);

  /// Training mode is what dropout and batch-norm ask for. Applies to all children.
  void train(bool on = true);
  void eval() { train(false); }
  bool training() const { return training_; }

  /// Parameters whose full names match (core/name_pattern.h: "backbone.*", "*.bias") are trained no more:
  /// they require no gradient, theirs is dropped, and backward ends above the lowest that is still trained.
  /// BatchNorm whose running_mean matches keeps its statistics and normalises by them in training mode too,
  /// so a part that is frozen whole goes on computing what it computed in eval mode; only its dropout still
  /// drops. (As in Keras; in PyTorch requires_grad = False leaves the statistics moving.) Not part of the
  /// state. ValueError, listing the names, when nothing matches.
  void freeze(const std::string& pattern = "*");
  /// The opposite, also for statistics that were frozen in another way.
  void unfreeze(const std::string& pattern = "*");

  /// Drops the gradients of all parameters.
  void zero_grad();
  /// Converts parameters and buffers between f32 and f64, in place and seen through every handle; gradients
  /// are dropped. Integer buffers stay. DTypeError for another type.
  void to(DType dtype);
  /// The tree, a line a module, with parameter counts.
  std::string str() const;

  /// "fc1 (Dense 784 -> 128)", for messages. The name is known once the tree has been walked from its root,
  /// by any of the functions above.
  std::string location() const;

 protected:
  /// What freeze() calls for each buffer that matches. BatchNorm stops moving it.
  virtual void freeze_buffer(const Tensor& /*buffer*/, bool /*on*/) {}

 private:
  friend class Walk;
  void set_frozen(const char* function, const std::string& pattern, bool on);
  bool training_ = true;
  std::string path_;
};

class BatchNorm;

class Layer : public Module {
 public:
  virtual Tensor forward(const Tensor& x) = 0;
  /// relu(forward(x)), bit for bit; in one pass where the layer has one. What Sequential calls for layers of
  /// this library that a ReLU follows.
  virtual Tensor forward_relu(const Tensor& x);
  /// forward(norm.forward_relu(x)), likewise.
  virtual Tensor forward_behind(BatchNorm& norm, const Tensor& x);
  /// forward(), with the place of this layer added to the text of an Error.
  Tensor operator()(const Tensor& x);
  /// forward_relu() and forward_behind(), likewise.
  Tensor with_relu(const Tensor& x);
  Tensor behind(BatchNorm& norm, const Tensor& x);
};

}  // namespace linnet::nn
