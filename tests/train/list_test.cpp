// SPDX-License-Identifier: Apache-2.0
// docs/losses_and_metrics.md lists every loss and metric of the headers, and nothing else.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>

#include <doctest/doctest.h>

namespace {

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Of all headers of a folder whose names match.
std::string headers(const std::string& folder, const char* names) {
  std::string text;
  for (const auto& entry : std::filesystem::directory_iterator(LINNET_SOURCE_DIR "/" + folder))
    if (std::regex_match(entry.path().filename().string(), std::regex(names))) text += text_of(entry.path());
  return text;
}

std::set<std::string> matches(const std::string& text, const std::string& pattern) {
  const std::regex regex(pattern);
  std::set<std::string> all;
  for (std::sregex_iterator i(text.begin(), text.end(), regex), end; i != end; ++i) all.insert((*i)[1]);
  return all;
}

std::set<std::string> rows_below(const std::string& heading) {
  const std::string docs = text_of(LINNET_SOURCE_DIR "/docs/losses_and_metrics.md");
  const std::size_t begin = docs.find("\n## " + heading + "\n");
  REQUIRE(begin != std::string::npos);
  return matches(docs.substr(begin, docs.find("\n## ", begin + 4) - begin), R"(\n\| `(\w+)` \|)");
}

void check_equal(const std::set<std::string>& code, const std::set<std::string>& listed) {
  CHECK(code.size() >= 6);
  for (const std::string& name : code) CHECK_MESSAGE(listed.contains(name), name, " is not in the docs");
  for (const std::string& name : listed) CHECK_MESSAGE(code.contains(name), name, " is in the docs only");
}

}  // namespace

TEST_CASE("the docs list every plain loss") {
  const std::string ops = text_of(LINNET_SOURCE_DIR "/autograd/ops.h");
  const std::size_t begin = ops.find("// ---- losses");
  REQUIRE(begin != std::string::npos);
  const std::string section = ops.substr(begin, ops.find("// ---- ", begin + 8) - begin);
  const std::set<std::string> losses = matches(section, R"(\nTensor (\w+)\()");
  check_equal(losses, rows_below("Functions"));
}

TEST_CASE("the docs list every loss object") {
  check_equal(matches(headers("nn", R"(loss.*\.h)"), R"(\nclass (\w+) \{)"), rows_below("Objects"));
}

TEST_CASE("the docs list every metric") {
  const std::string text = headers("train", R"(\w*metric\w*\.h)");
  std::set<std::string> metrics = matches(text, R"(\nclass (\w+) : public \w+ \{)");
  for (const std::string& base : matches(text, R"(/// Base of[^\n]*\n(?:///[^\n]*\n)*class (\w+))"))
    metrics.erase(base);
  check_equal(metrics, rows_below("Metrics"));
}
