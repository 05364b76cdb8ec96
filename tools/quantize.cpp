// SPDX-License-Identifier: Apache-2.0
#include "linnet/compress/quantize.h"

#include <algorithm>
#include <cstdio>

#include "compress.h"
#include "linnet/compress/qat.h"
#include "linnet/core/error.h"

namespace linnet::tools {
namespace {

compress::QuantMode mode_of(const std::string& name) {
  if (name == "dynamic") return compress::QuantMode::int8_dynamic;
  if (name == "weight-int8") return compress::QuantMode::int8_weights;
  if (name == "weight-int4") return compress::QuantMode::int4_weights;
  return name == "f16" ? compress::QuantMode::float16_weights : compress::QuantMode::int8;
}

void check_arguments(const QuantizeArguments& arguments) {
  check<ValueError>(arguments.qat || arguments.epochs == 0,
                    "quantize: --epochs is for --qat. Give both or neither.");
  check<ValueError>(!arguments.qat || arguments.mode != "f16",
                    "quantize: there is no --qat for f16: halves need none. Leave it out.");
}

std::string step_text(const QuantizeArguments& arguments) {
  std::string text = "quantize";
  if (arguments.mode != "static") text += " --mode " + arguments.mode;
  if (arguments.qat) text += " --qat";
  for (const std::string& pattern : arguments.keep_float) text += " --keep-float " + pattern;
  if (arguments.sensitive > 0) text += concat({" --sensitive ", arguments.sensitive});
  return text;
}

/// After training: nothing is trained.
void quantize_as_it_is(const QuantizeArguments& arguments) {
  const Work work(arguments, "quantize");
  compress::QuantizeNotes notes;
  graph::GraphModule model = compress::quantize(*work.source.model,
                                                {.mode = mode_of(arguments.mode),
                                                 .calibrate = *work.calibration,
                                                 .samples = arguments.calibrate,
                                                 .seed = arguments.common.seed,
                                                 .keep_float = arguments.keep_float,
                                                 .sensitive = static_cast<int>(arguments.sensitive)},
                                                &notes);
  for (const std::string& warning : notes.warnings) std::fprintf(stderr, "%s\n", warning.c_str());
  if (!arguments.common.json) std::printf("%s", notes.str().c_str());
  train_on(work, model, {.about = work.about(step_text(arguments))});
  std::string kept;
  for (const std::string& layer : notes.kept_float) kept += (kept.empty() ? "" : ", ") + layer;
  conclude(work, true, {{"mode", arguments.mode}, {"rule", notes.rule}, {"kept_float", kept}});
}

void quantize_and_train(const QuantizeArguments& arguments) {
  const Work work(arguments, "quantize");
  const std::int64_t epochs = std::max<std::int64_t>(arguments.epochs, 1);
  graph::GraphModule model = compress::prepare_qat(
      *work.source.model, {.mode = mode_of(arguments.mode), .keep_float = arguments.keep_float});
  // The last of several epochs trains what will be exported: fixed ranges and statistics.
  const std::int64_t moving = std::max<std::int64_t>(epochs - 1, 1);
  const bool finished = train_on(work, model,
                                 {.epochs = epochs,
                                  .about = work.about(step_text(arguments)),
                                  .step_callbacks = {compress::freeze_on_schedule(
                                      model, {.observers = std::min<std::int64_t>(moving, 4),
                                              .batch_norm = std::min<std::int64_t>(moving, 3)})}});
  conclude(work, finished, {{"mode", arguments.mode}, {"epochs", epochs}});
}

}  // namespace

void quantize(const QuantizeArguments& arguments) {
  check_arguments(arguments);
  arguments.qat ? quantize_and_train(arguments) : quantize_as_it_is(arguments);
}

}  // namespace linnet::tools
