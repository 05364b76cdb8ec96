// SPDX-License-Identifier: Apache-2.0
#include "linnet/nn/zoo/stacked_lstm.h"

#include "linnet/nn/nn.h"

namespace linnet::nn::zoo {

Sequential stacked_lstm(const StackedLstmOptions& options) {
  return Sequential{LSTM(options.inputs, options.units, {.return_sequences = true}),
                    LSTM(options.units, options.units), Dense(options.units, options.outputs)};
}

}  // namespace linnet::nn::zoo
