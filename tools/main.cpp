// SPDX-License-Identifier: Apache-2.0
// The `linnet` command: train, evaluate, export, run and inspect models from the shell.
#include <cstdio>
#include <new>

#include "command.h"
#include "linnet/core/error.h"
#include "linnet/version.h"

using namespace linnet;

namespace {

constexpr int kFailedRun = 1, kBadInput = 2;

/// The options were wrong: CLI11's text as one line.
int report_usage(const CLI::ParseError& error, const CLI::App& program) {
  if (error.get_exit_code() == 0) return program.exit(error);  // --help, --version
  std::fprintf(stderr, "linnet: %s. See linnet --help.\n", error.what());
  return kBadInput;
}

int run(int argc, char** argv) {
  CLI::App program{"Train, evaluate, export and run neural networks on the board itself.", "linnet"};
  program.set_version_flag("--version", LINNET_VERSION);
  program.require_subcommand(1);
  tools::add_train(program);
  tools::add_eval(program);
  tools::add_export(program);
  tools::add_run(program);
  tools::add_inspect(program);
  tools::add_info(program);
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return report_usage(error, program);
  }
  // A script that reads the figures must not take a full disk for success.
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0)
    throw tools::FailedRun("the results cannot be written to standard output. Is the disk full?");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const NumericError& error) {
    std::fprintf(stderr, "linnet: %s\n", error.what());
    return kFailedRun;
  } catch (const tools::FailedRun& error) {
    std::fprintf(stderr, "linnet: %s\n", error.what());
    return kFailedRun;
  } catch (const Error& error) {
    std::fprintf(stderr, "linnet: %s\n", error.what());
    return kBadInput;
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "linnet: out of memory. Use a smaller batch or model.\n");
    return kFailedRun;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "linnet: %s\n", error.what());
    return kFailedRun;
  }
}
