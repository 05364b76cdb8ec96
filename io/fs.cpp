// SPDX-License-Identifier: Apache-2.0
#include "linnet/io/fs.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>

namespace linnet::io {
namespace {

template <class Result>
Result or_errno(Result result) {
  return result < 0 ? static_cast<Result>(-errno) : result;
}

}  // namespace

int Fs::open(const std::string& path, int flags, unsigned mode) {
  return or_errno(::open(path.c_str(), flags, mode));
}
std::int64_t Fs::read(int file, std::span<std::byte> bytes, std::int64_t offset) {
  return or_errno(static_cast<std::int64_t>(::pread(file, bytes.data(), bytes.size(), offset)));
}
std::int64_t Fs::write(int file, std::span<const std::byte> bytes) {
  return or_errno(static_cast<std::int64_t>(::write(file, bytes.data(), bytes.size())));
}
int Fs::fsync(int file) { return or_errno(::fsync(file)); }
int Fs::close(int file) { return or_errno(::close(file)); }
int Fs::lock(int file) { return or_errno(::flock(file, LOCK_EX | LOCK_NB)); }
int Fs::status(int file, FileStatus& status) {
  struct stat found {};
  const int result = or_errno(::fstat(file, &found));
  status = {.size = found.st_size, .regular = S_ISREG(found.st_mode)};
  return result;
}
int Fs::status_of(const std::string& path, FileStatus& status) {
  struct stat found {};
  const int result = or_errno(::stat(path.c_str(), &found));
  status = {.size = found.st_size, .regular = S_ISREG(found.st_mode)};
  return result;
}
int Fs::link(const std::string& from, const std::string& to) {
  return or_errno(::link(from.c_str(), to.c_str()));
}
int Fs::rename(const std::string& from, const std::string& to) {
  return or_errno(std::rename(from.c_str(), to.c_str()));
}
int Fs::unlink(const std::string& path) { return or_errno(::unlink(path.c_str())); }
int Fs::list(const std::string& folder, std::vector<std::string>& names) {
  struct Close {
    void operator()(DIR* open) const { ::closedir(open); }
  };
  const std::unique_ptr<DIR, Close> open(::opendir(folder.c_str()));
  if (!open) return -errno;
  while (const dirent* entry = ::readdir(open.get())) names.emplace_back(entry->d_name);
  return 0;
}

Fs& Fs::system() {
  static Fs fs;
  return fs;
}

bool is_interrupted(std::int64_t result) { return result == -EINTR || result == -EAGAIN; }

std::string error_text(std::int64_t result) {
  return std::generic_category().message(static_cast<int>(-result));
}

}  // namespace linnet::io
