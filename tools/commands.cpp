// SPDX-License-Identifier: Apache-2.0
#include "commands.h"

#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "linnet/core/isa.h"
#include "linnet/core/parallel.h"
#include "linnet/core/random.h"

namespace linnet::tools {
namespace fs = std::filesystem;
namespace {

bool same_file(const std::string& a, const std::string& b) {
  std::error_code error;
  bool same = fs::equivalent(a, b, error);
  return same || fs::path(a).lexically_normal() == fs::path(b).lexically_normal();
}

}  // namespace

void Common::apply() const {
  if (threads > 0) set_num_threads(threads);
  manual_seed(seed);
  std::fprintf(stderr, "computing with %s, %d thread(s)\n", compute_description().c_str(), num_threads());
}

void Common::print(const Figures& figures) const {
  std::printf("%s", json ? (as_json(figures) + '\n').c_str() : as_lines(figures).c_str());
}

void Common::print(const std::vector<Figures>& list) const {
  if (json) std::printf("%s\n", as_json(list).c_str());
}

void check_input(const std::string& path) {
  std::error_code error;
  auto kind = fs::status(path, error).type();
  check<IoError>(kind != fs::file_type::not_found && kind != fs::file_type::none, path,
                 ": cannot be read. Is the name right?");
  check<IoError>(kind == fs::file_type::regular, path, ": not a regular file.");
}

void check_output(const std::string& command, const std::string& path, const std::string& input) {
  check<IoError>(!path.empty(), command, ": the name of the file to write is empty.");
  std::error_code error;
  fs::path folder = fs::path(path).parent_path();
  if (folder.empty()) folder = ".";
  check<IoError>(fs::is_directory(folder, error), command, ": the folder of ", path,
                 " does not exist. Create it first.");
  check<IoError>(!fs::is_directory(path, error), command, ": ", path,
                 " is a folder. Give the name of a file.");
  check<IoError>(!fs::exists(path, error) || fs::is_regular_file(path, error), command, ": ", path,
                 " is not a regular file. Give another name.");
  check<IoError>(access(folder.c_str(), W_OK | X_OK) == 0, command, ": the folder of ", path,
                 " cannot be written to. Choose another.");
  check<IoError>(input.empty() || !same_file(path, input), command, ": ", path,
                 " would be written over itself. Give another name.");
}

std::int64_t peak_rss_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return std::int64_t{usage.ru_maxrss} * 1024;
}

std::int64_t file_bytes(const std::string& path) {
  check_input(path);
  std::error_code error;
  auto size = fs::file_size(path, error);
  check<IoError>(!error, path, ": cannot be read: ", error.message(), ".");
  return static_cast<std::int64_t>(size);
}

}  // namespace linnet::tools
