// SPDX-License-Identifier: Apache-2.0
#include "linnet/compress/prune.h"

#include <algorithm>
#include <limits>

#include "golden/golden.h"
#include "linnet/autograd/autograd.h"
#include "linnet/autograd/ops.h"
#include "linnet/compress/structured.h"
#include "linnet/core/constraint.h"
#include "linnet/core/random.h"
#include "linnet/graph/graph_module.h"
#include "linnet/graph/trace.h"
#include "linnet/io/checkpoint.h"
#include "linnet/nn/nn.h"
#include "linnet/optim/adam.h"
#include "linnet/train/loss.h"
#include "support/fixtures.h"

namespace linnet::test {
namespace {

using compress::blocks;
using compress::n_of_m;
using compress::prune;
using compress::PruneOptions;
using compress::Pruner;
using compress::Scope;

/// Parameters by the names of a golden case.
struct Named : nn::Module {
  explicit Named(const nlohmann::json& weights) {
    for (const auto& [name, values] : weights.items()) all.emplace_back(name, golden_tensor(values, f32));
  }
  void members(nn::Members& m) override {
    for (NamedTensor& named : all) m.parameter(named.first.c_str(), named.second);
  }
  NamedTensors all;
};

Tensor mask_of(const Tensor& parameter) {
  const Constraint* kept = constraint(parameter);
  return kept && kept->mask.defined() ? kept->mask : Tensor::ones(parameter.shape(), u8);
}

std::int64_t zeros(const Tensor& t) {
  std::int64_t count = 0;
  for (const float v : t.data<float>()) count += v == 0.0f;
  return count;
}

PruneOptions options_of(const nlohmann::json& golden) {
  PruneOptions options{.scope = golden["scope"] == "global" ? Scope::global : Scope::layer};
  if (golden.contains("sparsity")) options.sparsity = golden["sparsity"];
  if (golden.contains("threshold")) options.threshold = golden["threshold"].get<double>();
  if (golden["structure"] == "block") options.structure = blocks(4);
  if (golden["structure"] == "n_of_m") options.structure = n_of_m(golden["n"], golden["m"]);
  return options;
}

TEST_CASE("masks are those that NumPy finds: by layer, globally, by threshold, N:M, 1x4") {
  int cases = 0;
  for (const auto& golden : golden_cases("compress.json")) {
    if (golden["kind"] != "prune") continue;
    ++cases;
    CAPTURE(golden["name"]);
    Named model(golden["weights"]);
    prune(model, options_of(golden));
    for (const NamedTensor& named : model.all) {
      CAPTURE(named.first);
      const Tensor expected = golden_tensor(golden["masks"][named.first], u8);
      CHECK_CLOSE(mask_of(named.second), expected, tol::exact);
      CHECK_CLOSE(named.second, golden_tensor(golden["weights"][named.first], f32) * expected.to(f32),
                  tol::exact);
    }
  }
  CHECK(cases == 11);
}

TEST_CASE("schedules are those of the definition, step by step") {
  int cases = 0;
  for (const auto& golden : golden_cases("compress.json")) {
    if (golden["kind"] != "schedule") continue;
    ++cases;
    CAPTURE(golden["name"]);
    const bool constant = golden["schedule"] == "constant";
    const compress::PruningSchedule schedule =
        constant ? compress::constant_sparsity(golden["final"], golden["begin"], golden["end"],
                                               golden["frequency"])
                 : compress::polynomial_decay(golden["initial"], golden["final"], golden["begin"],
                                              golden["end"], golden["frequency"], golden["power"]);
    const auto due = golden["due"].get<std::vector<int>>();
    const Tensor sparsity = golden_tensor(golden["sparsity"], f64);
    for (std::int64_t step = 0; step <= 60; ++step) {
      CAPTURE(step);
      CHECK(schedule.due(step) == (due[static_cast<std::size_t>(step)] != 0));
      CHECK_CLOSE(schedule.sparsity(step), sparsity.data<double>()[static_cast<std::size_t>(step)],
                  (Tolerance{1e-14, 0.0}));
    }
  }
  CHECK(cases == 4);
  CHECK(compress::constant_sparsity(0.5, 3).due(10'000'003));
}

nn::Sequential small_net() { return nn::Sequential{nn::Dense(10, 16), nn::ReLU(), nn::Dense(16, 5)}; }

TEST_CASE("of equal weights the first go, biases and scales stay, and one weight of each layer") {
  nn::Sequential net{nn::Dense(4, 2), nn::BatchNorm(2), nn::Dense(2, 1)};
  for (const NamedTensor& named : net.parameters()) Tensor(named.second).fill_(-0.5);
  prune(net, {.sparsity = 0.375, .scope = Scope::layer});
  CHECK_CLOSE(net.state()["0.weight"].tensor(), Tensor::from({{0, 0, 0, -0.5}, {-0.5, -0.5, -0.5, -0.5}}),
              tol::exact);
  CHECK_CLOSE(net.state()["2.weight"].tensor(), Tensor::from({{0, -0.5}}), tol::exact);
  CHECK_CLOSE(net.state()["1.weight"].tensor(), Tensor::full({2}, -0.5), tol::exact);
  CHECK_CLOSE(net.state()["0.bias"].tensor(), Tensor::full({2}, -0.5), tol::exact);
  CHECK_FALSE(net.state().has("1.weight/mask"));
  prune(net, {.sparsity = 0.999, .scope = Scope::layer});
  CHECK(zeros(net.parameters()[0].second) == 7);
}

TEST_CASE("blocks and N:M go by the rest of a row too, and never further than asked") {
  nn::Sequential net{nn::Dense(6, 1)};
  Tensor weight = net.parameters()[0].second;
  const auto pruned = [&](const compress::Structure& structure, double sparsity) {
    set_constraint(weight, {});
    weight.copy_(Tensor::from({{5, 1, 1, 1, 4, 1}}));  // means of blocks of four: 2 and 2.5
    prune(net, {.sparsity = sparsity, .structure = structure});
    return weight.clone();
  };
  CHECK_CLOSE(pruned(blocks(4), 0.5), Tensor::from({{0, 0, 0, 0, 4, 1}}), tol::exact);
  CHECK_CLOSE(pruned(n_of_m(1, 4), 0.0), Tensor::from({{5, 0, 0, 0, 4, 0}}), tol::exact);
  CHECK_CLOSE(pruned(n_of_m(2, 4), 0.0), Tensor::from({{5, 0, 0, 1, 4, 1}}), tol::exact);

  nn::Sequential large{nn::Conv2D(8, 12)};
  for (const std::int64_t n : {2, 1}) {  // 1:4 goes on from 2:4
    prune(large, {.structure = n_of_m(n, 4)});
    const Tensor w = large.parameters()[0].second;
    const auto values = w.data<float>();
    for (std::size_t i = 0; i < values.size(); i += 4)
      CHECK(std::count(values.begin() + i, values.begin() + i + 4, 0.0f) == 4 - n);
  }
}

TEST_CASE("all parameters are pruned together unless each is asked for") {
  nn::Sequential net{nn::Dense(2, 2), nn::Dense(2, 2)};
  Tensor(net.parameters()[0].second).fill_(0.1);
  Tensor(net.parameters()[2].second).fill_(0.2);
  prune(net, {.sparsity = 0.5});
  CHECK(zeros(net.parameters()[0].second) == 4);
  CHECK(zeros(net.parameters()[2].second) == 0);
}

TEST_CASE("masks only grow, and what is pruned counts first") {
  nn::Sequential net = small_net();
  const NamedTensors parameters = net.parameters();
  Tensor weight = parameters[0].second;
  Tensor mask = Tensor::zeros({16, 10}, u8);
  mask.mutable_data<std::uint8_t>()[159] = 1;
  for (int i = 0; i < 80; ++i) mask.mutable_data<std::uint8_t>()[i] = 1;
  set_constraint(weight, {.mask = mask});  // the last half, but for one
  prune(net, {.sparsity = 0.25, .pattern = "0.*"});
  CHECK_SAME_BITS(constraint(weight)->mask, mask);
  prune(net, {.sparsity = 0.5, .pattern = "0.*"});
  CHECK(zeros(weight) == 80);
  prune(net, {.sparsity = 0.75, .scope = Scope::global});
  CHECK(zeros(weight) + zeros(parameters[2].second) == 180);
  const auto now = constraint(weight)->mask.data<std::uint8_t>();
  for (std::size_t i = 80; i < 159; ++i) CHECK(now[i] == 0);
}

TEST_CASE("masks hold through 20 steps of Adam with decay, a checkpoint, and as a GraphModule") {
  manual_seed(1);
  nn::Sequential net = small_net();
  prune(net, {.sparsity = 0.8, .scope = Scope::layer});
  const Tensor x = random_tensor({8, 10}, 1), y = random_labels({8}, 2, 5);
  const auto train = [&](auto& model, int steps) {
    optim::AdamW adam(model.parameters(), {.lr = 0.01, .weight_decay = 0.1});
    for (int step = 0; step < steps; ++step) {
      adam.zero_grad();
      backward(cross_entropy(model(x), y));
      adam.step();
    }
  };
  const Tensor before = mask_of(net.parameters()[0].second).clone();
  train(net, 20);
  CHECK(zeros(net.parameters()[0].second) == 128);
  CHECK_SAME_BITS(mask_of(net.parameters()[0].second), before);

  const TemporaryFolder folder;
  io::save(folder / "a.ckpt", {{"model", net.state()}, {"graph", graph::trace(net, {1, 10}).state()}});
  const State saved = io::load(folder / "a.ckpt");
  graph::GraphModule again = graph::GraphModule::from(saved["graph"], saved["model"]);
  train(again, 5);
  CHECK(zeros(again.parameters()[0].second) == 128);
  CHECK(again.state()["0.weight/mask"] == net.state()["0.weight/mask"]);

  compress::make_permanent(again);
  CHECK_FALSE(again.state().has("0.weight/mask"));
  CHECK(zeros(again.parameters()[0].second) == 128);
  train(again, 1);
  CHECK(zeros(again.parameters()[0].second) < 128);  // they are free again
}

TEST_CASE("making permanent frees zeros and shared values alike, and changes none") {
  nn::Sequential net = small_net();
  const NamedTensors parameters = net.parameters();
  set_constraint(parameters[0].second, {.groups = Tensor::zeros({16, 10}, u8)});
  prune(net, {.sparsity = 0.5});
  CHECK(constraint(parameters[0].second)->groups.defined());
  const Tensor before = parameters[0].second.clone();
  compress::make_permanent(net);
  CHECK_SAME_BITS(parameters[0].second.detach(), before);
  for (const NamedTensor& named : parameters) CHECK(constraint(named.second) == nullptr);
}

struct Scheduled {
  std::uint64_t seed = 4;
  nn::Sequential net = [this] {
    manual_seed(seed);
    return small_net();
  }();
  data::TensorDataset data{random_tensor({96, 10}, 1), random_labels({96}, 2, 5)};

  /// Trains to the end or to a stop in the middle of an epoch; returns what was saved last.
  State run(const std::string& file, std::int64_t stop_after, int threads = 1) {
    const ThreadScope scope(threads);
    optim::Adam adam(net.parameters(), {.lr = 0.01});
    const Pruner pruner(net, compress::polynomial_decay(0.2, 0.8, 2, 30, 4), {.scope = Scope::layer});
    struct Stop {};
    const auto stop = [&](const train::StepPlace& place) {
      if (place.step == stop_after) throw Stop();
    };
    train::Trainer trainer(net, adam,
                           {.loss = cross_entropy,
                            .checkpoint = file,
                            .checkpoint_every = 1e-9,
                            .resume = true,
                            .show = train::Show::nothing,
                            .step_callbacks = {pruner, stop}});
    try {
      trainer.fit(data, {.epochs = 3, .batch = 8});
    } catch (const Stop&) {
    }
    return io::load(file);
  }
};

TEST_CASE(
    "pruning on a schedule ends with the sparsity asked, and resumes to the same bytes on any threads") {
  const TemporaryFolder folder;
  Scheduled whole;
  const State expected = whole.run(folder / "whole.ckpt", -1);
  const compress::SparsityReport report = compress::sparsity(whole.net);
  CHECK(report.layers[0].zeros == 128);  // 80 % of 160
  CHECK(report.layers[1].zeros == 64);
  for (const std::int64_t stop : {5, 22}) {
    Scheduled parts;
    const std::string file = folder / (std::to_string(stop) + ".ckpt");
    parts.run(file, stop, 2);
    Scheduled rest{.seed = 9};  // other weights and numbers, which the checkpoint replaces
    const State resumed = rest.run(file, -1, 3);
    CHECK(resumed["model"] == expected["model"]);
    CHECK(resumed["optimizer"] == expected["optimizer"]);
  }
}

TEST_CASE("masks are cut with the channels, and hold in the smaller network") {
  nn::Sequential net = small_net();
  prune(net, {.sparsity = 0.5});
  const graph::GraphModule large(graph::trace(net, {1, 10}), net.state());
  compress::Shrunk small = compress::prune_structured(large, {.sparsity = 0.5});
  const Tensor weight = small.model.parameters()[0].second;
  CHECK(weight.shape() == Shape{8, 10});
  const Tensor mask = mask_of(weight);
  CHECK(zeros(weight) == std::ranges::count(mask.data<std::uint8_t>(), std::uint8_t{0}));
  CHECK(zeros(weight) > 0);
  CHECK_SAME_BITS(mask, compress::shrink_state(net.state(), small.kept)["0.weight/mask"].tensor());
}

TEST_CASE("the report counts zeros by layer") {
  nn::Sequential net = small_net();
  prune(net, {.sparsity = 0.75, .pattern = "0.*"});
  const compress::SparsityReport report = compress::sparsity(net);
  CHECK(report.str() ==
        "0.weight: 120 of 160 are 0 (75.0 %), masked\n2.weight: 0 of 80 are 0 (0.0 %)\n"
        "all: 120 of 240 are 0 (50.0 %), masked\n");
  CHECK(report.total.share() == 0.5);
}

TEST_CASE("options out of range or that exclude each other are refused, and nothing has changed") {
  nn::Sequential net = small_net();
  CHECK_THROWS_TEXT(prune(net, {.sparsity = 1.0}), ValueError,
                    "prune: sparsity must be in [0, 1), got 1. It is the share of weights that are 0.");
  CHECK_THROWS_TEXT(prune(net, {.threshold = -1.0}), ValueError,
                    "prune: the threshold must be finite and not negative, got -1.");
  CHECK_THROWS_TEXT(prune(net, {.sparsity = 0.5, .threshold = 0.1}), ValueError,
                    "prune: sparsity, threshold and n_of_m exclude each other. Give one.");
  CHECK_THROWS_TEXT(prune(net, {.structure = n_of_m(4, 4)}), ValueError,
                    "prune: a block must be at least 1 wide and 0 < n < m, got block 1, n 4, m 4.");
  CHECK_THROWS_TEXT(prune(net, {.structure = {.block = 4, .keep = 2, .of = 4}}), ValueError,
                    "prune: n_of_m and blocks exclude each other. Give one.");
  CHECK_THROWS_TEXT(prune(net, {.sparsity = 0.5, .pattern = "fc*"}), ValueError,
                    "prune: nothing matches \"fc*\". There are: 0.weight, 0.bias, 2.weight, 2.bias.");
  CHECK_THROWS_TEXT(prune(net, {.sparsity = 0.5, .pattern = "*bias"}), ValueError,
                    "prune: what \"*bias\" matches has one axis: no weights to prune.");
  Tensor(net.parameters()[2].second).mutable_data<float>()[7] = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_TEXT(prune(net, {.sparsity = 0.5}), ValueError, "prune: 2.weight is not finite.");
  CHECK_FALSE(net.state().has("0.weight/mask"));

  CHECK_THROWS_TEXT(Pruner(net, {.to = 1.0}), ValueError,
                    "Pruner: sparsities must be in [0, 1), got 0 and 1.");
  CHECK_THROWS_TEXT(
      Pruner(net, {.begin = 5, .end = 4}), ValueError,
      "Pruner: steps must be 0 <= begin <= end, or end -1, and the frequency at least 1, got 5, 4 and "
      "100.");
  CHECK_THROWS_TEXT(Pruner(net, {.power = 0.0}), ValueError, "Pruner: the power must be above 0, got 0.");
  CHECK_THROWS_TEXT(Pruner(net, {}, {.structure = n_of_m(2, 4)}), ValueError,
                    "Pruner: a schedule sets the sparsity: it takes neither a threshold nor n_of_m.");
}

}  // namespace
}  // namespace linnet::test
