// SPDX-License-Identifier: Apache-2.0
#pragma once
// From a Graph to the ops of the runtime: what runtime/format.h calls TENS and OPS, as C++. Private to
// deploy.

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "linnet/deploy/bytes.h"
#include "linnet/graph/graph.h"
#include "linnet/runtime/reference.h"

namespace linnet::deploy {

/// An entry of QUANT: real = scale (q - zero).
struct Quant {
  int zero = 0;
  std::vector<float> scales;            ///< one, or of constants one a row
  std::vector<lnt_multiplier> factors;  ///< of weights of integer ops, as many; empty: 0 0
};

/// A tensor of the model file, at batch 1.
struct Slot {
  int kind = 0;                ///< LNT_CONST, LNT_IN, LNT_ACT, LNT_OUT or LNT_TMP
  int dtype = 0;               ///< LNT_F32, LNT_I8, LNT_I16 or LNT_I32
  int layout = 0;              ///< LNT_PLAIN or, of weights, LNT_BLOCKED
  Shape shape;                 ///< of at least one axis
  std::string name;            ///< of inputs and outputs
  Tensor contents;             ///< of constants: f32, or any whole numbers
  std::optional<Quant> quant;  ///< of i8 tensors, and of f32 constants that are rounded to integers
  Bytes packed;                ///< of constants: as DATA has them; empty: raw
  int first = 0;               ///< the step that writes it; 0 for inputs
  int last = -1;               ///< the last step that reads it
  int same_as = -1;            ///< lies on this earlier slot, which its step reads for the last time

  std::int64_t bytes() const;  ///< in memory
  /// In DATA.
  std::int64_t stored_bytes() const {
    return packed.empty() ? bytes() : static_cast<std::int64_t>(packed.size());
  }
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

/// The lowest minor of the format that has all it uses.
int minor_version(const Program& program);
/// It has ops on integers: what it gives depends on their rounding.
bool has_integer_ops(const Program& program);

/// What fake_quant rounds runs in integers where the runtime can (deploy/quantized_writer.h). Drops dropout
/// and reshapes that change nothing, and lets what works in place do so. Weights get `layout` (LNT_PLAIN or
/// LNT_BLOCKED) where the runtime's kernels read it. GraphError when the runtime cannot run the graph,
/// listing every op that it lacks.
Program lower(const graph::Graph& graph, const State& parameters, int layout);

}  // namespace linnet::deploy
