// SPDX-License-Identifier: Apache-2.0
// What a profile looks like: the tables, and the trace-event file (the format is Google's "Trace Event
// Format").
#include <algorithm>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>

#include "linnet/core/error.h"
#include "linnet/core/profile.h"
#include "linnet/core/profile_trace.h"

namespace linnet::profile {
namespace {

template <class... Values>
std::string formatted(const char* format, Values... values) {
  char text[256];
  std::snprintf(text, sizeof text, format, values...);
  return text;
}

void add(Row& sum, const Row& row) {
  sum.calls += row.calls;
  sum.seconds += row.seconds;
  sum.flop += row.flop;
  sum.bytes += row.bytes;
  sum.allocations += row.allocations;
  sum.system_allocations += row.system_allocations;
}

std::string op_text(const Row& row) {
  return row.phase == Phase::backward ? row.name + " backward" : row.name;
}

/// Rows of one label added up, the longest first. Those whose label is empty are left out.
std::vector<std::pair<std::string, Row>> grouped(const std::vector<Row>& rows,
                                                 const std::function<std::string(const Row&)>& label) {
  std::map<std::string, Row> sums;
  for (const Row& row : rows) {
    const std::string name = label(row);
    if (!name.empty()) add(sums[name], row);
  }
  std::vector<std::pair<std::string, Row>> sorted(sums.begin(), sums.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.second.seconds > b.second.seconds; });
  return sorted;
}

std::string table(const char* title, const std::vector<std::pair<std::string, Row>>& rows, double seconds) {
  std::size_t width = std::string_view(title).size();
  for (const auto& [label, row] : rows) width = std::max(width, label.size());
  const auto padded = [width](std::string text) {
    text.resize(width, ' ');
    return text;
  };
  std::string text =
      padded(title) + "      calls          ms      %   GFLOP/s          MB     blocks     system\n";
  for (const auto& [label, row] : rows) {
    text += padded(label) + formatted(" %10lld %11.3f %6.1f", static_cast<long long>(row.calls),
                                      1e3 * row.seconds, seconds > 0.0 ? 100.0 * row.seconds / seconds : 0.0);
    text += row.flop > 0.0 && row.seconds > 0.0 ? formatted(" %9.2f", 1e-9 * row.flop / row.seconds)
                                                : std::string("         -");
    text += row.bytes > 0.0 ? formatted(" %11.2f", 1e-6 * row.bytes) : std::string("           -");
    text += formatted(" %10lld %10lld\n", static_cast<long long>(row.allocations),
                      static_cast<long long>(row.system_allocations));
  }
  return text;
}

std::string quoted(const std::string& text) {
  std::string all = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') all += '\\';
    if (static_cast<unsigned char>(c) < 0x20)
      all += formatted("\\u%04x", static_cast<unsigned>(c));
    else
      all += c;
  }
  return all + '"';
}

std::string event_text(const std::vector<std::string>& texts, const Event& event) {
  static constexpr const char* kKinds[] = {"forward", "backward", "scope", "layer"};
  std::string name = texts[static_cast<std::size_t>(event.name)];
  if (event.kind == static_cast<int>(Phase::backward)) name += " backward";
  return "{\"name\":" + quoted(name) + ",\"cat\":\"" + kKinds[event.kind] + "\",\"ph\":\"X\"" +
         formatted(",\"ts\":%.3f,\"dur\":%.3f,\"pid\":1,\"tid\":%d", 1e6 * event.begin, 1e6 * event.seconds,
                   event.thread) +
         ",\"args\":{\"layer\":" + quoted(texts[static_cast<std::size_t>(event.layer)]) +
         formatted(",\"flop\":%.0f,\"bytes\":%.0f,\"blocks\":%lld}}", event.flop, event.bytes,
                   static_cast<long long>(event.allocations));
}

}  // namespace

std::string Report::str() const {
  double known = 0.0;
  for (const Row& row : rows) known += row.seconds;
  std::string text = formatted("profile: %.3f ms, %.3f ms of them outside of ops and scopes\n", 1e3 * seconds,
                               1e3 * std::max(0.0, seconds - known));
  text += table("op or scope", grouped(rows, op_text), seconds);
  const auto layers = grouped(rows, [](const Row& row) { return row.layer; });
  if (!layers.empty()) text += '\n' + table("layer, forward and backward", layers, seconds);
  if (dropped_events > 0)
    text += formatted("profile: %lld later events are counted above but not kept\n",
                      static_cast<long long>(dropped_events));
  return text;
}

void write_events(const std::string& file, const std::vector<std::string>& texts,
                  const std::vector<Event>& events) {
  const auto failed = [&] {
    fail<IoError>("profile: ", file, " cannot be written. Does its folder exist, and is there room?");
  };
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> out(std::fopen(file.c_str(), "w"), std::fclose);
  if (!out) failed();
  std::fputs("{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n", out.get());
  for (std::size_t i = 0; i < events.size(); ++i)
    std::fprintf(out.get(), "%s%s", i ? ",\n" : "", event_text(texts, events[i]).c_str());
  std::fputs("\n]}\n", out.get());
  if (std::fflush(out.get()) != 0 || std::ferror(out.get())) failed();
}

}  // namespace linnet::profile
