// SPDX-License-Identifier: Apache-2.0
#include "linnet/data/find_folder.h"

#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <vector>

#include "linnet/core/error.h"

namespace linnet::data {
namespace fs = std::filesystem;
namespace {

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

}  // namespace

std::string find_folder(const std::string& name, const std::string& explicit_dir) {
  if (!explicit_dir.empty()) {
    check<IoError>(is_folder(explicit_dir), "find_folder: ", explicit_dir, ": no such folder.");
    const fs::path below = fs::path(explicit_dir) / name;
    return is_folder(below) ? below.string() : explicit_dir;
  }
  std::vector<fs::path> places{fs::path("datasets") / name, fs::path("../shared/data") / name};
  if (const char* chosen = std::getenv("LINNET_DATA"); chosen && *chosen) {
    if (fs::path(chosen).filename() == fs::path(name).filename()) places.insert(places.begin(), chosen);
    places.insert(places.begin(), fs::path(chosen) / name);
  }
  std::string looked;
  for (const fs::path& place : places) {
    if (is_folder(place)) return place.string();
    looked += (looked.empty() ? "" : ", ") + place.string();
  }
  fail<IoError>("find_folder: no data set '", name, "' in ", looked,
                ". Set LINNET_DATA, name a folder, or run scripts/fetch_datasets.sh.");
}

std::string find_file(const std::string& dir, const std::vector<std::string>& folders,
                      const std::string& name) {
  std::error_code ignored;  // what cannot be looked at is not there
  for (const std::string& folder : folders)
    for (const char* ending : {"", ".gz"})
      if (fs::path file = fs::path(dir) / folder / (name + ending); fs::exists(file, ignored))
        return file.string();
  return {};
}

}  // namespace linnet::data
