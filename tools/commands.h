// SPDX-License-Identifier: Apache-2.0
#pragma once
// The subcommands of `linnet`: what each is given (its defaults are those of the command line), one function
// a file; and what they share. command_line.cpp is the only file that knows how options are written.
//
// Exit codes: 0 success, 1 a run that failed, 2 bad usage or bad input. Results go to standard output; with
// --json its last line is one JSON object. Progress goes to standard error.

#include <cstdint>
#include <string>
#include <vector>

#include "figures.h"
#include "linnet/core/error.h"

namespace linnet::tools {

inline constexpr int kFailedRun = 1, kBadInput = 2;

/// Something outside the command line went wrong in the middle of the work: exit code 1.
struct FailedRun : Error {
  using Error::Error;
};

/// --threads, --seed and --json, which every subcommand takes.
struct Common {
  int threads = 0;  ///< 0: as the library chooses
  std::uint64_t seed = 42;
  bool json = false;

  /// Applies threads and seed, and says on standard error what computes.
  void apply() const;
  /// Prints the figures: as one line of JSON when asked, else as lines "name: value".
  void print(const Figures& figures) const;
  /// A list of such objects; nothing unless JSON is asked for.
  void print(const std::vector<Figures>& list) const;
};

/// What to train on from, in place of a recipe's fresh network.
struct FineTuning {
  std::string from;                 ///< checkpoint; empty: the network is the recipe's
  std::vector<std::string> freeze;  ///< patterns of parameter names
  bool new_head = false;
};

struct TrainArguments {
  Common common;
  std::string recipe, data, out, optimizer, history, classes;
  // What is 0 or empty is the recipe's, or off.
  std::int64_t epochs = 0, batch = 0, limit = 0, per_class = 0;
  double lr = 0.0, checkpoint_every = 0.0;
  bool resume = false;
  FineTuning tuning;
};
void train(const TrainArguments& arguments);

struct EvalArguments {
  Common common;
  std::string file, data;
};
void eval(const EvalArguments& arguments);

struct ExportArguments {
  Common common;
  std::string file, format = "linnet", layout = "blocked", out, ops_file;
  bool page_aligned = false;
  int golden_cases = 8;
};
void export_model(const ExportArguments& arguments);

struct RunArguments {
  Common common;
  std::string file, input, out;
  std::int64_t repeat = 1;
};
void run(const RunArguments& arguments);

struct InspectArguments {
  Common common;
  std::string file;
};
void inspect(const InspectArguments& arguments);

struct BenchArguments {
  Common common;
  std::vector<std::string> workloads;  ///< all when empty
  std::string peer;
  std::int64_t rounds = 7;
  double seconds = 1.5;  ///< a round
};
void bench(const BenchArguments& arguments);

void info(const Common& common);

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
