// SPDX-License-Identifier: Apache-2.0
#pragma once
// How a text file becomes a Table. Private to data/.

#include <optional>
#include <string>
#include <vector>

#include "linnet/core/error.h"
#include "linnet/data/line_reader.h"
#include "linnet/data/table.h"

namespace linnet::data {

/// Cells of a line. Empty when done, else what is wrong with it.
std::string split_cells(const std::string& line, char separator, std::vector<std::string>& cells);
bool is_missing(const std::string& cell);
/// Nothing unless the whole cell is one number that fits a double; it may be infinite.
std::optional<double> number_in(const std::string& cell);
/// For messages: at most 20 printable characters, in quotes.
std::string quoted(const std::string& cell);

class TableReader {
 public:
  TableReader(const std::string& path, const TableOptions& options);
  Table read();

 private:
  bool next_row();
  void choose_columns();
  std::size_t find(const std::string& column) const;
  bool in_text(std::size_t column) const;
  void add_row();
  /// The value of a cell; nothing when the row is to be left out.
  std::optional<double> value(std::size_t chosen, bool same_group);

  template <class... Parts>
  [[noreturn]] void refuse(const Parts&... parts) const {
    fail<IoError>("read_table: ", path_, ": line ", lines_.number(), parts...);
  }
  std::string place(std::size_t column) const;  ///< ", column 3 (speed)"

  std::string path_;
  const TableOptions& options_;
  LineReader lines_;
  std::string line_;
  std::vector<std::string> cells_, names_;
  std::int64_t first_line_ = 0;              ///< that says how many cells a row has
  std::vector<std::size_t> numbers_, text_;  ///< places of the columns to read
  std::optional<std::size_t> group_;
  std::optional<std::string> last_group_;
  std::vector<double> row_, values_;
  std::int64_t dropped_ = 0;
  Table table_;
};

}  // namespace linnet::data
