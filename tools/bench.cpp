// SPDX-License-Identifier: Apache-2.0
// Times the workloads in processes of their own, ours and a peer's by turns, and prints the table.
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <sstream>

#include "commands.h"

extern char** environ;

namespace linnet::tools {
namespace fs = std::filesystem;
namespace {

struct Row {
  std::string workload;
  std::int64_t batch;
};
const std::vector<Row> kRows{{"mlp", 32}, {"mlp", 128}, {"cnn", 32}, {"lstm", 32}, {"mobilenet", 16}};

constexpr const char* kLibtorch = "libtorch";
constexpr const char* kOneThread = "one-thread";

using Lines = std::map<std::string, double>;

/// A program of bench/: beside this one in the build tree, or where it is installed.
std::string find_program(const std::string& name) {
  std::error_code error;
  const fs::path here = fs::read_symlink("/proc/self/exe", error).parent_path();
  for (const fs::path& place : {here / "../bench" / name, here / "../libexec/linnet" / name})
    if (fs::exists(place, error)) return place.lexically_normal().string();
  fail<IoError>("bench: the program ", name, " is not there. Build it: cmake --build BUILD --target ", name,
                name == "torch_workload" ? " with -DLINNET_BENCH_PEERS=ON and libtorch-dev." : ".");
}

/// What a program writes to standard output. FailedRun unless it ends with exit code 0.
std::string output_of(const std::vector<std::string>& command) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw FailedRun("bench: no pipe could be made.");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  pid_t child = 0;
  const int spawned = posix_spawn(&child, command[0].c_str(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  std::string text;
  char buffer[512];
  for (ssize_t n = 0; spawned == 0 && (n = read(ends[0], buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<std::size_t>(n));
  close(ends[0]);
  int status = 0;
  if (spawned != 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
    throw FailedRun("bench: " + command[0] + " " + command[1] + " failed.");
  return text;
}

/// A program and how it is called.
struct Runner {
  std::string program;
  int threads;
};

Lines measure(const Runner& runner, const Row& row, const BenchArguments& arguments) {
  const std::string& program = runner.program;
  std::istringstream text(
      output_of({program, row.workload, std::to_string(row.batch), std::to_string(runner.threads),
                 std::to_string(arguments.seconds), std::to_string(arguments.common.seed)}));
  Lines lines;
  std::string name;
  for (double value = 0.0; text >> name >> value;) lines[name] = value;
  for (const char* figure : {"samples_per_second", "peak_rss_bytes"})
    if (!lines.contains(figure)) throw FailedRun("bench: " + program + " printed no " + figure + ".");
  return lines;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// Half the distance between the quartiles, as a share of the median.
double spread(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t quarter = values.size() / 4;
  return (values[values.size() - 1 - quarter] - values[quarter]) / 2.0 / median(values);
}

struct Measured {
  std::vector<double> ours, peer, ratio;
  double rss = 0.0, pool = 0.0;
};

Measured measure_row(const Row& row, const BenchArguments& arguments) {
  const Runner ours{find_program("linnet_workload"), arguments.common.threads};
  Runner peer{"", arguments.common.threads};
  if (arguments.peer == kLibtorch) peer.program = find_program("torch_workload");
  if (arguments.peer == kOneThread) peer = {ours.program, 1};
  Measured result;
  for (std::int64_t round = 0; round < arguments.rounds; ++round) {
    Lines lines = measure(ours, row, arguments);
    result.ours.push_back(lines.at("samples_per_second"));
    result.rss = std::max(result.rss, lines.at("peak_rss_bytes"));
    result.pool = std::max(result.pool, lines["pool_peak_bytes"]);
    if (peer.program.empty()) continue;
    result.peer.push_back(measure(peer, row, arguments).at("samples_per_second"));
    result.ratio.push_back(result.ours.back() / result.peer.back());
  }
  return result;
}

Figures figures_of(const Row& row, int threads, const Measured& measured) {
  const bool compared = !measured.peer.empty();
  return {{"workload", row.workload},
          {"batch", row.batch},
          {"threads", std::int64_t{threads}},
          {"samples_per_second", median(measured.ours)},
          {"spread", spread(measured.ours)},
          {"peer_samples_per_second", compared ? Figure(median(measured.peer)) : Figure(nullptr)},
          {"ratio", compared ? Figure(median(measured.ratio)) : Figure(nullptr)},
          {"peak_rss_bytes", static_cast<std::int64_t>(measured.rss)},
          {"pool_peak_bytes", static_cast<std::int64_t>(measured.pool)}};
}

void print_row(std::FILE* to, const Row& row, const Measured& measured) {
  std::fprintf(to, "%-10s %6lld %12.0f %6.1f %%", row.workload.c_str(), static_cast<long long>(row.batch),
               median(measured.ours), 100.0 * spread(measured.ours));
  if (!measured.peer.empty())
    std::fprintf(to, " %12.0f %6.1f %% %7.2f", median(measured.peer), 100.0 * spread(measured.peer),
                 median(measured.ratio));
  std::fprintf(to, " %9.1f %9.1f\n", measured.rss / 1e6, measured.pool / 1e6);
}

std::vector<Row> chosen(const std::vector<std::string>& names) {
  std::vector<Row> rows;
  for (const std::string& name : names)
    check<ValueError>(
        std::any_of(kRows.begin(), kRows.end(), [&](const Row& row) { return row.workload == name; }),
        "bench: unknown workload ", name, ". There are: mlp, cnn, lstm, mobilenet.");
  for (const Row& row : kRows)
    if (names.empty() || std::find(names.begin(), names.end(), row.workload) != names.end())
      rows.push_back(row);
  return rows;
}

}  // namespace

void bench(const BenchArguments& given) {
  BenchArguments arguments = given;
  check<ValueError>(arguments.peer.empty() || arguments.peer == kLibtorch || arguments.peer == kOneThread,
                    "bench: unknown peer ", arguments.peer, ". There are: ", kLibtorch, ", ", kOneThread,
                    ".");
  const std::vector<Row> rows = chosen(arguments.workloads);
  if (arguments.common.threads == 0) arguments.common.threads = 1;
  arguments.common.apply();
  std::FILE* table = arguments.common.json ? stderr : stdout;  // standard output ends with the JSON line
  std::fprintf(table, "training, %d thread(s), median of %lld rounds of %.1f s\n", arguments.common.threads,
               static_cast<long long>(arguments.rounds), arguments.seconds);
  std::fprintf(table, "workload    batch    samples/s   +-    ");
  if (!arguments.peer.empty()) std::fprintf(table, "%12s   +-      ratio", arguments.peer.c_str());
  std::fprintf(table, "   RSS MB   pool MB\n");
  std::vector<Figures> list;
  for (const Row& row : rows) {
    const Measured measured = measure_row(row, arguments);
    print_row(table, row, measured);
    list.push_back(figures_of(row, arguments.common.threads, measured));
  }
  arguments.common.print(list);
}

}  // namespace linnet::tools
