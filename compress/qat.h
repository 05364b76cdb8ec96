// SPDX-License-Identifier: Apache-2.0
#pragma once
// Quantization-aware training: the network trains with the rounding that it will have as integers.
//
//   graph::GraphModule q = compress::prepare_qat(model, {});
//   optim::Adam adam(q.parameters(), {.lr = 1e-4});
//   train::Trainer trainer(q, adam, {.loss = cross_entropy, .step_callbacks =
//   {compress::freeze_on_schedule(q)}}); trainer.fit(digits, {.epochs = 5});
//
// Ranges of activations follow what they see (an average with a momentum), those of weights are their largest
// values at every step. All of it is in the module's state, so a run that is stopped goes on to the same
// bits.

#include <cstdint>
#include <string>
#include <vector>

#include "linnet/compress/quantize.h"

namespace linnet::compress {

struct QatOptions {
  QuantMode mode = QuantMode::int8;          ///< not float16_weights
  int weight_bits = 0;                       ///< 2..8; 0: those of the mode
  double momentum = 0.05;                    ///< in (0, 1]: range = (1 - momentum) range + momentum seen
  std::vector<std::string> keep_float = {};  ///< as in QuantizeOptions
};

/// The model with fake_quant nodes, batch-norms as they are; parameters, constraints and names are those of
/// the model. Ranges begin with the first batch in training. Errors as of quantize().
graph::GraphModule prepare_qat(const graph::GraphModule& model, const QatOptions& options = {});

struct QatSchedule {
  std::int64_t observers = 4;   ///< whole epochs in which ranges move
  std::int64_t batch_norm = 3;  ///< whole epochs in which statistics of batch-norm move
};
/// For TrainerOptions::step_callbacks: freezes ranges and statistics from the epoch on that follows. The
/// model outlives it. ValueError for negative numbers.
train::StepCallback freeze_on_schedule(nn::Module& model, const QatSchedule& schedule = {});

}  // namespace linnet::compress
