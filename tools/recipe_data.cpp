// SPDX-License-Identifier: Apache-2.0
#include "recipe_data.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "linnet/core/error.h"
#include "linnet/data/cifar10.h"
#include "linnet/data/cmapss.h"
#include "linnet/data/find_folder.h"
#include "linnet/data/mnist.h"
#include "linnet/data/synthetic_digits.h"
#include "linnet/data/uci_har.h"

namespace linnet::tools {
namespace {

using Opened = std::unique_ptr<data::Dataset>;

template <class D>
Opened open(const std::string& folder, data::Split split) {
  return std::make_unique<D>(folder, split);
}

struct DataSource {
  std::string name, folder;    ///< the folder is what find_folder() looks for
  std::vector<Shape> samples;  ///< shapes that models of these data have as input
  Opened (*open)(const std::string& folder, data::Split split);
  const char* task = "classification";
};

const std::vector<DataSource>& sources() {
  static const std::vector<DataSource> all{
      {"mnist", "mnist", {{28, 28, 1}, {784}}, open<data::Mnist>},
      {"cifar10", "cifar10", {{32, 32, 3}}, open<data::Cifar10>},
      {"uci_har", "timeseries/uci_har", {{128, 9}}, open<data::UciHar>},
      {"cmapss", "timeseries/cmapss", {{30, 14}}, open<data::Cmapss>, "regression"},
  };
  return all;
}

std::string source_names() {
  std::string names;
  for (const DataSource& source : sources()) names += (names.empty() ? "" : ", ") + source.name;
  return names;
}

const DataSource& find_source(const std::string& name) {
  for (const DataSource& source : sources())
    if (source.name == name) return source;
  fail<ValueError>("data: the data set ", name, " is not known here. There are: ", source_names(), ".");
}

}  // namespace

std::unique_ptr<data::Dataset> open_dataset(const std::string& name, const std::string& dir,
                                            data::Split split) {
  const DataSource& source = find_source(name);
  if (dir != "synthetic") return source.open(data::find_folder(source.folder, dir), split);
  check<ValueError>(name == "mnist", "data: there are no synthetic data for ", name,
                    ". Name the folder with the files.");
  return std::make_unique<data::SyntheticDigits>(split);
}

std::unique_ptr<data::Dataset> prepared(std::shared_ptr<const data::Dataset> dataset,
                                        const data::Standardiser& scale,
                                        const std::vector<data::Transform>& transforms) {
  std::vector<data::Transform> all;
  if (!scale.empty()) all.push_back(scale.transform());
  all.insert(all.end(), transforms.begin(), transforms.end());
  return std::make_unique<data::Transformed>(std::move(dataset), std::move(all));
}

std::string text_of_numbers(const std::vector<double>& numbers) {
  std::string text;
  for (const double number : numbers) {
    char digits[32];
    std::snprintf(digits, sizeof digits, "%s%.17g", text.empty() ? "" : " ", number);
    text += digits;
  }
  return text;
}

std::vector<double> numbers_of_text(const std::string& text) {
  std::vector<double> numbers;
  for (const char* at = text.c_str(); *at != '\0';) {
    char* end = nullptr;
    numbers.push_back(std::strtod(at, &end));
    check<IoError>(end != at, "data: \"", text, "\" is no list of numbers.");
    at = end;
  }
  return numbers;
}

std::string task_of_dataset(const std::string& name) { return find_source(name).task; }

std::string dataset_for_input(const Shape& sample) {
  for (const DataSource& source : sources())
    if (std::find(source.samples.begin(), source.samples.end(), sample) != source.samples.end())
      return source.name;
  fail<ValueError>("eval: no dataset has samples of shape ", sample, ", and the file does not name one.");
}

}  // namespace linnet::tools
