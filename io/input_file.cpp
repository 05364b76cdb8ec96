// SPDX-License-Identifier: Apache-2.0
#include "linnet/io/input_file.h"

#include <fcntl.h>

#include "linnet/core/error.h"
#include "linnet/io/fs.h"

namespace linnet::io {

InputFile::InputFile(std::string op, std::string path, Fs& fs)
    : op_(std::move(op)), path_(std::move(path)), fs_(fs) {
  check<IoError>(!path_.empty() && path_.find('\0') == std::string::npos, op_, ": '", path_,
                 "' is no file name.");
  FileStatus status;
  int result = retry([&] { return fs_.status_of(path_, status); });
  check<IoError>(result >= 0, op_, ": ", path_, ": cannot be opened: ", error_text(result), ".");
  check<IoError>(status.regular, op_, ": ", path_, ": not a regular file.");
  file_ = retry([&] { return fs_.open(path_, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0); });
  check<IoError>(file_ >= 0, op_, ": ", path_, ": cannot be opened: ", error_text(file_), ".");
  result = retry([&] { return fs_.status(file_, status); });
  if (result < 0 || !status.regular) {
    fs_.close(file_);
    fail<IoError>(op_, ": ", path_, ": changed while it was opened.");
  }
  size_ = status.size;
}

InputFile::~InputFile() { fs_.close(file_); }

void InputFile::read(std::span<std::byte> bytes) {
  while (!bytes.empty()) {
    const std::int64_t got = retry([&] { return fs_.read(file_, bytes, position_); });
    check<IoError>(got >= 0, op_, ": ", path_, ": cannot be read at byte ", position_, ": ", error_text(got),
                   ".");
    check<IoError>(got > 0, op_, ": ", path_, ": truncated: it ends at byte ", position_, ".");
    position_ += got;
    bytes = bytes.subspan(static_cast<std::size_t>(got));
  }
}

}  // namespace linnet::io
