// SPDX-License-Identifier: Apache-2.0
// Each rule of runtime/format.h refuses the file that breaks it, and what breaks none is accepted.
#include <doctest/doctest.h>

#include <set>
#include <string>

#include "linnet/runtime/linnet_runtime.h"
#include "malformed.h"
#include "model_builder.h"

namespace linnet::test {
namespace {

std::vector<Case> all_cases() {
  std::vector<Case> all = malformed_containers();
  for (const Case& c : malformed_graphs()) all.push_back(c);
  for (const Case& c : malformed_ops()) all.push_back(c);
  for (const Case& c : malformed_int8()) all.push_back(c);
  for (const Case& c : malformed_packed()) all.push_back(c);
  return all;
}

/// In memory of exactly its size, so that a sanitizer sees a byte read too far.
lnt_status check(const Bytes& bytes, lnt_info* info, const lnt_limits* limits = nullptr) {
  static_assert(__STDCPP_DEFAULT_NEW_ALIGNMENT__ >= LNT_FILE_ALIGN);
  const Bytes exact(bytes.begin(), bytes.end());
  alignas(LNT_FILE_ALIGN) static const std::uint8_t nothing = 0;
  const lnt_status status = lnt_check(exact.empty() ? &nothing : exact.data(), exact.size(), limits, info);
  CHECK(info->problem.status == status);
  CHECK(info->problem.offset <= bytes.size());
  CHECK((info->file.at != nullptr) == (status == LNT_OK));
  return status;
}

}  // namespace

TEST_CASE("a well-formed file is accepted, and the info says what is in it") {
  const Bytes bytes = small_model().bytes();
  lnt_info info;
  REQUIRE(lnt_check(bytes.data(), bytes.size(), nullptr, &info) == LNT_OK);
  CHECK(info.n_tensors == 9);
  CHECK(info.n_consts == 3);
  CHECK(info.n_inputs == 1);
  CHECK(info.n_outputs == 1);
  CHECK(info.n_ops == 5);
  CHECK(info.arena_bytes == 32 + 32 + 16 + 16 + 16 + 16);
  CHECK(info.model_version == 7);
  CHECK(info.graph_hash[15] == 16);
}

TEST_CASE("each rule of the format has a file that breaks it, refused with its status") {
  for (const Case& c : all_cases()) {
    CAPTURE(c.name);
    lnt_info info;
    const lnt_status status = check(c.make(), &info);
    CHECK(std::string(lnt_status_text(status)) == lnt_status_text(c.expected));
  }
}

TEST_CASE("every status that lnt_check can give has a malformed file") {
  std::set<int> seen{LNT_OK,
                     LNT_E_BAD_ARGUMENT,  // run_test.cpp
                     LNT_E_MISALIGNED,
                     LNT_E_ARENA_TOO_SMALL,
                     LNT_E_ISA,
                     LNT_E_NO_GOLD,  // gold_test.cpp
                     LNT_E_SELF_TEST};
  for (const Case& c : all_cases()) seen.insert(c.expected);
  for (int status = 0; status < LNT_N_STATUSES; ++status) {
    CAPTURE(lnt_status_text(static_cast<lnt_status>(status)));
    CHECK(seen.count(status) == 1);
  }
}

TEST_CASE("later minor versions may bring sections that need not be known") {
  File file = small_model();
  file.minor = LNT_FORMAT_MINOR + 1;
  std::vector<SectionRecord> sections = file.sections();
  sections.push_back({98, 0, LNT_SECTION_ALIGN, {1, 2, 3}});
  sections.push_back({99, 0, LNT_PAGE_ALIGN, {}});
  lnt_info info;
  CHECK(check(lay_out(file, sections), &info) == LNT_OK);
}

TEST_CASE("DATA may lie at a page of its own") {
  File file = small_model();
  file.data_align = LNT_PAGE_ALIGN;
  lnt_info info;
  CHECK(check(file.bytes(), &info) == LNT_OK);
}

TEST_CASE("a model without constants or META text is accepted") {
  ModelBuilder m;
  m.output(m.op(LNT_RELU, {m.input({3})}, {3}));
  lnt_info info;
  CHECK(check(m.file().bytes(), &info) == LNT_OK);
  CHECK(info.n_consts == 0);
}

TEST_CASE("a file over a limit is refused before anything else in it is looked at") {
  const Bytes bytes = small_model().bytes();
  lnt_info info;
  const lnt_limits exact{bytes.size(), 128, 9, 5, 10'000};
  CHECK(check(bytes, &info, &exact) == LNT_OK);
  lnt_limits less = exact;
  less.file_bytes -= 1;
  CHECK(check(bytes, &info, &less) == LNT_E_OVER_LIMIT);
  CHECK(info.problem.expected == less.file_bytes);
  CHECK(info.problem.actual == bytes.size());
  less = exact;
  less.arena_bytes -= 1;
  CHECK(check(bytes, &info, &less) == LNT_E_OVER_LIMIT);
  less = exact;
  less.tensors -= 1;
  CHECK(check(bytes, &info, &less) == LNT_E_OVER_LIMIT);
  less = exact;
  less.ops -= 1;
  CHECK(check(bytes, &info, &less) == LNT_E_OVER_LIMIT);

  // A head that claims 4 GiB: only these 64 bytes are there to be read.
  Bytes head(bytes.begin(), bytes.begin() + LNT_HEADER_BYTES);
  put64(head, LNT_AT_FILE_LEN, 1ull << 32);
  CHECK(check(head, &info) == LNT_E_OVER_LIMIT);
}

TEST_CASE("a small file that asks for days of work is refused, and one within its limit is not") {
  ModelBuilder m;
  const ModelBuilder::Value x = m.input({1, 64, 64, 1});
  m.output(m.op(LNT_MAX_POOL2D, {x}, {1, 127, 127, 1}, words({64, 64, 1, 1, 63, 63, 63, 63})));
  const Bytes pool = m.file().bytes();
  const std::uint64_t work = 127ull * 127 * 64 * 64;
  lnt_limits limits = LNT_DEFAULT_LIMITS;
  limits.work = work;
  lnt_info info;
  CHECK(check(pool, &info, &limits) == LNT_OK);
  limits.work -= 1;
  CHECK(check(pool, &info, &limits) == LNT_E_OVER_LIMIT);
  CHECK(info.problem.expected == work - 1);
  CHECK(info.problem.actual == work);

  // 5000 x 5000 places, each over a window as large as the image: a week.
  ModelBuilder large;
  const ModelBuilder::Value image = large.input({1, 5000, 5000, 1});
  large.output(large.op(LNT_MAX_POOL2D, {image}, {1, 9999, 9999, 1},
                        words({5000, 5000, 1, 1, 4999, 4999, 4999, 4999})));
  CHECK(check(large.file().bytes(), &info) == LNT_E_OVER_LIMIT);
}

}  // namespace linnet::test
