// SPDX-License-Identifier: Apache-2.0
// Packing of numbers, read back by a decoder that knows runtime/format_int8.h only.
#include "linnet/deploy/packing.h"

#include <bit>
#include <cmath>

#include "linnet/runtime/format.h"
#include "support/check_close.h"
#include "support/fixtures.h"

namespace linnet {
namespace {

using deploy::Bytes;
using deploy::Numbers;
using deploy::Packing;

class BitReader {
 public:
  explicit BitReader(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
  std::uint32_t take(int bits) {
    std::uint32_t value = 0;
    for (int i = 0; i < bits; ++i, ++at_)
      value |= static_cast<std::uint32_t>(bytes_[at_ / 8] >> at_ % 8 & 1) << i;
    return value;
  }
  std::size_t bytes_taken() const { return (at_ + 7) / 8; }

 private:
  std::span<const std::uint8_t> bytes_;
  std::size_t at_ = 0;
};

/// For each number whether it is stored.
std::vector<bool> read_map(int map, std::size_t n, std::size_t stored, BitReader reader, std::size_t& bytes) {
  std::vector<bool> all;
  if (map == LNT_MAP_NONE) return std::vector<bool>(n, true);
  if (map == LNT_MAP_BITS) {
    for (std::size_t i = 0; i < n; ++i) all.push_back(reader.take(1) == 1);
  } else {
    for (std::size_t found = 0; found < stored;) {
      const std::uint32_t symbol = reader.take(map), most = (1u << map) - 1;
      all.resize(all.size() + symbol, false);
      if (symbol < most) {
        all.push_back(true);
        ++found;
      }
    }
    all.resize(n, false);
  }
  bytes = reader.bytes_taken();
  return all;
}

std::vector<std::uint32_t> unpacked(const Packing& p, const Bytes& bytes, std::size_t n, int bits) {
  std::span<const std::uint8_t> rest(bytes);
  std::vector<std::uint32_t> codebook;
  BitReader codes(rest);
  for (std::size_t i = 0; i < p.codebook.size(); ++i) codebook.push_back(codes.take(bits));
  rest = rest.subspan(codes.bytes_taken());
  BitReader numbers(rest);
  const int each =
      codebook.empty() ? bits : std::max(1, static_cast<int>(std::bit_width(codebook.size() - 1)));
  std::vector<std::uint32_t> stored;
  for (std::size_t i = 0; i < p.stored; ++i) {
    const std::uint32_t number = numbers.take(each);
    stored.push_back(codebook.empty() ? number : codebook.at(number));
  }
  rest = rest.subspan(numbers.bytes_taken());
  std::size_t map_bytes = 0, next = 0;
  std::vector<std::uint32_t> all;
  for (bool there : read_map(p.map, n, p.stored, BitReader(rest), map_bytes))
    all.push_back(there ? stored.at(next++) : 0);
  CHECK(next == p.stored);
  CHECK(rest.size() == map_bytes);
  return all;
}

/// n numbers, a share of zeros, the others of so many values.
Numbers numbers_of(std::size_t n, double zeros, std::uint32_t values, int bits, std::uint64_t seed) {
  const Tensor draw = test::random_tensor({static_cast<std::int64_t>(2 * n)}, seed, 0.0, 1.0);
  Numbers numbers;
  numbers.bits = bits;
  for (std::size_t i = 0; i < n; ++i) {
    const auto share = static_cast<double>(draw.data<float>()[2 * i]);
    const auto value = static_cast<std::uint32_t>(draw.data<float>()[2 * i + 1] * static_cast<float>(values));
    numbers.patterns.push_back(share < zeros ? 0 : 1 + std::min(value, values - 1));
  }
  return numbers;
}

TEST_CASE("packed numbers are read back as they were, whatever form is smallest") {
  std::vector<bool> seen_maps(256, false);
  bool seen_codebook = false, seen_plain = false;
  for (int bits : {4, 8, 16, 32})
    for (std::size_t n : {1u, 2u, 7u, 64u, 1000u})
      for (double zeros : {0.0, 0.3, 0.5, 0.7, 0.9, 0.99, 1.1})
        for (std::uint32_t values : {1u, 2u, 3u, 15u, 255u, 256u, 257u, 60000u}) {
          if (values >= 1u << (bits < 32 ? bits : 31)) continue;
          CAPTURE(bits);
          CAPTURE(n);
          CAPTURE(zeros);
          CAPTURE(values);
          const Numbers numbers = numbers_of(n, zeros, values, bits, n + values);
          const Packing packing = deploy::smallest_packing(numbers);
          const Bytes bytes = deploy::pack(packing, numbers);
          CHECK(bytes.size() == packing.bytes);
          CHECK(bytes.size() <= (n * static_cast<std::size_t>(bits) + 7) / 8);
          CHECK(unpacked(packing, bytes, n, bits) == numbers.patterns);
          seen_maps[static_cast<std::size_t>(packing.map)] = true;
          seen_codebook = seen_codebook || !packing.codebook.empty();
          seen_plain = seen_plain || (packing.map == LNT_MAP_NONE && packing.codebook.empty());
        }
  CHECK(seen_codebook);
  CHECK(seen_plain);
  for (int map : {0, 2, 3, 4, 255}) CHECK_MESSAGE(seen_maps[static_cast<std::size_t>(map)], map);
}

TEST_CASE("90 % zeros and 16 values take less than a byte in ten: gaps of four bits and indices of four") {
  const Numbers numbers = numbers_of(100'000, 0.9, 16, 8, 1);
  const Packing packing = deploy::smallest_packing(numbers);
  CHECK(packing.map == 4);
  CHECK(packing.codebook.size() == 16);
  CHECK(packing.bytes < 11'600);  // a bitmap alone is 12500
  CHECK(deploy::smallest_packing(numbers, 12'000).bytes >= 12'000);
}

TEST_CASE("a codebook ascends, holds no value that does not occur, and no zero that a map leaves out") {
  Numbers numbers;
  numbers.bits = 8;
  for (int i = 0; i < 400; ++i) numbers.patterns.push_back(i % 4 == 0 ? 200u : i % 4 == 1 ? 7u : 0u);
  const Packing packing = deploy::smallest_packing(numbers);
  CHECK(packing.codebook == (packing.map == LNT_MAP_NONE ? std::vector<std::uint32_t>{0, 7, 200}
                                                         : std::vector<std::uint32_t>{7, 200}));
}

TEST_CASE("the halves that floats are equal to are found, and of no other float") {
  int found = 0;
  for (std::uint32_t half = 0; half < 0x10000; ++half) {
    const std::uint32_t exponent = half >> 10 & 31, fraction = half & 1023;
    if (exponent == 31) continue;
    const double size = exponent == 0 ? std::ldexp(fraction, -24)
                                      : std::ldexp(1024 + fraction, static_cast<int>(exponent) - 25);
    const auto x = static_cast<float>(half >> 15 ? -size : size);
    const auto back = deploy::as_half(x);
    REQUIRE(back.has_value());
    CHECK(*back == half);
    ++found;
    for (float other : {std::nextafter(x, 1e9f), std::nextafter(x, -1e9f)}) CHECK(!deploy::as_half(other));
  }
  CHECK(found == 63488);
  CHECK(!deploy::as_half(65536.0f));
  CHECK(!deploy::as_half(1e-30f));
  CHECK(!deploy::as_half(std::numeric_limits<float>::infinity()));
  CHECK(!deploy::as_half(std::numeric_limits<float>::quiet_NaN()));
}

}  // namespace
}  // namespace linnet
