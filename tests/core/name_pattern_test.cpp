// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/name_pattern.h"

#include "linnet/core/error.h"
#include "support/check_close.h"

using namespace linnet;

TEST_CASE("a pattern fits the whole name, * any part of it, ? one character") {
  const char* name = "backbone.conv1.weight";
  for (const char* pattern : {"backbone.conv1.weight", "*", "backbone.*", "*.weight", "b*.w*t", "*conv?.*",
                              "backbone.conv1.weight*", "**", "*?", "*o*e*o*1*"})
    CHECK_MESSAGE(matches(pattern, name), pattern);
  for (const char* pattern : {"", "backbone", "backbone.", "conv1.*", "*.bias", "backbone.conv1.weigh?t",
                              "backbone.conv??.weight", "?", "*x*", "backbone.*.weight.*"})
    CHECK_FALSE_MESSAGE(matches(pattern, name), pattern);
  CHECK(matches("", ""));
  CHECK(matches("*", ""));
  CHECK_FALSE(matches("?", ""));
  CHECK(matches("*ab", "aab"));
  CHECK(matches("a*b*ab", "abbbab"));
}

TEST_CASE("matching keeps the order, and lists the names when there is no match") {
  const NamedTensors all{{"a.weight", Tensor::ones({1})}, {"a.bias", Tensor::ones({2})}, {"b.weight", {}}};
  const NamedTensors found = matching("freeze", "*.weight", all);
  REQUIRE(found.size() == 2);
  CHECK(found[0].first == "a.weight");
  CHECK(found[1].first == "b.weight");
  CHECK_THROWS_TEXT(matching("freeze", "c.*", all), ValueError,
                    "freeze: nothing matches \"c.*\". There are: a.weight, a.bias, b.weight.");
}
