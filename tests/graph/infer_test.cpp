// SPDX-License-Identifier: Apache-2.0
#include "linnet/graph/infer.h"

#include "linnet/graph/summary.h"
#include "linnet/graph/trace.h"
#include "models.h"
#include "support/check_close.h"

namespace linnet {
namespace {

TEST_CASE("inferred shapes are those that the recorded ops had") {
  nn::Sequential model = test::cnn_recipe();
  graph::Graph g = graph::trace(model, {1, 28, 28, 1});
  std::vector<Shape> shapes = graph::infer_shapes(g, 5);
  std::vector<Shape> results;
  for (const graph::Node& node : g.nodes()) results.push_back(shapes[node.output]);
  CHECK(results == std::vector<Shape>{{5, 26, 26, 32},
                                      {5, 26, 26, 32},
                                      {5, 13, 13, 32},
                                      {5, 11, 11, 64},
                                      {5, 11, 11, 64},
                                      {5, 5, 5, 64},
                                      {5, 1600},
                                      {5, 64},
                                      {5, 64},
                                      {5, 10}});
}

TEST_CASE("multiply-accumulates are counted by hand for the cnn recipe") {
  nn::Sequential model = test::cnn_recipe();
  graph::Graph g = graph::trace(model, {1, 28, 28, 1});
  const std::int64_t expected = 26 * 26 * 32 * 9 + 11 * 11 * 64 * 9 * 32 + 1600 * 64 + 64 * 10;
  CHECK(graph::macs(g) == expected);
  CHECK(graph::macs(g, 3) == 3 * expected);
}

TEST_CASE("multiply-accumulates of recurrent layers: all weights at every step") {
  nn::Sequential model{nn::LSTM(8, 50, {.return_sequences = true}), nn::GRU(50, 20)};
  CHECK(graph::macs(graph::trace(model, {1, 7, 8}), 3) == 3 * 7 * (200 * (8 + 50) + 60 * (50 + 20)));
}

TEST_CASE("multiply-accumulates of grouped and transposed convolution and matmul") {
  test::Function grouped([](const Tensor& x) {
    return conv2d(x, Tensor::ones({8, 3, 3, 2}), {}, {.groups = 2});
  });
  CHECK(graph::macs(graph::trace(grouped, {1, 5, 5, 4})) == 3 * 3 * 8 * 9 * 2);
  test::Function transposed([](const Tensor& x) {
    return conv_transpose2d(x, Tensor::ones({8, 3, 3, 2}), {}, {.stride = 2, .groups = 2});
  });
  CHECK(graph::macs(graph::trace(transposed, {1, 5, 5, 4})) == 5 * 5 * 8 * 9 * 2);
  test::Function product([](const Tensor& x) { return matmul(x, Tensor::ones({7, 3})); });
  CHECK(graph::macs(graph::trace(product, {1, 7}), 4) == 4 * 7 * 3);
}

TEST_CASE("a summary has a line a layer, with pinned text") {
  nn::Sequential model = test::mlp_recipe();
  CHECK(graph::summary(model, {2, 28, 28, 1}).str() ==
        "layer      output    parameters    MACs  activation bytes\n"
        "---------------------------------------------------------\n"
        "reshape    [2, 784]           0       0                 0\n"
        "1 (dense)  [2, 128]      100480  200704              1024\n"
        "relu       [2, 128]           0       0              1024\n"
        "dropout    [2, 128]           0       0              1024\n"
        "4 (dense)  [2, 10]         1290    2560                80\n"
        "---------------------------------------------------------\n"
        "total      [2, 10]       101770  203264              3152\n");
}

TEST_CASE("a summary counts a shared parameter once, and unused ones in the total") {
  struct Shared : nn::Module {
    nn::Dense dense{4, 4}, unused{2, 3};
    void members(nn::Members& m) override {
      m.child("dense", dense);
      m.child("unused", unused);
    }
    Tensor operator()(const Tensor& x) { return dense(dense(x)); }
  } model;
  graph::Summary all = graph::summary(model, {1, 4});
  REQUIRE(all.rows.size() == 2);
  CHECK(all.rows[0].parameters == 20);
  CHECK(all.rows[1].parameters == 0);
  CHECK(all.total.parameters == model.parameter_count());
  CHECK(all.total.macs == 32);
}

}  // namespace
}  // namespace linnet
