// SPDX-License-Identifier: Apache-2.0
#pragma once
// Whole recurrent layers: one matrix product for the inputs of all steps, one small product and one pass over
// the gates a step, one product over all steps for each gradient of a weight.
//
// N sequences of T steps, C features in, H units, G gates (recurrent_table.h). Inside, everything is in the
// order of the steps, [T, N, ...], the last time first when `reverse`. A sequence's results and input
// gradient do not depend on its neighbours, nor, bit for bit, on masked steps before, behind or between.

#include "linnet/core/kernels/recurrent_table.h"
#include "linnet/core/tensor.h"

namespace linnet::kernels {

struct RecurrentCall {
  Cell cell = Cell::lstm;
  bool reverse = false;
  bool sequence = true;   ///< y has a row for each time, else only the last h
  bool cell_row = false;  ///< LSTM: and one more for the last c
  Tensor x;               ///< [N, T, C]
  Tensor weight_x;        ///< [G H, C]
  Tensor weight_h;        ///< [G H, H]
  Tensor bias, bias_h;    ///< [G H]; GRU [H]
  Tensor h, c;            ///< [N, H] before the first step; undefined for zeros
  Tensor mask = {};       ///< [N, T] of any type or undefined
};

/// What the gradients read. Step s is at index s, what was before it too, what it leaves at s + 1.
struct RecurrentKept {
  Tensor gates;  ///< [T, N, G H], not for RNN
  Tensor h;      ///< [T + 1, N, H]
  Tensor c;      ///< LSTM: c [T + 1, N, H]; GRU: a [T, N, H]
  Tensor mask;   ///< u8 [T, N], when there is one
};

/// y [N, T, H], [N, T + 1, H], [N, H] or [N, 2, H]; what is kept is dropped unless `keep`.
struct Recurrent {
  Tensor y;
  RecurrentKept kept;
};
Recurrent recurrent(const RecurrentCall& call, bool keep);

/// Those that are wanted.
struct RecurrentWanted {
  bool x, weight_x, weight_h, bias, bias_h, h, c;
};
struct RecurrentGrads {
  Tensor x, weight_x, weight_h, bias, bias_h, h, c;
};
/// `overwrite`: kept.gates and the a of GRU may become their own gradients.
RecurrentGrads recurrent_grad(const RecurrentCall& call, const RecurrentKept& kept, const Tensor& dy,
                              const RecurrentWanted& wanted, bool overwrite);

inline std::int64_t gate_count(Cell cell) { return cell == Cell::lstm ? 4 : cell == Cell::gru ? 3 : 1; }

}  // namespace linnet::kernels
