// SPDX-License-Identifier: Apache-2.0
// docs/losses_and_metrics.md lists every loss and metric of the headers, and nothing else.
#include <doctest/doctest.h>

#include "support/fixtures.h"
#include "support/lists.h"

namespace linnet::test {
namespace {

void check_listed(const std::set<std::string>& code, const std::string& heading) {
  CHECK(code.size() >= 6);
  check_same_lists(code, listed_in("losses_and_metrics.md", heading), "losses_and_metrics.md");
}

TEST_CASE("the docs list every plain loss") {
  const std::string ops = text_of(LINNET_SOURCE_DIR "/autograd/ops.h");
  const std::size_t begin = ops.find("// ---- losses");
  REQUIRE(begin != std::string::npos);
  const std::string section = ops.substr(begin, ops.find("// ---- ", begin + 8) - begin);
  check_listed(matches(section, R"(\nTensor (\w+)\()"), "Functions");
}

TEST_CASE("the docs list every loss object") {
  check_listed(matches(headers_of("nn", R"(loss.*\.h)"), R"(\nclass (\w+) \{)"), "Objects");
}

TEST_CASE("the docs list every metric") {
  const std::string text = headers_of("train", R"(\w*metric\w*\.h)");
  std::set<std::string> metrics = matches(text, R"(\nclass (\w+) : public \w+ \{)");
  for (const std::string& base : matches(text, R"(/// Base of[^\n]*\n(?:///[^\n]*\n)*class (\w+))"))
    metrics.erase(base);
  check_listed(metrics, "Metrics");
}

}  // namespace
}  // namespace linnet::test
