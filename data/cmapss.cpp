// SPDX-License-Identifier: Apache-2.0
#include "linnet/data/cmapss.h"

#include <algorithm>

#include "linnet/core/error.h"
#include "linnet/data/find_folder.h"
#include "linnet/data/table.h"

namespace linnet::data {
namespace {

std::vector<std::string> all_names() {
  std::vector<std::string> names{"engine", "cycle"};
  for (int i = 1; i <= 3; ++i) names.push_back("setting_" + std::to_string(i));
  for (int i = 1; i <= 21; ++i) names.push_back("sensor_" + std::to_string(i));
  return names;
}

std::string engines_file(const std::string& dir, const std::string& name) {
  const std::string file = find_file(dir, {"", "cmapss", "timeseries/cmapss"}, name);
  check<IoError>(!file.empty(), "Cmapss: no ", name, " in ", dir, " or cmapss below it.");
  return file;
}

/// The lives of engines, one after the other.
struct Lives {
  std::vector<std::int64_t> engines, cycles;  ///< of each row
  std::vector<std::size_t> ends;              ///< behind the last row of each engine
};

Lives lives_of(const Table& table) {
  Lives lives{table.whole_numbers("engine"), table.whole_numbers("cycle"), {}};
  const auto& [engines, cycles, ends] = lives;
  for (std::size_t i = 0; i < engines.size(); ++i) {
    const bool same = i > 0 && engines[i] == engines[i - 1];
    const std::int64_t expected = same ? cycles[i - 1] + 1 : 1;
    check<IoError>(cycles[i] == expected, "Cmapss: ", table.path, ": line ", table.lines[i], ": engine ",
                   engines[i], " is at cycle ", cycles[i], ", expected ", expected, ".");
    if (i > 0 && !same) lives.ends.push_back(i);
  }
  lives.ends.push_back(engines.size());
  return lives;
}

/// Cycles that each engine had left at its last row: none in training, else as a file says.
std::vector<std::int64_t> left_at_end(const std::string& dir, Split split, const std::string& set,
                                      std::size_t engines) {
  if (split == Split::train) return std::vector<std::int64_t>(engines, 0);
  const Table table =
      read_table(engines_file(dir, "RUL_" + set + ".txt"), {.separator = ' ', .header = false});
  check<IoError>(table.values.dim(1) == 1 && static_cast<std::size_t>(table.rows()) == engines,
                 "Cmapss: ", table.path, ": expected one number for each of ", engines, " engines, got ",
                 table.values.shape(), ".");
  std::vector<std::int64_t> left = table.whole_numbers("1");
  for (std::size_t i = 0; i < left.size(); ++i)
    check<IoError>(left[i] >= 0, "Cmapss: ", table.path, ": line ", table.lines[i],
                   ": remaining cycles must not be negative, got ", left[i], ".");
  return left;
}

Windows read(const std::string& dir, Split split, const CmapssOptions& options) {
  check<ValueError>(options.cap >= 1, "Cmapss: the cap must be at least 1, got ", options.cap, ".");
  std::vector<std::string> columns{"engine", "cycle"};
  columns.insert(columns.end(), options.columns.begin(), options.columns.end());
  const std::string name = (split == Split::train ? "train_" : "test_") + options.set + ".txt";
  const Table table = read_table(
      engines_file(dir, name), {.separator = ' ', .header = false, .names = all_names(), .columns = columns});
  const Lives lives = lives_of(table);
  const std::vector<std::int64_t> left = left_at_end(dir, split, options.set, lives.ends.size());
  std::vector<float> targets;
  for (std::size_t engine = 0; engine < lives.ends.size(); ++engine)
    for (std::size_t row = targets.size(); row < lives.ends[engine]; ++row) {
      const std::int64_t more = lives.cycles[lives.ends[engine] - 1] - lives.cycles[row] + left[engine];
      targets.push_back(static_cast<float>(std::min(options.cap, more)));
    }
  return {table.select(options.columns),
          Tensor::from(targets, {table.rows(), 1}),
          {.length = options.window,
           .groups = lives.engines,
           .last_only = split == Split::test,
           .too_short = Short::pad}};
}

}  // namespace

Cmapss::Cmapss(const std::string& dir, Split split, const CmapssOptions& options)
    : Windows(read(dir, split, options)) {}

}  // namespace linnet::data
