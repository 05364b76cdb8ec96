// SPDX-License-Identifier: Apache-2.0
#include "linnet/train/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

namespace linnet::train {
namespace {

constexpr int kBarWidth = 24;
constexpr double kDrawEverySeconds = 0.1, kPlainEverySeconds = 30.0;

std::string bar(double done) {
  int full = static_cast<int>(std::lround(std::clamp(done, 0.0, 1.0) * kBarWidth));
  return "[" + std::string(full, '#') + std::string(kBarWidth - full, '.') + "]";
}

std::size_t columns_of_standard_error() {
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

Screen Screen::standard_error() {
  const auto seconds = [] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
  };
  return {stderr, isatty(STDERR_FILENO) != 0, columns_of_standard_error, seconds};
}

Progress::Progress(Show show, std::int64_t epochs, std::int64_t batches, std::int64_t samples, Screen screen)
    : visible_(show != Show::nothing),
      screen_(std::move(screen)),
      epochs_(epochs),
      batches_(batches),
      samples_(samples) {}

void Progress::begin_epoch(std::int64_t epoch, std::int64_t first_batch) {
  epoch_ = epoch;
  first_batch_ = first_batch;
  started_ = drawn_ = screen_.seconds();
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

bool Progress::due() const {
  return visible_ &&
         screen_.seconds() - drawn_ >= (screen_.terminal ? kDrawEverySeconds : kPlainEverySeconds);
}

void Progress::step(std::int64_t batch, const Figures& figures) {
  if (!due()) return;
  const double now = screen_.seconds();
  drawn_ = now;
  std::string text = line(batch, figures, now - started_);
  if (screen_.terminal) {
    // A line that wraps could not be drawn over again.
    text.resize(std::min(text.size(), screen_.columns() - 1));
    std::fprintf(screen_.file, "\r\033[K%s", text.c_str());
    std::fflush(screen_.file);
    on_screen_ = true;
  } else {
    std::fprintf(screen_.file, "%s\n", text.c_str());
  }
}

void Progress::clear() {
  if (on_screen_) std::fprintf(screen_.file, "\r\033[K");
  on_screen_ = false;
}

void Progress::end_epoch(const Figures& figures) {
  if (!visible_) return;
  clear();
  double seconds = screen_.seconds() - started_;
  double batches = static_cast<double>(batches_ - first_batch_);
  double rate =
      batches * static_cast<double>(samples_) / static_cast<double>(batches_) / std::max(seconds, 1e-9);
  std::fprintf(screen_.file, "%s  %s  (%.1f s, %.0f samples/s)\n", epoch_label().c_str(),
               to_text(figures).c_str(), seconds, rate);
}

void Progress::say(const std::string& text) {
  if (!visible_) return;
  clear();
  std::fprintf(screen_.file, "%s\n", text.c_str());
}

}  // namespace linnet::train
