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

/// What the four commands share that make a checkpoint smaller (tools/compress.h).
struct CompressionArguments {
  Common common;
  std::string file, data, out;
  std::string baseline;              ///< checkpoint to compare with; empty: `file`
  std::vector<std::string> reports;  ///< files that get the report
  // What is 0 is none, or the recipe's.
  std::int64_t epochs = 0, batch = 0, limit = 0;
  double lr = 0.0, weight_decay = 0.0, checkpoint_every = 0.0;
  double max_drop = -1.0;  ///< in points of accuracy, or units of the error; below 0: any
  bool resume = false;
};

struct PruneArguments : CompressionArguments {
  double sparsity = -1.0, threshold = -1.0;  ///< below 0: not given
  std::string layers;                        ///< pattern of names of weights; empty: all
  std::string n_of_m, block;                 ///< "2:4", "1x4"
  std::string schedule = "constant";
  double initial_sparsity = 0.0;
  std::int64_t frequency = 100;  ///< steps from one pruning of a schedule to the next
  std::string scope;             ///< "layer" or "global"; empty: what is best for most
  bool structured = false;
  std::string criterion = "l1";
  std::int64_t multiple = 1;
};
void prune(const PruneArguments& arguments);

struct ClusterArguments : CompressionArguments {
  std::int64_t clusters = 0;
  std::string start = "linear", layers;
};
void cluster(const ClusterArguments& arguments);

/// `file` is the teacher.
struct DistilArguments : CompressionArguments {
  std::string student;
  double temperature = 4.0, alpha = 0.5;
};
void distil(const DistilArguments& arguments);

struct QuantizeArguments : CompressionArguments {
  std::string mode = "static";
  std::int64_t calibrate = 512, sensitive = 0;
  std::vector<std::string> keep_float;
  bool qat = false;
};
void quantize(const QuantizeArguments& arguments);

struct ReportArguments {
  Common common;
  std::vector<std::string> files;  ///< checkpoints; the first is what the others are compared with
  std::string data;
  std::vector<std::string> reports;
};
void report(const ReportArguments& arguments);

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
