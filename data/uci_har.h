// SPDX-License-Identifier: Apache-2.0
#pragma once
// UCI HAR (Anguita et al.: "A Public Domain Dataset for Human Activity Recognition Using Smartphones", ESANN
// 2013): 2.56 s of a smartphone's accelerometer and gyroscope at 50 Hz, and which of six things its owner
// did.

#include <string>
#include <vector>

#include "linnet/data/dataset.h"

namespace linnet::data {

/// Windows [128, 9] f32, not standardised; the channels are body_acc, body_gyro and total_acc, each x, y, z.
/// Labels i64 in 0 .. 5: walking, upstairs, downstairs, sitting, standing, laying.
class UciHar : public TensorDataset {
 public:
  /// `dir` is the folder with body_acc_x_train.txt and so on, plain or .gz, or laid out as published
  /// (train/y_train.txt, train/Inertial Signals/...), or the parent of a folder `uci_har` or `timeseries`
  /// with it. IoError, with file and line, when something is missing, damaged or does not fit.
  UciHar(const std::string& dir, Split split);

  /// Whose window each is, from subject_train.txt or subject_test.txt, for split_by_group(); empty without
  /// that file.
  const std::vector<std::int64_t>& subjects() const { return subjects_; }

 private:
  std::vector<std::int64_t> subjects_;
};

}  // namespace linnet::data
