// SPDX-License-Identifier: Apache-2.0
#include "linnet/compress/qat.h"

#include <algorithm>

#include "linnet/compress/assemble_impl.h"
#include "linnet/core/name_pattern.h"

namespace linnet::compress {

using graph::GraphModule;

GraphModule prepare_qat(const GraphModule& model, const QatOptions& options) {
  check<ValueError>(options.mode != QuantMode::float16_weights,
                    "prepare_qat: there is nothing to train with float16_weights.");
  check<ValueError>(options.weight_bits == 0 || (options.weight_bits >= 2 && options.weight_bits <= 8),
                    "prepare_qat: weight_bits must be in 2..8, or 0 for those of the mode, got ",
                    options.weight_bits, ".");
  check<ValueError>(options.momentum > 0.0 && options.momentum <= 1.0,
                    "prepare_qat: momentum must be in (0, 1], got ", options.momentum, ".");
  for (const graph::Node& node : model.graph().nodes())
    check<GraphError>(node.op != Op::fake_quant, "prepare_qat: the model is quantized already.");
  check_patterns(model.graph(), options.keep_float);
  const int bits = options.weight_bits == 0 ? weight_bits_of(options.mode) : options.weight_bits;
  const State state = model.state();
  const Placement placement = place_fake_quant(model.graph(), {.mode = options.mode,
                                                               .weight_bits = bits,
                                                               .keep_float = options.keep_float,
                                                               .one_range = has_groups(state),
                                                               .momentum = options.momentum,
                                                               .frozen = false});
  check<GraphError>(!placement.layers.empty(),
                    "prepare_qat: the model has no weights that could be quantized.");
  return assemble(model, placement, bits, {}, RangeRule::min_max);
}

namespace {

/// Freezes what matches, if anything does.
void freeze(nn::Module& model, const char* pattern) {
  const NamedTensors buffers = model.buffers();
  if (std::any_of(buffers.begin(), buffers.end(),
                  [pattern](const NamedTensor& buffer) { return matches(pattern, buffer.first); }))
    model.freeze(pattern);
}

}  // namespace

train::StepCallback freeze_on_schedule(nn::Module& model, const QatSchedule& schedule) {
  check<ValueError>(schedule.observers >= 0 && schedule.batch_norm >= 0,
                    "freeze_on_schedule: epochs must be at least 0, got ", schedule.observers, " and ",
                    schedule.batch_norm, ".");
  return [&model, schedule, observers = false, batch_norm = false](const train::StepPlace& at) mutable {
    if (!observers && at.epoch > schedule.observers) {
      freeze(model, "*/range");
      observers = true;
    }
    if (!batch_norm && at.epoch > schedule.batch_norm) {
      freeze(model, "*running_mean");
      batch_norm = true;
    }
  };
}

}  // namespace linnet::compress
