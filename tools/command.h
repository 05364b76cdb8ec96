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

namespace linnet::tools {

using Json = nlohmann::ordered_json;

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

/// Highest resident memory of this process so far.
std::int64_t peak_rss_bytes();
std::int64_t file_bytes(const std::string& path);

}  // namespace linnet::tools
