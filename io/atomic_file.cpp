// SPDX-License-Identifier: Apache-2.0
#include "linnet/io/atomic_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <random>
#include <string_view>

#include "linnet/core/error.h"
#include "linnet/io/fs.h"

namespace linnet::io {
namespace {

constexpr std::string_view kEnding = ".tmp", kPreviousEnding = ".prev.tmp";

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "./" : path.substr(0, slash + 1);
}
std::string name_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

std::string random_hex() {
  constexpr char digits[] = "0123456789abcdef";
  std::random_device device;
  std::string text;
  for (int word = 0; word < 2; ++word)
    for (std::uint32_t bits = device(), i = 0; i < 8; ++i, bits >>= 4) text += digits[bits & 15];
  return text;
}

/// .NAME.PID.RANDOM.tmp and .NAME.PID.RANDOM.prev.tmp; the process id is for people who look into the folder.
bool is_temporary(const std::string& file, const std::string& name) {
  const std::string start = "." + name + ".";
  if (!file.starts_with(start) || !file.ends_with(kEnding)) return false;
  const std::size_t digits = file.find_first_not_of("0123456789", start.size());
  return digits > start.size() && digits != std::string::npos && file[digits] == '.' &&
         digits + kEnding.size() < file.size();
}

std::string with_ending(const std::string& name, std::string_view old_ending, std::string_view ending) {
  return name.substr(0, name.size() - old_ending.size()).append(ending);
}

}  // namespace

AtomicFile::AtomicFile(std::string op, std::string path)
    : AtomicFile(std::move(op), std::move(path), Fs::system()) {}

AtomicFile::AtomicFile(std::string op, std::string path, Fs& fs)
    : op_(std::move(op)), path_(std::move(path)), fs_(fs) {
  const std::string name = name_of(path_);
  check<IoError>(!name.empty() && path_.find('\0') == std::string::npos, op_, ": '", path_,
                 "' is no file name.");
  FileStatus there;
  check<IoError>(retry([&] { return fs_.status_of(path_, there); }) < 0 || there.regular, op_, ": ", path_,
                 ": not a regular file.");
  remove_leftovers();
  create();
}

// Between its creation and its lock a new file looks abandoned, and another process may remove it.
void AtomicFile::create() {
  constexpr int kMostTries = 100;
  const std::string start = folder_of(path_) + "." + name_of(path_) + "." + std::to_string(::getpid()) + ".";
  for (int tries = 0; tries < kMostTries; ++tries) {
    temporary_ = start + random_hex();
    temporary_ += kEnding;
    file_ = retry([&] { return fs_.open(temporary_, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600); });
    if (file_ < 0) fail<IoError>(op_, ": ", path_, ": cannot be created: ", error_text(file_), ".");
    if (lock_temporary()) return;
    release();
  }
  fail<IoError>(op_, ": ", path_, ": cannot be created: other processes remove it.");
}

/// False when somebody else took the file away. Where there are no locks, nobody removes anything.
bool AtomicFile::lock_temporary() {
  lock_ = retry([&] { return fs_.open(temporary_, O_RDONLY | O_CLOEXEC, 0); });
  if (lock_ == -ENOENT) return false;
  if (lock_ < 0) {
    const int error = lock_;
    release();
    fail<IoError>(op_, ": ", path_, ": cannot be opened again: ", error_text(error), ".");
  }
  if (fs_.lock(lock_) == -EWOULDBLOCK) return false;
  FileStatus there;
  return retry([&] { return fs_.status_of(temporary_, there); }) != -ENOENT;
}

void AtomicFile::release() {
  if (file_ >= 0) fs_.close(file_);
  if (!committed_) fs_.unlink(temporary_);
  if (lock_ >= 0) fs_.close(lock_);
  file_ = lock_ = -1;
}

AtomicFile::~AtomicFile() { release(); }

void AtomicFile::give_up(const char* what, long long result) {
  fail<IoError>(op_, ": ", path_, ": ", what, " failed: ", error_text(result),
                moved_previous_ ? ". The old file is now " + path_ + ".prev."
                                : ". The old file, if any, is unchanged.");
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const std::int64_t written = retry([&] { return fs_.write(file_, bytes); });
    if (written <= 0) give_up("writing", written < 0 ? written : -ENOSPC);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

// A failed fsync may have dropped what was not written, and a second one would report success: this file is
// lost.
void AtomicFile::close_synced() {
  const int synced = retry([&] { return fs_.fsync(file_); });
  if (synced < 0) give_up("flushing", synced);
  const int closed = fs_.close(file_);
  file_ = -1;
  // Interrupted or not, the file is closed, and it is flushed already.
  if (closed < 0 && !is_interrupted(closed)) give_up("closing", closed);
}

void AtomicFile::keep_previous() {
  const std::string previous = path_ + ".prev";
  const std::string linked = with_ending(temporary_, kEnding, kPreviousEnding);
  const int result = retry([&] { return fs_.link(path_, linked); });
  if (result == -ENOENT) return;
  if (result == -EPERM || result == -EOPNOTSUPP || result == -ENOSYS || result == -EMLINK) {
    const int moved = retry([&] { return fs_.rename(path_, previous); });
    if (moved < 0) give_up("keeping the previous file", moved);
    moved_previous_ = true;
    return;
  }
  if (result < 0) give_up("keeping the previous file", result);
  const int renamed = retry([&] { return fs_.rename(linked, previous); });
  // Where both names are the same file already, rename does nothing and leaves the first.
  fs_.unlink(linked);
  if (renamed < 0) give_up("keeping the previous file", renamed);
}

void AtomicFile::sync_folder() {
  const int folder = retry([&] { return fs_.open(folder_of(path_), O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0); });
  int result = folder;
  if (folder >= 0) {
    result = retry([&] { return fs_.fsync(folder); });
    fs_.close(folder);
  }
  check<IoError>(result >= 0 || result == -EINVAL, op_, ": ", path_,
                 ": written, but flushing the folder failed: ", error_text(result),
                 ". After a power cut the old file may be back.");
}

void AtomicFile::commit(Previous previous) {
  LINNET_ASSERT(!committed_ && file_ >= 0);
  close_synced();
  if (previous == Previous::keep) keep_previous();
  const int renamed = retry([&] { return fs_.rename(temporary_, path_); });
  if (renamed < 0) {
    if (moved_previous_ && fs_.rename(path_ + ".prev", path_) >= 0) moved_previous_ = false;
    give_up("renaming", renamed);
  }
  committed_ = true;
  sync_folder();
}

// Best effort: what cannot be listed or removed stays, is never loaded, and harms nobody.
void AtomicFile::remove_leftovers() {
  const std::string folder = folder_of(path_), name = name_of(path_);
  std::vector<std::string> files;
  if (fs_.list(folder, files) < 0) return;
  for (const std::string& file : files) {
    if (!is_temporary(file, name)) continue;
    const std::string found = folder + file;
    const bool linked = file.ends_with(kPreviousEnding);
    remove_if_abandoned(linked ? with_ending(found, kPreviousEnding, kEnding) : found, found);
  }
}

/// Removes `found` unless a writer has locked `temporary`, the file that both of its names belong to.
void AtomicFile::remove_if_abandoned(const std::string& temporary, const std::string& found) {
  const int lock = retry([&] { return fs_.open(temporary, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0); });
  if (lock == -ENOENT) fs_.unlink(found);
  if (lock < 0) return;
  if (fs_.lock(lock) >= 0) fs_.unlink(found);
  fs_.close(lock);
}

}  // namespace linnet::io
