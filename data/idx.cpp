// SPDX-License-Identifier: Apache-2.0
#include "linnet/data/idx.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <span>
#include <vector>

#include "linnet/core/error.h"
#include "linnet/core/tensor_impl.h"
#include "linnet/data/byte_source.h"

namespace linnet::data {
namespace {

struct ElementType {
  int code;
  std::size_t bytes;  ///< in the file
  DType dtype;        ///< in memory
};
constexpr ElementType kTypes[] = {{0x08, 1, u8},  {0x09, 1, i8},  {0x0B, 2, i32},
                                  {0x0C, 4, i32}, {0x0D, 4, f32}, {0x0E, 8, f64}};

struct Header {
  ElementType type;
  Shape shape;
  std::uint64_t values;
};

std::string hex(int byte) {
  constexpr char digits[] = "0123456789ABCDEF";
  return {digits[byte >> 4 & 15], digits[byte & 15]};
}

std::uint64_t big_endian(std::span<const std::byte> bytes) {
  std::uint64_t value = 0;
  for (const std::byte byte : bytes) value = value << 8 | std::to_integer<std::uint64_t>(byte);
  return value;
}

ElementType type_of(const std::string& path, int code) {
  for (const ElementType& type : kTypes)
    if (type.code == code) return type;
  fail<IoError>("read_idx: ", path, ": unknown element type ", hex(code),
                ". Known are 08, 09, 0B, 0C, 0D, 0E.");
}

Header read_header(const std::string& path, ByteSource& source) {
  std::array<std::byte, 4> magic;
  const std::size_t got = source.read(magic);
  check<IoError>(got > 0, "read_idx: ", path, ": the file is empty.");
  check<IoError>(got == 4 && big_endian(std::span(magic).first(2)) == 0, "read_idx: ", path,
                 ": not an IDX file: it must begin with two zero bytes, a type and a number of axes.");
  const ElementType type = type_of(path, std::to_integer<int>(magic[2]));
  const int rank = std::to_integer<int>(magic[3]);
  check<IoError>(rank >= 1 && rank <= Shape::kMaxRank, "read_idx: ", path, ": ", rank, " axes; expected 1..",
                 Shape::kMaxRank, ".");
  const std::uint64_t most = source.limit() / type.bytes;
  std::vector<std::int64_t> sizes;
  std::uint64_t values = 1;
  bool fits = true;
  for (int axis = 0; axis < rank; ++axis) {
    std::array<std::byte, 4> word;
    check<IoError>(source.read(word) == 4, "read_idx: ", path, ": truncated in the header.");
    const std::uint64_t size = big_endian(word);
    fits = fits && (size == 0 || values <= most / size);  // before the product, which cannot overflow then
    values *= size;
    sizes.push_back(static_cast<std::int64_t>(size));
  }
  check<IoError>(fits, "read_idx: ", path, ": the header announces more values than ", source.limit(),
                 " bytes can hold. Is the file truncated?");
  return {type, Shape(sizes), values};
}

/// Big-endian values of type Word, as the file has them, to values of T in memory.
template <class Word, class T>
void decode(std::span<const std::byte> bytes, T* to) {
  static_assert(std::endian::native == std::endian::little);
  std::array<std::byte, sizeof(Word)> word;
  for (auto at = bytes.begin(); at != bytes.end(); at += sizeof(Word)) {
    std::reverse_copy(at, at + sizeof(Word), word.begin());
    *to++ = static_cast<T>(std::bit_cast<Word>(word));
  }
}

void read_values(const std::string& path, ByteSource& source, const Header& header, Tensor& tensor) {
  constexpr std::size_t kChunk = 1 << 16;
  std::vector<std::byte> chunk(kChunk);
  const std::uint64_t total = header.values * header.type.bytes;
  for (std::uint64_t done = 0; done < total;) {
    const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(kChunk, total - done));
    const std::span<std::byte> bytes = std::span(chunk).first(wanted);
    const std::size_t got = source.read(bytes);
    check<IoError>(got == wanted, "read_idx: ", path, ": truncated: ", header.shape, " needs ", total,
                   " bytes of values, got ", done + got, ".");
    const auto first = static_cast<std::int64_t>(done / header.type.bytes);
    switch (header.type.code) {
      case 0x08:
      case 0x09:
        std::copy(bytes.begin(), bytes.end(), writable<std::byte>(tensor) + first);
        break;
      case 0x0B:
        decode<std::int16_t>(bytes, writable<std::int32_t>(tensor) + first);
        break;
      case 0x0C:
        decode<std::int32_t>(bytes, writable<std::int32_t>(tensor) + first);
        break;
      case 0x0D:
        decode<float>(bytes, writable<float>(tensor) + first);
        break;
      default:
        decode<double>(bytes, writable<double>(tensor) + first);
        break;
    }
    done += got;
  }
}

}  // namespace

Tensor read_idx(const std::string& path) {
  const std::unique_ptr<ByteSource> source = open_bytes("read_idx", path);
  const Header header = read_header(path, *source);
  Tensor tensor = Tensor::empty(header.shape, header.type.dtype);
  read_values(path, *source, header, tensor);
  std::byte extra;
  check<IoError>(source->read(std::span(&extra, 1)) == 0, "read_idx: ", path, ": more bytes after the ",
                 header.values, " values of ", header.shape, ".");
  return tensor;
}

}  // namespace linnet::data
