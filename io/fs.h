// SPDX-License-Identifier: Apache-2.0
#pragma once
// The few calls of the operating system that saving and loading make, in one place so that tests can make
// each of them fail. Not installed.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace linnet::io {

struct FileStatus {
  std::int64_t size = 0;
  bool regular = false;
};

/// The system's own calls; tests override them. Each returns 0 or more, or -errno.
class Fs {
 public:
  virtual ~Fs() = default;

  virtual int open(const std::string& path, int flags, unsigned mode);
  virtual std::int64_t read(int file, std::span<std::byte> bytes, std::int64_t offset);
  virtual std::int64_t write(int file, std::span<const std::byte> bytes);
  virtual int fsync(int file);
  virtual int close(int file);
  /// Takes the advisory lock of an open file if nobody has it, until it is closed; -EWOULDBLOCK when somebody
  /// has.
  virtual int lock(int file);
  virtual int status(int file, FileStatus& status);
  virtual int status_of(const std::string& path, FileStatus& status);
  virtual int link(const std::string& from, const std::string& to);
  virtual int rename(const std::string& from, const std::string& to);
  virtual int unlink(const std::string& path);
  virtual int list(const std::string& folder, std::vector<std::string>& names);

  static Fs& system();
};

/// "No space left on device" for -ENOSPC.
std::string error_text(std::int64_t result);

bool is_interrupted(std::int64_t result);
/// Calls again while the system says that it was interrupted or is not ready, but not forever.
template <class Call>
auto retry(Call&& call) {
  constexpr int kMostRetries = 1000;
  auto result = call();
  for (int i = 0; is_interrupted(result) && i < kMostRetries; ++i) result = call();
  return result;
}
}  // namespace linnet::io
