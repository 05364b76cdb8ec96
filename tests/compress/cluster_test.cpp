// SPDX-License-Identifier: Apache-2.0
// Weight sharing: k-means and training of shared weights against scripts/golden/compress.py, and that values
// stay shared and zeros stay zero whatever happens to the model.
#include "linnet/compress/cluster.h"

#include <csignal>
#include <limits>
#include <set>

#include "golden/golden.h"
#include "linnet/core/constraint.h"
#include "linnet/core/error.h"
#include "linnet/graph/graph_module.h"
#include "linnet/io/checkpoint.h"
#include "linnet/nn/nn.h"
#include "linnet/optim/optim.h"
#include "linnet/train/trainer.h"
#include "support/check_close.h"
#include "support/fixtures.h"

using namespace linnet;
using compress::ClusterStart;

namespace {

const std::pair<const char*, ClusterStart> kStarts[] = {{"linear", ClusterStart::linear},
                                                        {"density", ClusterStart::density},
                                                        {"kmeans++", ClusterStart::plus_plus}};

struct Weights : nn::Module {
  Tensor weight;
  explicit Weights(const Tensor& values, const Tensor& mask = {}) : weight(values.clone()) {
    weight.set_requires_grad(true);
    if (mask.defined()) set_constraint(weight, {.mask = mask, .groups = {}});
  }
  void members(nn::Members& m) override { m.parameter("weight", weight); }
};

Tensor golden_mask(const nlohmann::json& golden) {
  return golden.contains("mask") ? test::golden_tensor(golden["mask"], f32).to(DType::u8) : Tensor();
}

compress::ClusterOptions golden_options(const nlohmann::json& golden) {
  compress::ClusterOptions options{.clusters = golden["clusters"].get<std::int64_t>()};
  for (const auto& [name, start] : kStarts)
    if (golden.value("start", "linear") == name) options.start = start;
  options.seed = golden.value("seed", std::uint64_t{0});
  return options;
}

/// Values of the elements that `mask` keeps.
std::set<double> distinct(const Tensor& weight, const Tensor& mask = {}) {
  std::set<double> values;
  const Tensor wide = weight.detach().to(f64);
  for (std::int64_t i = 0; i < wide.size(); ++i)
    if (!mask.defined() || mask.data<std::uint8_t>()[i]) values.insert(wide.data<double>()[i]);
  return values;
}

std::int64_t zeros(const Tensor& weight) {
  std::int64_t count = 0;
  for (const float value : weight.data<float>()) count += value == 0.0f;
  return count;
}

/// Every second weight of fc1 is masked.
Tensor half_mask(const Shape& shape) {
  Tensor mask = Tensor::ones(shape, DType::u8);
  for (std::int64_t i = 0; i < mask.size(); i += 2) mask.mutable_data<std::uint8_t>()[i] = 0;
  return mask;
}

data::TensorDataset points(std::int64_t count = 70) {
  return data::TensorDataset(test::random_tensor({count, 6}, 1), test::random_labels({count}, 2, 3));
}

nn::Sequential network(std::uint64_t seed) {
  manual_seed(seed);
  return nn::Sequential{nn::Dense(6, 16), nn::BatchNorm(16), nn::ReLU(), nn::Dropout(0.2), nn::Dense(16, 3)};
}

struct Classifier {
  nn::Sequential model;
  optim::AdamW adam{model.parameters(), {.lr = 0.01, .weight_decay = 0.01}};

  explicit Classifier(std::uint64_t seed) : model(network(seed)) {}
  State outcome() const {
    return {{"model", model.state()}, {"optimizer", adam.state()}, {"rng", rng_state()}};
  }
  Tensor weight(int layer) const {
    for (const NamedTensor& named : model.parameters())
      if (named.first == std::to_string(layer) + ".weight") return named.second;
    return {};
  }
};

/// Its first layer is pruned by half, and it is clustered.
struct Clustered : Classifier {
  explicit Clustered(const compress::ClusterOptions& options) : Classifier(3) {
    set_constraint(weight(0), {.mask = half_mask({16, 6}), .groups = {}});
    compress::cluster(model, options);
  }
};

void fit(
    Classifier& run, const std::function<void(int)>& before = [](int) {}, const std::string& checkpoint = "",
    bool resume = false) {
  int step = 0;
  const auto loss = [&](const Tensor& prediction, const Tensor& target) {
    before(++step);
    return cross_entropy(prediction, target);
  };
  train::Trainer(run.model, run.adam,
                 {.loss = loss, .checkpoint = checkpoint, .resume = resume, .show = train::Show::nothing})
      .fit(points(), {.epochs = 4, .batch = 16});
}

}  // namespace

TEST_CASE("k-means from every start finds the clusters of an independent calculation") {
  std::set<std::string> starts;
  for (const nlohmann::json& golden : test::golden_cases("compress.json")) {
    if (golden["kind"] != "clusters") continue;
    starts.insert(golden["start"].get<std::string>());
    const Tensor mask = golden_mask(golden);
    for (const DType dtype : {f64, f32}) {
      const auto name = golden["name"].get<std::string>() + (dtype == f64 ? " in f64" : " in f32");
      CAPTURE(name);
      Weights model(test::golden_tensor(golden["weight"], dtype), mask);
      const compress::ClusterReport report = compress::cluster(model, golden_options(golden));
      const test::Tolerance tolerance = dtype == f64 ? tol::f64 : tol::f32;
      CHECK_CLOSE(model.weight.detach(), test::golden_tensor(golden["shared"], f64), tolerance);
      const Constraint* kept = constraint(model.weight);
      REQUIRE(kept);
      CHECK_SAME_BITS(kept->groups, test::golden_tensor(golden["groups"], f64).to(DType::u8));
      CHECK(kept->mask.defined() == mask.defined());
      const std::set<double> values = distinct(model.weight, mask);
      CHECK_CLOSE(std::vector<double>(values.begin(), values.end()),
                  test::golden_tensor(golden["centroids"], f64), tolerance);
      CHECK(report.layers.at(0).centroids == static_cast<std::int64_t>(values.size()));
      CHECK_CLOSE(report.layers.at(0).error, golden["relative_error"]["values"][0].get<double>(), tol::f32);
    }
  }
  CHECK(starts.size() == std::size(kStarts));
}

TEST_CASE("shared weights train by the sums of their gradients, as an independent calculation has it") {
  int cases = 0;
  for (const nlohmann::json& golden : test::golden_cases("compress.json")) {
    if (golden["kind"] != "shared_training") continue;
    ++cases;
    CAPTURE(golden["name"].get<std::string>());
    Weights model(test::golden_tensor(golden["weight"], f64), golden_mask(golden));
    compress::cluster(model, golden_options(golden));
    const Tensor x = test::golden_tensor(golden["x"], f64),
                 target = test::golden_tensor(golden["target"], f64);
    optim::SGD sgd(model.parameters(), {.lr = golden["lr"].get<double>()});
    std::vector<double> losses;
    for (std::size_t step = 0; step < golden["losses"]["values"].size(); ++step) {
      sgd.zero_grad();
      const Tensor loss = mse(matmul(x, transpose(model.weight)), target);
      backward(loss);
      losses.push_back(loss.item());
      if (step == 0)
        CHECK_CLOSE(model.weight.grad(), test::golden_tensor(golden["first_gradient"], f64),
                    tol::trajectory64);
      sgd.step();
    }
    CHECK_CLOSE(losses, golden["losses"]["values"].get<std::vector<double>>(), tol::trajectory64);
    CHECK_CLOSE(model.weight.detach(), test::golden_tensor(golden["end"], f64), tol::trajectory64);
  }
  CHECK(cases == 2);
}

TEST_CASE("training with weight decay leaves no more values than clusters, and pruned weights at zero") {
  for (const auto& row : kStarts)
    for (const std::int64_t clusters : {2, 5, 16}) {
      CAPTURE(row.first);
      CAPTURE(clusters);
      Clustered run({.clusters = clusters, .start = row.second});
      const std::set<double> before = distinct(run.weight(4));
      fit(run);  // 20 steps
      CHECK(distinct(run.weight(0), half_mask({16, 6})).size() <= static_cast<std::size_t>(clusters));
      CHECK(distinct(run.weight(4)).size() == before.size());
      CHECK(distinct(run.weight(4)) != before);
      CHECK(zeros(run.weight(0)) == 48);
    }
}

TEST_CASE(
    "a run over shared weights that is stopped in an epoch and resumed in fresh objects gives the same "
    "bytes") {
  Clustered straight({.clusters = 6});
  fit(straight);
  const State expected = straight.outcome();
  for (const int stop_at : {1, 5, 13}) {
    test::TemporaryFolder folder;
    Clustered first({.clusters = 6});
    fit(
        first,
        [&](int step) {
          if (step == stop_at) std::raise(SIGTERM);
        },
        folder / "a.ckpt");
    Classifier second(77);  // it has never been clustered
    fit(
        second, [](int) {}, folder / "a.ckpt", true);
    CHECK(second.outcome() == expected);
    const State saved = io::load(folder / "a.ckpt");
    graph::GraphModule loaded = graph::GraphModule::from(saved["graph"], saved["model"]);
    CHECK(loaded.state() == straight.model.state());
    CHECK(constraint(loaded.parameters()[0].second)->groups.defined());
  }
}

TEST_CASE("clusters do not depend on threads, on the other layers chosen, or on the order of calls") {
  const compress::ClusterOptions options{.clusters = 8, .start = ClusterStart::plus_plus, .seed = 11};
  const State expected = Clustered(options).model.state();
  for (const int threads : {1, 2, 4}) {
    const test::ThreadScope scope(threads);
    CHECK(Clustered(options).model.state() == expected);
  }
  compress::ClusterOptions last = options, first = options, other = options;
  last.pattern = "4.*";
  first.pattern = "0.*";
  Clustered apart(last);
  compress::cluster(apart.model, first);
  CHECK(apart.model.state() == expected);
  other.seed = 12;
  CHECK_FALSE(Clustered(other).model.state() == expected);
}

TEST_CASE("a layer with no more values than clusters keeps them to the bit, and keeps to them in training") {
  Weights model(Tensor::from({{0.1, 0.2, 0.1}, {-3, 0.2, 0.1}}));
  const Tensor before = model.weight.detach().clone();
  const compress::ClusterReport report = compress::cluster(model, {.clusters = 4});
  CHECK_SAME_BITS(model.weight.detach(), before);
  CHECK(report.layers[0].centroids == 3);
  CHECK(report.layers[0].error == 0.0);
  CHECK_SAME_BITS(constraint(model.weight)->groups, Tensor::from({{1, 2, 1}, {0, 2, 1}}, DType::u8));
}

TEST_CASE("vectors and layers of no more elements than clusters are left alone") {
  manual_seed(5);
  nn::Sequential model{nn::Dense(2, 3), nn::BatchNorm(3), nn::Dense(3, 40)};
  const compress::ClusterReport report = compress::cluster(model, {.clusters = 6});
  REQUIRE(report.layers.size() == 2);
  CHECK(report.layers[0].name == "0.weight");
  CHECK(report.layers[0].centroids == 6);
  CHECK(report.layers[1].centroids == 6);
  for (const NamedTensor& named : model.parameters())
    CHECK((constraint(named.second) != nullptr) == (named.first == "2.weight"));
}

TEST_CASE("clustering again with fewer clusters keeps the mask") {
  Clustered run({.clusters = 16});
  const compress::ClusterReport report = compress::cluster(run.model, {.clusters = 3});
  CHECK(report.layers[0].masked == 48);
  CHECK(report.layers[0].centroids == 3);
  CHECK(zeros(run.weight(0)) == 48);
  CHECK_SAME_BITS(constraint(run.weight(0))->mask, half_mask({16, 6}));
}

TEST_CASE("256 clusters of many weights fit into bytes and come close to the weights") {
  Weights model(test::random_tensor({100, 300}, 4));
  const compress::ClusterReport report = compress::cluster(model, {.clusters = 256});
  CHECK(report.layers[0].centroids == 256);
  CHECK(report.layers[0].error < 0.005);  // uniform: 2 / 256 / sqrt(12) of 1 / sqrt(3) is 0.0039
}

TEST_CASE("the report prints a line a layer") {
  Clustered run({.clusters = 8});
  const compress::ClusterReport report = compress::cluster(run.model, {.clusters = 8});
  CHECK(report.str() ==
        "0.weight: 96 weights, 48 of them pruned, 8 values, error 0.00 %\n4.weight: 48 weights, 8 values, "
        "error "
        "0.00 %\n");
}

TEST_CASE("what cannot be clustered is explained, and nothing has changed then") {
  manual_seed(6);
  nn::Sequential model{nn::Dense(20, 30), nn::Dense(30, 20)};
  for (const std::int64_t clusters : {1, 257})
    CHECK_THROWS_TEXT(compress::cluster(model, {.clusters = clusters}), ValueError,
                      "cluster: clusters must be in 2..256, got " + std::to_string(clusters) + ".");
  CHECK_THROWS_TEXT(compress::cluster(model, {.pattern = "fc*"}), ValueError,
                    "cluster: nothing matches \"fc*\". There are: 0.weight, 1.weight.");
  model.parameters()[2].second.mutable_data<float>()[5] = std::numeric_limits<float>::infinity();
  CHECK_THROWS_TEXT(compress::cluster(model), NumericError,
                    "cluster: 1.weight holds inf. Train from a checkpoint before that.");
  CHECK(constraint(model.parameters()[0].second) == nullptr);
}
