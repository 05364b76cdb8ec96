// SPDX-License-Identifier: Apache-2.0
#include "linnet/io/npy.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <optional>
#include <string_view>
#include <vector>

#include "linnet/core/error.h"
#include "linnet/core/tensor_impl.h"
#include "linnet/io/atomic_file.h"
#include "linnet/io/fs.h"
#include "linnet/io/input_file.h"

namespace linnet::io {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::string_view kStart = "\x93NUMPY";
constexpr std::size_t kAlignment = 64, kLongestHeader = 1 << 16;

struct Code {
  std::string_view text;
  DType dtype;
};
constexpr Code kCodes[] = {{"<f4", f32}, {"<f8", f64}, {"|i1", i8}, {"|u1", u8}, {"<i4", i32}, {"<i8", i64}};

std::string_view code_of(DType dtype) {
  for (const Code& code : kCodes)
    if (code.dtype == dtype) return code.text;
  LINNET_ASSERT(false);
  return {};
}

struct Array {
  std::optional<DType> dtype;
  std::optional<bool> fortran_order;
  std::optional<std::vector<std::int64_t>> sizes;
};

/// The header is a Python dictionary with exactly the keys descr, fortran_order and shape.
class HeaderParser {
 public:
  HeaderParser(const std::string& path, std::string_view text) : path_(path), left_(text) {}

  Array parse() {
    Array array;
    expect('{');
    while (!accept('}')) {
      const std::string_view key = quoted();
      expect(':');
      if (key == "descr" && !array.dtype)
        array.dtype = dtype();
      else if (key == "fortran_order" && !array.fortran_order)
        array.fortran_order = boolean();
      else if (key == "shape" && !array.sizes)
        array.sizes = tuple();
      else
        refuse(concat({"unexpected key '", key, "'"}));
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_blanks();
    if (!left_.empty()) refuse("something follows the dictionary");
    if (!array.dtype || !array.fortran_order || !array.sizes) refuse("a key is missing");
    return array;
  }

 private:
  [[noreturn]] void refuse(const std::string& why) const {
    fail<IoError>("read_npy: ", path_, ": the header is not valid: ", why, ".");
  }
  void skip_blanks() {
    while (!left_.empty() && (left_[0] == ' ' || left_[0] == '\n')) left_.remove_prefix(1);
  }
  bool accept(char c) {
    skip_blanks();
    if (left_.empty() || left_[0] != c) return false;
    left_.remove_prefix(1);
    return true;
  }
  void expect(char c) {
    if (!accept(c)) refuse(concat({"expected '", c, "'"}));
  }
  std::string_view quoted() {
    const char quote = accept('"') ? '"' : '\'';
    if (quote == '\'') expect('\'');
    const std::size_t end = left_.find(quote);
    if (end == left_.npos) refuse("a text does not end");
    const std::string_view text = left_.substr(0, end);
    left_.remove_prefix(end + 1);
    return text;
  }
  DType dtype() {
    const std::string_view text = quoted();
    for (const Code& code : kCodes)
      if (code.text == text) return code.dtype;
    fail<IoError>("read_npy: ", path_, ": element type '", text,
                  "' is not read; known are <f4, <f8, |i1, |u1, <i4, <i8. Convert with astype().");
  }
  bool boolean() {
    skip_blanks();
    for (const bool value : {true, false}) {
      const std::string_view word = value ? "True" : "False";
      if (!left_.starts_with(word)) continue;
      left_.remove_prefix(word.size());
      return value;
    }
    refuse("expected True or False");
  }
  std::vector<std::int64_t> tuple() {
    std::vector<std::int64_t> sizes;
    expect('(');
    while (!accept(')')) {
      sizes.push_back(number());
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return sizes;
  }
  std::int64_t number() {
    skip_blanks();
    std::int64_t value = 0;
    int digits = 0;
    for (; !left_.empty() && left_[0] >= '0' && left_[0] <= '9'; left_.remove_prefix(1)) {
      if (++digits > 15) refuse("a size has too many digits");
      value = 10 * value + (left_[0] - '0');
    }
    if (digits == 0) refuse("expected a size");
    return value;
  }

  const std::string& path_;
  std::string_view left_;
};

Array read_description(InputFile& file) {
  const std::string& path = file.path();
  std::array<char, 8> start{};
  check<IoError>(file.size() > 0, "read_npy: ", path, ": the file is empty.");
  file.read(std::as_writable_bytes(std::span(start)).first(std::min<std::size_t>(start.size(), file.size())));
  check<IoError>(std::string_view(start.data(), kStart.size()) == kStart, "read_npy: ", path,
                 ": not a .npy file: it begins with other bytes.");
  const int version = start[6];
  check<IoError>((version == 1 || version == 2) && start[7] == 0, "read_npy: ", path, ": version ", version,
                 ".", int{start[7]}, "; this Linnet reads 1.0 and 2.0.");
  std::uint32_t length = 0;
  file.read(std::as_writable_bytes(std::span(&length, 1)).first(version == 1 ? 2 : 4));
  check<IoError>(length <= kLongestHeader, "read_npy: ", path, ": a header of ", length, " bytes; at most ",
                 kLongestHeader, ".");
  std::string header(length, '\0');
  file.read(std::as_writable_bytes(std::span(header)));
  return HeaderParser(path, header).parse();
}

Shape shape_of(const std::string& path, const Array& array) {
  try {
    return Shape(*array.sizes);
  } catch (const ShapeError& error) {
    fail<IoError>("read_npy: ", path, ": ", error.what());
  }
}

}  // namespace

Tensor read_npy(const std::string& path) {
  InputFile file("read_npy", path, Fs::system());
  const Array array = read_description(file);
  check<IoError>(!*array.fortran_order, "read_npy: ", path,
                 ": in Fortran order. Save numpy.ascontiguousarray(x) instead.");
  const Shape shape = shape_of(path, array);
  const std::int64_t expected = shape.size() * static_cast<std::int64_t>(size_of(*array.dtype));
  const std::int64_t actual = file.size() - file.position();
  check<IoError>(actual == expected, "read_npy: ", path, ": ", actual, " bytes of values; ", shape, " ",
                 *array.dtype, " needs ", expected, ".");
  Tensor tensor = Tensor::empty(shape, *array.dtype);
  file.read(writable_bytes(tensor));
  return tensor;
}

void write_npy(const std::string& path, const Tensor& tensor) {
  std::string sizes;  // (2, 3), but (5,), as Python writes them
  for (int axis = 0; axis < tensor.rank(); ++axis)
    sizes += (axis > 0 ? ", " : "") + std::to_string(tensor.shape()[axis]);
  if (tensor.rank() == 1) sizes += ',';
  std::string header = concat(
      {"{'descr': '", code_of(tensor.dtype()), "', 'fortran_order': False, 'shape': (", sizes, "), }"});
  const std::size_t start = kStart.size() + 4;
  header.append((kAlignment - (start + header.size() + 1) % kAlignment) % kAlignment, ' ');
  header += '\n';
  std::string bytes(kStart);
  bytes += {1, 0, static_cast<char>(header.size() & 255), static_cast<char>(header.size() >> 8)};
  bytes += header;

  AtomicFile file("write_npy", path);
  file.write(std::as_bytes(std::span(bytes)));
  file.write(writable_bytes(tensor));
  file.commit();
}

}  // namespace linnet::io
