// SPDX-License-Identifier: Apache-2.0
#pragma once
// C-MAPSS (Saxena, Goebel, Simon, Eklund: "Damage Propagation Modeling for Aircraft Engine Run-to-Failure
// Simulation", PHM 2008): sensors of turbofan engines over their lives, and how many cycles were left.

#include <cstdint>
#include <string>
#include <vector>

#include "linnet/data/windows.h"

namespace linnet::data {

struct CmapssOptions {
  std::string set = "FD001";
  std::int64_t window = 30;  ///< cycles
  /// Remaining life counts up to here: a healthy engine shows nothing that tells 200 cycles from 150.
  std::int64_t cap = 125;
  /// "setting_1".."setting_3", "sensor_1".."sensor_21". Unless told the 14 that change in FD001.
  std::vector<std::string> columns = {"sensor_2",  "sensor_3",  "sensor_4",  "sensor_7",  "sensor_8",
                                      "sensor_9",  "sensor_11", "sensor_12", "sensor_13", "sensor_14",
                                      "sensor_15", "sensor_17", "sensor_20", "sensor_21"};
};

/// Windows [window, columns] f32, not standardised, with the remaining life in cycles, at most the cap, at
/// their last cycle as target [1] f32. For training every window of every engine; for the test one an engine,
/// the last that is known. Engines that are shorter than a window have one with their first cycle repeated in
/// front. groups() are the engines.
class Cmapss : public Windows {
 public:
  /// `dir` is the folder with train_FD001.txt, test_FD001.txt and RUL_FD001.txt, or the parent of a folder
  /// `cmapss` or `timeseries` with it. IoError, with file and line, when something is missing or does not
  /// fit.
  Cmapss(const std::string& dir, Split split, const CmapssOptions& options = {});
};

}  // namespace linnet::data
