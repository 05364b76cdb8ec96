// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a person sees while training: one line that is drawn again a few times a second on a terminal, plain
// lines elsewhere. Everything goes to standard error, so that standard output stays free for results.

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace linnet::train {

enum class Show {
  automatic,  ///< a bar on a terminal, else plain lines
  nothing
};

/// Names with values, in the order in which they are printed.
using Figures = std::vector<std::pair<std::string, double>>;

class Progress {
 public:
  Progress(Show show, std::int64_t epochs, std::int64_t batches, std::int64_t samples);

  void begin_epoch(std::int64_t epoch, std::int64_t first_batch);
  /// After a batch; draws at most ten times a second (every 30 s without a terminal).
  void step(std::int64_t batch, const Figures& figures);
  /// Replaces the bar by the epoch's result.
  void end_epoch(const Figures& figures);
  /// A line of its own, between the bars.
  void say(const std::string& line);

 private:
  using Clock = std::chrono::steady_clock;
  std::string epoch_label() const;
  std::string line(std::int64_t batch, const Figures& figures, double seconds) const;
  void clear();

  bool visible_, terminal_;
  std::int64_t epochs_, batches_, samples_;
  std::int64_t epoch_ = 0, first_batch_ = 0;
  Clock::time_point started_, drawn_;
  bool on_screen_ = false;
};

/// "0.0123  accuracy 0.9876": values of figures for people.
std::string to_text(const Figures& figures);
/// "1:02:03", "4:05".
std::string duration_text(double seconds);

}  // namespace linnet::train
