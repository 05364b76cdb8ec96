// SPDX-License-Identifier: Apache-2.0
// Entries of QUANT and packed constants, as runtime/format_int8.h has them.
#include <iterator>
#include <set>

#include "model_builder.h"

namespace linnet::test {
namespace {

/// Bits behind each other, the lowest first.
class BitWriter {
 public:
  void put(std::uint32_t value, std::uint32_t bits) {
    for (std::uint32_t i = 0; i < bits; ++i, ++n_) {
      if (n_ % 8 == 0) bytes_.push_back(0);
      bytes_.back() |= static_cast<std::uint8_t>((value >> i & 1) << n_ % 8);
    }
  }
  void to(Bytes& all) const { all.insert(all.end(), bytes_.begin(), bytes_.end()); }

 private:
  Bytes bytes_;
  std::size_t n_ = 0;
};

void put_map(std::uint8_t map, const std::vector<std::uint32_t>& numbers, Bytes& to) {
  const std::uint32_t escape = (1u << map % 16) - 1;
  std::uint32_t gap = 0;
  BitWriter bits;
  for (std::uint32_t number : numbers) {
    if (map == LNT_MAP_BITS) bits.put(number != 0, 1);
    if (map == LNT_MAP_BITS || map == LNT_MAP_NONE) continue;
    ++gap;
    if (number == 0) continue;
    for (--gap; gap >= escape; gap -= escape) bits.put(escape, map);
    bits.put(gap, map);
    gap = 0;
  }
  bits.to(to);
}

}  // namespace

Bytes entry_of(const Quant& quant) {
  std::vector<std::uint32_t> entry{static_cast<std::uint32_t>(quant.zero),
                                   static_cast<std::uint32_t>(quant.scales.size())};
  for (float scale : quant.scales) entry.push_back(bits_of(scale));
  for (std::size_t i = 0; i < quant.scales.size(); ++i)
    for (std::size_t k = 0; k < 2; ++k)
      entry.push_back(quant.factors.empty() ? 0u : static_cast<std::uint32_t>(quant.factors.at(i)[k]));
  return words(entry);
}

Bytes pack(const Packing& packing, const std::vector<std::uint32_t>& numbers, std::uint32_t width) {
  std::vector<std::uint32_t> stored;
  for (std::uint32_t number : numbers)
    if (packing.map == LNT_MAP_NONE || number != 0) stored.push_back(number);
  const std::set<std::uint32_t> values(stored.begin(), stored.end());
  std::uint32_t place_bits = 1;
  while (1u << place_bits < values.size()) ++place_bits;
  Bytes bytes(LNT_PACKED_BYTES);
  bytes[LNT_AT_NUMBER] = packing.number;
  bytes[LNT_AT_MAP] = packing.map;
  put16(bytes, LNT_AT_N_VALUES, static_cast<std::uint16_t>(packing.codebook ? values.size() : 0));
  put32(bytes, LNT_AT_N_STORED, static_cast<std::uint32_t>(stored.size()));
  BitWriter codebook, places;
  if (packing.codebook)
    for (std::uint32_t value : values) codebook.put(value, width);
  for (std::uint32_t number : stored) {
    if (packing.codebook)
      places.put(static_cast<std::uint32_t>(std::distance(values.begin(), values.find(number))), place_bits);
    else
      places.put(number, width);
  }
  codebook.to(bytes);
  places.to(bytes);
  put_map(packing.map, numbers, bytes);
  return bytes;
}

}  // namespace linnet::test
