// SPDX-License-Identifier: Apache-2.0
#pragma once
// Numbers in fewer bits, without loss: a codebook when few values occur, a map when most are zero. What
// runtime/format_int8.h calls PACKED, behind its header. Private to deploy; deploy/encoding.h packs
// constants.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "linnet/deploy/bytes.h"

namespace linnet::deploy {

/// Groups of up to 32 bits one behind the other, the lowest bit first.
class BitWriter {
 public:
  void put(std::uint32_t value, int bits);
  /// Filled up with zero bits to a whole byte.
  Bytes finish();

 private:
  Bytes bytes_;
  std::uint64_t pending_ = 0;
  int held_ = 0;
};

/// The finite IEEE half that is equal to x; none when no half is.
std::optional<std::uint16_t> as_half(float x);

/// Numbers as bit patterns of `bits` bits, 4, 8, 16 or 32; pattern 0 is zero.
struct Numbers {
  std::vector<std::uint32_t> patterns;
  int bits = 32;
};

/// How numbers are stored.
struct Packing {
  int map = 0;                          ///< LNT_MAP_NONE, gaps of 1..8 bits, or LNT_MAP_BITS
  std::vector<std::uint32_t> codebook;  ///< ascending; empty: patterns are stored as they are
  std::size_t stored = 0;               ///< with a map, those that are not zero
  std::size_t bytes = 0;                ///< of codebook, numbers and map
};

/// The one that needs fewest bytes, but at least `least`; of equal ones the simplest.
Packing smallest_packing(const Numbers& numbers, std::size_t least = 0);
/// Codebook, numbers, map.
Bytes pack(const Packing& packing, const Numbers& numbers);

}  // namespace linnet::deploy
