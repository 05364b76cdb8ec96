// SPDX-License-Identifier: Apache-2.0
// A report for people and for programs.
#include <algorithm>
#include <cmath>
#include <cstdarg>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <span>

#include "linnet/compress/report.h"
#include "linnet/io/atomic_file.h"

namespace linnet::compress {
namespace {

[[gnu::format(printf, 1, 2)]] std::string printed(const char* format, ...) {
  char buffer[96];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(buffer, sizeof buffer, format, arguments);
  va_end(arguments);
  return buffer;
}

/// 101,770.
std::string grouped(std::int64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3 && digits[at - 4] != '-';) digits.insert(at -= 3, ",");
  return digits;
}

/// In hundredths, or as it is; "+0.12 +- 0.03" for a change.
std::string estimate(const train::Estimate& e, bool regression, bool change = false) {
  const double unit = regression ? 1.0 : 100.0;
  return printed("%s%.2f +- %.2f", change && e.value >= 0.0 ? "+" : "", e.value * unit,
                 e.standard_error * unit);
}

using Cells = std::vector<std::string>;

Cells heading(bool regression) {
  return {"model",
          "bytes",
          "smaller",
          "parameters",
          "not 0",
          "MACs",
          "latency us",
          "faster",
          regression ? "RMSE" : "accuracy %",
          regression ? "change" : "change, points",
          "worst layer, dB"};
}

Cells cells(const ReportRow& row, const ReportRow& first, bool regression) {
  const bool measured = !std::isnan(row.latency_us);
  return {row.name,
          grouped(row.bytes),
          printed("%.2fx", static_cast<double>(first.bytes) / static_cast<double>(row.bytes)),
          grouped(row.parameters),
          grouped(row.nonzero),
          grouped(row.macs),
          measured ? printed("%.1f", row.latency_us) : "-",
          measured ? printed("%.2fx", row.speedup) : "-",
          estimate(row.value, regression),
          &row == &first ? "-" : estimate(row.change, regression, true),
          row.worst_layer.empty() ? "-" : row.worst_layer + printed(" %.1f", row.worst_sqnr)};
}

/// Names to the left, numbers to the right.
std::string lines(const std::vector<Cells>& table) {
  std::vector<std::size_t> widths(table[0].size());
  for (const Cells& row : table)
    for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], row[c].size());
  std::string text;
  for (const Cells& row : table) {
    std::string line;
    for (std::size_t c = 0; c < row.size(); ++c) {
      const std::string blanks(widths[c] - row[c].size(), ' ');
      line += (c == 0 ? "" : "  ") + (c == 0 ? row[c] + blanks : blanks + row[c]);
    }
    text += line + '\n';
  }
  return text;
}

using Json = nlohmann::ordered_json;

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json json_of(const ReportRow& row, bool regression) {
  const std::string value = regression ? "rmse" : "accuracy";
  Json object{{"name", row.name},
              {"bytes", row.bytes},
              {"parameters", row.parameters},
              {"nonzero_parameters", row.nonzero},
              {"macs", row.macs},
              {"latency_us", number(row.latency_us)},
              {"speedup", number(row.speedup)},
              {value, row.value.value},
              {value + "_standard_error", row.value.standard_error},
              {"change", row.change.value},
              {"change_standard_error", row.change.standard_error}};
  if (!row.worst_layer.empty()) {
    object["worst_layer"] = row.worst_layer;
    object["worst_sqnr_db"] = number(row.worst_sqnr);
  }
  if (!row.note.empty()) object["note"] = row.note;
  return object;
}

}  // namespace

std::string Report::text() const {
  std::vector<Cells> table{heading(regression)};
  for (const ReportRow& row : rows) table.push_back(cells(row, rows[0], regression));
  std::string text = lines(table) + grouped(samples) + " test samples; changes are against " + rows[0].name +
                     ", paired by sample, with their standard errors.\n";
  for (const ReportRow& row : rows)
    if (!row.note.empty()) text += row.note + '\n';
  return text;
}

std::string Report::json() const {
  Json variants = Json::array();
  for (const ReportRow& row : rows) variants.push_back(json_of(row, regression));
  const Json all{
      {"task", regression ? "regression" : "classification"}, {"samples", samples}, {"variants", variants}};
  return all.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void Report::print() const { std::fputs(text().c_str(), stdout); }

void Report::write(const std::string& path) const {
  const std::string contents = path.ends_with(".svg")    ? svg()
                               : path.ends_with(".json") ? json() + '\n'
                                                         : text();
  io::AtomicFile file("report", path);
  file.write(std::as_bytes(std::span(contents)));
  file.commit();
}

}  // namespace linnet::compress
