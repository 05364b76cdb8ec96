// SPDX-License-Identifier: Apache-2.0
// Exported models run here, and how their integers agree with the simulation.
#include "linnet/deploy/engine.h"

#include "linnet/deploy/deploy.h"
#include "linnet/graph/trace.h"
#include "simulation.h"
#include "support/check_close.h"
#include "support/fixtures.h"

namespace linnet::test {
namespace {

TEST_CASE("agreement counts outputs a step apart and samples with the same largest") {
  const Simulated f = [](Rounding& r, const Tensor& x) {
    const Tensor y =
        r.value(relu(dense(r.value(x), r.weight(random_tensor({40, 30}, 5)), random_tensor({40}, 6))));
    return r.value(dense(y, r.weight(random_tensor({10, 40}, 7)), random_tensor({10}, 8)));
  };
  Simulation simulation(f, {1, 30});
  const graph::GraphModule model(simulation.graph());
  const deploy::Agreement found = deploy::agreement(model, random_tensor({200, 30}, 99));
  CHECK(found.outputs == 2000);
  const deploy::Agreement same =
      deploy::agreement(model, data::TensorDataset(random_tensor({200, 30}, 99), {}));
  CHECK(same.equal == found.equal);
  CHECK(same.same_largest == found.same_largest);
  CHECK(found.samples == 200);
  CHECK(found.share_within() >= 0.999);
  CHECK(found.share_same_largest() >= 0.98);
  CHECK(found.equal >= 1800);
  CHECK(found.largest_steps < 2.5);
  Simulation real([](Rounding& r, const Tensor& x) { return relu(r.value(x)) * 2.0; }, {1, 30});
  CHECK_THROWS_TEXT(
      deploy::agreement(graph::GraphModule(real.graph()), random_tensor({2, 30}, 1)), ValueError,
      "agreement: the model's output is not rounded by a fake_quant. Quantize it with a range for "
      "its output.");
}

TEST_CASE("an engine gives the same bits with any number of lanes and threads") {
  const Simulated f = [](Rounding& r, const Tensor& x) {
    return r.value(dense(r.value(x), r.weight(random_tensor({10, 30}, 5)), random_tensor({10}, 8)));
  };
  Simulation simulation(f, {1, 30});
  const std::vector<std::uint8_t> bytes = deploy::build(simulation.graph(), {}).bytes;
  const Tensor x = random_tensor({11, 30}, 3), y = deploy::Engine(bytes).run(x);
  for (const int lanes : {2, 8, 20})
    for (const int threads : {1, 4}) {
      const ThreadScope scope(threads);
      CHECK_SAME_BITS(deploy::Engine(bytes, lanes).run(x), y);
    }
  CHECK_THROWS_TEXT(deploy::Engine(bytes, 0), ValueError, "engine: lanes must be at least 1, got 0.");
}

TEST_CASE("an engine looks rows up, and says when there is no such row") {
  struct Net : nn::Module {
    Tensor table = random_tensor({3, 2}, 1);
    Tensor operator()(const Tensor& ids) { return embedding(ids, table); }
  } net;
  const graph::InputSpec spec[] = {{{1, 2}, i64}};
  const graph::Graph graph = graph::trace(net, std::span<const graph::InputSpec>(spec));
  deploy::Engine engine(deploy::build(graph, {}).bytes);
  const Tensor ids = Tensor::from({2, 0, 1, 1}, {2, 2}, i64);
  CHECK_SAME_BITS(engine.run(ids), embedding(ids, net.table));
  CHECK_THROWS_TEXT(
      engine.run(Tensor::from({0, 3}, {1, 2}, i64)), ValueError,
      "engine: index outside the table of an embedding. Pass 0 to the number of rows less one.");
}

TEST_CASE("an engine runs any batch, and refuses what does not fit") {
  const Simulated f = [](Rounding& r, const Tensor& x) { return r.value(relu(r.value(x))); };
  Simulation simulation(f, {1, 6});
  deploy::Engine engine(deploy::build(simulation.graph(), {}).bytes);
  const Tensor x = random_tensor({5, 6}, 3);
  CHECK_CLOSE(engine.run(x), simulation(x), tol::exact);
  CHECK(engine.run(Tensor::zeros({0, 6})).shape() == Shape{0, 6});
  CHECK_THROWS_TEXT(engine.run(Tensor::zeros({2, 5})), ShapeError,
                    "engine: input 0 must have shape [2, 6], got [2, 5].");
  CHECK_THROWS_TEXT(engine.run(Tensor::zeros({2, 6}, i64)), DTypeError,
                    "engine: input 0 is of another type than the model takes, got i64.");
  const Tensor twice[] = {x, x};
  CHECK_THROWS_TEXT(engine.run(twice), ShapeError, "engine: the model has 1 inputs, got 2.");
  CHECK_THROWS_AS(deploy::Engine(std::vector<std::uint8_t>(10)), GraphError);
}

}  // namespace
}  // namespace linnet::test
