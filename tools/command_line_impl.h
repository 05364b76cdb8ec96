// SPDX-License-Identifier: Apache-2.0
#pragma once
// How the subcommands get their options. Private to command_line*.cpp.

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <CLI/CLI.hpp>

#include "commands.h"

namespace linnet::tools {

// What a value must look like; each returns what is wrong with it, or nothing.
std::string whole_above_zero(const std::string& text);
std::string some_epochs(const std::string& text);  ///< of which a schedule can count the steps
std::string finite_above_zero(const std::string& text);
std::string finite_not_negative(const std::string& text);

inline constexpr const char* kDataHelp = "Folder with the data or its parent, or synthetic";

struct Program {
  CLI::App app{"Train, evaluate, compress, export and run neural networks on the board itself.", "linnet"};
  std::vector<std::string_view> words;  ///< of the command line

  bool calls(std::string_view name) const {
    return std::find(words.begin(), words.end(), name) != words.end();
  }
};

/// --threads, --seed, --json.
void add_common(CLI::App& command, Common& common);
inline Common& common_of(Common& common) { return common; }
template <class Arguments>
Common& common_of(Arguments& arguments) {
  return arguments.common;
}

/// Adds a subcommand that calls `run` with the arguments; `add_options` adds those that are its own.
template <class Arguments, class AddOptions>
void add(Program& program, const char* name, const char* help, void (*run)(const Arguments&),
         AddOptions add_options) {
  CLI::App* command = program.app.add_subcommand(name, help);
  if (!program.calls(name)) return;  // making its options would take longer than most of the start
  auto arguments = std::make_shared<Arguments>();
  add_options(*command, *arguments);
  add_common(*command, common_of(*arguments));
  command->callback([arguments, run] { run(*arguments); });
}

/// prune, cluster, distil, quantize and report.
void add_compression(Program& program);

}  // namespace linnet::tools
