// SPDX-License-Identifier: Apache-2.0
#pragma once
// Tables in text files: comma-separated with quotes, or columns between blanks, plain or gzip-compressed.
//
//   auto table = data::read_table("pump.csv", {.columns = {"flow", "pressure"}});
//   Tensor x = table.select({"flow", "pressure"});                 // f32 [rows, 2]
//
// What is wrong with a file is one message with file, line and column. docs/data.md has the policy for
// missing values.

#include <cstdint>
#include <string>
#include <vector>

#include "linnet/core/tensor.h"

namespace linnet::data {

/// What becomes of a cell that is empty or says nan, na, n/a, null, none, - or ? (in any case).
enum class Missing {
  refuse,        ///< IoError
  drop_row,      ///< its row is left out
  forward_fill,  ///< it has the value of the row before; IoError where there is none
};

struct TableOptions {
  char separator = ',';  ///< ' ': any number of blanks and tabs
  bool header = true;    ///< the first line has the names
  /// Of all columns, in place of the header's; without either they are "1", "2", ...
  std::vector<std::string> names = {};
  /// Columns of numbers to read, by name or by number from 1, in this order; all that are not in `text` when
  /// empty. The others may hold anything.
  std::vector<std::string> columns = {};
  std::vector<std::string> text = {};  ///< columns to read as text: names of subjects, dates
  Missing missing = Missing::refuse;
  /// A column that says whose row it is: forward_fill takes nothing from another's row.
  std::string group = {};
};

struct Table {
  std::string path;
  std::vector<std::string> names;              ///< of the columns of numbers
  Tensor values;                               ///< f64 [rows, columns], all finite
  std::vector<std::vector<std::string>> text;  ///< for each column of text, a value for each row
  std::vector<std::int64_t> lines;             ///< where each row is in the file, from 1

  std::int64_t rows() const { return values.dim(0); }
  /// Place of a column of numbers. ValueError that lists them.
  std::int64_t column(const std::string& name) const;
  /// f32 [rows, columns asked for]. IoError with line and column of a value that f32 cannot hold.
  Tensor select(const std::vector<std::string>& columns) const;
  /// One column as whole numbers, for groups and labels. IoError with the line of one that is not whole or is
  /// beyond 2^53.
  std::vector<std::int64_t> whole_numbers(const std::string& column) const;
  /// Rows [begin, end). ValueError unless 0 <= begin <= end <= rows().
  Table part(std::int64_t begin, std::int64_t end) const;
};

/// Reads a table. Empty lines do not count; blanks around cells do not either. In quotes a cell may hold the
/// separator, and "" is a quote; it may not hold a line end.
/// IoError with line and column for a cell that is no finite number or missing, for rows with more or fewer
/// cells than the first line, for columns that are not there or are there twice, and for a table without
/// rows.
Table read_table(const std::string& path, const TableOptions& options = {});

}  // namespace linnet::data
