// SPDX-License-Identifier: Apache-2.0
// The picture of a report: accuracy (or error) against bytes on a logarithmic axis. Middle grey and colours
// that are legible on white and on black; no background.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>

#include "linnet/compress/report.h"

namespace linnet::compress {
namespace {

constexpr double kWidth = 640, kHeight = 400, kLeft = 66, kRight = 24, kTop = 24, kBottom = 50;
constexpr double kLine = 15;  ///< of text
constexpr const char* kInk = "#888888";
constexpr const char* kColours[] = {"#3b82c4", "#d9822b", "#3a9d5d", "#b65fb0", "#c94f4f", "#7a8b99"};

std::string tidy(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", std::round(number * 100.0) / 100.0);
  return text;
}

std::string escaped(const std::string& text) {
  std::string safe;
  for (const char c : text) {
    switch (c) {
      case '&':
        safe += "&amp;";
        break;
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      default:
        safe += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
  }
  return safe;
}

std::string line(double x1, double y1, double x2, double y2, const char* colour, const char* more = "") {
  return "<line x1=\"" + tidy(x1) + "\" y1=\"" + tidy(y1) + "\" x2=\"" + tidy(x2) + "\" y2=\"" + tidy(y2) +
         "\" stroke=\"" + colour + "\"" + more + "/>\n";
}

std::string text(double x, double y, const char* anchor, const std::string& words, const char* colour = kInk,
                 const std::string& more = "") {
  return "<text x=\"" + tidy(x) + "\" y=\"" + tidy(y) + "\" text-anchor=\"" + anchor + "\" fill=\"" + colour +
         "\"" + more + ">" + escaped(words) + "</text>\n";
}

struct PlotAxis {
  double low, high;
  double share(double value) const { return (value - low) / (high - low); }
};

std::string bytes_text(double bytes) {
  if (bytes >= 1e6) return tidy(bytes / 1e6) + " MB";
  return bytes >= 1e3 ? tidy(bytes / 1e3) + " kB" : tidy(bytes) + " B";
}

/// 1, 2 or 5 times a power of ten, so that about five fit.
double step_for(double span) {
  const double rough = span / 5.0, power = std::pow(10.0, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (factor * power >= rough) return factor * power;
  return 10.0 * power;
}

class Picture {
 public:
  explicit Picture(const Report& report) : report_(report), unit_(report.regression ? 1.0 : 100.0) {
    x_ = {1e300, 0.0};
    y_ = {1e300, -1e300};
    for (const ReportRow& row : report.rows) {
      const double bytes = std::log10(static_cast<double>(row.bytes)), error = row.value.standard_error;
      x_ = {std::min(x_.low, bytes), std::max(x_.high, bytes)};
      y_ = {std::min(y_.low, (row.value.value - error) * unit_),
            std::max(y_.high, (row.value.value + error) * unit_)};
    }
    const double y_room = std::max(0.1 * (y_.high - y_.low), 1e-3);
    x_ = {x_.low - 0.1, x_.high + 0.1};
    y_ = {y_.low - y_room, y_.high + y_room};
  }

  std::string str() const {
    std::string svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + tidy(kWidth) + " " +
                      tidy(kHeight) + "\" font-family=\"sans-serif\" font-size=\"12\">\n";
    return svg + axes() + points() + "</svg>\n";
  }

 private:
  double at_x(double bytes) const { return kLeft + x_.share(std::log10(bytes)) * (kWidth - kLeft - kRight); }
  double at_y(double value) const { return kHeight - kBottom - y_.share(value) * (kHeight - kTop - kBottom); }

  std::string axes() const {
    const double floor = kHeight - kBottom, middle = (kTop + floor) / 2.0;
    std::string svg =
        line(kLeft, floor, kWidth - kRight, floor, kInk) + line(kLeft, kTop, kLeft, floor, kInk);
    const double step = step_for(y_.high - y_.low);
    for (double value = std::ceil(y_.low / step) * step; value <= y_.high; value += step) {
      svg += line(kLeft, at_y(value), kWidth - kRight, at_y(value), kInk, " stroke-opacity=\"0.25\"");
      svg += text(kLeft - 6, at_y(value) + 4, "end", tidy(value));
    }
    for (double power = std::floor(x_.low); power <= x_.high; ++power)
      for (const double factor : {1.0, 2.0, 5.0}) {
        const double bytes = factor * std::pow(10.0, power), place = std::log10(bytes);
        if (place < x_.low || place > x_.high) continue;
        svg += line(at_x(bytes), floor, at_x(bytes), floor + 5, kInk);
        svg += text(at_x(bytes), floor + 18, "middle", bytes_text(bytes));
      }
    svg += text((kLeft + kWidth - kRight) / 2.0, kHeight - 10, "middle", "bytes of the .linnet file");
    svg += text(16, middle, "middle", report_.regression ? "test RMSE" : "test accuracy, %", kInk,
                " transform=\"rotate(-90 16 " + tidy(middle) + ")\"");
    return svg;
  }

  /// Where the names stand: beside their points, but never on each other.
  std::vector<double> label_places() const {
    const std::vector<ReportRow>& rows = report_.rows;
    std::vector<double> places;
    std::vector<std::size_t> order(rows.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    for (const ReportRow& row : rows) places.push_back(at_y(row.value.value * unit_) + 4);
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return places[a] < places[b]; });
    for (std::size_t i = 1; i < order.size(); ++i)
      places[order[i]] = std::max(places[order[i]], places[order[i - 1]] + kLine);
    // Those that would lie below the axis push the others up.
    double limit = kHeight - kBottom - 4;
    for (std::size_t i = order.size(); i-- > 0; limit -= kLine)
      places[order[i]] = std::min(places[order[i]], limit);
    return places;
  }

  std::string points() const {
    std::string svg;
    const std::vector<double> places = label_places();
    for (std::size_t i = 0; i < report_.rows.size(); ++i) {
      const ReportRow& row = report_.rows[i];
      const char* colour = kColours[i % std::size(kColours)];
      const double x = at_x(static_cast<double>(row.bytes)), y = at_y(row.value.value * unit_);
      const double error = row.value.standard_error * unit_;
      const bool left = x > kLeft + 0.7 * (kWidth - kLeft - kRight);
      const double label = left ? x - 16 : x + 16;
      svg += line(x, at_y(row.value.value * unit_ - error), x, at_y(row.value.value * unit_ + error), colour);
      svg += line(x, y, left ? label + 3 : label - 3, places[i] - 4, colour, " stroke-opacity=\"0.5\"");
      svg += "<circle cx=\"" + tidy(x) + "\" cy=\"" + tidy(y) + "\" r=\"4\" fill=\"" + colour + "\"/>\n";
      svg += text(label, places[i], left ? "end" : "start", row.name, colour);
    }
    return svg;
  }

  const Report& report_;
  double unit_;
  PlotAxis x_{}, y_{};
};

}  // namespace

std::string Report::svg() const { return Picture(*this).str(); }

}  // namespace linnet::compress
