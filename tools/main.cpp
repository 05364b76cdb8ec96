// SPDX-License-Identifier: Apache-2.0
// The `linnet` command: train, evaluate, export, run and inspect models from the shell.
#include <cstdio>
#include <new>

#include "command_line.h"
#include "commands.h"
#include "linnet/core/error.h"

using namespace linnet;

namespace {

int run(int argc, char** argv) {
  const int code = tools::run_command_line(argc, argv);
  // A script that reads the figures must not take a full disk for success.
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0)
    throw tools::FailedRun("the results cannot be written to standard output. Is the disk full?");
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const NumericError& error) {
    std::fprintf(stderr, "linnet: %s\n", error.what());
    return tools::kFailedRun;
  } catch (const tools::FailedRun& error) {
    std::fprintf(stderr, "linnet: %s\n", error.what());
    return tools::kFailedRun;
  } catch (const Error& error) {
    std::fprintf(stderr, "linnet: %s\n", error.what());
    return tools::kBadInput;
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "linnet: out of memory. Use a smaller batch or model.\n");
    return tools::kFailedRun;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "linnet: %s\n", error.what());
    return tools::kFailedRun;
  }
}
