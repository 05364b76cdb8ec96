// SPDX-License-Identifier: Apache-2.0
#include "support/lists.h"

#include <filesystem>
#include <regex>

#include <doctest/doctest.h>

#include "support/fixtures.h"

namespace linnet::test {

std::string headers_of(const std::string& folder, const std::string& names) {
  const std::regex regex(names);
  std::string text;
  for (const auto& entry : std::filesystem::directory_iterator(LINNET_SOURCE_DIR "/" + folder))
    if (std::regex_match(entry.path().filename().string(), regex)) text += text_of(entry.path());
  return text;
}

std::set<std::string> matches(const std::string& text, const std::string& pattern) {
  const std::regex regex(pattern);
  std::set<std::string> all;
  for (std::sregex_iterator i(text.begin(), text.end(), regex), end; i != end; ++i) all.insert((*i)[1]);
  return all;
}

std::set<std::string> listed_in(const std::string& page, const std::string& heading) {
  std::string docs = text_of(LINNET_SOURCE_DIR "/docs/" + page);
  if (!heading.empty()) {
    const std::size_t begin = docs.find("\n## " + heading + "\n");
    REQUIRE(begin != std::string::npos);
    docs = docs.substr(begin, docs.find("\n## ", begin + 4) - begin);
  }
  return matches(docs, R"(\n\| `(\w+)` \|)");
}

void check_same_lists(const std::set<std::string>& code, const std::set<std::string>& listed,
                      const std::string& where) {
  for (const std::string& name : code) CHECK_MESSAGE(listed.contains(name), name, " is missing in ", where);
  for (const std::string& name : listed)
    CHECK_MESSAGE(code.contains(name), where, " has ", name, ", which is not in the code");
}

}  // namespace linnet::test
