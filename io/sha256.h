// SPDX-License-Identifier: Apache-2.0
#pragma once
// SHA-256: the identity of files and of weights.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "linnet/core/state.h"

namespace linnet::io {

/// Hashes what is added piece by piece.
class Sha256 {
 public:
  using Digest = std::array<std::byte, 32>;

  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  Sha256& add(std::span<const std::byte> bytes);
  Digest finish();  ///< once, at the end

 private:
  struct Running;
  std::unique_ptr<Running> running_;
};

/// 64 lower-case hexadecimal digits.
std::string hex(std::span<const std::byte> bytes);
std::string sha256(std::span<const std::byte> bytes);

/// One number for all weights, the same on every machine: SHA-256 over, for each tensor in order, its name,
/// 00, element type (one byte, the value of DType), rank (one byte), sizes (u64, little-endian) and values
/// (little-endian). `model` is what Module::state() gives; names in nested states are joined with dots;
/// entries that are no tensors and constraints (core/constraint.h) do not count.
std::string weights_sha256(const State& model);

}  // namespace linnet::io
