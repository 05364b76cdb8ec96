// SPDX-License-Identifier: Apache-2.0
#pragma once
// AtomicFile: a file that appears under its name complete and on the disk, or not at all.
//
// It is written beside its place under a temporary name (.NAME.PID.RANDOM.tmp, readable by its owner only),
// and commit() flushes it to the disk, renames it and flushes the folder. After a crash at any point the name
// holds the complete old file or the complete new one. Two writers of one name do not mix: the last one to
// commit wins.
//
// A writer holds an advisory lock on its temporary file, which the system releases however the writer ends.
// The next AtomicFile of the same name removes the temporary files that nobody has locked. (A process id
// would not tell: it may be in use again, belong to another container, or to a process that waits to be
// reaped.)

#include <cstddef>
#include <span>
#include <string>

namespace linnet::io {

class Fs;

class AtomicFile {
 public:
  /// `op` starts every message. IoError when the folder cannot be written to, or when `path` is there and is
  /// no regular file.
  AtomicFile(std::string op, std::string path);
  AtomicFile(std::string op, std::string path, Fs& fs);
  /// Without commit() nothing has happened.
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  /// IoError, e.g. when the disk is full.
  void write(std::span<const std::byte> bytes);

  enum class Previous { replace, keep };
  /// `keep`: the file that was there becomes PATH.prev (a hard link made before the rename, so that both
  /// names are always complete). IoError; unless the text says otherwise the old file is unchanged then.
  void commit(Previous previous = Previous::replace);

 private:
  [[noreturn]] void give_up(const char* what, long long result);
  void close_synced();
  void keep_previous();
  void sync_folder();
  void create();
  bool lock_temporary();
  void release();
  void remove_leftovers();
  void remove_if_abandoned(const std::string& temporary, const std::string& found);

  std::string op_, path_, temporary_;
  Fs& fs_;
  int file_ = -1;
  int lock_ = -1;  ///< a second handle, so that the lock outlives closing the first
  bool committed_ = false;
  bool moved_previous_ = false;  ///< the old file is only PATH.prev now (no hard links here)
};

}  // namespace linnet::io
