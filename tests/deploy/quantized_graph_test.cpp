// SPDX-License-Identifier: Apache-2.0
// Random graphs and a whole network in integers: files that run and prove themselves, and their sizes.
#include <algorithm>
#include <set>

#include "board.h"
#include "linnet/core/random.h"
#include "linnet/deploy/deploy.h"
#include "random_graph.h"
#include "simulation.h"
#include "support/check_close.h"

namespace linnet::test {
namespace {

/// Values are rounded but for some, so that integers and f32 meet.
Simulated rounded(const RandomGraph& random) {
  return [&random](Rounding& r, const Tensor& x) {
    return random.run(
        x, [&](const Tensor& w) { return r.weight(w); },
        [&](std::size_t place, const Tensor& y) {
          const std::string kind = place == 0 ? "input" : step_name(random.steps[place - 1].kind);
          if (kind == "lstm" || kind == "gru") return r.value_in(y, -1.0, 127.0 / 128.0);
          if (kind == "softmax") return r.value_in(y, 0.0, 255.0 / 256.0);
          const bool moves = kind == "max_pool2d" || kind == "reshape" || kind == "transpose";
          return moves || (random.seed + place) % 7 == 0 ? y : r.value(y);
        });
  };
}

TEST_CASE("100 random graphs that round their values run on every instruction set as simulated") {
  std::set<std::string> ops;
  int exact = 0, proved = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    CAPTURE(seed);
    const RandomGraph random = random_graph(seed);
    Simulation simulation(rounded(random), random.input);
    const graph::Graph graph = simulation.graph();
    const deploy::Image image = deploy::build(graph, {});
    CHECK(image.bytes == deploy::build(graph, {}).bytes);
    Board board(image.bytes);
    REQUIRE(board.text() == "no error. Go on.");
    for (const std::string& op : image.report.op_names) ops.insert(op);
    const Tensor x = random_tensor(random.input, seed % 8 + 1);  // of those that gave the ranges
    const Tensor expected = simulation(x);
    bool proves = true;
    for (const lnt_isa isa : Board::isas()) {
      board.set_isa(isa);
      CHECK(nmse(board.run(x), expected) < 0.05);
      proves = proves && board.self_test() == "no error. Go on.";
    }
    exact += nmse(board.run(x), expected) < 1e-4;
    proved += proves;
  }
  CHECK(exact >= 70);
  CHECK(proved >= 95);  // f32 ops before a rounding may differ in the last place, for every seed tried
  for (const char* op : {"quantize", "dequantize", "i8_dense", "i8_conv2d", "i8_max_pool2d", "i8_add",
                         "i8_sub", "i8_mul", "i8_lookup", "i8_softmax", "i8_lstm", "i8_gru", "concat"})
    CHECK_MESSAGE(ops.count(op) == 1, op);
}

/// A share of zeros, the others of 15 values: what pruning and clustering leave, with a zero 16.
Tensor pruned_and_shared(const Shape& shape, double zeros, std::uint64_t seed) {
  Tensor w = random_tensor(shape, seed, -1.0, 1.0);
  const Tensor draw = random_tensor(shape, seed + 1, 0.0, 1.0);
  auto to = w.mutable_data<float>();
  for (std::size_t i = 0; i < to.size(); ++i) {
    const float level = std::floor(to[i] * 7.9f) + (to[i] < 0.0f ? 0.0f : 1.0f);
    to[i] = static_cast<double>(draw.data<float>()[i]) < zeros ? 0.0f : level / 8.0f;
  }
  return w;
}

std::int64_t mlp_bytes(double zeros, bool integers) {
  const Tensor w1 = pruned_and_shared({128, 784}, zeros, 1), w2 = pruned_and_shared({10, 128}, zeros, 2);
  const Tensor b1 = random_tensor({128}, 3), b2 = random_tensor({10}, 4);
  const Simulated f = [&](Rounding& r, const Tensor& x) {
    const Tensor y = r.value(relu(dense(r.value(x), r.weight(w1, 8, false), b1)));
    return r.value(dense(y, r.weight(w2, 8, false), b2));
  };
  Simulation simulation(f, {1, 784});
  deploy::Options options;
  options.task = "classification";
  for (int k = 0; k < 10; ++k) options.labels.push_back(std::to_string(k));
  // As long as what linnet export writes.
  for (const char* key : {"checkpoint_sha256", "weights_sha256"})
    options.meta.emplace_back(key, std::string(64, 'a'));
  options.meta.emplace_back("dataset", "mnist");
  options.meta.emplace_back("recipe", "mnist-mlp");
  if (!integers) {
    struct Float : nn::Module {
      Tensor w1, b1, w2, b2;
      Tensor operator()(const Tensor& x) { return dense(relu(dense(x, w1, b1)), w2, b2); }
    } net;
    net.w1 = random_tensor(w1.shape(), 5);
    net.w2 = random_tensor(w2.shape(), 6);
    net.b1 = b1;
    net.b2 = b2;
    return deploy::build(graph::trace(net, {1, 784}), {}, options).report.file_bytes;
  }
  const deploy::Image image = deploy::build(simulation.graph(), {}, options);
  CHECK(Board(image.bytes).self_test() == "no error. Go on.");
  return image.report.file_bytes;
}

TEST_CASE(
    "a pruned, shared and quantized 784-128-10 net is 14 times smaller at 80 % zeros, 20 times at 90 %") {
  const std::int64_t whole = mlp_bytes(0.0, false), at_80 = mlp_bytes(0.8, true),
                     at_90 = mlp_bytes(0.9, true);
  CAPTURE(whole);
  CAPTURE(at_80);
  CAPTURE(at_90);
  CHECK(whole == 411'576);  // as docs/deploy.md says
  CHECK(at_80 == 22'240);
  CHECK(at_90 == 13'856);
}

TEST_CASE("constants are stored in the fewest bytes that give the same numbers") {
  struct Net : nn::Module {
    Tensor w;
    Tensor operator()(const Tensor& x) { return dense(x, w); }
  } net;
  const auto report_of = [&](const std::function<float(std::int64_t)>& element) {
    net.w = Tensor::empty({64, 100});
    for (std::int64_t i = 0; i < net.w.size(); ++i) net.w.mutable_data<float>()[i] = element(i);
    const graph::Graph graph = graph::trace(net, {1, 100});
    deploy::Report report;
    for (const bool plain : {true, false}) {
      const deploy::Image packed = deploy::build(graph, {}, {.plain = plain});
      Board board(packed.bytes), raw(deploy::build(graph, {}, {.plain = plain, .compact = false}).bytes);
      REQUIRE(board.text() == "no error. Go on.");
      CHECK(board.self_test() == "no error. Go on.");
      const Tensor x = random_tensor({1, 100}, 7);
      CHECK_SAME_BITS(board.run(x), raw.run(x));
      report = packed.report;
    }
    return report;
  };
  const Tensor draw = random_tensor({6400}, 9);
  const auto any = [&](std::int64_t i) { return draw.data<float>()[i]; };
  const auto form = [](const deploy::Report& report) { return report.encodings.at(0).first; };
  CHECK(form(report_of(any)) == "f32");
  CHECK(form(report_of([&](std::int64_t i) { return std::round(any(i) * 256.0f) / 256.0f; })) == "f16");
  CHECK(form(report_of([&](std::int64_t i) { return std::round(any(i) * 20.0f) / 3.0f; })) == "f32 codebook");
  CHECK(form(report_of([&](std::int64_t i) { return i % 3 ? 0.0f : any(i); })) == "f32 gaps");
  CHECK(form(report_of([&](std::int64_t i) { return any(i) < 0.0f ? 0.0f : any(i); })) == "f32 bitmap");
  const deploy::Report sparse =
      report_of([&](std::int64_t i) { return i % 10 ? 0.0f : std::round(any(i) * 7.0f) / 3.0f + 5.0f; });
  CHECK(form(sparse) == "f32 codebook gaps");
  CHECK(sparse.constant_bytes == 25'600);
  CHECK(sparse.stored_bytes < 850);
  CHECK(report_of([](std::int64_t) { return 0.0f; }).stored_bytes < 900);  // unpacked at most 100 times
}

}  // namespace
}  // namespace linnet::test
