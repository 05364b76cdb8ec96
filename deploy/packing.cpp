// SPDX-License-Identifier: Apache-2.0
#include "linnet/deploy/packing.h"

#include <algorithm>
#include <bit>

#include "linnet/runtime/format.h"

namespace linnet::deploy {
namespace {

using Gaps = std::vector<std::uint32_t>;  ///< how many zeros stand before each number that is none

std::size_t bytes_for(std::size_t count, int bits) {
  return (count * static_cast<std::size_t>(bits) + 7) / 8;
}

/// Fewest bits that tell so many values apart, at least 1.
int index_bits(std::size_t values) { return std::max(1, static_cast<int>(std::bit_width(values - 1))); }

/// The values that occur, ascending; none when there are too many for a codebook.
std::vector<std::uint32_t> codebook_of(const Numbers& numbers, bool without_zero) {
  std::vector<std::uint32_t> values;
  if (numbers.bits == 4) return values;
  for (std::uint32_t pattern : numbers.patterns) {
    if (without_zero && pattern == 0) continue;
    const auto at = std::lower_bound(values.begin(), values.end(), pattern);
    if (at != values.end() && *at == pattern) continue;
    if (values.size() == LNT_MAX_VALUES) return {};
    values.insert(at, pattern);
  }
  return values;
}

Gaps gaps_of(const Numbers& numbers) {
  Gaps gaps;
  std::uint32_t zeros = 0;
  for (std::uint32_t pattern : numbers.patterns) {
    if (pattern == 0) {
      ++zeros;
    } else {
      gaps.push_back(zeros);
      zeros = 0;
    }
  }
  return gaps;
}

std::size_t map_bytes(int map, std::size_t numbers, const Gaps& gaps) {
  if (map == LNT_MAP_NONE) return 0;
  if (map == LNT_MAP_BITS) return bytes_for(numbers, 1);
  const std::uint32_t most = (1u << map) - 1;
  std::size_t symbols = gaps.size();
  for (std::uint32_t gap : gaps) symbols += gap / most;
  return bytes_for(symbols, map);
}

void write_gaps(BitWriter& out, int bits, const Gaps& gaps) {
  const std::uint32_t most = (1u << bits) - 1;
  for (std::uint32_t gap : gaps) {
    for (; gap >= most; gap -= most) out.put(most, bits);
    out.put(gap, bits);
  }
}

}  // namespace

void BitWriter::put(std::uint32_t value, int bits) {
  pending_ |= std::uint64_t{value} << held_;
  for (held_ += bits; held_ >= 8; held_ -= 8, pending_ >>= 8)
    bytes_.push_back(static_cast<std::uint8_t>(pending_));
}

Bytes BitWriter::finish() {
  if (held_ > 0) bytes_.push_back(static_cast<std::uint8_t>(pending_));
  pending_ = 0;
  held_ = 0;
  return std::move(bytes_);
}

/// A half has 10 bits behind the point and exponents from -14; below, steps of 2^-24.
std::optional<std::uint16_t> as_half(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  const std::uint32_t sign = bits >> 16 & 0x8000, exponent = bits >> 23 & 0xff, fraction = bits & 0x7fffff;
  if (exponent == 0 && fraction == 0) return static_cast<std::uint16_t>(sign);
  const int power = static_cast<int>(exponent) - 127;
  if (power > 15 || power < -24) return std::nullopt;
  const int lost = power >= -14 ? 13 : -1 - power;  // bits of the significand that a half does not have
  const std::uint32_t significand = fraction | 0x800000;
  if ((significand & ((std::uint32_t{1} << lost) - 1)) != 0) return std::nullopt;
  const std::uint32_t kept = significand >> lost;  // with the leading bit, which a normal half leaves out
  const std::uint32_t half = power >= -14 ? (static_cast<std::uint32_t>(power + 14) << 10) + kept : kept;
  return static_cast<std::uint16_t>(sign | half);
}

Packing smallest_packing(const Numbers& numbers, std::size_t least) {
  const std::size_t n = numbers.patterns.size();
  const Gaps gaps = gaps_of(numbers);
  Packing best;
  for (const bool sparse : {false, true}) {
    // Without enough zeros not even a bit for each number pays.
    if (sparse && (n - gaps.size()) * static_cast<std::size_t>(numbers.bits) < n) break;
    const std::vector<std::uint32_t> values = codebook_of(numbers, sparse);
    for (const bool coded : {false, true}) {
      if (coded && values.empty()) break;
      Packing packing;
      packing.stored = sparse ? gaps.size() : n;
      if (coded) packing.codebook = values;
      const std::size_t packed = bytes_for(packing.codebook.size(), numbers.bits) +
                                 bytes_for(packing.stored, coded ? index_bits(values.size()) : numbers.bits);
      const auto offer = [&](int map) {
        packing.map = map;
        packing.bytes = packed + map_bytes(map, n, gaps);
        const bool first = best.bytes == 0;
        if (packing.bytes >= least && (first || packing.bytes < best.bytes)) best = packing;
      };
      offer(sparse ? LNT_MAP_BITS : LNT_MAP_NONE);
      for (int bits = 1; sparse && bits <= LNT_MAP_MAX_GAP_BITS; ++bits) offer(bits);
    }
  }
  return best;
}

Bytes pack(const Packing& packing, const Numbers& numbers) {
  const bool coded = !packing.codebook.empty(), sparse = packing.map != LNT_MAP_NONE;
  Bytes out;
  for (std::uint32_t value : packing.codebook) put(out, value, numbers.bits / 8);
  BitWriter stored, map;
  for (std::uint32_t pattern : numbers.patterns) {
    if (packing.map == LNT_MAP_BITS) map.put(pattern != 0, 1);
    if (sparse && pattern == 0) continue;
    const auto at = std::lower_bound(packing.codebook.begin(), packing.codebook.end(), pattern);
    if (coded)
      stored.put(static_cast<std::uint32_t>(at - packing.codebook.begin()),
                 index_bits(packing.codebook.size()));
    else
      stored.put(pattern, numbers.bits);
  }
  if (sparse && packing.map != LNT_MAP_BITS) write_gaps(map, packing.map, gaps_of(numbers));
  for (const Bytes& part : {stored.finish(), map.finish()}) out.insert(out.end(), part.begin(), part.end());
  return out;
}

}  // namespace linnet::deploy
