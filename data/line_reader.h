// SPDX-License-Identifier: Apache-2.0
#pragma once
// Lines of a plain or gzip-compressed text file. Private to data/.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "linnet/data/byte_source.h"

namespace linnet::data {

class LineReader {
 public:
  /// `op` starts every message. IoError when the file cannot be read.
  LineReader(const std::string& op, const std::string& path);

  /// The next line without its end (LF or CR LF) and without a byte order mark; false at the end of the file.
  /// IoError for a line that no table has: above 1 MiB, or with a zero byte.
  bool next(std::string& line);
  /// Of the line that next() gave, from 1.
  std::int64_t number() const { return number_; }

 private:
  bool take(char& character);

  std::string op_, path_;
  std::unique_ptr<ByteSource> source_;
  std::vector<std::byte> chunk_;
  std::size_t used_ = 0, filled_ = 0;
  std::int64_t number_ = 0;
};

}  // namespace linnet::data
