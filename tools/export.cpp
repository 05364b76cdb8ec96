// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <span>

#include "commands.h"
#include "export_options.h"
#include "linnet/core/error.h"
#include "linnet/deploy/deploy.h"
#include "linnet/io/atomic_file.h"
#include "linnet/runtime/linnet_runtime.hpp"

namespace linnet::tools {
namespace {

void write_file(const std::string& path, std::span<const std::byte> bytes) {
  written([&] {
    io::AtomicFile file("export", path);
    file.write(bytes);
    file.commit();
  });
}

/// The runtime gives what training gives, or nothing is written.
void check_golden(const deploy::Image& image) {
  const lnt_self_test_result result = runtime::Model(image.bytes).self_test();
  check<FailedRun>(result.failed == 0, "export: ", result.failed, " of ", result.cases,
                   " golden cases fail: the outputs of the runtime differ from those of training by ",
                   result.error,
                   " of the largest, 0.0001 is allowed. Train longer, look for weights of extreme size, or "
                   "export without (--golden-cases 0).");
}

/// One name a line: LINNET_RT_OPS_FILE of the runtime's build reads it.
void write_ops_file(const std::string& path, const deploy::Report& report) {
  std::string text;
  for (const std::string& op : report.op_names) text += op + "\n";
  write_file(path, std::as_bytes(std::span(text)));
}

}  // namespace

void export_model(const ExportArguments& arguments) {
  check<ValueError>(arguments.format == "linnet", "export: format ", arguments.format,
                    " is not available. There is: linnet.");
  check_output("export", arguments.out, arguments.file);
  if (!arguments.ops_file.empty()) check_output("export", arguments.ops_file, arguments.file);
  arguments.common.apply();
  Checkpoint checkpoint = Checkpoint::read(arguments.file);
  deploy::Options options = export_options(checkpoint, arguments.file);
  options.plain = arguments.layout == "plain";
  options.page_aligned = arguments.page_aligned;
  options.golden_cases = arguments.golden_cases;
  const deploy::Image image = deploy::build(checkpoint.model->graph(), checkpoint.model->state(), options);
  if (options.golden_cases > 0) check_golden(image);
  write_file(arguments.out, std::as_bytes(std::span(image.bytes)));
  const deploy::Report& report = image.report;
  if (!arguments.ops_file.empty()) write_ops_file(arguments.ops_file, report);
  if (!arguments.common.json) {
    for (const auto& [pass, found] : report.passes)
      if (found > 0) std::printf("%s: %d\n", pass.c_str(), found);
    for (const auto& [form, constants] : report.encodings)
      std::printf("constants as %s: %d\n", form.c_str(), constants);
  }
  arguments.common.print({{"file_bytes", report.file_bytes},
                          {"arena_bytes", report.arena_bytes},
                          {"arena_lower_bound", report.lower_bound},
                          {"constant_bytes", report.constant_bytes},
                          {"stored_bytes", report.stored_bytes},
                          {"ops", report.ops}});
}

}  // namespace linnet::tools
