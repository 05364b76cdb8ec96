// SPDX-License-Identifier: Apache-2.0
// docs/optimizers.md lists every optimizer and schedule of the headers, and nothing else.
#include <doctest/doctest.h>

#include "support/lists.h"

namespace linnet::test {
namespace {

const char* const kPage = "optimizers.md";

void check_listed(const std::string& pattern, const std::string& heading) {
  const std::set<std::string> code = matches(headers_of("optim"), pattern);
  CHECK(code.size() >= 2);
  check_same_lists(code, listed_in(kPage, heading), kPage);
}

TEST_CASE("docs/optimizers.md lists every optimizer") {
  check_listed(R"(\nclass (\w+)(?: final)? : public (?:Optimizer|Adam) \{)", "Optimizers");
}

TEST_CASE("docs/optimizers.md lists every schedule") { check_listed(R"(\nSchedule (\w+)\()", "Schedules"); }

}  // namespace
}  // namespace linnet::test
