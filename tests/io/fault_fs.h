// SPDX-License-Identifier: Apache-2.0
#pragma once
// File systems that fail: one that makes the k-th call go wrong, and one in memory that loses power.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "linnet/io/fs.h"

namespace linnet::test {

/// The system's calls, counted. When `fault` gives something for a call (number from 0, name), the call fails
/// with that errno and does nothing, or does the special thing below. Flushing only counts: nobody pulls
/// the plug here, and disks are slow.
class FaultFs : public io::Fs {
 public:
  static constexpr int kShort = -1;         ///< writes do one byte, other calls work
  static constexpr int kHalfThenFail = -2;  ///< writes do half and then ENOSPC comes
  static constexpr int kKill = -3;          ///< the process dies by SIGKILL
  using Fault = std::function<int(int call, const std::string& name)>;

  explicit FaultFs(Fault fault = {}) : fault_(std::move(fault)) {}
  int calls() const { return call_; }
  const std::vector<std::string>& names() const { return names_; }

  int open(const std::string& path, int flags, unsigned mode) override;
  std::int64_t read(int file, std::span<std::byte> bytes, std::int64_t offset) override;
  std::int64_t write(int file, std::span<const std::byte> bytes) override;
  int fsync(int file) override;
  int close(int file) override;
  int lock(int file) override;
  int status(int file, io::FileStatus& status) override;
  int status_of(const std::string& path, io::FileStatus& status) override;
  int link(const std::string& from, const std::string& to) override;
  int rename(const std::string& from, const std::string& to) override;
  int unlink(const std::string& path) override;
  int list(const std::string& folder, std::vector<std::string>& names) override;

 private:
  int next(const char* name);

  Fault fault_;
  int call_ = 0;
  std::vector<std::string> names_;
};

/// A disk with one folder, in memory. What was not flushed may be lost when the power goes: crash() makes the
/// disk that is found afterwards.
class MemoryFs : public io::Fs {
 public:
  using Contents = std::vector<std::byte>;

  int open(const std::string& path, int flags, unsigned mode) override;
  std::int64_t read(int file, std::span<std::byte> bytes, std::int64_t offset) override;
  std::int64_t write(int file, std::span<const std::byte> bytes) override;
  int fsync(int file) override;
  int close(int file) override;
  int lock(int file) override;
  int status(int file, io::FileStatus& status) override;
  int status_of(const std::string& path, io::FileStatus& status) override;
  int link(const std::string& from, const std::string& to) override;
  int rename(const std::string& from, const std::string& to) override;
  int unlink(const std::string& path) override;
  int list(const std::string& folder, std::vector<std::string>& names) override;

  /// Calls that changed something so far.
  int changes() const { return changes_; }
  /// The power goes just before change number `at`: later changes do nothing (and report success).
  void cut_power_before(int at) { power_until_ = at; }

  enum class Unflushed { lost, kept, torn_512, torn_4096 };
  /// The disk after the crash: flushed file contents, unflushed ones as told, and the folder as of its last
  /// flush plus the first `renames` changes of names since.
  std::unique_ptr<MemoryFs> after_crash(Unflushed data, std::size_t renames) const;
  /// Changes of names since the folder was last flushed.
  std::size_t unflushed_names() const { return log_.size(); }

 private:
  struct File {
    Contents contents;
    std::size_t flushed = 0;  ///< bytes that survive for certain
  };
  using Names = std::map<std::string, std::shared_ptr<File>>;
  struct Open {
    std::shared_ptr<File> file;  ///< nullptr: the folder
  };

  bool powered();
  void rename_in(Names& names, const std::string& from, const std::string& to) const;

  Names names_;                                   ///< as the running system sees it
  Names flushed_names_;                           ///< as of the last flush of the folder
  std::vector<std::function<void(Names&)>> log_;  ///< changes of names since
  std::map<int, Open> open_;
  int next_file_ = 3, changes_ = 0, power_until_ = -1;
};

}  // namespace linnet::test
