// SPDX-License-Identifier: Apache-2.0
#include "linnet/deploy/encoding.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <optional>

#include "linnet/deploy/packing.h"
#include "linnet/runtime/format.h"

namespace linnet::deploy {
namespace {

constexpr std::int64_t kLeastSaving = 64;  // bytes

/// A way to store all elements of a constant.
struct Candidate {
  int number = LNT_NUMBER_ELEMENT;
  Numbers numbers;
  Packing packing;
  std::int64_t bytes = 0;  ///< with header and entry of QUANT
};

Numbers elements(const Slot& slot) {
  Numbers numbers;
  if (slot.dtype == LNT_I8) {
    numbers.bits = 8;
    for (std::int8_t q : slot.contents.data<std::int8_t>())
      numbers.patterns.push_back(static_cast<std::uint8_t>(q));
  } else {
    for (float x : slot.contents.data<float>())
      numbers.patterns.push_back(x == 0.0f ? 0 : std::bit_cast<std::uint32_t>(x));
  }
  return numbers;
}

std::optional<Numbers> halves(std::span<const float> values) {
  Numbers numbers;
  numbers.bits = 16;
  for (float x : values) {
    const std::optional<std::uint16_t> half = as_half(x == 0.0f ? 0.0f : x);
    if (!half) return std::nullopt;
    numbers.patterns.push_back(*half);
  }
  return numbers;
}

/// The integers q with scale q equal to the element, if all are within -limit..limit.
std::optional<Numbers> integers_of(const Slot& slot, int bits) {
  if (!slot.quant) return std::nullopt;
  const auto values = slot.contents.data<float>();
  const std::vector<float>& scales = slot.quant->scales;
  const std::size_t row = values.size() / scales.size();
  const float limit = static_cast<float>((1 << (bits - 1)) - 1);
  Numbers numbers;
  numbers.bits = bits;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const float scale = scales[i / row], q = std::nearbyint(values[i] / scale);
    if (!(std::fabs(q) <= limit) || scale * q != values[i]) return std::nullopt;
    numbers.patterns.push_back(static_cast<std::uint32_t>(static_cast<int>(q)) & ((1u << bits) - 1));
  }
  return numbers;
}

/// Fewest bytes that the runtime unpacks to so many.
std::size_t least_packed(const Slot& slot) {
  const auto bytes = static_cast<std::size_t>(slot.bytes());
  const std::size_t all = (bytes + LNT_MAX_UNPACKED - 1) / LNT_MAX_UNPACKED;
  return all > LNT_PACKED_BYTES ? all - LNT_PACKED_BYTES : 0;
}

/// The smallest of the forms that a constant can have.
Candidate best_of(const Slot& slot) {
  std::optional<Candidate> best;
  const std::size_t least = least_packed(slot);
  const auto offer = [&](int number, std::optional<Numbers> numbers, std::int64_t entry) {
    if (!numbers) return;
    Candidate candidate{number, std::move(*numbers), {}, 0};
    candidate.packing = smallest_packing(candidate.numbers, least);
    candidate.bytes = LNT_PACKED_BYTES + static_cast<std::int64_t>(candidate.packing.bytes) + entry;
    if (!best || candidate.bytes < best->bytes) best = std::move(candidate);
  };
  if (slot.dtype == LNT_I8) {
    offer(LNT_NUMBER_ELEMENT, elements(slot), 0);
  } else {
    offer(LNT_NUMBER_ELEMENT, elements(slot), 0);
    offer(LNT_NUMBER_F16, halves(slot.contents.data<float>()), 0);
    offer(LNT_NUMBER_I8, integers_of(slot, 8), slot.quant ? entry_bytes(*slot.quant) : 0);
    offer(LNT_NUMBER_I4, integers_of(slot, 4), slot.quant ? entry_bytes(*slot.quant) : 0);
  }
  return std::move(*best);
}

/// With its place in memory left open.
Bytes packed_bytes(const Candidate& form) {
  Bytes out;
  put(out, static_cast<std::uint64_t>(form.number), 1);
  put(out, static_cast<std::uint64_t>(form.packing.map), 1);
  put(out, form.packing.codebook.size(), 2);
  put(out, form.packing.stored, 4);
  put(out, 0, 8);
  const Bytes numbers = pack(form.packing, form.numbers);
  out.insert(out.end(), numbers.begin(), numbers.end());
  return out;
}

bool can_be_packed(const Slot& slot) {
  return slot.dtype == LNT_F32 ? slot.shape.rank() >= 2 : slot.dtype == LNT_I8 && slot.quant.has_value();
}

void pack_constant(Slot& slot) {
  const Candidate form = best_of(slot);
  const bool plain =
      form.number == LNT_NUMBER_ELEMENT && form.packing.map == LNT_MAP_NONE && form.packing.codebook.empty();
  const std::int64_t saved = slot.bytes() - form.bytes;
  if (plain || saved < kLeastSaving || 8 * saved < slot.bytes()) return;
  slot.packed = packed_bytes(form);
}

bool stores_integers(const Slot& slot) {
  return !slot.packed.empty() && (slot.packed[0] == LNT_NUMBER_I8 || slot.packed[0] == LNT_NUMBER_I4);
}

}  // namespace

std::int64_t entry_bytes(const Quant& quant) {
  constexpr std::int64_t each = 4 + LNT_FACTOR_BYTES;
  return LNT_AT_QUANT_SCALES + each * static_cast<std::int64_t>(quant.scales.size());
}

std::string form_of(const Slot& slot) {
  static constexpr const char* kNumbers[] = {"", "f16", "i8", "i4"};
  const char* element = slot.dtype == LNT_I8    ? "i8"
                        : slot.dtype == LNT_I16 ? "i16"
                        : slot.dtype == LNT_I32 ? "i32"
                                                : "f32";
  if (slot.packed.empty()) return element;
  const int number = slot.packed[LNT_AT_NUMBER], map = slot.packed[LNT_AT_MAP];
  std::string form = number == LNT_NUMBER_ELEMENT ? element : kNumbers[number];
  if (slot.packed[LNT_AT_N_VALUES] != 0 || slot.packed[LNT_AT_N_VALUES + 1] != 0) form += " codebook";
  if (map != LNT_MAP_NONE) form += map == LNT_MAP_BITS ? " bitmap" : " gaps";
  return form;
}

Encodings encode_constants(Program& program, bool compact) {
  Encodings all;
  for (Slot& slot : program.slots) {
    if (slot.kind != LNT_CONST) continue;
    if (compact && can_be_packed(slot)) pack_constant(slot);
    if (slot.dtype == LNT_F32 && !stores_integers(slot)) slot.quant.reset();
    all.raw_bytes += slot.bytes();
    all.stored_bytes += slot.stored_bytes() + (slot.quant ? entry_bytes(*slot.quant) : 0);
    ++all.forms[form_of(slot)];
  }
  return all;
}

}  // namespace linnet::deploy
