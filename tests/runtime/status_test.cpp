// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "linnet/runtime/linnet_runtime.h"
#include "model_builder.h"

namespace linnet::test {
namespace {

std::string text_of(const lnt_problem& problem) {
  char text[300];
  const std::size_t len = lnt_problem_text(&problem, text, sizeof text);
  CHECK(len == std::string(text).size());
  return text;
}

std::string text_of(const Bytes& file) {
  lnt_info info;
  CHECK(lnt_check(file.data(), file.size(), nullptr, &info) != LNT_OK);
  return text_of(info.problem);
}

}  // namespace

TEST_CASE("every status has a text of its own: what is wrong, and what to try") {
#define LNT_TEXT(name, text) CHECK(lnt_status_text(LNT_##name) == std::string(text));
  LNT_STATUSES(LNT_TEXT)
#undef LNT_TEXT
  for (int i = 0; i < LNT_N_STATUSES; ++i) {
    const std::string text = lnt_status_text(static_cast<lnt_status>(i));
    CAPTURE(text);
    const std::size_t stop = text.find(". ");
    CHECK(stop != std::string::npos);
    REQUIRE(stop + 3 < text.size());
    CHECK((text[stop + 2] >= 'A' && text[stop + 2] <= 'Z'));  // the advice begins there
    CHECK(text.back() == '.');
    for (int j = 0; j < i; ++j) CHECK(text != lnt_status_text(static_cast<lnt_status>(j)));
  }
  CHECK(lnt_status_text(LNT_N_STATUSES) ==
        std::string("unknown status. Use one that this runtime returned."));
}

TEST_CASE("a problem's text says what, where, expected, actual, and what to try") {
  const File good = small_model();
  Bytes file = good.bytes();
  file.pop_back();
  CHECK(text_of(file) ==
        "lnt_check: file cut short: header, byte 16: expected 1142, got 1141. Copy or export it again.");

  File bad = good;
  bad.ops[3].in[0] = 7;
  CHECK(text_of(bad.bytes()) ==
        "lnt_check: op reads what is not written yet: OPS, byte 740: expected 7, got 7. Export again.");
  bad = good;
  bad.tensors[4].bytes = 28;
  CHECK(text_of(bad.bytes()) ==
        "lnt_check: tensor size does not fit its shape, or is 4 GiB or more: TENS, byte 452: expected 24, "
        "got 28. "
        "Export again.");
  bad = good;
  bad.last[1] = 2;
  CHECK(text_of(bad.bytes()) ==
        "lnt_check: tensor not read by the op that its life ends with: PLAN, byte 804: expected 4294967295, "
        "got 2. "
        "Export again.");
  bad = good;
  bad.data[100] = 255;
  CHECK(text_of(bad.bytes()) ==
        "lnt_check: reserved or padding byte not zero: DATA, byte 932: expected 0, got 255. Export again.");
  bad = good;
  bad.tensors[8].port = 255;
  CHECK(
      text_of(bad.bytes()) ==
      "lnt_check: inputs or outputs not numbered from 0 to at most 31: TENS, byte 613: expected 0, got 255. "
      "Export again.");
  bad = good;
  bad.tensors[7].kind = LNT_OUT;
  CHECK(text_of(bad.bytes()) ==
        "lnt_check: inputs or outputs not numbered from 0 to at most 31: TENS, byte 613: expected 1, got 0. "
        "Export again.");
  bad = good;
  bad.meta[0] = 'A';
  CHECK(text_of(bad.bytes()) ==
        "lnt_check: META not sorted, not UTF-8, or not key=value entries: META, byte 1072: expected 61, got "
        "65. "
        "Export again.");
}

TEST_CASE("a problem's text is cut to the room there is and still tells its full length") {
  const lnt_problem problem = {LNT_E_OVER_LIMIT, 0, 16, 1000, ~0ull};
  const std::string full = text_of(problem);
  CHECK(full ==
        "lnt_check: larger than the limit allows: header, byte 16: expected 1000, got 18446744073709551615. "
        "Raise it in lnt_limits if the board can hold the model.");
  for (std::size_t capacity = 0; capacity <= full.size() + 1; ++capacity) {
    std::string room(full.size() + 2, '#');
    CHECK(lnt_problem_text(&problem, room.data(), capacity) == full.size());
    const std::size_t kept = capacity == 0 ? 0 : std::min(capacity - 1, full.size());
    CHECK(room.substr(0, kept) == full.substr(0, kept));
    if (capacity != 0) CHECK(room[kept] == '\0');
    CHECK(room.substr(capacity) == std::string(room.size() - capacity, '#'));
  }
}

TEST_CASE("no problem at all is a text too") {
  char text[200];
  lnt_problem_text(nullptr, text, sizeof text);
  CHECK(std::string(text) ==
        "lnt_check: null pointer, unknown port, or not checked and bound. Call lnt_check, then lnt_bind.");
}

}  // namespace linnet::test
