// SPDX-License-Identifier: Apache-2.0
#pragma once
// A regular file that is read from its beginning, with one message for everything that can be wrong with it.
// Private to io/.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace linnet::io {

class Fs;

class InputFile {
 public:
  /// IoError when it cannot be opened or is no regular file (a pipe or device is not even opened).
  InputFile(std::string op, std::string path, Fs& fs);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  std::int64_t size() const { return size_; }  ///< when it was opened
  std::int64_t position() const { return position_; }
  void seek(std::int64_t position) { position_ = position; }
  /// Fills `bytes`; IoError when the file ends before.
  void read(std::span<std::byte> bytes);

  const std::string& op() const { return op_; }
  const std::string& path() const { return path_; }

 private:
  std::string op_, path_;
  Fs& fs_;
  int file_ = -1;
  std::int64_t size_ = 0, position_ = 0;
};

}  // namespace linnet::io
