// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a person sees while training: one line that is drawn again a few times a second on a terminal, plain
// lines elsewhere. Everything goes to standard error, so that standard output stays free for results.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
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

/// Where the lines go and what time it is there.
struct Screen {
  std::FILE* file;
  bool terminal;
  std::function<std::size_t()> columns;  ///< of a terminal, now: people resize windows
  std::function<double()> seconds;       ///< of a clock that never goes back

  static Screen standard_error();
};

class Progress {
 public:
  Progress(Show show, std::int64_t epochs, std::int64_t batches, std::int64_t samples,
           Screen screen = Screen::standard_error());

  void begin_epoch(std::int64_t epoch, std::int64_t first_batch);
  /// True when step() would draw: figures that are not cheap need not be computed otherwise.
  bool due() const;
  /// After a batch; draws at most ten times a second (every 30 s without a terminal).
  void step(std::int64_t batch, const Figures& figures);
  /// Replaces the bar by the epoch's result.
  void end_epoch(const Figures& figures);
  /// A line of its own, between the bars.
  void say(const std::string& line);

 private:
  std::string epoch_label() const;
  std::string line(std::int64_t batch, const Figures& figures, double seconds) const;
  void clear();

  bool visible_;
  Screen screen_;
  std::int64_t epochs_, batches_, samples_;
  std::int64_t epoch_ = 0, first_batch_ = 0;
  double started_ = 0.0, drawn_ = 0.0;
  bool on_screen_ = false;
};

/// "0.0123  accuracy 0.9876": values of figures for people.
std::string to_text(const Figures& figures);
/// "1:02:03", "4:05".
std::string duration_text(double seconds);

}  // namespace linnet::train
