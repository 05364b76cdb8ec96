// SPDX-License-Identifier: Apache-2.0
// Every network of the zoo as a graph.
#include "linnet/graph/graph_module.h"
#include "linnet/graph/infer.h"
#include "linnet/graph/trace.h"
#include "support/check_close.h"
#include "support/fixtures.h"
#include "support/zoo_catalog.h"

namespace linnet::test {
namespace {

graph::Graph traced(nn::Layer& model, const ZooCase& row) {
  return graph::trace(model, row.sample.inserted(0, 1));
}

TEST_CASE("every zoo model traces and has the multiply-accumulates of docs/zoo.md") {
  for (const ZooCase& row : zoo_catalog()) {
    CAPTURE(row.name);
    const std::unique_ptr<nn::Layer> model = row.make();
    const graph::Graph graph = traced(*model, row);
    CHECK(graph::macs(graph) == row.macs);
    CHECK(graph.parameter_count() == row.parameters);
  }
}

TEST_CASE("the GraphModule of every zoo model trains and evaluates with its bits") {
  for (const ZooCase& row : zoo_catalog()) {
    if (row.full_size) continue;
    CAPTURE(row.name);
    manual_seed(1);
    const std::unique_ptr<nn::Layer> model = row.make();
    graph::GraphModule copy = graph::GraphModule::from(traced(*model, row).state(), model->state());
    manual_seed(2);
    const double loss = train_zoo_step(*model, row);
    manual_seed(2);
    CHECK(train_zoo_step(copy, row) == loss);
    CHECK(copy.state() == model->state());

    model->eval();
    copy.eval();
    const Tensor x = zoo_input(row, 3, 7);
    CHECK_SAME_BITS(copy(x), (*model)(x));
  }
}

}  // namespace
}  // namespace linnet::test
