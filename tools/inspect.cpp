// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <cstdlib>

#include "commands.h"
#include "inspect_compression.h"
#include "linnet/graph/infer.h"
#include "linnet/graph/summary.h"
#include "linnet/io/sha256.h"
#include "model_file.h"

namespace linnet::tools {
namespace {

void print_about(const State& about) {
  for (const auto& [name, value] : about)
    if (value.is_text()) std::printf("%s: %s\n", name.c_str(), value.text().c_str());
}

void inspect_checkpoint(const Common& common, const std::string& file) {
  Checkpoint checkpoint = Checkpoint::read(file);
  const graph::Graph& graph = checkpoint.model->graph();
  if (!common.json) {
    std::printf("%s", graph::summary(graph).str().c_str());
    print_compression(*checkpoint.model);
    if (checkpoint.state.has("about")) print_about(checkpoint.state["about"]);
  }
  Figures figures{{"kind", "checkpoint"},
                  {"parameters", graph.parameter_count()},
                  {"macs", graph::macs(graph)},
                  {"file_bytes", file_bytes(file)},
                  {"weights_sha256", io::weights_sha256(checkpoint.state["model"])}};
  const Figures more = compression_figures(*checkpoint.model);
  figures.insert(figures.end(), more.begin(), more.end());
  common.print(figures);
}

/// A number that the exporter noted; null when it did not.
Figure number(const std::string& text) {
  if (text.empty()) return nullptr;
  return std::int64_t{std::strtoll(text.c_str(), nullptr, 10)};
}

void print_runtime_file(const RuntimeModel& model, const lnt_self_test_result& golden) {
  std::printf("input %s -> output %s, %u ops, arena of %zu bytes (lower bound %s)\n",
              model.input_shape().str().c_str(), model.output_shape().str().c_str(), model.info().n_ops,
              model.info().arena_bytes, model.meta("arena.lower_bound").c_str());
  for (const char* key : {"recipe", "compression", "quantization", "task", "dataset", "classes", "preprocess",
                          "writer", "min_runtime", "passes", "checkpoint_sha256"})
    if (std::string value = model.meta(key); !value.empty()) std::printf("%s: %s\n", key, value.c_str());
  std::printf("golden cases: %u of %u right\n", golden.cases - golden.failed, golden.cases);
}

void inspect_runtime_file(const Common& common, const std::string& file) {
  RuntimeModel model(file);
  const lnt_self_test_result golden = model.self_test();
  if (!common.json) print_runtime_file(model, golden);
  common.print({{"kind", "linnet"},
                {"parameters", number(model.meta("parameters"))},
                {"macs", number(model.meta("macs"))},
                {"file_bytes", file_bytes(file)},
                {"weights_sha256", model.meta("weights_sha256")},
                {"arena_bytes", static_cast<std::int64_t>(model.info().arena_bytes)},
                {"arena_lower_bound", number(model.meta("arena.lower_bound"))},
                {"writer", model.meta("writer")},
                {"checkpoint_sha256", model.meta("checkpoint_sha256")},
                {"golden_cases", std::int64_t{golden.cases}},
                {"golden_failed", std::int64_t{golden.failed}},
                {"golden_error", static_cast<double>(golden.error)}});
  check<FailedRun>(golden.failed == 0, file, ": ", golden.failed, " of ", golden.cases,
                   " golden cases fail on this machine. ", lnt_status_text(LNT_E_SELF_TEST));
}

}  // namespace

void inspect(const InspectArguments& arguments) {
  is_runtime_file(arguments.file) ? inspect_runtime_file(arguments.common, arguments.file)
                                  : inspect_checkpoint(arguments.common, arguments.file);
}

}  // namespace linnet::tools
