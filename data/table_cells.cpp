// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <string_view>

#include "linnet/data/table_reader.h"

namespace linnet::data {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t'; }

/// A quoted cell that begins at line[at]; `at` moves behind its closing quote. False when there is none.
bool take_quoted(const std::string& line, std::size_t& at, std::string& cell) {
  for (++at; at < line.size(); ++at) {
    if (line[at] == '"') {
      if (at + 1 == line.size() || line[at + 1] != '"') return ++at, true;
      ++at;
    }
    cell += line[at];
  }
  return false;
}

/// The cell that begins at line[at], without blanks around it; `at` moves to its separator or the end.
std::string take_cell(const std::string& line, char separator, std::size_t& at, std::string& cell) {
  const auto skip_blanks = [&] {
    while (at < line.size() && is_blank(line[at]) && line[at] != separator) ++at;
  };
  cell.clear();
  skip_blanks();
  if (at < line.size() && line[at] == '"') {
    if (!take_quoted(line, at, cell)) return "a quote is not closed on its line";
    skip_blanks();
    return at == line.size() || line[at] == separator ? "" : "there is something behind a closing quote";
  }
  const std::size_t begin = at;
  at = std::min(line.find(separator, at), line.size());
  std::size_t end = at;
  while (end > begin && is_blank(line[end - 1])) --end;
  cell.assign(line, begin, end - begin);
  return "";
}

void split_at_blanks(const std::string& line, std::vector<std::string>& cells) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < line.size();) {
    if (is_blank(line[at])) {
      ++at;
      continue;
    }
    const std::size_t begin = at;
    while (at < line.size() && !is_blank(line[at])) ++at;
    if (count == cells.size()) cells.emplace_back();
    cells[count++].assign(line, begin, at - begin);
  }
  cells.resize(count);
}

}  // namespace

std::string split_cells(const std::string& line, char separator, std::vector<std::string>& cells) {
  if (separator == ' ') return split_at_blanks(line, cells), "";
  std::size_t count = 0;
  for (std::size_t at = 0;; ++at) {
    if (count == cells.size()) cells.emplace_back();
    if (std::string wrong = take_cell(line, separator, at, cells[count++]); !wrong.empty()) return wrong;
    if (at >= line.size()) break;
  }
  cells.resize(count);
  return "";
}

bool is_missing(const std::string& cell) {
  constexpr std::array<std::string_view, 9> kWords{"", "nan", "-nan", "na", "n/a", "null", "none", "-", "?"};
  if (cell.size() > 4) return false;
  std::string small = cell;
  for (char& c : small) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return std::find(kWords.begin(), kWords.end(), small) != kWords.end();
}

std::optional<double> number_in(const std::string& cell) {
  const char* begin = cell.data();
  const char* end = begin + cell.size();
  if (cell.size() > 1 && *begin == '+' && cell[1] != '-') ++begin;
  double value = 0.0;
  const auto [stopped, problem] = std::from_chars(begin, end, value);
  if (problem != std::errc() || stopped != end) return std::nullopt;
  return value;
}

std::string quoted(const std::string& cell) {
  constexpr std::size_t kMost = 20;
  std::string text = "\"";
  for (const char c : cell.substr(0, kMost)) text += c >= ' ' && c <= '~' ? c : '?';
  return text + (cell.size() > kMost ? "...\"" : "\"");
}

}  // namespace linnet::data
