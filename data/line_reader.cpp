// SPDX-License-Identifier: Apache-2.0
#include "linnet/data/line_reader.h"

#include "linnet/core/error.h"

namespace linnet::data {
namespace {
constexpr std::size_t kChunk = 1 << 16, kLongest = 1 << 20;
constexpr const char* kByteOrderMark = "\xEF\xBB\xBF";
}  // namespace

LineReader::LineReader(const std::string& op, const std::string& path)
    : op_(op), path_(path), source_(open_bytes(op, path)), chunk_(kChunk) {}

bool LineReader::take(char& character) {
  if (used_ == filled_) {
    used_ = 0;
    filled_ = source_->read(chunk_);
    if (filled_ == 0) return false;
  }
  character = static_cast<char>(chunk_[used_++]);
  return true;
}

bool LineReader::next(std::string& line) {
  line.clear();
  char character;
  if (!take(character)) return false;
  ++number_;
  do {
    if (character == '\n') break;
    line += character;
    check<IoError>(line.size() <= kLongest, op_, ": ", path_, ": line ", number_, " is longer than ",
                   kLongest, " bytes. Is this a table?");
    check<IoError>(character != '\0', op_, ": ", path_, ": line ", number_,
                   " holds a zero byte. Is this a text file?");
  } while (take(character));
  if (!line.empty() && line.back() == '\r') line.pop_back();
  if (number_ == 1 && line.rfind(kByteOrderMark, 0) == 0) line.erase(0, 3);
  return true;
}

}  // namespace linnet::data
