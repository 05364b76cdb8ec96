// SPDX-License-Identifier: Apache-2.0
// Golden cases: what a build must give for inputs that it makes itself.
#include <doctest/doctest.h>

#include <cstring>
#include <limits>
#include <utility>

#include "fuzz/use_model.h"
#include "model_builder.h"

namespace linnet::test {
namespace {

constexpr std::size_t kOutputs = LNT_GOLD_BYTES + 16, kCase = 4 * (3 * 2 + 6);  // of golden_model()

/// A file bound to its arena.
struct BoundFile {
  explicit BoundFile(const File& model) {
    const Bytes bytes = model.bytes();
    file = exact_memory(bytes.size());
    std::memcpy(file.get(), bytes.data(), bytes.size());
    lnt_info info;
    REQUIRE(lnt_check(file.get(), bytes.size(), nullptr, &info) == LNT_OK);
    arena = exact_memory(info.arena_bytes);
    REQUIRE(lnt_bind(&bound, &info, arena.get(), info.arena_bytes) == LNT_OK);
  }
  std::unique_ptr<std::uint8_t, Free> file, arena;
  lnt_model bound;
};

lnt_self_test_result self_test(const File& file, lnt_status expected) {
  BoundFile model(file);
  lnt_self_test_result result;
  CHECK(lnt_self_test(&model.bound, &result) == expected);
  CHECK(lnt_self_test(&model.bound, nullptr) == expected);
  return result;
}

/// The golden model with number `i` of the second output of case `c` set.
lnt_self_test_result with_number(std::size_t c, std::size_t i, float value, lnt_status expected) {
  File file = golden_model();
  put32(file.gold, kOutputs + kCase * c + 4 * (6 + i), bits_of(value));
  return self_test(file, expected);
}

float number(std::size_t c, std::size_t i) {
  const std::uint32_t bits = get32(golden_model().gold, kOutputs + kCase * c + 4 * (6 + i));
  float value;
  std::memcpy(&value, &bits, 4);
  return value;
}

}  // namespace

TEST_CASE("the random words of these tests are those of Philox's authors") {  // Random123, kat_vectors
  using Words = std::array<std::uint32_t, 4>;
  CHECK(philox({0, 0, 0, 0}, {0, 0}) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}) == Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("golden cases pass, with inputs that follow from seed, case, port and place") {
  BoundFile model(golden_model());
  lnt_self_test_result result;
  for (const lnt_isa isa : {LNT_SCALAR, LNT_AVX2, LNT_AVX512, LNT_NEON}) {
    if (!lnt_has_isa(isa)) continue;
    REQUIRE(lnt_set_isa(&model.bound, isa) == LNT_OK);
    CHECK(lnt_self_test(&model.bound, &result) == LNT_OK);
    CHECK(result.cases == 8);
    CHECK(result.failed == 0);
    CHECK(result.error == 0.0f);
  }
}

TEST_CASE("a difference of more than 1e-4 of the port's largest golden output fails its case") {
  float largest = 0.0f;
  for (std::size_t i = 0; i < 48; ++i) largest = std::max(largest, std::abs(number(i / 6, i % 6)));
  REQUIRE(std::abs(number(3, 2)) < largest);
  CHECK(with_number(3, 2, number(3, 2) + 0.9e-4f * largest, LNT_OK).error == doctest::Approx(0.9e-4));
  const lnt_self_test_result result = with_number(3, 2, number(3, 2) + 1.1e-4f * largest, LNT_E_SELF_TEST);
  CHECK(result.error == doctest::Approx(1.1e-4));
  CHECK(result.failed == 1);
  CHECK(result.cases == 8);
}

TEST_CASE("golden outputs that are not finite agree with themselves only, and are no measure for others") {
  constexpr float kInfinity = std::numeric_limits<float>::infinity(),
                  kNan = std::numeric_limits<float>::quiet_NaN();
  for (const float wrong : {kInfinity, -kInfinity, kNan}) {
    const lnt_self_test_result result = with_number(7, 5, wrong, LNT_E_SELF_TEST);
    CHECK(result.failed == 1);
    CHECK(result.error == std::numeric_limits<float>::max());
  }
  ModelBuilder m;  // 1 / x of 0, and log of numbers below 0
  const auto x = m.input({1, 4});
  m.output(m.op(LNT_LOG, {x}, {1, 4}));
  m.output(m.op(LNT_DIV, {x, m.constant({1}, {0.0f})}, {1, 4}));
  File file = m.file();
  file.gold = words({8, 0, 0, 0, bits_of(-2.0f), bits_of(-1.0f)});
  for (int c = 0; c < 8; ++c)
    for (int i = 0; i < 8; ++i)
      for (const std::uint8_t byte : words({bits_of(i < 4 ? kNan : -kInfinity)})) file.gold.push_back(byte);
  CHECK(self_test(file, LNT_OK).error == 0.0f);
}

TEST_CASE("whole numbers must be equal, and may have any range") {
  ModelBuilder m;
  m.output(m.op(LNT_RESHAPE, {m.integer_input({4})}, {2, 2}));
  File file = m.file();
  file.tensors[1].dtype = LNT_I32;
  file.gold = words({8, 0, 0, 0, 0x80000000, 0x7FFFFFFF});
  for (std::uint32_t c = 0; c < 8; ++c)
    for (const std::uint32_t word : philox({0, 0, 32 * c, 0}, {0, 0}))
      for (const std::uint8_t byte :
           words({0x80000000 + static_cast<std::uint32_t>(std::uint64_t{word} * 0xFFFFFFFF >> 32)}))
        file.gold.push_back(byte);
  CHECK(self_test(file, LNT_OK).error == 0.0f);
  file.gold.back() ^= 1;
  CHECK(self_test(file, LNT_E_SELF_TEST).failed == 1);
}

TEST_CASE("quantized numbers must be equal, and their range is one of theirs") {
  ModelBuilder m;
  const auto x = m.quantized_input({3}, {-5, {0.5f}});
  m.output(m.quantized(m.op(LNT_RESHAPE, {x}, {1, 3}), {-5, {0.5f}}));
  File file = m.file();
  const auto gold_of = [&](std::int32_t low, std::int32_t high) {
    file.gold = words({8, 0, 0, 0, static_cast<std::uint32_t>(low), static_cast<std::uint32_t>(high)});
    for (std::uint32_t c = 0; c < 8; ++c)
      for (std::size_t i = 0; i < 3; ++i) {
        const std::uint64_t word = philox({0, 0, 32 * c, 0}, {0, 0})[i];
        file.gold.push_back(static_cast<std::uint8_t>(low + static_cast<int>(word * (high - low) >> 32)));
      }
  };
  gold_of(-128, 127);
  CHECK(self_test(file, LNT_OK).error == 0.0f);
  file.gold.back() ^= 1;
  CHECK(self_test(file, LNT_E_SELF_TEST).failed == 1);
  for (const auto& [low, high] : {std::pair(-129, 127), std::pair(-128, 128), std::pair(4, 4)}) {
    gold_of(low, high);
    lnt_info info;
    const Bytes bytes = file.bytes();
    CHECK(lnt_check(bytes.data(), bytes.size(), nullptr, &info) == LNT_E_GOLD);
  }
}

TEST_CASE("a self-test needs golden cases and a bound model") {
  CHECK(self_test(small_model(), LNT_E_NO_GOLD).cases == 0);
  lnt_self_test_result result{9, 9, 9.0f};
  CHECK(lnt_self_test(nullptr, &result) == LNT_E_BAD_ARGUMENT);
  CHECK(result.cases == 0);
  lnt_model unbound{};
  CHECK(lnt_self_test(&unbound, &result) == LNT_E_BAD_ARGUMENT);
}

TEST_CASE("golden cases that ask for more work together than the limit are refused") {
  const Bytes file = golden_model().bytes();
  lnt_info info;
  REQUIRE(lnt_check(file.data(), file.size(), nullptr, &info) == LNT_OK);
  CHECK(info.work > 0);
  lnt_limits limits = LNT_DEFAULT_LIMITS;
  limits.work = info.work * info.n_golden;  // not of the inputs, too
  limits.work += 9 * info.n_golden;         // its 3 ids and 6 numbers
  CHECK(lnt_check(file.data(), file.size(), &limits, &info) == LNT_OK);
  --limits.work;
  CHECK(lnt_check(file.data(), file.size(), &limits, &info) == LNT_E_OVER_LIMIT);
  CHECK(info.problem.section == LNT_SECTION_GOLD);
}

TEST_CASE("a golden case that finds no row of a table says so") {
  File file = golden_model();
  put32(file.gold, LNT_AT_GOLD_RANGES + 4, 1000);
  const lnt_self_test_result result = self_test(file, LNT_E_INDEX);
  CHECK(result.failed >= 1);
  CHECK(result.failed <= result.cases);
}

}  // namespace linnet::test
