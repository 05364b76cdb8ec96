// SPDX-License-Identifier: Apache-2.0
#include "linnet/train/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace linnet::train {
namespace {

constexpr int kBarWidth = 24;
constexpr double kDrawEverySeconds = 0.1, kPlainEverySeconds = 30.0;

double seconds_between(std::chrono::steady_clock::time_point a, std::chrono::steady_clock::time_point b) {
  return std::chrono::duration<double>(b - a).count();
}

std::string bar(double done) {
  int full = static_cast<int>(std::lround(std::clamp(done, 0.0, 1.0) * kBarWidth));
  return "[" + std::string(full, '#') + std::string(kBarWidth - full, '.') + "]";
}

/// Columns of the terminal: a line that wraps could not be drawn over again.
std::size_t terminal_width() {
  winsize size{};
  bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : 80;
}

template <class... Values>
std::string format(const char* text, Values... values) {
  char buffer[160];
  std::snprintf(buffer, sizeof buffer, text, values...);
  return buffer;
}

}  // namespace

std::string to_text(const Figures& figures) {
  std::string text;
  for (const auto& [name, value] : figures) text += format("  %s %.4f", name.c_str(), value);
  return text.empty() ? text : text.substr(2);
}

std::string duration_text(double seconds) {
  auto whole = static_cast<long>(std::lround(std::max(seconds, 0.0)));
  if (whole >= 3600) return format("%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60, whole % 60);
  return format("%ld:%02ld", whole / 60, whole % 60);
}

Progress::Progress(Show show, std::int64_t epochs, std::int64_t batches, std::int64_t samples)
    : visible_(show != Show::nothing),
      terminal_(isatty(STDERR_FILENO) != 0),
      epochs_(epochs),
      batches_(batches),
      samples_(samples) {}

void Progress::begin_epoch(std::int64_t epoch, std::int64_t first_batch) {
  epoch_ = epoch;
  first_batch_ = first_batch;
  started_ = drawn_ = Clock::now();
}

std::string Progress::epoch_label() const {
  return format("epoch %lld/%lld", static_cast<long long>(epoch_), static_cast<long long>(epochs_));
}

std::string Progress::line(std::int64_t batch, const Figures& figures, double seconds) const {
  double steps = static_cast<double>(std::max<std::int64_t>(batch - first_batch_, 1));
  double rate = steps / std::max(seconds, 1e-9);
  double samples_per_batch = static_cast<double>(samples_) / static_cast<double>(batches_);
  double left = static_cast<double>(batches_ - batch + (epochs_ - epoch_) * batches_) / rate;
  return epoch_label() + " " + bar(static_cast<double>(batch) / static_cast<double>(batches_)) +
         format(" %.0f/s  ETA %s  ", rate * samples_per_batch, duration_text(left).c_str()) +
         to_text(figures);
}

void Progress::step(std::int64_t batch, const Figures& figures) {
  if (!visible_) return;
  auto now = Clock::now();
  if (seconds_between(drawn_, now) < (terminal_ ? kDrawEverySeconds : kPlainEverySeconds)) return;
  drawn_ = now;
  std::string text = line(batch, figures, seconds_between(started_, now));
  if (terminal_) {
    text.resize(std::min(text.size(), terminal_width() - 1));
    std::fprintf(stderr, "\r\033[K%s", text.c_str());
    std::fflush(stderr);
    on_screen_ = true;
  } else {
    std::fprintf(stderr, "%s\n", text.c_str());
  }
}

void Progress::clear() {
  if (on_screen_) std::fprintf(stderr, "\r\033[K");
  on_screen_ = false;
}

void Progress::end_epoch(const Figures& figures) {
  if (!visible_) return;
  clear();
  double seconds = seconds_between(started_, Clock::now());
  double batches = static_cast<double>(batches_ - first_batch_);
  double rate =
      batches * static_cast<double>(samples_) / static_cast<double>(batches_) / std::max(seconds, 1e-9);
  std::fprintf(stderr, "%s  %s  (%.1f s, %.0f samples/s)\n", epoch_label().c_str(), to_text(figures).c_str(),
               seconds, rate);
}

void Progress::say(const std::string& text) {
  if (!visible_) return;
  clear();
  std::fprintf(stderr, "%s\n", text.c_str());
}

}  // namespace linnet::train
