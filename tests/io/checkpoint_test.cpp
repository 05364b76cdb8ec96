// SPDX-License-Identifier: Apache-2.0
// What a checkpoint keeps, and that damage of any kind is noticed. Crashes are in checkpoint_crash_test.cpp.
#include "linnet/io/checkpoint.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>

#include "linnet/core/error.h"
#include "linnet/io/crc32c.h"
#include "linnet/io/sha256.h"
#include "support/check_close.h"
#include "support/fixtures.h"

using namespace linnet;
namespace fs = std::filesystem;

namespace {

using Bytes = std::vector<std::uint8_t>;

State small_state() {
  return {{"model", State{{"w", test::random_tensor({3, 5}, 1)}, {"b", test::random_tensor({2}, 2)}}},
          {"step", std::int64_t{-7}},
          {"lr", 0.1},
          {"recipe", "mnist-mlp"}};
}

struct CheckpointFile {
  test::TemporaryFolder folder;
  std::string path = folder / "m.ckpt";
  std::string says = "io::load: " + path + ": ";

  Bytes saved() const {
    io::save(path, small_state());
    return test::read_bytes(path);
  }
  State load(const Bytes& bytes) const {
    test::write_bytes(path, bytes);
    return io::load(path);
  }
};

template <class T>
void put(Bytes& bytes, std::size_t at, T value) {
  std::memcpy(bytes.data() + at, &value, sizeof value);
}
template <class T>
T take(const Bytes& bytes, std::size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

std::uint32_t crc(const Bytes& bytes, std::size_t begin, std::size_t count) {
  return io::crc32c(std::as_bytes(std::span(bytes).subspan(begin, count)));
}

/// Makes all checksums right again, so that only the meaning of a change can be refused.
void seal(Bytes& bytes) {
  const auto sections = take<std::uint32_t>(bytes, 20);
  const std::size_t table = bytes.size() - 32 - 32 * std::size_t{sections};
  for (std::size_t row = table; row + 32 < bytes.size(); row += 32) {
    const auto offset = take<std::uint64_t>(bytes, row + 8), length = take<std::uint64_t>(bytes, row + 16);
    if (offset <= bytes.size() && length <= bytes.size() - offset)
      put(bytes, row + 24, crc(bytes, offset, length));
  }
  put(bytes, 60, crc(bytes, 0, 60));
  io::Sha256 hash;
  const auto digest = hash.add(std::as_bytes(std::span(bytes).first(bytes.size() - 32))).finish();
  std::memcpy(bytes.data() + bytes.size() - 32, digest.data(), 32);
}

/// An envelope around these records and no tensors.
Bytes with_records(const Bytes& records) {
  Bytes bytes((64 + records.size() + 63) / 64 * 64);
  const Bytes magic{0x89, 'L', 'N', 'C', 0x0D, 0x0A, 0x1A, 0x0A};
  std::copy(magic.begin(), magic.end(), bytes.begin());
  std::copy(records.begin(), records.end(), bytes.begin() + 64);
  const std::size_t table = bytes.size();
  bytes.resize(table + 64);
  put<std::uint32_t>(bytes, 8, 1);
  put<std::uint32_t>(bytes, 12, 0x01020304);
  put<std::uint32_t>(bytes, 20, 1);
  put<std::uint64_t>(bytes, 24, bytes.size());
  put<std::uint32_t>(bytes, table, 1);
  put<std::uint64_t>(bytes, table + 8, 64);
  put<std::uint64_t>(bytes, table + 16, records.size());
  seal(bytes);
  return bytes;
}

template <class T>
Bytes& append(Bytes& bytes, T value) {
  bytes.resize(bytes.size() + sizeof value);
  put(bytes, bytes.size() - sizeof value, value);
  return bytes;
}
Bytes& append_text(Bytes& bytes, const std::string& text) {
  append<std::uint64_t>(bytes, text.size());
  bytes.insert(bytes.end(), text.begin(), text.end());
  return bytes;
}

}  // namespace

TEST_CASE_FIXTURE(CheckpointFile,
                  "every kind of value and element type comes back with the same bits and order") {
  State state = small_state();
  for (const DType dtype : {f32, f64, i8, u8, i32, i64}) {
    state.set("t" + std::string(name(dtype)), test::random_tensor({2, 3}, 9, -100, 100, dtype));
    state.set("empty " + std::string(name(dtype)), Tensor::zeros({0, 3}, dtype));
  }
  state.set("scalar", Tensor::full({}, 3.5));
  state.set("six axes", test::random_tensor({1, 2, 1, 3, 1, 2}, 4));
  state.set("nan", Tensor::from({std::nan(""), -0.0, 1e-42}));
  state.set("largest", std::int64_t{INT64_MAX});
  state.set("minus zero", -0.0);
  state.set("text with \n and ü", std::string("a\0b", 3));
  state.set("", State{});
  CHECK(io::save(path, state) == 1);
  CHECK(io::load(path) == state);
  CHECK(io::save(path, State{}) == 2);
  CHECK(io::load(path) == State{});
}

TEST_CASE_FIXTURE(CheckpointFile,
                  "a tensor larger than a chunk comes back, aligned in the file to 64 bytes") {
  const State state{{"odd", test::random_tensor({13}, 1)}, {"large", test::random_tensor({700, 1000}, 2)}};
  io::save(path, state);
  CHECK(io::load(path) == state);
  const Bytes bytes = test::read_bytes(path);
  const auto sections = take<std::uint32_t>(bytes, 20);
  REQUIRE(sections == 3);
  for (std::size_t row = bytes.size() - 32 - 32 * 3; row + 32 < bytes.size(); row += 32)
    CHECK(take<std::uint64_t>(bytes, row + 8) % 64 == 0);
}

TEST_CASE_FIXTURE(CheckpointFile, "the same state gives the same bytes but for the generation") {
  Bytes first = saved(), second = saved();
  CHECK(take<std::uint64_t>(first, 32) == 1);
  CHECK(take<std::uint64_t>(second, 32) == 2);
  put<std::uint64_t>(second, 32, 1);
  seal(second);
  CHECK(first == second);
}

TEST_CASE_FIXTURE(CheckpointFile, "the example of docs/checkpoint_file.md is what is written") {
  io::save(path, {{"n", 7}});
  const Bytes bytes = test::read_bytes(path);
  CHECK(bytes.size() == 192);
  CHECK(Bytes(bytes.begin() + 64, bytes.begin() + 64 + 23) ==
        Bytes{1, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0x6E, 1, 7, 0, 0, 0, 0, 0, 0, 0});
  CHECK(with_records(Bytes(bytes.begin() + 64, bytes.begin() + 64 + 23)).size() == 192);
}

TEST_CASE_FIXTURE(CheckpointFile, "a file cut at any byte is refused") {
  const Bytes good = saved();
  for (std::size_t length = 0; length < good.size(); ++length)
    CHECK_THROWS_AS(load(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(length))), IoError);
}

TEST_CASE_FIXTURE(CheckpointFile, "a file with any single bit flipped is refused") {
  const Bytes good = saved();
  REQUIRE(load(good) == small_state());
  for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
    Bytes damaged = good;
    damaged[bit / 8] = static_cast<std::uint8_t>(damaged[bit / 8] ^ 1u << bit % 8);
    CHECK_THROWS_AS(load(damaged), IoError);
  }
}

TEST_CASE_FIXTURE(CheckpointFile,
                  "bytes behind the end are refused: one, many, or a whole second checkpoint") {
  const Bytes good = saved();
  for (const std::size_t more : {std::size_t{1}, std::size_t{64}, std::size_t{1} << 20}) {
    Bytes longer = good;
    longer.resize(good.size() + more);
    CHECK_THROWS_TEXT(load(longer), IoError,
                      says + "more bytes after the end: " + std::to_string(longer.size()) + ", expected " +
                          std::to_string(good.size()) + ".");
  }
  Bytes twice = good;
  twice.insert(twice.end(), good.begin(), good.end());
  CHECK_THROWS_AS(load(twice), IoError);
}

TEST_CASE_FIXTURE(CheckpointFile, "the messages say what is wrong and where") {
  const Bytes good = saved();
  const auto changed = [&](std::size_t at, std::uint8_t value) {
    Bytes bytes = good;
    bytes[at] = value;
    return bytes;
  };
  CHECK_THROWS_TEXT(load({}), IoError, says + "the file is empty.");
  CHECK_THROWS_TEXT(load(Bytes(good.begin(), good.begin() + 40)), IoError,
                    says + "truncated in the header: 40 of 64 bytes.");
  CHECK_THROWS_TEXT(load(Bytes(good.begin(), good.end() - 1)), IoError,
                    says + "truncated: " + std::to_string(good.size() - 1) + " of " +
                        std::to_string(good.size()) + " bytes.");
  CHECK_THROWS_TEXT(load(changed(0, 'P')), IoError,
                    says + "not a Linnet checkpoint: it begins with other bytes.");
  for (const std::uint32_t version : {0u, 2u, 0xFFFFFFFFu}) {
    Bytes bytes = good;
    put(bytes, 8, version);
    CHECK_THROWS_TEXT(load(bytes), IoError,
                      says + "format version " + std::to_string(version) + "; this Linnet reads version 1.");
  }
  Bytes foreign = good;
  put<std::uint32_t>(foreign, 12, 0x04030201);
  CHECK_THROWS_TEXT(load(foreign), IoError,
                    says + "written on a big-endian machine, which this Linnet does not read.");
  Bytes flagged = good;
  put<std::uint32_t>(flagged, 16, 1);
  seal(flagged);
  CHECK_THROWS_TEXT(load(flagged), IoError,
                    says + "the header has unknown flags; a newer Linnet may read it.");

  // Section 1 is model/w, 60 bytes, at the first multiple of 64 behind the records.
  const auto sections = take<std::uint32_t>(good, 20);
  const std::size_t table = good.size() - 32 - 32 * std::size_t{sections};
  const auto offset = take<std::uint64_t>(good, table + 32 + 8);
  const std::string message = [&] {
    try {
      load(changed(offset, static_cast<std::uint8_t>(good[offset] ^ 1)));
    } catch (const IoError& error) {
      return std::string(error.what());
    }
    return std::string();
  }();
  const std::string start =
      says + "section 1 (tensor 'model/w') at byte " + std::to_string(offset) + " is damaged: CRC32C is ";
  CHECK(message.substr(0, start.size()) == start);
  CHECK_THROWS_TEXT(load(changed(offset + 60, 1)), IoError,
                    says + "the filling at byte " + std::to_string(offset + 60) + " is not zero.");
}

TEST_CASE_FIXTURE(CheckpointFile,
                  "a table that moves, overlaps or enlarges sections is refused with right checksums too") {
  const Bytes good = saved();
  const auto sections = take<std::uint32_t>(good, 20);
  const std::size_t table = good.size() - 32 - 32 * std::size_t{sections};
  const std::int64_t before = memory_stats().live_bytes;
  for (std::size_t row = table; row + 32 < good.size(); row += 32)
    for (const std::size_t field : {8, 16})  // offset, length
      for (const std::uint64_t value :
           {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{64}, std::uint64_t{good.size()},
            std::uint64_t{1} << 28, std::uint64_t{1} << 61, ~std::uint64_t{0}, ~std::uint64_t{0} - 63}) {
        Bytes bytes = good;
        if (take<std::uint64_t>(bytes, row + field) == value) continue;
        put(bytes, row + field, value);
        seal(bytes);
        CHECK_THROWS_AS(load(bytes), IoError);
      }
  for (const std::uint32_t count : {0u, 1u, sections - 1, sections + 1, 1u << 20, 0xFFFFFFFFu}) {
    Bytes bytes = good;
    put(bytes, 20, count);
    put(bytes, 60, crc(bytes, 0, 60));
    CHECK_THROWS_AS(load(bytes), IoError);
  }
  CHECK(memory_stats().live_bytes == before);
}

TEST_CASE_FIXTURE(CheckpointFile, "records that lie about sizes are refused before anything is allocated") {
  const Bytes start{1};  // a little-endian archive
  const auto entry = [&](const std::string& name, std::uint8_t kind) {
    Bytes records = start;
    append<std::uint32_t>(records, 1);
    append_text(records, name);
    return append(records, kind);
  };
  const std::string at = says + "the records are not valid at byte ";
  Bytes counts = append<std::uint32_t>(*std::make_unique<Bytes>(start), 0xFFFFFFFF);
  CHECK_THROWS_TEXT(load(with_records(counts)), IoError, at + "5: 4294967295 entries do not fit.");
  for (const std::uint64_t length : {std::uint64_t{1} << 28, std::uint64_t{1} << 61, ~std::uint64_t{0}}) {
    Bytes records = append<std::uint32_t>(*std::make_unique<Bytes>(start), 1);
    append(records, length);
    append<std::uint32_t>(records, 0);
    CHECK_THROWS_TEXT(load(with_records(records)), IoError,
                      at + "13: a text of " + std::to_string(length) + " bytes, 4 are left.");
  }
  Bytes records = entry("x", 9);
  append<std::uint64_t>(records, 0);
  CHECK_THROWS_TEXT(load(with_records(records)), IoError, at + "15: 'x' has the unknown kind 9.");
  records = entry("x", 0);
  append<std::uint16_t>(records, 6);
  CHECK_THROWS_TEXT(load(with_records(records)), IoError, at + "17: 'x' has the unknown element type 6.");
  records = entry("x", 0);
  append<std::uint16_t>(records, 7 << 8);
  CHECK_THROWS_TEXT(load(with_records(records)), IoError, at + "17: 'x' has 7 axes.");
  for (const std::int64_t size : {std::int64_t{-1}, INT64_MIN}) {
    records = entry("x", 0);
    append(append<std::uint16_t>(records, 1 << 8), size);
    CHECK_THROWS_TEXT(load(with_records(records)), IoError, at + "25: 'x' has a negative size.");
  }
  records = entry("x", 0);
  append<std::uint16_t>(records, 4 << 8);
  for (int axis = 0; axis < 4; ++axis) append<std::int64_t>(records, 65536);
  CHECK_THROWS_AS(load(with_records(records)), IoError);  // 2^64 elements
  records = entry("x", 0);
  append(append<std::uint16_t>(records, 1 << 8), std::int64_t{4});
  CHECK_THROWS_TEXT(load(with_records(records)), IoError, says + "'x' has no section.");
  records = append<std::uint32_t>(*std::make_unique<Bytes>(start), 0);
  append<std::uint8_t>(records, 0);
  CHECK_THROWS_TEXT(load(with_records(records)), IoError, at + "5: 1 bytes are left over.");
  CHECK_THROWS_TEXT(load(with_records({})), IoError,
                    says + "the records are not valid at byte 0: no mark of a little-endian archive.");
  CHECK_THROWS_TEXT(load(with_records({1, 0})), IoError, at + "1: they end too early.");
}

TEST_CASE_FIXTURE(CheckpointFile, "a name that is there twice is refused") {
  Bytes records{1};
  append<std::uint32_t>(records, 2);
  for (int i = 0; i < 2; ++i) append<std::int64_t>(append<std::uint8_t>(append_text(records, "w"), 1), i);
  CHECK_THROWS_TEXT(load(with_records(records)), IoError,
                    says + "the records are not valid at byte " + std::to_string(1 + 4 + 18 + 9) +
                        ": the name 'w' is there twice.");
}

TEST_CASE_FIXTURE(CheckpointFile, "states nested deeply are refused when saving and when loading") {
  State nested;
  for (int depth = 0; depth < 31; ++depth) nested = State{{"s", nested}};
  io::save(path, nested);
  CHECK(io::load(path) == nested);
  CHECK_THROWS_AS(io::save(path, State{{"s", nested}}), StateError);
  CHECK(io::load(path) == nested);

  Bytes records{1};
  for (int depth = 0; depth < 100'000; ++depth) {
    append<std::uint32_t>(records, 1);
    append<std::uint8_t>(append_text(records, "s"), 4);
  }
  append<std::uint32_t>(records, 0);
  CHECK_THROWS_TEXT(load(with_records(records)), IoError,
                    says + "the records are not valid at byte " + std::to_string(1 + 32 * 14) +
                        ": states are nested more than 32 deep.");
}

TEST_CASE_FIXTURE(CheckpointFile,
                  "undefined tensors and too many entries are refused and leave the file as it was") {
  const Bytes good = saved();
  CHECK_THROWS_TEXT(io::save(path, {{"a", State{{"b", Tensor()}}}}), StateError,
                    "io::save: a/b: the tensor is undefined.");
  State many;
  for (int i = 0; i <= 10'000; ++i) many.set(std::to_string(i), i);
  CHECK_THROWS_TEXT(io::save(path, many), StateError, "io::save: the state: 10001 entries; at most 10000.");
  CHECK(test::read_bytes(path) == good);
  CHECK(std::distance(fs::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE_FIXTURE(CheckpointFile, "a checkpoint with another graph than its header names is refused") {
  const State with_graph{{"graph", State{{"ops", "dense relu"}, {"constant", Tensor::ones({2})}}}};
  io::save(path, with_graph);
  CHECK(io::load(path) == with_graph);
  Bytes bytes = test::read_bytes(path);
  bytes[40] ^= 1;
  seal(bytes);
  CHECK_THROWS_TEXT(load(bytes), IoError, says + "the graph is not the one that the header names.");
}

TEST_CASE_FIXTURE(CheckpointFile, "what is no readable regular file is refused without waiting") {
  const std::string dir = folder.path().string();
  CHECK_THROWS_TEXT(io::load(path), IoError, says + "cannot be opened: No such file or directory.");
  CHECK_THROWS_TEXT(io::load(dir), IoError, "io::load: " + dir + ": not a regular file.");
  CHECK_THROWS_TEXT(io::load(dir + "/.."), IoError, "io::load: " + dir + "/..: not a regular file.");
  CHECK_THROWS_TEXT(io::load("/dev/zero"), IoError, "io::load: /dev/zero: not a regular file.");
  CHECK_THROWS_TEXT(io::load(""), IoError, "io::load: '' is no file name.");
  CHECK_THROWS_AS(io::load(std::string("a\0b", 3)), IoError);
  CHECK_THROWS_AS(io::load(std::string(4097, 'a')), IoError);
  fs::create_symlink(path, path);
  CHECK_THROWS_TEXT(io::load(path), IoError, says + "cannot be opened: Too many levels of symbolic links.");
  fs::remove(path);
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  CHECK_THROWS_TEXT(io::load(path), IoError, says + "not a regular file.");
  CHECK_THROWS_TEXT(io::save(path, {}), IoError, "io::save: " + path + ": not a regular file.");
  CHECK_THROWS_TEXT(io::save(dir + "/no/m.ckpt", {}), IoError,
                    "io::save: " + dir + "/no/m.ckpt: cannot be created: No such file or directory.");
  CHECK_THROWS_TEXT(io::save(dir + "/", {}), IoError, "io::save: '" + dir + "/' is no file name.");
  CHECK_THROWS_AS(io::save(dir + "/" + std::string(4097, 'a'), {}), IoError);
  CHECK_THROWS_TEXT(io::save("/dev/null", {}), IoError, "io::save: /dev/null: not a regular file.");
}

TEST_CASE_FIXTURE(CheckpointFile, "crc32c and sha256 give their published values") {
  const std::string digits = "123456789", abc = "abc";
  CHECK(io::crc32c(std::as_bytes(std::span(digits))) == 0xE3069283);
  Bytes zeros(32), ones(32, 0xFF);
  CHECK(io::crc32c(std::as_bytes(std::span(zeros))) == 0x8A9136AA);  // RFC 3720, B.4
  CHECK(io::crc32c(std::as_bytes(std::span(ones))) == 0x62A8AB43);
  for (std::size_t cut = 0; cut <= digits.size(); ++cut)
    CHECK(io::crc32c(std::as_bytes(std::span(digits).subspan(cut)),
                     io::crc32c(std::as_bytes(std::span(digits).first(cut)))) == 0xE3069283);
  CHECK(io::sha256(std::as_bytes(std::span(abc))) ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("weights_sha256 is the hash of the documented bytes, in order of the members") {
  const State model{{"fc.weight", Tensor::from({{1.0, -2.0}})}, {"steps", 3}, {"n", Tensor::full({}, 7, i8)}};
  const Bytes expected{'f', 'c', '.',  'w',  'e', 'i', 'g', 'h',  't', 0, 0, 2, 1, 0,
                       0,   0,   0,    0,    0,   0,   2,   0,    0,   0, 0, 0, 0, 0,
                       0,   0,   0x80, 0x3F, 0,   0,   0,   0xC0, 'n', 0, 2, 0, 7};
  CHECK(io::weights_sha256(model) == io::sha256(std::as_bytes(std::span(expected))));
  const State nested{{"fc", State{{"weight", Tensor::from({{1.0, -2.0}})}}}, {"n", Tensor::full({}, 7, i8)}};
  CHECK(io::weights_sha256(nested) == io::weights_sha256(model));
  const State swapped{{"n", Tensor::full({}, 7, i8)}, {"fc.weight", Tensor::from({{1.0, -2.0}})}};
  CHECK(io::weights_sha256(swapped) != io::weights_sha256(model));
  State masked = model;
  masked.set("fc.weight/mask", Tensor::ones({1, 2}, u8));
  CHECK(io::weights_sha256(masked) == io::weights_sha256(model));
}
