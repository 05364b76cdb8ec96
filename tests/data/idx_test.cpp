// SPDX-License-Identifier: Apache-2.0
#include "linnet/data/idx.h"

#include <sys/stat.h>

#include <bit>

#include "linnet/core/error.h"
#include "support/check_close.h"
#include "support/fixtures.h"

#ifdef LINNET_ZLIB
#include <zlib.h>
#endif

using namespace linnet;
using namespace linnet::data;

namespace {

using Bytes = std::vector<std::uint8_t>;

/// An IDX file of bytes: the header for `sizes`, then `values`.
Bytes idx(std::uint8_t type, const std::vector<std::uint32_t>& sizes, const Bytes& values) {
  Bytes bytes{0, 0, type, static_cast<std::uint8_t>(sizes.size())};
  for (const std::uint32_t size : sizes)
    for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<std::uint8_t>(size >> shift));
  bytes.insert(bytes.end(), values.begin(), values.end());
  return bytes;
}

struct IdxFile {
  test::TemporaryFolder folder;
  std::string path = folder / "x";
  std::string says = "read_idx: " + path + ": ";
  Tensor read(const Bytes& bytes) const {
    test::write_bytes(path, bytes);
    return read_idx(path);
  }
};

}  // namespace

TEST_CASE_FIXTURE(IdxFile, "every element type is read, big-endian, with its sign") {
  CHECK_SAME_BITS(read(idx(0x08, {2, 2}, {0, 1, 128, 255})),
                  Tensor::from(std::vector<std::uint8_t>{0, 1, 128, 255}, {2, 2}));
  CHECK_SAME_BITS(read(idx(0x09, {2}, {0x7F, 0x80})), Tensor::from(std::vector<std::int8_t>{127, -128}));
  CHECK_SAME_BITS(read(idx(0x0B, {2}, {0x01, 0x02, 0xFF, 0xFE})),
                  Tensor::from(std::vector<std::int32_t>{258, -2}));
  CHECK_SAME_BITS(read(idx(0x0C, {2}, {0, 1, 2, 3, 0xFF, 0xFF, 0xFF, 0xFF})),
                  Tensor::from(std::vector<std::int32_t>{66051, -1}));
  CHECK_SAME_BITS(read(idx(0x0D, {1}, {0x3F, 0xC0, 0, 0})), Tensor::from(std::vector<float>{1.5f}));
  CHECK_SAME_BITS(read(idx(0x0E, {1}, {0xC0, 0x04, 0, 0, 0, 0, 0, 0})),
                  Tensor::from(std::vector<double>{-2.5}));
  CHECK(read(idx(0x08, {0, 28, 28}, {})).shape() == Shape{0, 28, 28});
}

TEST_CASE_FIXTURE(IdxFile, "values longer than one chunk are read in full") {
  Bytes values(200'000);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<std::uint8_t>(i * 7 + i / 256);
  const Tensor x = read(idx(0x0C, {50'000}, values));
  const auto word = [&](std::size_t i) {
    return static_cast<std::int32_t>(std::uint32_t{values[4 * i]} << 24 | values[4 * i + 1] << 16 |
                                     values[4 * i + 2] << 8 | values[4 * i + 3]);
  };
  bool equal = true;
  for (std::size_t i = 0; i < 50'000; ++i) equal = equal && x.data<std::int32_t>()[i] == word(i);
  CHECK(equal);
}

TEST_CASE_FIXTURE(IdxFile, "files that are not IDX are refused, saying why") {
  CHECK_THROWS_TEXT(read({}), IoError, says + "the file is empty.");
  const std::string not_idx =
      says + "not an IDX file: it must begin with two zero bytes, a type and a number of axes.";
  CHECK_THROWS_TEXT(read({0, 0, 8}), IoError, not_idx);
  CHECK_THROWS_TEXT(read({'<', 'h', 't', 'm', 'l', '>'}), IoError, not_idx);
  CHECK_THROWS_TEXT(read(idx(0x07, {1}, {0})), IoError,
                    says + "unknown element type 07. Known are 08, 09, 0B, 0C, 0D, 0E.");
  CHECK_THROWS_TEXT(read({0, 0, 8, 0}), IoError, says + "0 axes; expected 1..6.");
  CHECK_THROWS_TEXT(read({0, 0, 8, 255}), IoError, says + "255 axes; expected 1..6.");
}

TEST_CASE_FIXTURE(IdxFile, "a file cut at any byte is refused, and so is one with more bytes") {
  const Bytes good = idx(0x0B, {2, 3}, Bytes(12, 7));
  CHECK(read(good).shape() == Shape{2, 3});
  for (std::size_t length = 0; length < good.size(); ++length)
    CHECK_THROWS_AS(read(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(length))), IoError);
  CHECK_THROWS_TEXT(read(Bytes(good.begin(), good.begin() + 10)), IoError, says + "truncated in the header.");
  CHECK_THROWS_TEXT(read(Bytes(good.begin(), good.end() - 8)), IoError,
                    says + "truncated: [2, 3] needs 12 bytes of values, got 4.");
  Bytes longer = good;
  longer.push_back(0);
  CHECK_THROWS_TEXT(read(longer), IoError, says + "more bytes after the 6 values of [2, 3].");
}

TEST_CASE_FIXTURE(IdxFile,
                  "sizes that overflow or exceed the file are refused before anything is allocated") {
  const std::string says_too_many =
      says + "the header announces more values than 28 bytes can hold. Is the file truncated?";
  const std::int64_t before = memory_stats().live_bytes;
  for (const std::vector<std::uint32_t>& sizes :
       std::vector<std::vector<std::uint32_t>>{{65536, 65536, 65536, 65536},    // 2^64: zero when it wraps
                                               {0xFFFFFFFF, 0xFFFFFFFF, 2, 2},  // wraps to something small
                                               {0x80000000, 2, 0x80000000, 2},
                                               {1, 1, 1, 29}})
    CHECK_THROWS_TEXT(read([&] {
                        Bytes bytes = idx(0x08, sizes, {});
                        bytes.resize(28);
                        return bytes;
                      }()),
                      IoError, says_too_many);
  CHECK(memory_stats().live_bytes == before);
}

TEST_CASE_FIXTURE(IdxFile, "what is no regular file is refused without waiting") {
  CHECK_THROWS_TEXT(read_idx(path), IoError, says + "no such file.");
  CHECK_THROWS_TEXT(read_idx(folder.path().string()), IoError,
                    "read_idx: " + folder.path().string() + ": not a regular file.");
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  CHECK_THROWS_TEXT(read_idx(path), IoError, says + "not a regular file.");
  CHECK_THROWS_TEXT(read_idx("/dev/zero"), IoError, "read_idx: /dev/zero: not a regular file.");
}

#ifdef LINNET_ZLIB
namespace {

Bytes gzip(const Bytes& bytes) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 9, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  Bytes packed(deflateBound(&stream, bytes.size()) + 32);
  stream.next_in = const_cast<Bytef*>(bytes.data());
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = packed.data();
  stream.avail_out = static_cast<uInt>(packed.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

}  // namespace

TEST_CASE_FIXTURE(IdxFile, "compressed files are recognised by their contents and read the same") {
  Bytes values(100'000);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<std::uint8_t>(i * i >> 3);
  const Bytes plain = idx(0x08, {100, 1000}, values);
  const Tensor expected = read(plain);
  CHECK_SAME_BITS(read(gzip(plain)), expected);
}

TEST_CASE_FIXTURE(IdxFile, "compressed files are refused when cut anywhere, damaged, or followed by more") {
  const Bytes good =
      gzip(idx(0x08, {40}, Bytes{1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89,
                                 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89}));
  const Tensor expected = read(good);
  CHECK(expected.shape() == Shape{40});
  int meaningless = 0;
  for (std::size_t length = 0; length < good.size(); ++length)
    CHECK_THROWS_AS(read(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(length))), IoError);
  constexpr std::size_t kHeader = 10;  // of gzip: holds a time and a system that nobody checks
  for (std::size_t bit = 8 * kHeader; bit < 8 * good.size(); ++bit) {
    Bytes damaged = good;
    damaged[bit / 8] = static_cast<std::uint8_t>(damaged[bit / 8] ^ 1u << bit % 8);
    // A few bits are filling behind the end of the last block and mean nothing.
    try {
      const Tensor read_anyway = read(damaged);
      CHECK_SAME_BITS(read_anyway, expected);
      ++meaningless;
    } catch (const IoError&) {
    }
  }
  CHECK(meaningless < 8);
  CHECK_THROWS_TEXT(read(Bytes(good.begin(), good.end() - 1)), IoError,
                    says + "the compressed data end too early.");
  Bytes longer = good;
  longer.push_back(0);
  CHECK_THROWS_TEXT(read(longer), IoError, says + "more bytes after the end of the compressed data.");
}

TEST_CASE_FIXTURE(IdxFile, "a compressed file may not grow more than a hundredfold") {
  const Bytes bomb = gzip(idx(0x08, {8 << 20}, Bytes(8 << 20, 0)));
  REQUIRE(bomb.size() * 100 + (1 << 20) < 8 << 20);
  const std::int64_t before = memory_stats().live_bytes;
  CHECK_THROWS_TEXT(read(bomb), IoError,
                    says + "the header announces more values than " +
                        std::to_string(bomb.size() * 100 + (1 << 20)) +
                        " bytes can hold. Is the file truncated?");
  CHECK(memory_stats().live_bytes == before);
}
#else
TEST_CASE_FIXTURE(IdxFile, "without zlib compressed files are refused, saying what to do") {
  CHECK_THROWS_TEXT(read({0x1F, 0x8B, 8, 0}), IoError,
                    says + "compressed, and this build has no zlib. Unpack it with gunzip.");
}
#endif
