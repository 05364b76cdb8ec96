// SPDX-License-Identifier: Apache-2.0
#include "linnet/data/uci_har.h"

#include <array>
#include <filesystem>

#include "linnet/core/error.h"
#include "linnet/core/tensor_impl.h"
#include "linnet/data/table.h"

namespace linnet::data {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kSteps = 128, kChannels = 9, kClasses = 6;
constexpr std::array<const char*, kChannels> kSignals{"body_acc_x",  "body_acc_y",  "body_acc_z",
                                                      "body_gyro_x", "body_gyro_y", "body_gyro_z",
                                                      "total_acc_x", "total_acc_y", "total_acc_z"};

const char* part_name(Split split) { return split == Split::train ? "train" : "test"; }

/// Empty when it is nowhere.
std::string find_file(const std::string& dir, const std::string& what, Split split) {
  const std::string part = part_name(split), name = what + "_" + part + ".txt";
  std::error_code ignored;  // what cannot be looked at is not there
  for (const fs::path& base :
       {fs::path(dir), fs::path(dir) / "uci_har", fs::path(dir) / "timeseries" / "uci_har"})
    for (const fs::path& folder : {base, base / part, base / part / "Inertial Signals"})
      for (const char* ending : {"", ".gz"})
        if (fs::path file = folder / (name + ending); fs::exists(file, ignored)) return file.string();
  return {};
}

Table read_file(const std::string& dir, const std::string& what, Split split) {
  const std::string file = find_file(dir, what, split);
  check<IoError>(!file.empty(), "UciHar: no ", what, "_", part_name(split), ".txt or .txt.gz in ", dir,
                 " or uci_har below it.");
  return read_table(file, {.separator = ' ', .header = false});
}

Tensor read_windows(const std::string& dir, Split split) {
  Tensor x;
  for (std::int64_t channel = 0; channel < kChannels; ++channel) {
    const Table table = read_file(dir, kSignals[static_cast<std::size_t>(channel)], split);
    check<IoError>(table.values.dim(1) == kSteps, "UciHar: ", table.path, ": expected ", kSteps,
                   " values a line, got ", table.values.dim(1), ".");
    if (!x.defined()) x = Tensor::empty({table.rows(), kSteps, kChannels});
    check<IoError>(table.rows() == x.dim(0), "UciHar: ", table.path, ": ", table.rows(),
                   " windows, the channel before has ", x.dim(0), ".");
    const Tensor values = table.select(table.names);
    const float* from = readable<float>(values);
    float* to = writable<float>(x) + channel;
    for (std::int64_t i = 0; i < values.size(); ++i) to[i * kChannels] = from[i];
  }
  return x;
}

/// One whole number for each window.
std::vector<std::int64_t> numbers(const Table& table, std::int64_t windows) {
  check<IoError>(table.values.dim(1) == 1 && table.rows() == windows, "UciHar: ", table.path,
                 ": expected one number for each of ", windows, " windows, got ", table.values.shape(), ".");
  return table.whole_numbers("1");
}

TensorDataset read(const std::string& dir, Split split) {
  const Tensor x = read_windows(dir, split);
  const Table table = read_file(dir, "y", split);
  std::vector<std::int64_t> labels = numbers(table, x.dim(0));
  for (std::size_t i = 0; i < labels.size(); ++i) {
    check<IoError>(labels[i] >= 1 && labels[i] <= kClasses, "UciHar: ", table.path, ": line ", table.lines[i],
                   ": expected an activity 1..6, got ", labels[i], ".");
    --labels[i];
  }
  return {x, Tensor::from(labels)};
}

}  // namespace

UciHar::UciHar(const std::string& dir, Split split) : TensorDataset(read(dir, split)) {
  if (!find_file(dir, "subject", split).empty())
    subjects_ = numbers(read_file(dir, "subject", split), size());
}

}  // namespace linnet::data
