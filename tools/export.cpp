// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include "commands.h"
#include "linnet/core/error.h"
#include "linnet/deploy/deploy.h"
#include "linnet/graph/infer.h"
#include "linnet/io/atomic_file.h"
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

/// One name a line: LINNET_RT_OPS_FILE of the runtime's build reads it.
void write_ops_file(const std::string& path, const deploy::Report& report) {
  std::string text;
  for (const std::string& op : report.op_names) text += op + "\n";
  written([&] {
    io::AtomicFile file("export", path);
    file.write(std::as_bytes(std::span(text)));
    file.commit();
  });
}

}  // namespace

void export_model(const ExportArguments& arguments) {
  check<ValueError>(arguments.format == "linnet", "export: format ", arguments.format,
                    " is not available. There is: linnet.");
  check_output("export", arguments.out, arguments.file);
  if (!arguments.ops_file.empty()) check_output("export", arguments.ops_file, arguments.file);
  arguments.common.apply();
  Checkpoint checkpoint = Checkpoint::read(arguments.file);
  deploy::Options options = options_of(checkpoint);
  options.plain = arguments.layout == "plain";
  deploy::Report report = written([&] { return deploy::write(*checkpoint.model, arguments.out, options); });
  if (!arguments.ops_file.empty()) write_ops_file(arguments.ops_file, report);
  if (!arguments.common.json) {
    for (const auto& [pass, found] : report.passes)
      if (found > 0) std::printf("%s: %d\n", pass.c_str(), found);
  }
  arguments.common.print({{"file_bytes", report.file_bytes},
                          {"arena_bytes", report.arena_bytes},
                          {"arena_lower_bound", report.lower_bound},
                          {"ops", report.ops}});
}

}  // namespace linnet::tools
