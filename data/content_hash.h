// SPDX-License-Identifier: Apache-2.0
#pragma once
// A fast 64-bit hash that tells datasets apart. Not cryptographic: it finds accidents, not attacks.
// Private to data/.

#include <cstddef>
#include <cstdint>
#include <span>

#include "linnet/core/tensor.h"

namespace linnet::data {

class ContentHash {
 public:
  ContentHash& add(std::uint64_t word);
  ContentHash& add(std::span<const std::byte> bytes);
  /// Type, shape and contents; an undefined tensor counts as such.
  ContentHash& add(const Tensor& tensor);
  std::uint64_t value() const;

 private:
  std::uint64_t state_ = 0x9E3779B97F4A7C15;
};

}  // namespace linnet::data
