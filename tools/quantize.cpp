// SPDX-License-Identifier: Apache-2.0
#include "linnet/compress/quantize.h"

#include <algorithm>
#include <cstdio>

#include "compress.h"
#include "linnet/compress/qat.h"
#include "linnet/core/error.h"
#include "linnet/deploy/engine.h"

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
  check<ValueError>(arguments.mode != "f16" || (arguments.keep_float.empty() && arguments.sensitive == 0),
                    "quantize: --mode f16 rounds every parameter. Leave out --keep-float and --sensitive.");
  check_tuning("quantize", arguments, arguments.qat, "--qat");
}

std::string step_text(const QuantizeArguments& arguments) {
  std::string text = "quantize";
  if (arguments.mode != "static") text += " --mode " + arguments.mode;
  if (arguments.qat) text += " --qat";
  for (const std::string& pattern : arguments.keep_float) text += " --keep-float " + pattern;
  if (arguments.sensitive > 0) text += concat({" --sensitive ", arguments.sensitive});
  return text;
}

/// The figures, and for integers up to the output how far those of the exported file are from their
/// simulation in training, over the test part.
Figures with_agreement(const Work& work, const graph::GraphModule& model, Figures figures) {
  if (!deploy::rounds_output(model.graph())) return figures;
  const deploy::Agreement found = deploy::agreement(model, *work.held_out);
  figures.push_back({"outputs_within_one_step", found.share_within()});
  figures.push_back({"same_largest_output", found.share_same_largest()});
  return figures;
}

std::string joined(const std::vector<std::string>& words) {
  std::string all;
  for (const std::string& word : words) all += (all.empty() ? "" : ", ") + word;
  return all;
}

/// What ranges come from and what they were worth, for the records of the checkpoint and the exported file.
std::string record_of(const compress::QuantizeNotes& notes) {
  std::string text = concat({name(notes.mode), ", ", notes.samples, " samples (seed ", notes.seed, ")"});
  if (!notes.rule.empty()) text += ", ranges by " + notes.rule;
  if (notes.equalized) text += ", equalised";
  if (notes.bias_corrected) text += ", biases corrected";
  if (!notes.kept_float.empty()) text += ", in float: " + joined(notes.kept_float);
  text += concat({", on ", notes.held_out_samples, " held out ", notes.regression ? "rmse " : "accuracy ",
                  notes.score.value, " of ", notes.float_score.value, " in float"});
  const auto worst = std::ranges::min_element(notes.layers, {}, &compress::LayerSqnr::decibel);
  if (worst != notes.layers.end())
    text += concat({", worst layer ", worst->layer, " at ", worst->decibel, " dB"});
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
  State about = work.about(step_text(arguments));
  about.set("quantization", record_of(notes));
  train_on(work, model, {.about = about});
  const Figures said{
      {"mode", arguments.mode}, {"rule", notes.rule}, {"kept_float", joined(notes.kept_float)}};
  conclude(work, true, with_agreement(work, model, said));
}

void quantize_and_train(const QuantizeArguments& arguments) {
  const Work work(arguments, "quantize");
  const std::int64_t epochs = std::max<std::int64_t>(arguments.epochs, 1);
  graph::GraphModule model = compress::prepare_qat(
      *work.source.model, {.mode = mode_of(arguments.mode), .keep_float = arguments.keep_float});
  // The last of several epochs trains what will be exported: fixed ranges and statistics.
  const std::int64_t moving = std::max<std::int64_t>(epochs - 1, 1);
  State about = work.about(step_text(arguments));
  about.set("quantization", concat({name(mode_of(arguments.mode)), ", trained with the rounding for ", epochs,
                                    " epochs (seed ", arguments.common.seed, ")"}));
  const bool finished = train_on(work, model,
                                 {.epochs = epochs,
                                  .about = about,
                                  .step_callbacks = {compress::freeze_on_schedule(
                                      model, {.observers = std::min<std::int64_t>(moving, 4),
                                              .batch_norm = std::min<std::int64_t>(moving, 3)})}});
  const Figures said{{"mode", arguments.mode}, {"epochs", epochs}};
  model.eval();
  conclude(work, finished, finished ? with_agreement(work, model, said) : said);
}

}  // namespace

void quantize(const QuantizeArguments& arguments) {
  check_arguments(arguments);
  arguments.qat ? quantize_and_train(arguments) : quantize_as_it_is(arguments);
}

}  // namespace linnet::tools
