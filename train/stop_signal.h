// SPDX-License-Identifier: Apache-2.0
#pragma once
// Turns SIGTERM and SIGINT into a question the training loop asks after each step, while an object lives. A
// second signal ends the process at once; files are safe, because saving never touches the old one.

#include <signal.h>

namespace linnet::train {

class StopSignal {
 public:
  explicit StopSignal(bool enabled);
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  bool requested() const;

 private:
  bool enabled_;
  struct sigaction old_term_ {
  }, old_int_{};
};

}  // namespace linnet::train
