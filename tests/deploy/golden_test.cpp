// SPDX-License-Identifier: Apache-2.0
// Golden cases and provenance of exported files, and DATA at a page. That the cases of every layer and of the
// random graphs pass is checked where those are run.
#include "board.h"
#include "image_of.h"
#include "linnet/autograd/autograd.h"
#include "linnet/core/random.h"
#include "linnet/deploy/deploy.h"
#include "linnet/graph/trace.h"
#include "linnet/nn/nn.h"
#include "linnet/version.h"
#include "support/check_close.h"
#include "support/fixtures.h"

namespace linnet {
namespace {

using test::Board;
using test::image_of;

nn::Sequential net() {
  manual_seed(1);
  return nn::Sequential{nn::Dense(6, 20), nn::BatchNorm(20), nn::ReLU(), nn::Dropout(0.2), nn::Dense(20, 3)};
}

TEST_CASE("a file has eight golden cases unless told otherwise, and they pass") {
  nn::Sequential model = net();
  for (const bool plain : {false, true}) {
    Board board(image_of(model, {1, 6}, {.plain = plain}).bytes);
    CHECK(board.info().n_golden == 8);
    CHECK(board.self_test() == "no error. Go on.");
  }
  Board many(image_of(model, {1, 6}, {.golden_cases = 20}).bytes);
  CHECK(many.info().n_golden == 20);
  CHECK(many.self_test() == "no error. Go on.");
  Board none(image_of(model, {1, 6}, {.golden_cases = 0}).bytes);
  CHECK(none.text() == "no error. Go on.");
  CHECK(none.self_test() == "file has no golden cases. Export it with them.");
  for (const int wrong : {-1, 7, 1025})
    CHECK_THROWS_TEXT(image_of(model, {1, 6}, {.golden_cases = wrong}), ValueError,
                      "deploy: golden_cases must be 0 or 8 to 1024, got " + std::to_string(wrong) + ".");
}

TEST_CASE("golden cases notice a wrong weight") {
  nn::Sequential model = net();
  std::vector<std::uint8_t> file = image_of(model, {1, 6}).bytes;
  const std::span<std::uint8_t> data = test::section_of(file, LNT_SECTION_DATA);
  float weight;
  std::memcpy(&weight, data.data(), 4);
  weight += 0.5f;
  std::memcpy(data.data(), &weight, 4);
  test::reseal(file, LNT_SECTION_DATA);
  Board board(file);
  CHECK(board.text() == "no error. Go on.");
  CHECK(board.self_test() ==
        "outputs are not the golden ones. Use a runtime that was built right, or export again.");
}

TEST_CASE("golden cases are what training gives, whatever the state of the module and of the generator") {
  nn::Sequential model = net();
  const graph::Graph graph = graph::trace(model, {1, 6});
  model.eval();
  const auto file = deploy::build(graph, model.state()).bytes;
  model.train();
  manual_seed(77);
  const State before = rng_state();
  State more = model.state();
  more.set("another", Tensor::ones({3}));
  CHECK(deploy::build(graph, more).bytes == file);
  CHECK(rng_state() == before);
}

TEST_CASE("whole numbers of golden cases are rows that every table has") {
  struct Words : nn::Module {
    nn::Embedding large{1000, 4}, small{3, 4};
    void members(nn::Members& m) override {
      m.child("large", large);
      m.child("small", small);
    }
    Tensor operator()(std::span<const Tensor> x) { return large(x[0]) + small(x[0]) + large(x[1]); }
  } model;
  const std::vector<graph::InputSpec> inputs{{{1, 5}, i64}, {{1, 5}, i64}};
  const graph::Graph graph = graph::trace(
      model, [&](std::span<const Tensor> x) { return model(x); }, inputs);
  std::vector<std::uint8_t> file = deploy::build(graph, model.state()).bytes;
  Board board(file);
  REQUIRE(board.text() == "no error. Go on.");
  CHECK(board.self_test() == "no error. Go on.");  // not: index outside the table
  std::uint32_t ranges[4];
  std::memcpy(ranges, test::section_of(file, LNT_SECTION_GOLD).data() + LNT_AT_GOLD_RANGES, sizeof ranges);
  CHECK(ranges[0] == 0);
  CHECK(ranges[1] == 3);
  CHECK(ranges[2] == 0);
  CHECK(ranges[3] == 1000);
}

TEST_CASE("golden cases of bytes that choose rows of a larger table stay within a byte") {
  nn::Embedding table(1000, 4);
  const graph::Graph graph = graph::trace(table, std::vector<graph::InputSpec>{{{1, 5}, u8}});
  Board board(deploy::build(graph, table.state()).bytes);
  REQUIRE(board.text() == "no error. Go on.");
  CHECK(board.self_test() == "no error. Go on.");
}

TEST_CASE("a file says what made it") {
  nn::Sequential model = net();
  Board board(image_of(model, {1, 6}).bytes);
  CHECK(board.meta("writer") == "linnet " LINNET_VERSION);
  CHECK(board.meta("min_runtime") == "1.0");
  CHECK(board.meta("passes") == "drop identities 1, fold batch-norm 1, fuse activations 1");
  Board as_it_is(image_of(model, {1, 6}, {.optimise = false}).bytes);
  CHECK(as_it_is.meta("passes") == "(none)");
}

TEST_CASE("weights lie at a page of their own when asked, and nothing else changes") {
  nn::Sequential model = net();
  std::vector<std::uint8_t> usual = image_of(model, {1, 6}).bytes,
                            paged = image_of(model, {1, 6}, {.page_aligned = true}).bytes;
  const std::span<std::uint8_t> data = test::section_of(paged, LNT_SECTION_DATA);
  CHECK((data.data() - paged.data()) % LNT_PAGE_ALIGN == 0);
  for (const std::uint32_t type : {LNT_SECTION_TENS, LNT_SECTION_OPS, LNT_SECTION_PLAN, LNT_SECTION_DATA,
                                   LNT_SECTION_META, LNT_SECTION_GOLD}) {
    const auto a = test::section_of(usual, type), b = test::section_of(paged, type);
    CHECK(std::equal(a.begin(), a.end(), b.begin(), b.end()));
  }
  Board board(paged);
  CHECK(board.text() == "no error. Go on.");
  CHECK(board.self_test() == "no error. Go on.");
}

}  // namespace
}  // namespace linnet
