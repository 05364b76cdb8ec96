// SPDX-License-Identifier: Apache-2.0
#include "fault_fs.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace linnet::test {

int FaultFs::next(const char* name) {
  names_.emplace_back(name);
  const int call = call_++;
  const int fault = fault_ ? fault_(call, name) : 0;
  if (fault == kKill) ::kill(::getpid(), SIGKILL);
  return fault;
}

int FaultFs::open(const std::string& path, int flags, unsigned mode) {
  if (const int fault = next("open"); fault > 0) return -fault;
  return Fs::open(path, flags, mode);
}
std::int64_t FaultFs::read(int file, std::span<std::byte> bytes, std::int64_t offset) {
  const int fault = next("read");
  if (fault > 0) return -fault;
  return Fs::read(file, fault == kShort ? bytes.first(1) : bytes, offset);
}
std::int64_t FaultFs::write(int file, std::span<const std::byte> bytes) {
  const int fault = next("write");
  if (fault > 0) return -fault;
  if (fault == kShort) return Fs::write(file, bytes.first(1));
  if (fault == kHalfThenFail) {
    Fs::write(file, bytes.first(bytes.size() / 2));
    return -ENOSPC;
  }
  return Fs::write(file, bytes);
}
int FaultFs::fsync(int) {
  const int fault = next("fsync");
  return fault > 0 ? -fault : 0;
}
int FaultFs::close(int file) {
  const int fault = next("close");
  const int result = Fs::close(file);  // a failed close has closed the file all the same
  return fault > 0 ? -fault : result;
}
int FaultFs::lock(int file) {
  if (const int fault = next("lock"); fault > 0) return -fault;
  return Fs::lock(file);
}
int FaultFs::status(int file, io::FileStatus& status) {
  if (const int fault = next("status"); fault > 0) return -fault;
  return Fs::status(file, status);
}
int FaultFs::status_of(const std::string& path, io::FileStatus& status) {
  if (const int fault = next("status_of"); fault > 0) return -fault;
  return Fs::status_of(path, status);
}
int FaultFs::link(const std::string& from, const std::string& to) {
  if (const int fault = next("link"); fault > 0) return -fault;
  return Fs::link(from, to);
}
int FaultFs::rename(const std::string& from, const std::string& to) {
  if (const int fault = next("rename"); fault > 0) return -fault;
  return Fs::rename(from, to);
}
int FaultFs::unlink(const std::string& path) {
  if (const int fault = next("unlink"); fault > 0) return -fault;
  return Fs::unlink(path);
}
int FaultFs::list(const std::string& folder, std::vector<std::string>& names) {
  if (const int fault = next("list"); fault > 0) return -fault;
  return Fs::list(folder, names);
}

bool MemoryFs::powered() { return power_until_ < 0 || changes_++ < power_until_; }

int MemoryFs::open(const std::string& path, int flags, unsigned) {
  const auto handle = [this](std::shared_ptr<File> file) {
    open_[next_file_] = {std::move(file)};
    return next_file_++;
  };
  if (flags & O_DIRECTORY) return handle(nullptr);
  const auto found = names_.find(path);
  if (flags & O_CREAT) {
    if (found != names_.end()) return -EEXIST;
    auto file = std::make_shared<File>();
    names_[path] = file;  // seen by this process even when it never reaches the disk
    if (powered()) log_.push_back([path, file](Names& names) { names[path] = file; });
    return handle(file);
  }
  return found == names_.end() ? -ENOENT : handle(found->second);
}
std::int64_t MemoryFs::read(int file, std::span<std::byte> bytes, std::int64_t offset) {
  const Contents& contents = open_.at(file).file->contents;
  const std::size_t begin = std::min(static_cast<std::size_t>(offset), contents.size());
  const std::size_t count = std::min(bytes.size(), contents.size() - begin);
  std::copy_n(contents.begin() + static_cast<std::ptrdiff_t>(begin), count, bytes.begin());
  return static_cast<std::int64_t>(count);
}
std::int64_t MemoryFs::write(int file, std::span<const std::byte> bytes) {
  Contents& contents = open_.at(file).file->contents;
  if (powered()) contents.insert(contents.end(), bytes.begin(), bytes.end());
  return static_cast<std::int64_t>(bytes.size());
}
int MemoryFs::fsync(int file) {
  if (!powered()) return 0;
  if (File* data = open_.at(file).file.get()) {
    data->flushed = data->contents.size();
  } else {
    flushed_names_ = names_;
    log_.clear();
  }
  return 0;
}
int MemoryFs::close(int file) {
  open_.erase(file);
  return 0;
}
int MemoryFs::lock(int) { return 0; }
int MemoryFs::status(int file, io::FileStatus& status) {
  status = {static_cast<std::int64_t>(open_.at(file).file->contents.size()), true};
  return 0;
}
int MemoryFs::status_of(const std::string& path, io::FileStatus& status) {
  const auto found = names_.find(path);
  if (found == names_.end()) return -ENOENT;
  status = {static_cast<std::int64_t>(found->second->contents.size()), true};
  return 0;
}
int MemoryFs::link(const std::string& from, const std::string& to) {
  const auto found = names_.find(from);
  if (found == names_.end()) return -ENOENT;
  if (names_.contains(to)) return -EEXIST;
  if (!powered()) return 0;
  const std::shared_ptr<File> file = found->second;
  names_[to] = file;
  log_.push_back([to, file](Names& names) { names[to] = file; });
  return 0;
}
void MemoryFs::rename_in(Names& names, const std::string& from, const std::string& to) const {
  const auto found = names.find(from);
  if (found == names.end()) return;
  const auto target = names.find(to);
  if (target != names.end() && target->second == found->second) return;  // as POSIX has it
  names[to] = found->second;
  names.erase(from);
}
int MemoryFs::rename(const std::string& from, const std::string& to) {
  if (!powered()) return 0;
  if (!names_.contains(from)) return -ENOENT;
  rename_in(names_, from, to);
  log_.push_back([this, from, to](Names& names) { rename_in(names, from, to); });
  return 0;
}
int MemoryFs::unlink(const std::string& path) {
  if (!powered()) return 0;
  if (!names_.contains(path)) return -ENOENT;
  names_.erase(path);
  log_.push_back([path](Names& names) { names.erase(path); });
  return 0;
}
int MemoryFs::list(const std::string&, std::vector<std::string>&) { return 0; }

std::unique_ptr<MemoryFs> MemoryFs::after_crash(Unflushed data, std::size_t renames) const {
  auto disk = std::make_unique<MemoryFs>();
  Names names = flushed_names_;
  for (std::size_t i = 0; i < std::min(renames, log_.size()); ++i) log_[i](names);
  for (const auto& [name, file] : names) {
    auto survivor = std::make_shared<File>(*file);
    Contents& contents = survivor->contents;
    if (data == Unflushed::lost) contents.resize(file->flushed);
    if (data == Unflushed::torn_512 || data == Unflushed::torn_4096) {
      // Every other sector of what was not flushed never reached the disk.
      const std::size_t sector = data == Unflushed::torn_512 ? 512 : 4096;
      for (std::size_t i = file->flushed; i < contents.size(); ++i)
        if (i / sector % 2 == 0) contents[i] = std::byte{0};
    }
    survivor->flushed = contents.size();
    disk->names_[name] = survivor;
  }
  disk->flushed_names_ = disk->names_;
  return disk;
}

}  // namespace linnet::test
