// SPDX-License-Identifier: Apache-2.0
#pragma once
// From a Graph to the ops of the runtime: what runtime/format.h calls TENS and OPS, as C++. Private to
// deploy.

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "linnet/graph/graph.h"

namespace linnet::deploy {

/// A tensor of the model file, at batch 1.
struct Slot {
  int kind = 0;      ///< LNT_CONST, LNT_IN, LNT_ACT, LNT_OUT or LNT_TMP
  int dtype = 0;     ///< LNT_F32 or LNT_I32
  int layout = 0;    ///< LNT_PLAIN or, of weights, LNT_BLOCKED
  Shape shape;       ///< of at least one axis
  std::string name;  ///< of inputs and outputs
  Tensor contents;   ///< of constants: f32, or any whole numbers
  int first = 0;     ///< the step that writes it; 0 for inputs
  int last = -1;     ///< the last step that reads it
  int same_as = -1;  ///< lies on this earlier slot, which its step reads for the last time

  std::int64_t bytes() const;
};

struct Step {
  std::uint16_t opcode = 0;
  std::vector<int> reads;
  int writes = -1;
  int scratch = -1;  ///< a slot LNT_TMP, for ops that need one
  std::vector<std::uint32_t> params;
};

/// Slots are in the order of the file: constants as they are first read, inputs, what the steps write.
struct Program {
  std::vector<Slot> slots;
  std::vector<Step> steps;
  std::set<std::string> ops;  ///< names of the ops, also of fused ones
};

/// Drops dropout and reshapes that change nothing, and lets what works in place do so. Weights get `layout`
/// (LNT_PLAIN or LNT_BLOCKED) where the runtime's kernels read it. GraphError when the runtime cannot run the
/// graph, listing every op that it lacks.
Program lower(const graph::Graph& graph, const State& parameters, int layout);

}  // namespace linnet::deploy
