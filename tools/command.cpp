// SPDX-License-Identifier: Apache-2.0
#include "command.h"

#include <sys/resource.h>

#include <cstdio>
#include <filesystem>

#include "linnet/core/error.h"
#include "linnet/core/isa.h"
#include "linnet/core/parallel.h"
#include "linnet/core/random.h"

namespace linnet::tools {

void Common::add_to(CLI::App& command) {
  command.add_option("--threads", threads, "Threads to use (default: all cores)")->check(CLI::Range(1, 256));
  command.add_option("--seed", seed, "Seed of everything that is random")->capture_default_str();
  command.add_flag("--json", json, "Print the figures as one JSON object on the last line");
}

void Common::apply() const {
  if (threads > 0) set_num_threads(threads);
  manual_seed(seed);
  std::fprintf(stderr, "computing with %s, %d thread(s)\n", compute_description().c_str(), num_threads());
}

void Common::print(const Json& figures) const {
  if (json) {
    std::printf("%s\n", figures.dump().c_str());
    return;
  }
  for (const auto& [name, value] : figures.items())
    std::printf("%s: %s\n", name.c_str(),
                value.is_string() ? value.get<std::string>().c_str() : value.dump().c_str());
}

std::int64_t peak_rss_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return std::int64_t{usage.ru_maxrss} * 1024;
}

std::int64_t file_bytes(const std::string& path) {
  std::error_code error;
  auto size = std::filesystem::file_size(path, error);
  check<IoError>(!error, path, ": cannot be read: ", error.message(), ".");
  return static_cast<std::int64_t>(size);
}

}  // namespace linnet::tools
