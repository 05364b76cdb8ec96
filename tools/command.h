// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the subcommands of `linnet` share. Each subcommand is one file with one function that adds itself to
// the program.
//
// Exit codes: 0 success, 1 a run that failed, 2 bad usage or bad input. Results go to standard output; with
// --json its last line is one JSON object. Progress goes to standard error.

#include <cstdint>
#include <optional>
#include <string>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "linnet/core/error.h"

namespace linnet::tools {

using Json = nlohmann::ordered_json;

/// Something outside the command line went wrong in the middle of the work: exit code 1.
struct FailedRun : Error {
  using Error::Error;
};

/// --threads, --seed and --json, which every subcommand takes.
struct Common {
  int threads = 0;  ///< 0: as the library chooses
  std::uint64_t seed = 42;
  bool json = false;

  void add_to(CLI::App& command);
  /// Applies threads and seed, and says on standard error what computes.
  void apply() const;
  /// Prints the figures: as JSON when asked, else as lines "name: value".
  void print(const Json& figures) const;
};

void add_train(CLI::App& program);
void add_eval(CLI::App& program);
void add_export(CLI::App& program);
void add_run(CLI::App& program);
void add_inspect(CLI::App& program);
void add_info(CLI::App& program);

/// For check() of an option: a whole number, a finite number, above 0.
std::string whole_above_zero(const std::string& text);
std::string finite_above_zero(const std::string& text);

/// IoError unless `path` is a regular file: opening anything else might wait forever.
void check_input(const std::string& path);
/// IoError when nothing can be written under this name, or when it is `input`, which the result would
/// destroy. To be called before the work, not after it.
void check_output(const std::string& command, const std::string& path, const std::string& input = {});
/// Runs what writes a checked output. FailedRun when it throws IoError, as on a full disk.
template <class Write>
auto written(Write write) {
  try {
    return write();
  } catch (const IoError& error) {
    throw FailedRun(error.what());
  }
}

/// Highest resident memory of this process so far.
std::int64_t peak_rss_bytes();
std::int64_t file_bytes(const std::string& path);

}  // namespace linnet::tools
