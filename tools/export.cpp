// SPDX-License-Identifier: Apache-2.0
#include "command.h"
#include "linnet/core/error.h"
#include "linnet/deploy/deploy.h"
#include "linnet/graph/infer.h"
#include "linnet/io/sha256.h"
#include "model_file.h"

namespace linnet::tools {
namespace {

/// What `linnet inspect` shows of an exported file, which holds no names of weights.
deploy::Options options_of(const Checkpoint& checkpoint) {
  deploy::Options options;
  options.task = checkpoint.about("task");
  options.preprocess = checkpoint.about("preprocess");
  for (const char* key : {"dataset", "recipe"})
    if (std::string value = checkpoint.about(key); !value.empty()) options.meta.emplace_back(key, value);
  const graph::Graph& graph = checkpoint.model->graph();
  options.meta.emplace_back("macs", std::to_string(graph::macs(graph)));
  options.meta.emplace_back("parameters", std::to_string(graph.parameter_count()));
  options.meta.emplace_back("weights_sha256", io::weights_sha256(checkpoint.state["model"]));
  return options;
}

void export_model(const Common& common, const std::string& file, const std::string& format,
                  const std::string& out) {
  check<ValueError>(format == "linnet", "export: format ", format, " is not available. There is: linnet.");
  check_output("export", out, file);
  common.apply();
  Checkpoint checkpoint = Checkpoint::read(file);
  deploy::Options options = options_of(checkpoint);
  deploy::Report report = written([&] { return deploy::write(*checkpoint.model, out, options); });
  common.print({{"file_bytes", report.file_bytes}, {"arena_bytes", report.arena_bytes}, {"ops", report.ops}});
}

}  // namespace

void add_export(CLI::App& program) {
  struct Arguments {
    Common common;
    std::string file, format = "linnet", out;
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = program.add_subcommand("export", "Write an inference build of a checkpoint");
  command->add_option("FILE", arguments->file, "A .ckpt file")->required();
  command->add_option("--format", arguments->format, "linnet")->capture_default_str();
  command->add_option("--out", arguments->out, "File to write")->required();
  arguments->common.add_to(*command);
  command->callback(
      [arguments] { export_model(arguments->common, arguments->file, arguments->format, arguments->out); });
}

}  // namespace linnet::tools
