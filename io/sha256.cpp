// SPDX-License-Identifier: Apache-2.0
#include "linnet/io/sha256.h"

#include <sodium/crypto_hash_sha256.h>

#include <bit>

#include "linnet/core/constraint.h"
#include "linnet/core/tensor_impl.h"

namespace linnet::io {
namespace {

void add_tensor(Sha256& hash, const std::string& name, const Tensor& tensor) {
  hash.add(std::as_bytes(std::span(name.c_str(), name.size() + 1)));
  const std::array<std::byte, 2> kind{static_cast<std::byte>(tensor.dtype()),
                                      static_cast<std::byte>(tensor.rank())};
  hash.add(kind);
  for (const std::int64_t size : tensor.shape()) hash.add(std::as_bytes(std::span(&size, 1)));
  hash.add({readable<std::byte>(tensor), static_cast<std::size_t>(tensor.size()) * size_of(tensor.dtype())});
}

void add_state(Sha256& hash, const std::string& prefix, const State& state) {
  for (const auto& [name, value] : state) {
    if (names_constraint(name)) continue;
    if (value.is_tensor()) add_tensor(hash, prefix + name, value.tensor());
    if (value.is_state()) add_state(hash, prefix + name + ".", value.state());
  }
}

}  // namespace

struct Sha256::Running {
  crypto_hash_sha256_state state;
};

Sha256::Sha256() : running_(std::make_unique<Running>()) { crypto_hash_sha256_init(&running_->state); }
Sha256::~Sha256() = default;

Sha256& Sha256::add(std::span<const std::byte> bytes) {
  crypto_hash_sha256_update(&running_->state, reinterpret_cast<const unsigned char*>(bytes.data()),
                            bytes.size());
  return *this;
}

Sha256::Digest Sha256::finish() {
  static_assert(sizeof(Digest) == crypto_hash_sha256_BYTES);
  Digest digest;
  crypto_hash_sha256_final(&running_->state, reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
}

std::string hex(std::span<const std::byte> bytes) {
  constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (const std::byte byte : bytes) {
    text += digits[std::to_integer<int>(byte >> 4)];
    text += digits[std::to_integer<int>(byte & std::byte{15})];
  }
  return text;
}

std::string sha256(std::span<const std::byte> bytes) { return hex(Sha256().add(bytes).finish()); }

std::string weights_sha256(const State& model) {
  static_assert(std::endian::native == std::endian::little);
  Sha256 hash;
  add_state(hash, "", model);
  return hex(hash.finish());
}

}  // namespace linnet::io
