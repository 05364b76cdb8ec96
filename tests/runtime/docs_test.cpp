// SPDX-License-Identifier: Apache-2.0
// The worked example of docs/model_file.md is what it says it is.
#include <doctest/doctest.h>

#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>

#include "linnet/runtime/linnet_runtime.h"
#include "model_builder.h"

namespace linnet::test {
namespace {

/// As `xxd -g 4`, without the text column.
std::string hex_dump(const Bytes& bytes) {
  std::string text;
  char word[24];
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i % 16 == 0) {
      std::snprintf(word, sizeof word, "%03zx:", i);
      text += word;
    }
    std::snprintf(word, sizeof word, "%s%02x", i % 4 == 0 ? " " : "", bytes[i]);
    text += word;
    if (i % 16 == 15 || i + 1 == bytes.size()) text += '\n';
  }
  return text;
}

File example() {
  ModelBuilder m;
  const auto x = m.input({1, 2}, "x");
  m.output(m.op(LNT_RELU, {m.op(LNT_DENSE, {x, m.constant({2, 2}, {1, 2, 3, 4})}, {1, 2})}, {1, 2}));
  File file = m.file();
  file.tensors[3].off = file.tensors[2].off;  // relu in place
  file.arena_bytes = 32;
  file.model_version = 1;
  return file;
}

}  // namespace

TEST_CASE("the worked example in docs/model_file.md is the file of the model that it names") {
  const Bytes bytes = example().bytes();
  lnt_info info;
  REQUIRE(lnt_check(bytes.data(), bytes.size(), nullptr, &info) == LNT_OK);
  std::stringstream page;
  page << std::ifstream(std::string(LINNET_SOURCE_DIR) + "/docs/model_file.md").rdbuf();
  const std::string begin = "<!-- example begin -->\n```\n", end = "```\n<!-- example end -->";
  const std::size_t from = page.str().find(begin), to = page.str().find(end);
  REQUIRE(from != std::string::npos);
  REQUIRE(to != std::string::npos);
  CHECK(page.str().substr(from + begin.size(), to - from - begin.size()) == hex_dump(bytes));
  CHECK(page.str().find("these " + std::to_string(bytes.size()) + " bytes") != std::string::npos);
}

}  // namespace linnet::test
