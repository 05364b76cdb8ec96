// SPDX-License-Identifier: Apache-2.0
// Packed constants are what they were packed from, in every way to pack them.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <random>

#include "fuzz/use_model.h"
#include "malformed.h"

namespace linnet::test {
namespace {

using Numbers = std::vector<std::uint32_t>;

float float_of(std::uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, 4);
  return value;
}

/// A finite half by its definition.
float half_value(std::uint32_t half) {
  const int exponent = static_cast<int>(half >> 10 & 31), part = static_cast<int>(half & 1023);
  const float magnitude = exponent == 0 ? std::ldexp(static_cast<float>(part), -24)
                                        : std::ldexp(static_cast<float>(1024 + part), exponent - 25);
  return (half & 0x8000u) != 0 ? -magnitude : magnitude;
}

std::uint32_t width_of(std::uint8_t number) {
  return number == LNT_NUMBER_F16 ? 16u : number == LNT_NUMBER_I8 ? 8u : number == LNT_NUMBER_I4 ? 4u : 32u;
}

/// `n` numbers, most of them 0, of `kinds` values.
Numbers random_numbers(std::uint8_t number, std::size_t n, std::uint32_t kinds, int percent,
                       std::mt19937& random) {
  Numbers values;
  while (values.size() < kinds) {
    const std::uint32_t bits = static_cast<std::uint32_t>(random());
    if (number == LNT_NUMBER_F16 && (bits & 0x7C00u) == 0x7C00u) continue;
    const std::uint32_t lowest = number == LNT_NUMBER_I4 ? 8 : number == LNT_NUMBER_I8 ? 128 : 0;
    const std::uint32_t kept = number == LNT_NUMBER_ELEMENT ? bits : bits & ((1u << width_of(number)) - 1);
    if (kept != lowest && kept != 0) values.push_back(kept);
  }
  Numbers numbers(n);
  for (std::uint32_t& each : numbers)
    if (static_cast<int>(random() % 100) < percent) each = values[random() % kinds];
  return numbers;
}

std::uint32_t unpacked(std::uint8_t number, std::uint32_t bits, float scale) {
  if (number == LNT_NUMBER_F16) return bits_of(half_value(bits));
  if (number == LNT_NUMBER_I8) return bits_of(scale * static_cast<float>(static_cast<std::int8_t>(bits)));
  if (number == LNT_NUMBER_I4) {
    const int q = static_cast<int>(bits);
    return bits_of(scale * static_cast<float>(q < 8 ? q : q - 16));
  }
  return bits;
}

/// The outputs of a file whose inputs are 1, in an arena of exactly its size.
Bytes outputs(const Bytes& file, std::uint32_t port) {
  lnt_info info;
  lnt_model model;
  lnt_view view;
  REQUIRE(lnt_check(file.data(), file.size(), nullptr, &info) == LNT_OK);
  const auto arena = exact_memory(info.arena_bytes);
  std::memset(arena.get(), 0xAB, info.arena_bytes);
  REQUIRE(lnt_bind(&model, &info, arena.get(), info.arena_bytes) == LNT_OK);
  REQUIRE(lnt_input(&model, 0, &view) == LNT_OK);
  for (std::size_t i = 0; i < view.bytes / 4; ++i) static_cast<float*>(view.data)[i] = 1.0f;
  for (int run = 0; run < 2; ++run) REQUIRE(lnt_run(&model) == LNT_OK);
  REQUIRE(lnt_output(&model, port, &view) == LNT_OK);
  const auto* data = static_cast<const std::uint8_t*>(view.data);
  return Bytes(data, data + view.bytes);
}

/// The constant as it is after lnt_bind: through a reshape.
Numbers bound(const Packing& packing, const Numbers& numbers, const std::vector<float>& scales) {
  const auto rows = static_cast<std::uint32_t>(scales.size()), n = static_cast<std::uint32_t>(numbers.size());
  ModelBuilder m;
  m.output(m.op(LNT_RELU, {m.input({2})}, {2}));
  const auto constant = m.packed({rows, n / rows}, pack(packing, numbers, width_of(packing.number)));
  if (packing.number >= LNT_NUMBER_I8) m.entry(constant, {0, scales});
  m.output(m.op(LNT_RESHAPE, {constant}, {n}));
  const Bytes bytes = outputs(m.file().bytes(), 1);
  Numbers result(n);
  std::memcpy(result.data(), bytes.data(), bytes.size());
  return result;
}

void check_packing(const Packing& packing, std::uint32_t rows, std::uint32_t columns, int percent,
                   std::mt19937& random) {
  CAPTURE(int{packing.number});
  CAPTURE(int{packing.map});
  CAPTURE(packing.codebook);
  CAPTURE(percent);
  const std::uint32_t kinds =
      1 + static_cast<std::uint32_t>(random()) % (packing.number == LNT_NUMBER_I4 ? 14u : 40u);
  const Numbers numbers = random_numbers(packing.number, std::size_t{rows} * columns, kinds, percent, random);
  std::vector<float> scales(rows);
  for (std::uint32_t r = 0; r < rows; ++r) scales[r] = 0.25f + 0.125f * static_cast<float>(r);
  Numbers wanted;
  for (std::size_t i = 0; i < numbers.size(); ++i)
    wanted.push_back(unpacked(packing.number, numbers[i], scales[i / columns]));
  CHECK(bound(packing, numbers, scales) == wanted);
}

}  // namespace

TEST_CASE("a packed constant has the bits it was packed from: every number, map and codebook") {
  std::mt19937 random(3);
  for (std::uint8_t number : {LNT_NUMBER_ELEMENT, LNT_NUMBER_F16, LNT_NUMBER_I8, LNT_NUMBER_I4})
    for (int map : {0, 1, 2, 3, 4, 5, 6, 7, 8, 255})
      for (bool codebook : {false, true})
        for (int percent : {100, 60, 10, 1}) {
          const bool raw = number == LNT_NUMBER_ELEMENT && map == LNT_MAP_NONE && !codebook;
          if (raw || (codebook && number == LNT_NUMBER_I4) || (map != LNT_MAP_NONE && percent == 100))
            continue;
          check_packing({number, static_cast<std::uint8_t>(map), codebook}, 3, 37, percent, random);
          check_packing({number, static_cast<std::uint8_t>(map), codebook}, 1, 300, percent, random);
        }
}

TEST_CASE("codebooks of 1 to 256 values have places of as many bits as are needed") {
  for (std::uint32_t n : {1u, 2u, 3u, 4u, 5u, 16u, 17u, 255u, 256u}) {
    CAPTURE(n);
    Numbers numbers;
    for (std::uint32_t i = 0; i < 300; ++i) numbers.push_back(bits_of(static_cast<float>(i * 7 % n)));
    CHECK(bound({LNT_NUMBER_ELEMENT, LNT_MAP_NONE, true}, numbers, {1.0f}) == numbers);
  }
}

TEST_CASE("every finite half is the number that it stands for") {
  Numbers halves, wanted;
  for (std::uint32_t half = 0; half < 0x10000; ++half) {
    if ((half & 0x7C00u) == 0x7C00u) continue;
    halves.push_back(half);
    wanted.push_back(bits_of(half_value(half)));
  }
  CHECK(bound({LNT_NUMBER_F16}, halves, {1.0f}) == wanted);
}

TEST_CASE("a packed weight in blocks of rows computes the same bits as a raw one") {
  std::mt19937 random(5);
  for (std::uint32_t rows : {3u, 16u, 35u}) {
    const Numbers numbers = random_numbers(LNT_NUMBER_ELEMENT, rows * 9, 5, 50, random);
    std::vector<float> values;
    for (std::uint32_t bits : numbers)
      values.push_back(std::isfinite(float_of(bits)) ? float_of(bits) : 0.0f);
    Numbers finite;
    for (float value : values) finite.push_back(bits_of(value));
    ModelBuilder raw, small;
    raw.output(raw.op(LNT_DENSE, {raw.input({2, 9}), raw.blocked({rows, 9}, values)}, {2, rows}));
    const auto x = small.input({2, 9});
    const auto weight = small.packed({rows, 9}, pack({LNT_NUMBER_ELEMENT, 2, true}, finite, 32));
    small.in_blocks(weight);
    small.output(small.op(LNT_DENSE, {x, weight}, {2, rows}));
    CHECK(outputs(raw.file().bytes(), 0) == outputs(small.file().bytes(), 0));
  }
}

TEST_CASE("unpacked constants lie behind the plan's part of the arena, each at a multiple of 64") {
  ModelBuilder m;
  const auto x = m.input({1, 5});
  const auto a =
      m.packed({3, 5}, pack({LNT_NUMBER_ELEMENT, LNT_MAP_BITS, false}, Numbers(15, bits_of(2.0f)), 32));
  const auto b = m.packed({2, 3}, pack({LNT_NUMBER_F16}, Numbers(6, 0x3C00), 16));
  m.output(m.op(LNT_DENSE, {m.op(LNT_DENSE, {x, a}, {1, 3}), b}, {1, 2}));
  const Bytes file = m.file().bytes();
  lnt_info info;
  REQUIRE(lnt_check(file.data(), file.size(), nullptr, &info) == LNT_OK);
  CHECK(info.unpacked_at == 64);            // of 32 + 16 + 16 planned bytes
  CHECK(info.arena_bytes == 64 + 64 + 32);  // 60 bytes, then 24
  lnt_limits limits = LNT_DEFAULT_LIMITS;
  limits.arena_bytes = info.arena_bytes - 1;
  CHECK(lnt_check(file.data(), file.size(), &limits, &info) == LNT_E_OVER_LIMIT);
  const Bytes y = outputs(file, 0);
  float first;
  std::memcpy(&first, y.data(), 4);
  CHECK(first == 30.0f);
}

TEST_CASE("a file of packed constants with any bit of them flipped and sealed again is refused or runs") {
  for (const Case& c : malformed_packed()) {
    if (c.expected != LNT_OK) continue;
    CAPTURE(c.name);
    Bytes bytes = c.make();
    const std::size_t from = section_start(bytes, LNT_SECTION_DATA),
                      to = section_start(bytes, LNT_SECTION_META);
    for (std::size_t bit = 8 * from; bit < 8 * to; ++bit) {
      bytes[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
      seal(bytes);
      use_model(bytes.data(), bytes.size());
      bytes[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
    }
  }
}

}  // namespace linnet::test
