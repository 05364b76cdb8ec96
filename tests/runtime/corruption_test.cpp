// SPDX-License-Identifier: Apache-2.0
// Damage without fixed-up checksums: nothing of it may pass.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "linnet/runtime/linnet_runtime.h"
#include "model_builder.h"

namespace linnet::test {
namespace {

lnt_status check(const Bytes& bytes) {
  lnt_info info;
  return lnt_check(bytes.data(), bytes.size(), nullptr, &info);
}

/// CRC-32C by its definition, bit by bit.
std::uint32_t crc32c_by_definition(const std::string& text) {
  std::uint32_t crc = ~0u;
  for (char c : text) {
    crc ^= static_cast<std::uint8_t>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? crc >> 1 ^ 0x82F63B78u : crc >> 1;
  }
  return ~crc;
}

}  // namespace

TEST_CASE("a file with any one bit flipped is refused") {
  Bytes bytes = small_model().bytes();
  REQUIRE(check(bytes) == LNT_OK);
  std::size_t accepted = 0;
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    bytes[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
    accepted += check(bytes) == LNT_OK;
    bytes[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
  }
  CHECK(accepted == 0);
}

TEST_CASE("a file cut short anywhere is refused") {
  const Bytes bytes = small_model().bytes();
  for (std::size_t len = 0; len < bytes.size(); ++len) {
    Bytes cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(len));
    cut.reserve(1);  // a length of 0 still has an address
    CAPTURE(len);
    CHECK(check(cut) == LNT_E_TRUNCATED);
  }
}

TEST_CASE("a file with anything after it is refused") {
  const Bytes bytes = small_model().bytes();
  for (std::size_t extra : {std::size_t{1}, std::size_t{1} << 20, bytes.size()}) {
    Bytes longer = bytes;
    longer.insert(longer.end(), bytes.begin(),
                  bytes.begin() + static_cast<std::ptrdiff_t>(std::min(extra, bytes.size())));
    longer.resize(bytes.size() + extra);
    CAPTURE(extra);
    CHECK(check(longer) == LNT_E_TRAILING_BYTES);
  }
}

TEST_CASE("the checksum is CRC-32C, in one piece or several") {
  CHECK(lnt_crc32c(0, "", 0) == 0);
  CHECK(lnt_crc32c(0, "123456789", 9) == 0xE3069283u);  // the check value of the CRC catalogue
  const Bytes zeros(32, 0), ones(32, 0xFF);             // RFC 3720, B.4
  CHECK(lnt_crc32c(0, zeros.data(), 32) == 0x8A9136AAu);
  CHECK(lnt_crc32c(0, ones.data(), 32) == 0x62A8AB43u);
  const std::string text = "a finch that likes flax seed";
  CHECK(lnt_crc32c(0, text.data(), text.size()) == crc32c_by_definition(text));
  CHECK(lnt_crc32c(lnt_crc32c(0, text.data(), 7), text.data() + 7, text.size() - 7) ==
        crc32c_by_definition(text));
}

TEST_CASE("a larger file with a random bit flipped is refused") {
  ModelBuilder m;
  const auto x = m.input({1, 64});
  m.output(m.op(LNT_DENSE, {x, m.constant({64, 64}, std::vector<float>(64 * 64, 0.5f))}, {1, 64}));
  Bytes bytes = m.file().bytes();
  REQUIRE(check(bytes) == LNT_OK);
  std::uint32_t random = 1;
  for (int trial = 0; trial < 2000; ++trial) {
    random = random * 1664525u + 1013904223u;
    const std::size_t bit = random % (8 * bytes.size());
    bytes[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
    CHECK(check(bytes) != LNT_OK);
    bytes[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
  }
}

}  // namespace linnet::test
