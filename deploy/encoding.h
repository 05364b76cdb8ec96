// SPDX-License-Identifier: Apache-2.0
#pragma once
// Constants in fewer bytes than they have in memory: the smallest form of runtime/format_int8.h that gives
// the same numbers again. Private to deploy.

#include <map>
#include <string>

#include "linnet/deploy/lower.h"

namespace linnet::deploy {

struct Encodings {
  std::int64_t raw_bytes = 0;             ///< of all constants
  std::int64_t stored_bytes = 0;          ///< with the entries that integers need in QUANT
  std::map<std::string, int> forms = {};  ///< "f32", "i8 codebook gaps": how many constants
};

/// Packs each constant of f32 (as itself, halves, or the integers of its `quant`) or i8 where that saves an
/// eighth and at least 64 bytes, since on the board it is unpacked into memory; vectors of f32 (biases,
/// statistics) stay as they are, with `compact` false all do. An
/// f32 constant whose integers are not stored loses its `quant`. -0 is written as 0.
Encodings encode_constants(Program& program, bool compact);

/// "f32", "i8 codebook gaps": how a constant is stored.
std::string form_of(const Slot& slot);
std::int64_t entry_bytes(const Quant& quant);  ///< in QUANT

}  // namespace linnet::deploy
