// SPDX-License-Identifier: Apache-2.0
#include "linnet/data/table.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "linnet/core/tensor_impl.h"
#include "linnet/data/table_reader.h"

namespace linnet::data {
namespace {

std::string listed(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
  return list;
}

}  // namespace

TableReader::TableReader(const std::string& path, const TableOptions& options)
    : path_(path), options_(options), lines_("read_table", path) {}

std::string TableReader::place(std::size_t column) const {
  const std::string number = std::to_string(column + 1);
  return ", column " + number + (names_[column] == number ? "" : " (" + names_[column] + ")");
}

bool TableReader::next_row() {
  do {
    if (!lines_.next(line_)) return false;
  } while (line_.find_first_not_of(options_.separator == '\t' ? " " : " \t") == std::string::npos);
  if (const std::string wrong = split_cells(line_, options_.separator, cells_); !wrong.empty())
    refuse(": ", wrong, ".");
  return true;
}

std::size_t TableReader::find(const std::string& column) const {
  const auto found = std::find(names_.begin(), names_.end(), column);
  if (found == names_.end()) {
    const std::optional<double> number = number_in(column);
    if (number && *number >= 1 && *number <= static_cast<double>(names_.size()) &&
        *number == std::floor(*number))
      return static_cast<std::size_t>(*number) - 1;
    refuse(": no column ", quoted(column), ". There are: ", listed(names_), ".");
  }
  if (std::find(found + 1, names_.end(), column) != names_.end())
    refuse(": two columns are called ", quoted(column), ". Name it by its number.");
  return static_cast<std::size_t>(found - names_.begin());
}

bool TableReader::in_text(std::size_t column) const {
  return std::find(text_.begin(), text_.end(), column) != text_.end();
}

/// From the first line, which gives the number of cells of all.
void TableReader::choose_columns() {
  first_line_ = lines_.number();
  if (options_.header)
    names_ = cells_;
  else
    for (std::size_t i = 1; i <= cells_.size(); ++i) names_.push_back(std::to_string(i));
  if (!options_.names.empty()) {
    if (options_.names.size() != cells_.size())
      refuse(" has ", cells_.size(), " cells, ", options_.names.size(), " names were given.");
    names_ = options_.names;
  }
  for (const std::string& column : options_.text) text_.push_back(find(column));
  for (const std::string& column : options_.columns) numbers_.push_back(find(column));
  if (options_.columns.empty())
    for (std::size_t i = 0; i < names_.size(); ++i)
      if (!in_text(i)) numbers_.push_back(i);
  if (!options_.group.empty()) group_ = find(options_.group);
  for (const std::size_t column : numbers_) {
    const bool alone = std::count(names_.begin(), names_.end(), names_[column]) == 1;
    if (!alone && options_.columns.empty())
      refuse(": two columns are called ", quoted(names_[column]),
             ". Name columns by their numbers, or give names.");
    table_.names.push_back(alone ? names_[column] : std::to_string(column + 1));
  }
  table_.text.resize(text_.size());
}

std::optional<double> TableReader::value(std::size_t chosen, bool same_group) {
  const std::size_t column = numbers_[chosen];
  const std::string& cell = cells_[column];
  if (!is_missing(cell)) {
    const std::optional<double> number = number_in(cell);
    if (!number) refuse(place(column), ": ", quoted(cell), " is not a number.");
    if (!std::isfinite(*number)) refuse(place(column), ": ", quoted(cell), " is not finite.");
    return number;
  }
  if (options_.missing == Missing::drop_row) return std::nullopt;
  if (options_.missing == Missing::refuse)
    refuse(place(column), ": the value is missing (", quoted(cell),
           "). Mend the file, or choose Missing::drop_row or Missing::forward_fill.");
  if (table_.lines.empty() || !same_group)
    refuse(place(column), ": the value is missing (", quoted(cell),
           "), and there is no row before it to fill it from.");
  return values_[values_.size() - numbers_.size() + chosen];
}

void TableReader::add_row() {
  if (cells_.size() != names_.size())
    refuse(" has ", cells_.size(), " cells, line ", first_line_, " has ", names_.size(), ".");
  const bool same_group = !group_ || last_group_ == cells_[*group_];
  row_.clear();
  for (std::size_t chosen = 0; chosen < numbers_.size(); ++chosen) {
    const std::optional<double> number = value(chosen, same_group);
    if (!number) {
      ++dropped_;
      return;
    }
    row_.push_back(*number);
  }
  if (group_) last_group_ = cells_[*group_];
  values_.insert(values_.end(), row_.begin(), row_.end());
  table_.lines.push_back(lines_.number());
  for (std::size_t i = 0; i < text_.size(); ++i) table_.text[i].push_back(cells_[text_[i]]);
}

Table TableReader::read() {
  check<IoError>(next_row(), "read_table: ", path_, ": the file holds no lines.");
  choose_columns();
  if (!options_.header) add_row();
  while (next_row()) add_row();
  check<IoError>(!table_.lines.empty(), "read_table: ", path_, ": no rows",
                 dropped_ > 0 ? concat({" are left: ", dropped_, " had missing values"}) : "", ".");
  table_.path = path_;
  table_.values = Tensor::from(
      values_, {static_cast<std::int64_t>(table_.lines.size()), static_cast<std::int64_t>(numbers_.size())});
  return std::move(table_);
}

Table read_table(const std::string& path, const TableOptions& options) {
  return TableReader(path, options).read();
}

std::int64_t Table::column(const std::string& name) const {
  const auto found = std::find(names.begin(), names.end(), name);
  check<ValueError>(found != names.end(), "Table: ", path, ": no column ", quoted(name),
                    " was read. There are: ", listed(names), ".");
  return found - names.begin();
}

Tensor Table::select(const std::vector<std::string>& columns) const {
  const auto count = static_cast<std::int64_t>(columns.size());
  Tensor selected = Tensor::empty({rows(), count});
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t from = column(columns[static_cast<std::size_t>(i)]);
    for (std::int64_t row = 0; row < rows(); ++row) {
      const double value = readable<double>(values)[row * values.dim(1) + from];
      check<IoError>(std::fabs(value) <= std::numeric_limits<float>::max(), "read_table: ", path, ": line ",
                     lines[static_cast<std::size_t>(row)], ", column ", columns[static_cast<std::size_t>(i)],
                     ": ", value, " is too large for f32.");
      writable<float>(selected)[row * count + i] = static_cast<float>(value);
    }
  }
  return selected;
}

std::vector<std::int64_t> Table::whole_numbers(const std::string& name) const {
  constexpr double kMost = 9007199254740992.0;  // 2^53: whole numbers up to here are exact
  const std::int64_t at = column(name);
  std::vector<std::int64_t> numbers;
  for (std::int64_t row = 0; row < rows(); ++row) {
    const double value = readable<double>(values)[row * values.dim(1) + at];
    check<IoError>(value == std::floor(value) && std::fabs(value) <= kMost, "read_table: ", path, ": line ",
                   lines[static_cast<std::size_t>(row)], ", column ", name, ": expected a whole number, got ",
                   value, ".");
    numbers.push_back(static_cast<std::int64_t>(value));
  }
  return numbers;
}

Table Table::part(std::int64_t begin, std::int64_t end) const {
  check<ValueError>(0 <= begin && begin <= end && end <= rows(), "Table: no rows ", begin, "..", end, " of ",
                    rows(), ".");
  const std::int64_t width = values.dim(1);
  Table some{.path = path,
             .names = names,
             .values = Tensor::from(values.data<double>().subspan(begin * width, (end - begin) * width),
                                    {end - begin, width}),
             .text = {},
             .lines = {lines.begin() + begin, lines.begin() + end}};
  for (const std::vector<std::string>& column : text)
    some.text.emplace_back(column.begin() + begin, column.begin() + end);
  return some;
}

}  // namespace linnet::data
