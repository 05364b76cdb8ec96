// SPDX-License-Identifier: Apache-2.0
// The runtime is poor on purpose, and its symbols prove it.
#include <doctest/doctest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

std::vector<std::string> lines_of(const std::string& command) {
  std::vector<std::string> lines;
  std::FILE* pipe = popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  char line[1000];
  while (std::fgets(line, sizeof line, pipe) != nullptr) lines.emplace_back(line);
  REQUIRE(pclose(pipe) == 0);
  return lines;
}

/// Instrumentation's own symbols (a sanitizer or coverage build).
bool is_instrumentation(const std::string& name) {
  for (const char* prefix :
       {"__asan", "__ubsan", "__tsan", "__msan", "__sanitizer", "__llvm", "__gcov", "__lsan"}) {
    if (name.rfind(prefix, 0) == 0) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("the runtime needs memcpy, memset, memcmp and memmove at most, and defines only lnt_ names") {
  const std::set<std::string> allowed = {"memcpy", "memset", "memcmp", "memmove"};
  std::size_t defined = 0;
  for (const std::string& line : lines_of(std::string(LINNET_NM) + " -P " + LINNET_RUNTIME_ARCHIVE)) {
    std::istringstream words(line);
    std::string name, type;
    if (!(words >> name >> type) || type.size() != 1 || is_instrumentation(name)) continue;
    CAPTURE(line);
    const bool global = type[0] >= 'A' && type[0] <= 'Z';
    const bool ours = name.rfind("lnt_", 0) == 0;
    if (type == "U") CHECK((ours || allowed.count(name) == 1));
    if (global && type != "U") CHECK(ours);
    if (type == "T") ++defined;
    CHECK(type != "D");  // no global that can be written to
    CHECK(type != "B");
    CHECK(type != "C");
  }
  CHECK(defined >= 9);
}

TEST_CASE("the runtime's sources do not ask for NDEBUG: builds with and without it are the same") {
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(LINNET_SOURCE_DIR) + "/runtime")) {
    const std::string extension = entry.path().extension();
    if (extension != ".c" && extension != ".h") continue;
    std::stringstream text;
    text << std::ifstream(entry.path()).rdbuf();
    CAPTURE(entry.path().string());
    CHECK(text.str().find("NDEBUG") == std::string::npos);
    CHECK(text.str().find("assert") == std::string::npos);
    ++files;
  }
  CHECK(files >= 9);
}
