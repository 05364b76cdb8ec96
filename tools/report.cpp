// SPDX-License-Identifier: Apache-2.0
#include "linnet/compress/report.h"

#include <cstdio>
#include <filesystem>
#include <set>

#include "commands.h"
#include "export_options.h"
#include "linnet/core/error.h"
#include "task.h"

namespace linnet::tools {
namespace {

/// The file's name without folder and ending, or all of it when another file has the same.
std::vector<std::string> names_of(const std::vector<std::string>& files) {
  std::vector<std::string> names;
  std::multiset<std::string> stems;
  const auto stem = [](const std::string& file) { return std::filesystem::path(file).stem().string(); };
  for (const std::string& file : files) stems.insert(stem(file));
  for (const std::string& file : files) names.push_back(stems.count(stem(file)) == 1 ? stem(file) : file);
  return names;
}

}  // namespace

void report(const ReportArguments& arguments) {
  for (const std::string& path : arguments.reports)
    for (const std::string& file : arguments.files) check_output("report", path, file);
  std::vector<Checkpoint> checkpoints;
  for (const std::string& file : arguments.files) {
    check_input(file);
    checkpoints.push_back(Checkpoint::read(file));
    check_same_samples("report", checkpoints[0], arguments.files[0], checkpoints.back(), file);
  }
  const std::unique_ptr<data::Dataset> held_out = task_of(checkpoints[0]).test_data(arguments.data);
  arguments.common.apply();
  std::vector<compress::Variant> variants;
  const std::vector<std::string> names = names_of(arguments.files);
  for (std::size_t i = 0; i < names.size(); ++i)
    variants.emplace_back(names[i], *checkpoints[i].model,
                          export_options(checkpoints[i], arguments.files[i]));
  const compress::Report result = compress::report(variants, *held_out);
  written([&] {
    for (const std::string& path : arguments.reports) result.write(path);
  });
  if (arguments.common.json)
    std::puts(result.json().c_str());
  else
    result.print();
}

}  // namespace linnet::tools
