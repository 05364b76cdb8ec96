// SPDX-License-Identifier: Apache-2.0
#include "linnet/data/content_hash.h"

#include <array>
#include <bit>
#include <cstring>

#include "linnet/core/tensor_impl.h"

namespace linnet::data {
namespace {

constexpr std::uint64_t kPrime = 0x9FB21C651E98DF25;  // odd, bits well mixed

std::uint64_t mix(std::uint64_t state, std::uint64_t word) { return std::rotl(state ^ word, 29) * kPrime; }

}  // namespace

ContentHash& ContentHash::add(std::uint64_t word) {
  state_ = mix(state_, word);
  return *this;
}

// Four independent chains, so that the latency of the product does not count; the length is part of the hash.
ContentHash& ContentHash::add(std::span<const std::byte> bytes) {
  add(bytes.size());
  std::array<std::uint64_t, 4> chain{state_, state_ + 1, state_ + 2, state_ + 3};
  std::size_t at = 0;
  for (; at + 32 <= bytes.size(); at += 32) {
    std::array<std::uint64_t, 4> words;
    std::memcpy(words.data(), bytes.data() + at, 32);
    for (std::size_t i = 0; i < 4; ++i) chain[i] = mix(chain[i], words[i]);
  }
  std::array<std::uint64_t, 4> rest{};
  if (at < bytes.size()) std::memcpy(rest.data(), bytes.data() + at, bytes.size() - at);
  for (std::size_t i = 0; i < 4; ++i) add(mix(chain[i], rest[i]));
  return *this;
}

ContentHash& ContentHash::add(const Tensor& tensor) {
  if (!tensor.defined()) return add(~std::uint64_t{0});
  add(static_cast<std::uint64_t>(tensor.dtype()));
  add(static_cast<std::uint64_t>(tensor.rank()));
  for (const std::int64_t size : tensor.shape()) add(static_cast<std::uint64_t>(size));
  return add(std::span(readable<std::byte>(tensor),
                       static_cast<std::size_t>(tensor.size()) * size_of(tensor.dtype())));
}

std::uint64_t ContentHash::value() const {
  const std::uint64_t once = mix(state_, state_ >> 32);
  return once ^ once >> 29;
}

}  // namespace linnet::data
