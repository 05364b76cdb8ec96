// SPDX-License-Identifier: Apache-2.0
#pragma once
// Bytes of a plain or gzip-compressed file, in order. Private to data/.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace linnet::data {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  /// Fills `bytes` as far as there are any and returns how many; less than asked only at the end.
  virtual std::size_t read(std::span<std::byte> bytes) = 0;
  /// No more than so many bytes can come, by the size of the file.
  virtual std::uint64_t limit() const = 0;
};

/// `op` starts every message. IoError when the file cannot be read, is no regular file, or is damaged.
std::unique_ptr<ByteSource> open_bytes(const std::string& op, const std::string& path);

}  // namespace linnet::data
