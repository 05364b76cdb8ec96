// SPDX-License-Identifier: Apache-2.0
#pragma once
// Two LSTM layers and a number: for time series.

#include <cstdint>

#include "linnet/nn/sequential.h"

namespace linnet::nn::zoo {

struct StackedLstmOptions {
  std::int64_t inputs = 8;  ///< channels of the series
  std::int64_t units = 50;  ///< of each LSTM
  std::int64_t outputs = 1;
};

/// LSTM units (all times), LSTM units (the last), Dense outputs: 50-50-1, the usual first model for a
/// forecast or a remaining useful life (cells: Hochreiter, Schmidhuber: "Long Short-Term Memory", 1997, with
/// the forget gate of Gers et al., 2000).
///   Shapes: x [N, T, inputs]  ->  [N, outputs]. ValueError for sizes below 1.
Sequential stacked_lstm(const StackedLstmOptions& options = {});

}  // namespace linnet::nn::zoo
