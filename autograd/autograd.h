// SPDX-License-Identifier: Apache-2.0
#pragma once
// Reverse-mode differentiation: backward(), NoGrad, and what a rule sees.

#include <span>

#include "linnet/core/tensor.h"

namespace linnet {

namespace tape {
class Node;
}

struct BackwardOptions {
  Tensor gradient = {};    ///< dL/dloss, in its shape; needed when loss has more than one element
  bool keep_tape = false;  ///< leave the tape in place for another backward
};

/// Adds dloss/dleaf to grad() of every leaf with requires_grad that loss depends on. Nodes are visited in
/// the reverse of the order in which they were recorded and released as soon as they are used; nothing
/// recurses, so a tape may be any number of steps long. All gradients appear at the end: when an
/// exception leaves backward, none has changed.
/// AutogradError when loss was not computed from such a leaf, or when its tape was used before.
void backward(const Tensor& loss, const BackwardOptions& options = {});

/// While one lives on this thread, ops are not taped: nothing is kept for backward.
class NoGrad {
 public:
  NoGrad();
  ~NoGrad();
  NoGrad(const NoGrad&) = delete;
  NoGrad& operator=(const NoGrad&) = delete;

 private:
  bool before_;
};
bool grad_enabled();

/// What a rule is given: which inputs want a gradient, and where to put it.
class Grads {
 public:
  bool wanted(int input) const;  ///< false too for an input that was not given (an absent bias)
  /// `gradient` may still have the shape of the result where the input was broadcast. Adding twice adds up.
  void add(int input, Tensor gradient);
  /// The rule will not run again: what it keeps for itself may be overwritten.
  bool last_use() const;

 private:
  friend struct Engine;
  explicit Grads(tape::Node& node, struct Engine& engine) : node_(node), engine_(engine) {}
  tape::Node& node_;
  struct Engine& engine_;
};

}  // namespace linnet
