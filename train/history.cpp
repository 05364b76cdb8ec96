// SPDX-License-Identifier: Apache-2.0
// The history file: one JSON object a line, so that a run that was cut off leaves whole lines.
#include <nlohmann/json.hpp>

#include <fstream>

#include "linnet/core/error.h"
#include "linnet/train/trainer.h"

namespace linnet::train {

void Trainer::add_history(const EpochResult& result) const {
  nlohmann::ordered_json line{{"epoch", result.epoch}};
  for (const auto& [name, value] : result.training) line[name] = value;
  for (const auto& [name, value] : result.validation) line["val_" + name] = value;
  line["seconds"] = result.seconds;
  std::ofstream file(options_.history, std::ios::app);
  file << line.dump() << '\n';
  file.flush();
  check<SaveError>(file.good(), "history: cannot write to ", options_.history,
                   ". Is the folder there and the disk not full?");
}

}  // namespace linnet::train
