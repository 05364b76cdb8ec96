// SPDX-License-Identifier: Apache-2.0
#pragma once
// The hook through which graph::trace watches a module run. Recording is independent of requires_grad and
// of NoGrad: while a recorder is installed on a thread, every public op reports itself.

#include <functional>
#include <span>
#include <string_view>

#include "linnet/core/op.h"
#include "linnet/core/state.h"
#include "linnet/core/tensor.h"

namespace linnet {

class Recorder {
 public:
  virtual ~Recorder() = default;
  /// y = op(inputs; attributes). `custom` is the name of a user's op. Called before the op returns.
  virtual void on_op(Op op, std::string_view custom, const Tensor& y, std::span<const Tensor> inputs,
                     const State& attributes) = 0;
};

/// Installs a recorder on this thread while it lives.
class Recording {
 public:
  explicit Recording(Recorder& recorder);
  ~Recording();
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

 private:
  Recorder* before_;
};

/// What an op needs to run again: the way back from a recorded node to its function.
struct OpCall {
  std::span<const Tensor> inputs;
  const State& attributes;
  bool training = false;
};
/// Runs a recorded op. GraphError for Op::custom, StateError when an attribute is missing.
Tensor apply_op(Op op, const OpCall& call);

/// Attributes that are lists of integers are kept as i64 tensors.
Tensor integers(std::span<const std::int64_t> values);
std::span<const std::int64_t> integers(const State& attributes, std::string_view name);

}  // namespace linnet
