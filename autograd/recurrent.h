// SPDX-License-Identifier: Apache-2.0
#pragma once
// Recurrent layers over whole sequences, one op each. N sequences of T >= 1 steps, H units; h' and c' are of
// the step before, zeros before the first unless given.
//
//   rnn    h = tanh(x weight_x^T + h' weight_h^T + bias), or relu
//   gru    r, z = sigmoid(x weight_x^T + h' weight_h^T + bias),   gates r, z, n along the rows of a weight
//          n = tanh(x weight_x^T + bias + r (h' weight_h^T + bias_h)),   h = (1 - z) n + z h'
//   lstm   i, f, g, o = sigmoid, sigmoid, tanh, sigmoid(x weight_x^T + h' weight_h^T + bias)
//          c = f c' + i g,   h = o tanh(c)

#include "linnet/core/tensor.h"

namespace linnet {

struct RecurrentParams {
  Tensor h = {}, c = {};  ///< [N, H], the state before the first step; lstm takes both or none
  Tensor mask = {};       ///< [N, T], any type: 0 where a sequence has no such step
  bool reverse = false;   ///< the last time first; results stay at their times
  bool sequence = true;   ///< every h, else only that of the last step
  bool cell_row = false;  ///< lstm: one more row, the c of the last step
  bool relu = false;      ///< rnn: relu in place of tanh
};

/// x [N, T, C], weight_x [G H, C], weight_h [G H, H], bias [G H], bias_h [H]  with G = 1, 3, 4 for rnn, gru,
/// lstm. The result has a row for each time, [N, T, H]; only the last step's, [N, H]; with cell_row [N, T +
/// 1, H] or [N, 2, H].
///
/// A masked step leaves the state as it was, and h is repeated in its row of the result. So row T - 1 (row 0
/// in reverse) is the h of the last step that is there, the padding may be at either end or between, and what
/// it holds is never read. Results and gradients of x and states are, bit for bit, those of the steps that
/// are there alone.
///
/// ShapeError or DTypeError when sizes or types do not fit, or T is 0; ValueError for half a state.
/// Cost: keeps 1 (rnn), 5 (gru) or 6 (lstm) numbers a unit and step for backward.
Tensor rnn(const Tensor& x, const Tensor& weight_x, const Tensor& weight_h, const Tensor& bias,
           const RecurrentParams& params = {});
Tensor gru(const Tensor& x, const Tensor& weight_x, const Tensor& weight_h, const Tensor& bias,
           const Tensor& bias_h, const RecurrentParams& params = {});
Tensor lstm(const Tensor& x, const Tensor& weight_x, const Tensor& weight_h, const Tensor& bias,
            const RecurrentParams& params = {});

}  // namespace linnet
