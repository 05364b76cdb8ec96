// SPDX-License-Identifier: Apache-2.0
#pragma once
// Little-endian bytes of a file in the making. Private to deploy.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace linnet::deploy {

using Bytes = std::vector<std::uint8_t>;

static_assert(std::endian::native == std::endian::little, "tensors are copied as they are");

inline void put(Bytes& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}
inline void put_at(Bytes& out, std::size_t at, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out[at + i] = static_cast<std::uint8_t>(value >> (8 * i));
}
inline void pad_to(Bytes& out, std::size_t alignment) {
  out.resize((out.size() + alignment - 1) / alignment * alignment);
}
inline void append(Bytes& out, std::span<const std::byte> bytes) {
  const std::size_t at = out.size();
  out.resize(at + bytes.size());
  if (!bytes.empty()) std::memcpy(out.data() + at, bytes.data(), bytes.size());
}

}  // namespace linnet::deploy
