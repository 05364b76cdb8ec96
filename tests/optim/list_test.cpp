// SPDX-License-Identifier: Apache-2.0
// docs/optimizers.md lists every optimizer and schedule of the headers, and nothing else.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>

#include <doctest/doctest.h>

namespace {

std::string contents_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::set<std::string> found(const std::string& text, const std::string& pattern) {
  const std::regex regex(pattern);
  std::set<std::string> all;
  for (std::sregex_iterator i(text.begin(), text.end(), regex), end; i != end; ++i) all.insert((*i)[1]);
  return all;
}

std::string optim_headers() {
  std::string text;
  for (const auto& entry : std::filesystem::directory_iterator(LINNET_SOURCE_DIR "/optim"))
    if (entry.path().extension() == ".h") text += contents_of(entry.path());
  return text;
}

std::set<std::string> listed_below(const std::string& heading) {
  const std::string docs = contents_of(LINNET_SOURCE_DIR "/docs/optimizers.md");
  const std::size_t begin = docs.find("\n## " + heading + "\n");
  REQUIRE(begin != std::string::npos);
  return found(docs.substr(begin, docs.find("\n## ", begin + 4) - begin), R"(\n\| `(\w+)` \|)");
}

void check_lists(const std::set<std::string>& code, const std::set<std::string>& listed) {
  CHECK(code.size() >= 2);
  for (const std::string& name : code) CHECK_MESSAGE(listed.contains(name), name, " is not in the docs");
  for (const std::string& name : listed) CHECK_MESSAGE(code.contains(name), name, " is in the docs only");
}

}  // namespace

TEST_CASE("docs/optimizers.md lists every optimizer") {
  check_lists(found(optim_headers(), R"(\nclass (\w+)(?: final)? : public (?:Optimizer|Adam) \{)"),
              listed_below("Optimizers"));
}

TEST_CASE("docs/optimizers.md lists every schedule") {
  check_lists(found(optim_headers(), R"(\nSchedule (\w+)\()"), listed_below("Schedules"));
}
