// SPDX-License-Identifier: Apache-2.0
#pragma once
// Multiply-accumulates of one call of an op: those of products, convolutions and recurrent steps. Ops that go
// over elements, pooling and reductions count as none. The largest number where the count does not fit.

#include <cstdint>
#include <limits>
#include <span>

#include "linnet/core/op.h"
#include "linnet/core/shape.h"

namespace linnet {

/// y = op(inputs).
std::int64_t macs(Op op, const Shape& y, std::span<const Shape> inputs);
/// Of its rule in backward; bit i of `wanted` is set when input i gets a gradient.
std::int64_t backward_macs(Op op, const Shape& y, std::span<const Shape> inputs, std::uint64_t wanted);

/// a b, or the largest number where that does not fit: shapes may come from hostile files.
inline std::int64_t saturating_product(std::int64_t a, std::int64_t b) {
  std::int64_t all = 0;
  return __builtin_mul_overflow(a, b, &all) ? std::numeric_limits<std::int64_t>::max() : all;
}

}  // namespace linnet
