// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/profile.h"

#include <algorithm>
#include <sstream>

#include "linnet/autograd/autograd.h"
#include "linnet/autograd/ops.h"
#include "linnet/autograd/record.h"
#include "linnet/data/data.h"
#include "linnet/graph/graph_module.h"
#include "linnet/graph/trace.h"
#include "linnet/nn/nn.h"
#include "linnet/optim/optim.h"
#include "support/check_close.h"
#include "support/fixtures.h"

using namespace linnet;
using namespace linnet::test;
using profile::Phase;
using profile::Report;
using profile::Row;

namespace {

/// On while it lives.
struct Profiled {
  explicit Profiled(std::size_t events = 0) { profile::start({.max_events = events}); }
  ~Profiled() { profile::stop(); }
  Profiled(const Profiled&) = delete;
};

/// The row of that name and phase in a layer whose text begins so; an empty one when there is none.
Row find(const Report& report, const std::string& layer, const std::string& name, Phase phase) {
  for (const Row& row : report.rows)
    if (row.name == name && row.phase == phase && row.layer.starts_with(layer) &&
        row.layer.empty() == layer.empty())
      return row;
  return {};
}

nn::Sequential small_net() { return nn::Sequential{nn::Dense(6, 5), nn::Tanh(), nn::Dense(5, 3)}; }

/// Steps of training on batches of 4, with a loader and an optimizer.
void train_steps(nn::Sequential& model, int steps) {
  const data::TensorDataset dataset(random_tensor({4 * steps, 6}, 1), random_labels({4 * steps}, 2, 3));
  data::Loader batches(dataset, {.batch = 4});
  optim::SGD sgd(model.parameters(), {.lr = 0.1});
  for (const auto& [x, y] : batches) {
    const Tensor loss = cross_entropy(model(x), y);
    sgd.zero_grad();
    backward(loss);
    sgd.step();
  }
}

std::int64_t count(const std::string& text, const std::string& part) {
  std::int64_t n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

}  // namespace

TEST_CASE("the profile counts every op once a step, forward and backward, by layer") {
  nn::Sequential model = small_net();
  Profiled on;
  train_steps(model, 7);
  const Report report = profile::report();
  for (const char* layer : {"0 (Dense 6 -> 5)", "2 (Dense 5 -> 3)"})
    for (Phase phase : {Phase::forward, Phase::backward})
      CHECK(find(report, layer, "dense", phase).calls == 7);
  CHECK(find(report, "1 (Tanh)", "tanh", Phase::forward).calls == 7);
  CHECK(find(report, "1 (Tanh)", "tanh", Phase::backward).calls == 7);
  CHECK(find(report, "", "cross_entropy", Phase::forward).calls == 7);
  CHECK(find(report, "", "cross_entropy", Phase::backward).calls == 7);
  CHECK(find(report, "", "optimizer step", Phase::scope).calls == 7);
  CHECK(find(report, "", "backward", Phase::scope).calls == 7);
  CHECK(find(report, "", "data", Phase::scope).calls == 8);  // the last one finds the end
}

TEST_CASE("operations and bytes of the profile are those of the shapes") {
  Profiled on;
  const Tensor x = random_tensor({4, 6}, 1);
  const Tensor weight = random_tensor({5, 6}, 2).set_requires_grad(true),
               bias = random_tensor({5}, 3).set_requires_grad(true);
  backward(sum(dense(x, weight, bias)));
  const Report report = profile::report();
  const Row forward = find(report, "", "dense", Phase::forward),
            back = find(report, "", "dense", Phase::backward);
  CHECK(forward.flop == 2.0 * 4 * 5 * 6);
  CHECK(forward.bytes == 4.0 * (24 + 30 + 5 + 20));
  CHECK(back.flop == 2.0 * 4 * 5 * 6);  // the input wants no gradient
  CHECK(back.bytes == forward.bytes + 4.0 * (30 + 5));
  CHECK(find(report, "", "sum", Phase::forward).flop == 0.0);
  flatten(x);
  CHECK(find(profile::report(), "", "reshape", Phase::forward).bytes == 0.0);
}

TEST_CASE("the profile counts the blocks that ops take from the pool, and those that reach the system") {
  release_unused_memory();
  const Tensor x = Tensor::ones({300'000});
  Profiled on;
  for (int i = 0; i < 3; ++i) square(x);
  const Row row = find(profile::report(), "", "square", Phase::forward);
  CHECK(row.allocations == 3);
  CHECK(row.system_allocations == 1);
}

TEST_CASE("what is nested in a scope is taken off its time, and all times together fit into the whole") {
  nn::Sequential model = small_net();
  Profiled on;
  {
    const profile::Scope outer("outer");
    const profile::Scope inner("inner");
    train_steps(model, 3);
  }
  const Report report = profile::report();
  double sum = 0.0;
  for (const Row& row : report.rows) {
    CHECK(row.seconds >= 0.0);
    sum += row.seconds;
  }
  CHECK(sum <= report.seconds);
  CHECK(find(report, "", "outer", Phase::scope).calls == 1);
  CHECK(find(report, "", "outer", Phase::scope).allocations == 0);
}

TEST_CASE("while the profiler is off nothing is measured, and start() forgets what was") {
  nn::Sequential model = small_net();
  { Profiled on(100); }
  CHECK_FALSE(profile::on());
  train_steps(model, 2);
  CHECK(profile::report().rows.empty());
  {
    Profiled on;
    train_steps(model, 2);
  }
  CHECK_FALSE(profile::report().rows.empty());
  profile::start();
  CHECK(profile::report().rows.empty());
  profile::stop();
}

TEST_CASE("a tape recorded before the profiler was on, or in an earlier run, goes backward under it") {
  Tensor x = random_tensor({3}, 1).set_requires_grad(true);
  const Tensor before = sum(square(x));
  profile::start();
  const Tensor earlier = sum(exp(x));
  profile::start();
  backward(before);
  CHECK(find(profile::report(), "", "square", Phase::backward).calls == 0);
  backward(earlier);
  CHECK(find(profile::report(), "", "exp", Phase::backward).calls == 1);
  profile::stop();
}

TEST_CASE("profiling changes no bit, traced ops do not count, and ops of the user have their own name") {
  const auto weights = [](bool profiled) {
    manual_seed(3);
    nn::Sequential model = small_net();
    if (profiled) profile::start({.max_events = 10});
    train_steps(model, 5);
    profile::stop();
    return model.parameters()[0].second;
  };
  CHECK_SAME_BITS(weights(true), weights(false));

  nn::Sequential model = small_net();
  Profiled on;
  graph::Graph graph = graph::trace(model, {1, 6});
  CHECK(profile::report().rows.empty());
  graph::GraphModule(std::move(graph), model.state())(random_tensor({2, 6}, 1));
  CHECK(find(profile::report(), "2", "dense", Phase::forward).calls == 1);
  const Tensor x = Tensor::ones({2});
  record("doubled", x.clone(), {x}, [](const Tensor& dy, Grads& grad) { grad.add(0, dy); });
  CHECK(find(profile::report(), "", "doubled", Phase::forward).calls == 1);
}

TEST_CASE("the trace holds a frame for each layer around its ops, and no more events than asked for") {
  const TemporaryFolder folder;
  nn::Sequential model = small_net();
  {
    Profiled on(100'000);
    train_steps(model, 2);
  }
  profile::write_trace(folder / "trace.json");
  const std::string text = text_of(folder / "trace.json");
  CHECK(count(text, "{\"name\":\"1 (Tanh)\",\"cat\":\"layer\"") == 2);
  CHECK(count(text, "{\"name\":\"tanh\",\"cat\":\"forward\"") == 2);
  CHECK(count(text, "{\"name\":\"tanh backward\",\"cat\":\"backward\"") == 2);
  {
    Profiled on(3);
    train_steps(model, 2);
  }
  profile::write_trace(folder / "trace.json");
  CHECK(count(text_of(folder / "trace.json"), "\"ph\":\"X\"") == 3);
  CHECK(profile::report().dropped_events > 0);
  CHECK_THROWS_TEXT(profile::write_trace(folder / "missing/trace.json"), IoError,
                    "profile: " + (folder / "missing/trace.json") +
                        " cannot be written. Does its folder exist, and is there room?");
}

TEST_CASE("the table names ops, layers, and what is outside of them") {
  nn::Sequential model = small_net();
  {
    Profiled on;
    train_steps(model, 2);
  }
  const std::string text = profile::report().str();
  for (const char* part : {"outside of ops and scopes", "dense backward", "\n0 (Dense 6 -> 5)", "GFLOP/s"})
    CHECK(text.find(part) != std::string::npos);
}
