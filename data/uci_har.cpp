// SPDX-License-Identifier: Apache-2.0
#include "linnet/data/uci_har.h"

#include <array>

#include "linnet/core/error.h"
#include "linnet/core/tensor_impl.h"
#include "linnet/data/find_folder.h"
#include "linnet/data/table.h"

namespace linnet::data {
namespace {

constexpr std::int64_t kSteps = 128, kSignalCount = 9, kActivities = 6;
constexpr std::array<const char*, kSignalCount> kSignals{"body_acc_x",  "body_acc_y",  "body_acc_z",
                                                         "body_gyro_x", "body_gyro_y", "body_gyro_z",
                                                         "total_acc_x", "total_acc_y", "total_acc_z"};

const char* part_name(Split split) { return split == Split::train ? "train" : "test"; }

std::vector<std::string> folders_of(const std::string& part) {
  std::vector<std::string> folders;
  for (const char* base : {"", "uci_har/", "timeseries/uci_har/"})
    for (const std::string& inner : {std::string(), part, part + "/Inertial Signals"})
      folders.push_back(base + inner);
  return folders;
}

/// Empty when it is nowhere.
std::string signal_file(const std::string& dir, const std::string& what, Split split) {
  const std::string part = part_name(split);
  return find_file(dir, folders_of(part), what + "_" + part + ".txt");
}

Table read_signal(const std::string& dir, const std::string& what, Split split) {
  const std::string file = signal_file(dir, what, split);
  check<IoError>(!file.empty(), "UciHar: no ", what, "_", part_name(split), ".txt or .txt.gz in ", dir,
                 " or uci_har below it.");
  return read_table(file, {.separator = ' ', .header = false});
}

Tensor read_windows(const std::string& dir, Split split) {
  Tensor x;
  for (std::int64_t channel = 0; channel < kSignalCount; ++channel) {
    const Table table = read_signal(dir, kSignals[static_cast<std::size_t>(channel)], split);
    check<IoError>(table.values.dim(1) == kSteps, "UciHar: ", table.path, ": expected ", kSteps,
                   " values a line, got ", table.values.dim(1), ".");
    if (!x.defined()) x = Tensor::empty({table.rows(), kSteps, kSignalCount});
    check<IoError>(table.rows() == x.dim(0), "UciHar: ", table.path, ": ", table.rows(),
                   " windows, the channel before has ", x.dim(0), ".");
    const Tensor values = table.select(table.names);
    const float* from = readable<float>(values);
    float* to = writable<float>(x) + channel;
    for (std::int64_t i = 0; i < values.size(); ++i) to[i * kSignalCount] = from[i];
  }
  return x;
}

/// One whole number for each window.
std::vector<std::int64_t> numbers(const Table& table, std::int64_t windows) {
  check<IoError>(table.values.dim(1) == 1 && table.rows() == windows, "UciHar: ", table.path,
                 ": expected one number for each of ", windows, " windows, got ", table.values.shape(), ".");
  return table.whole_numbers("1");
}

TensorDataset read_activities(const std::string& dir, Split split) {
  const Tensor x = read_windows(dir, split);
  const Table table = read_signal(dir, "y", split);
  std::vector<std::int64_t> labels = numbers(table, x.dim(0));
  for (std::size_t i = 0; i < labels.size(); ++i) {
    check<IoError>(labels[i] >= 1 && labels[i] <= kActivities, "UciHar: ", table.path, ": line ",
                   table.lines[i], ": expected an activity 1..6, got ", labels[i], ".");
    --labels[i];
  }
  return {x, Tensor::from(labels)};
}

}  // namespace

UciHar::UciHar(const std::string& dir, Split split) : TensorDataset(read_activities(dir, split)) {
  if (!signal_file(dir, "subject", split).empty())
    subjects_ = numbers(read_signal(dir, "subject", split), size());
}

}  // namespace linnet::data
