// SPDX-License-Identifier: Apache-2.0
#pragma once
// y = scale x + shift, a number a channel, into the weights of a neighbour. Private to deploy.

#include <cstddef>
#include <vector>

#include "linnet/deploy/passes/draft.h"

namespace linnet::deploy {

/// The place i of the last axis belongs to channel i mod the number of entries.
struct Affine {
  std::vector<double> scale, shift;
  bool shifts() const;
};

/// Into the dense, conv2d or conv_transpose2d that computes x, perhaps reshaped: w' = scale w,
/// b' = scale b + shift. Not when x has another reader, an activation is fused behind it, a weight would
/// not be finite, or at least 1024 weights that share at most 256 values would no longer do so. On success
/// readers of the node's result read x.
bool fold_into_writer(Draft& draft, std::size_t node, int x, const Affine& affine);

/// Into the dense, conv2d or conv_transpose2d that alone reads the node's result, perhaps reshaped:
/// w' = w scale, b' = b + sum of w shift. A shift only where no padding mixes zeros in.
bool fold_into_reader(Draft& draft, std::size_t node, int x, const Affine& affine);

/// What computes a value, past reshapes that nobody else reads; -1 for a value that has other readers.
int writer_past_reshapes(const Draft& draft, int value);

}  // namespace linnet::deploy
