// SPDX-License-Identifier: Apache-2.0
#include "task.h"

#include "fine_tune.h"
#include "recipe_data.h"

namespace linnet::tools {
namespace {

Task checked(Task said, const Shape& sample) {
  if (said.dataset.empty()) said.dataset = dataset_for_input(sample);
  if (said.task.empty()) said.task = task_of_dataset(said.dataset);
  return said;
}

}  // namespace

std::shared_ptr<data::Dataset> Task::open(const std::string& dir, data::Split split) const {
  return of_classes(open_dataset(dataset, dir, split), classes);
}

std::unique_ptr<data::Dataset> Task::test_data(const std::string& dir) const {
  return prepared(open(dir, data::Split::test), scale);
}

Task task_of(const RuntimeModel& model) {
  const data::Standardiser scale(numbers_of_text(model.meta("standardise.mean")),
                                 numbers_of_text(model.meta("standardise.deviation")));
  return checked({model.meta("dataset"), model.meta("task"), model.meta("classes"), scale},
                 model.input_shape().without(0));
}

Task task_of(const Checkpoint& checkpoint) {
  return checked({checkpoint.about("dataset"), checkpoint.about("task"), checkpoint.about("classes"),
                  checkpoint.standardiser()},
                 checkpoint.sample_shape());
}

void check_same_samples(const std::string& command, const Checkpoint& a, const std::string& a_file,
                        const Checkpoint& b, const std::string& b_file) {
  check<ValueError>(b.sample_shape() == a.sample_shape(), command, ": ", b_file, " takes samples of shape ",
                    b.sample_shape(), ", ", a_file, " of ", a.sample_shape(),
                    ". Report on models of the same data.");
  const Task one = task_of(a), other = task_of(b);
  const auto compare = [&](bool same, const char* what) {
    check<ValueError>(same, command, ": ", b_file, " and ", a_file, " differ in their ", what,
                      ". Report on models of the same data.");
  };
  compare(one.dataset == other.dataset, "data set");
  compare(one.task == other.task, "task");
  compare(one.classes == other.classes, "classes");
  compare(one.scale.empty() == other.scale.empty() &&
              (one.scale.empty() || one.scale.state() == other.scale.state()),
          "standardisation");
}

}  // namespace linnet::tools
