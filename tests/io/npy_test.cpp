// SPDX-License-Identifier: Apache-2.0
#include "linnet/io/npy.h"

#include "linnet/core/error.h"
#include "support/check_close.h"
#include "support/fixtures.h"

using namespace linnet;

namespace {

using Bytes = std::vector<std::uint8_t>;

/// A file with this header text (filled up as NumPy does it), then `values`.
Bytes npy(const std::string& header, const Bytes& values, int version = 1) {
  const std::size_t start = version == 1 ? 10 : 12;
  std::string text = header;
  text.append((64 - (start + text.size() + 1) % 64) % 64, ' ');
  text += '\n';
  Bytes bytes{0x93, 'N', 'U', 'M', 'P', 'Y', static_cast<std::uint8_t>(version), 0};
  for (std::size_t i = 0; i < start - 8; ++i)
    bytes.push_back(static_cast<std::uint8_t>(text.size() >> 8 * i));
  bytes.insert(bytes.end(), text.begin(), text.end());
  bytes.insert(bytes.end(), values.begin(), values.end());
  return bytes;
}

struct NpyFile {
  test::TemporaryFolder folder;
  std::string path = folder / "x.npy";
  std::string says = "read_npy: " + path + ": ";
  Tensor read(const Bytes& bytes) const {
    test::write_bytes(path, bytes);
    return io::read_npy(path);
  }
};

}  // namespace

TEST_CASE_FIXTURE(NpyFile, "every element type and rank comes back with the same bits") {
  for (const DType dtype : {f32, f64, i8, u8, i32, i64})
    for (const Shape& shape : {Shape{}, Shape{0}, Shape{5}, Shape{2, 3}, Shape{1, 2, 3, 1, 2, 2}}) {
      const Tensor x = test::random_tensor(shape, 3, 0, 100, dtype);
      io::write_npy(path, x);
      CHECK_SAME_BITS(io::read_npy(path), x);
    }
}

TEST_CASE_FIXTURE(NpyFile, "files are byte for byte those of NumPy") {
  io::write_npy(path, Tensor::from({{1.0, -2.0, 0.5}}));
  CHECK(test::read_bytes(path) == npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3), }",
                                      {0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0, 0, 0, 0, 0x3F}));
  io::write_npy(path, Tensor::full({2}, 7, u8));
  CHECK(test::read_bytes(path) == npy("{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }", {7, 7}));
  io::write_npy(path, Tensor::full({}, 7, i8));
  CHECK(test::read_bytes(path) == npy("{'descr': '|i1', 'fortran_order': False, 'shape': (), }", {7}));
}

TEST_CASE_FIXTURE(NpyFile, "version 2, other quotes, blanks and orders of keys are read") {
  const Tensor expected = Tensor::from(std::vector<std::uint8_t>{1, 2}, {1, 2});
  CHECK_SAME_BITS(read(npy("{'descr': '|u1', 'fortran_order': False, 'shape': (1, 2), }", {1, 2}, 2)),
                  expected);
  CHECK_SAME_BITS(read(npy("{\"shape\":(1,2),'descr':'|u1','fortran_order' : False}", {1, 2})), expected);
}

TEST_CASE_FIXTURE(NpyFile, "what is not read is refused, saying why") {
  CHECK_THROWS_TEXT(read({}), IoError, says + "the file is empty.");
  CHECK_THROWS_TEXT(read({'P', 'K', 3, 4, 5, 6, 7, 8}), IoError,
                    says + "not a .npy file: it begins with other bytes.");
  CHECK_THROWS_TEXT(read({0x93, 'N', 'U', 'M', 'P', 'Y', 3, 0, 1, 0, 0, 0}), IoError,
                    says + "version 3.0; this Linnet reads 1.0 and 2.0.");
  CHECK_THROWS_TEXT(read({0x93, 'N', 'U', 'M', 'P', 'Y', 2, 0, 255, 255, 255, 255}), IoError,
                    says + "a header of 4294967295 bytes; at most 65536.");
  CHECK_THROWS_TEXT(
      read(npy("{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }", {0, 0, 0, 0})), IoError,
      says +
          "element type '>f4' is not read; known are <f4, <f8, |i1, |u1, <i4, <i8. Convert with "
          "astype().");
  CHECK_THROWS_TEXT(read(npy("{'descr': '|u1', 'fortran_order': True, 'shape': (1,), }", {0})), IoError,
                    says + "in Fortran order. Save numpy.ascontiguousarray(x) instead.");
  CHECK_THROWS_TEXT(read(npy("{'descr': '|u1', 'fortran_order': False, 'shape': (1, 2), }", {0})), IoError,
                    says + "1 bytes of values; [1, 2] u8 needs 2.");
  CHECK_THROWS_TEXT(read(npy("{'descr': '|u1', 'fortran_order': False, 'shape': (1,), }", {0, 0})), IoError,
                    says + "2 bytes of values; [1] u8 needs 1.");
}

TEST_CASE_FIXTURE(NpyFile, "headers that are no such dictionary are refused, saying why") {
  const std::string type = "'descr': '|u1', ", order = "'fortran_order': False, ", shape = "'shape': (1,), ";
  const std::vector<std::pair<std::string, std::string>> cases{
      {"", "expected '{'"},
      {"{" + type + order + "}", "a key is missing"},
      {"{" + type + type + order + shape + "}", "unexpected key 'descr'"},
      {"{" + type + order + shape + "'x': 1}", "unexpected key 'x'"},
      {"{" + type + order + shape + "} 1", "something follows the dictionary"},
      {"{" + type + order + "'shape': (1,2", "expected ')'"},
      {"{" + type + order + "'shape': (-1,), }", "expected a size"},
      {"{" + type + order + "'shape': (1e9,), }", "expected ')'"},
      {"{" + type + order + "'shape': (1234567890123456,), }", "a size has too many digits"},
      {"{" + type + "'fortran_order': 0, " + shape + "}", "expected True or False"},
      {"{'descr: 1", "a text does not end"},
      {"{'descr' '|u1'}", "expected ':'"},
  };
  for (const auto& broken : cases)  // clang 14 cannot capture a structured binding
    CHECK_THROWS_TEXT(read(npy(broken.first, {0})), IoError,
                      says + "the header is not valid: " + broken.second + ".");
}

TEST_CASE_FIXTURE(NpyFile, "sizes that overflow are refused before anything is allocated") {
  const std::int64_t before = memory_stats().live_bytes;
  for (const char* shape : {"(65536, 65536, 65536, 65536)", "(999999999999999, 999999999999999)",
                            "(1, 1, 1, 1, 1, 1, 1)", "(281474976710656,)"})
    CHECK_THROWS_AS(
        read(npy(std::string("{'descr': '<f8', 'fortran_order': False, 'shape': ") + shape + ", }", {0})),
        IoError);
  CHECK(memory_stats().live_bytes == before);
}

TEST_CASE_FIXTURE(NpyFile, "a file cut at any byte is refused") {
  const Bytes good =
      npy("{'descr': '<i4', 'fortran_order': False, 'shape': (2,), }", {1, 0, 0, 0, 2, 0, 0, 0});
  CHECK(read(good).shape() == Shape{2});
  for (std::size_t length = 0; length < good.size(); ++length)
    CHECK_THROWS_AS(read(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(length))), IoError);
}

TEST_CASE_FIXTURE(
    NpyFile, "a flipped bit of the header is refused or changes nothing that is not said in the header") {
  const Bytes good =
      npy("{'descr': '<i4', 'fortran_order': False, 'shape': (2,), }", {1, 0, 0, 0, 2, 0, 0, 0});
  for (std::size_t bit = 0; bit < 8 * (good.size() - 8); ++bit) {
    Bytes damaged = good;
    damaged[bit / 8] = static_cast<std::uint8_t>(damaged[bit / 8] ^ 1u << bit % 8);
    try {
      const Tensor x = read(damaged);  // e.g. another type of the same size
      CHECK(static_cast<std::size_t>(x.size()) * size_of(x.dtype()) == 8);
    } catch (const IoError&) {
    }
  }
}
