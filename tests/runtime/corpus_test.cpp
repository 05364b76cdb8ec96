// SPDX-License-Identifier: Apache-2.0
// The fuzzer's corpus, replayed: files that found something once, and one good file for every op.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "fuzz/use_model.h"
#include "malformed.h"

namespace linnet::test {
namespace {

std::vector<std::filesystem::path> corpus() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(LINNET_SOURCE_DIR) + "/tests/fuzz/corpus/runtime"))
    files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

Bytes read(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return Bytes(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>());
}

}  // namespace

TEST_CASE("every file of the fuzzer's corpus is refused or runs") {
  std::size_t good = 0;
  for (const std::filesystem::path& path : corpus()) {
    CAPTURE(path.string());
    const Bytes bytes = read(path);
    good += use_model(bytes.data(), bytes.size()) == LNT_OK;
  }
  CHECK(good >= 25);
}

TEST_CASE("good files of every op stay good or are refused when bits flip and checksums fit again") {
  std::uint32_t random = 1;
  for (const Case& c : good_models()) {
    CAPTURE(c.name);
    const Bytes good = c.make();
    CHECK(use_model(good.data(), good.size()) == LNT_OK);
    for (int trial = 0; trial < 200; ++trial) {
      Bytes bytes = good;
      for (int flips = 0; flips < 2; ++flips) {
        random = random * 1664525u + 1013904223u;
        bytes[(random >> 8) % bytes.size()] ^= static_cast<std::uint8_t>(1u << (random >> 4) % 8);
      }
      seal(bytes);
      use_model(bytes.data(), bytes.size());
    }
  }
}

}  // namespace linnet::test
