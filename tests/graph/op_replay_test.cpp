// SPDX-License-Identifier: Apache-2.0
// Every op, traced and run again from its graph at batch sizes that were not traced. A new op fails here by
// name until it has a case.
#include <functional>
#include <set>

#include "linnet/autograd/ops.h"
#include "linnet/autograd/weighted_loss.h"
#include "linnet/graph/graph_module.h"
#include "linnet/graph/infer.h"
#include "linnet/graph/trace.h"
#include "support/check_close.h"
#include "support/fixtures.h"

namespace linnet {
namespace {

using Args = std::span<const Tensor>;

struct ReplayCase {
  Op op;
  std::vector<graph::InputSpec> inputs;
  std::function<Tensor(Args)> call;
};

/// Inputs that every op accepts: positive, below the classes of the losses (u8: of a binary loss).
Tensor input_for(const graph::InputSpec& spec, std::int64_t batch, std::uint64_t seed) {
  Shape shape = spec.shape.with(0, batch);
  return is_float(spec.dtype) ? test::random_tensor(shape, seed, 0.25, 0.75, spec.dtype)
                              : test::random_labels(shape, seed, spec.dtype == u8 ? 2 : 3, spec.dtype);
}

std::vector<ReplayCase> replay_cases() {
  const std::vector<graph::InputSpec> matrix{{{1, 6}}}, two{{{1, 6}}, {{1, 6}}}, image{{{1, 9, 8, 4}}};
  std::vector<ReplayCase> cases;
#define UNARY(name, ...) cases.push_back({Op::name, matrix, [](Args a) { return name(a[0]); }});
#define UNARY1(name, ...) cases.push_back({Op::name, matrix, [](Args a) { return name(a[0], 0.3); }});
#define UNARY2(name, ...) cases.push_back({Op::name, matrix, [](Args a) { return name(a[0], 0.3, 0.6); }});
#include "linnet/core/ops/unary.def"
#undef UNARY
#undef UNARY1
#undef UNARY2
#define BINARY(name, ...)                                                    \
  cases.push_back({Op::name, two, [](Args a) { return name(a[0], a[1]); }}); \
  cases.push_back({Op::name, {{{1, 4, 6}}, {{1, 1, 1}}}, [](Args a) { return name(a[0], a[1]); }});
#include "linnet/core/ops/binary.def"
#undef BINARY
  Tensor weight = test::random_tensor({5, 6}, 1), bias = test::random_tensor({5}, 2);
  Tensor kernel = test::random_tensor({6, 3, 2, 4}, 3), grouped = test::random_tensor({6, 3, 2, 2}, 4),
         offset = test::random_tensor({6}, 5);
  Tensor other = test::random_tensor({6, 3}, 6);
  Tensor centre = test::random_tensor({6}, 7), variance = test::random_tensor({6}, 8, 0.5, 1.5);
  Tensor table = test::random_tensor({3, 5}, 9);
  const std::vector<graph::InputSpec> sequence{{{1, 5, 4}}},
      full{{{1, 5, 4}}, {{1, 6}}, {{1, 6}}, {{1, 5}, i64}};
  Tensor units = test::random_tensor({6, 4}, 7), square = test::random_tensor({6, 6}, 8);
  Tensor gates3 = test::random_tensor({18, 4}, 9), recurrent3 = test::random_tensor({18, 6}, 10),
         offset3 = test::random_tensor({18}, 11);
  Tensor gates4 = test::random_tensor({24, 4}, 12), recurrent4 = test::random_tensor({24, 6}, 13),
         offset4 = test::random_tensor({24}, 14);
  cases.insert(
      cases.end(),
      {
          // Running statistics that training moves must be buffers of a module: norm_test.cpp.
          {Op::batch_norm,
           {{{1, 4, 6}}},
           [=](Args a) {
             const DType type = a[0].dtype();
             Tensor m = centre.to(type), v = variance.to(type);
             return batch_norm(a[0], m, v, offset.to(type), m, {.eps = 1e-3, .momentum = 0.2, .frozen = true},
                               true);
           }},
          {Op::group_norm, image, [](Args a) { return group_norm(a[0], 2); }},
          {Op::group_norm, matrix,
           [=](Args a) {
             return group_norm(a[0], 3, offset.to(a[0].dtype()), centre.to(a[0].dtype()), 1e-3);
           }},
          {Op::layer_norm, image, [](Args a) { return layer_norm(a[0], 2); }},
          {Op::layer_norm, matrix,
           [=](Args a) {
             return layer_norm(a[0], 1, offset.to(a[0].dtype()), centre.to(a[0].dtype()), 1e-3);
           }},
          {Op::embedding, {{{1, 4}, i64}}, [=](Args a) { return embedding(a[0], table); }},
          {Op::embedding, {{{1}, u8}}, [=](Args a) { return embedding(a[0], table, 2); }},
          {Op::spatial_dropout, image, [](Args a) { return spatial_dropout(a[0], 0.4, true); }},
          {Op::matmul, matrix, [=](Args a) { return matmul(a[0], other); }},
          {Op::dense, matrix, [=](Args a) { return dense(a[0], weight, bias); }},
          {Op::dense, {{{1, 3, 6}}}, [=](Args a) { return dense(a[0], weight); }},
          {Op::conv2d, image,
           [=](Args a) {
             return conv2d(a[0], kernel, offset, {.stride = {2, 1}, .padding = Padding::same_size()});
           }},
          {Op::conv2d, image,
           [=](Args a) {
             return conv2d(a[0], kernel, {}, {.dilation = {1, 2}, .padding = {0, 1, 1, 0}});
           }},
          {Op::conv2d, image, [=](Args a) { return conv2d(a[0], grouped, offset, {.groups = 2}); }},
          {Op::conv_transpose2d, image,
           [=](Args a) {
             return conv_transpose2d(a[0], kernel, offset,
                                     {.stride = {2, 3}, .padding = {1, 0, 0, 1}, .output_padding = {1, 2}});
           }},
          {Op::conv_transpose2d, image,
           [=](Args a) {
             return conv_transpose2d(
                 a[0], grouped, {},
                 {.stride = 2, .dilation = {1, 2}, .padding = Padding::same_size(), .groups = 2});
           }},
          {Op::upsample2d, image,
           [](Args a) {
             return upsample2d(a[0], {18, 5}, Interpolation::nearest);
           }},
          {Op::upsample2d, image,
           [](Args a) {
             return upsample2d(a[0], {10, 16}, Interpolation::bilinear);
           }},
          {Op::max_pool2d, image, [](Args a) { return max_pool2d(a[0]); }},
          {Op::max_pool2d, image,
           [](Args a) {
             return max_pool2d(a[0], {.kernel = 3, .stride = Pair(2), .padding = Padding::same_size()});
           }},
          {Op::avg_pool2d, image,
           [](Args a) {
             return avg_pool2d(a[0], {.kernel = {3, 2}, .stride = Pair(1, 2), .padding = {1, 0, 0, 1}});
           }},
          {Op::rnn, sequence, [=](Args a) { return rnn(a[0], units, square, offset, {.relu = true}); }},
          {Op::gru, sequence,
           [=](Args a) {
             return gru(a[0], gates3, recurrent3, offset3, offset, {.reverse = true, .sequence = false});
           }},
          {Op::lstm, sequence, [=](Args a) { return lstm(a[0], gates4, recurrent4, offset4); }},
          {Op::lstm, full,
           [=](Args a) {
             return lstm(a[0], gates4, recurrent4, offset4,
                         {.h = a[1], .c = a[2], .mask = a[3], .reverse = true, .cell_row = true});
           }},
          {Op::lstm,
           {{{1, 5, 4}}, {{1, 5}}},
           [=](Args a) {
             return lstm(a[0], gates4, recurrent4, offset4,
                         {.mask = a[1], .sequence = false, .cell_row = true});
           }},
          {Op::sum, image,
           [](Args a) {
             return sum(a[0], {1, 2});
           }},
          {Op::sum, matrix, [](Args a) { return sum(a[0]); }},
          {Op::mean, image, [](Args a) { return mean(a[0], {-1}, true); }},
          {Op::max, image,
           [](Args a) {
             return max(a[0], {0, 2});
           }},
          {Op::softmax, image, [](Args a) { return softmax(a[0], 2); }},
          {Op::log_softmax, matrix, [](Args a) { return log_softmax(a[0]); }},
          {Op::cross_entropy, {{{1, 3}}, {{1}, i64}}, [](Args a) { return cross_entropy(a[0], a[1]); }},
          {Op::cross_entropy, {{{1, 2, 3}}, {{1, 2, 3}}}, [](Args a) { return cross_entropy(a[0], a[1]); }},
          {Op::mse, two, [](Args a) { return mse(a[0], a[1]); }},
          {Op::mae, two, [](Args a) { return mae(a[0], a[1]); }},
          {Op::bce_with_logits, two, [](Args a) { return bce_with_logits(a[0], a[1]); }},
          {Op::huber, two, [](Args a) { return huber(a[0], a[1]); }},
          {Op::huber,
           {{{1, 3}}, {{1, 3}}, {{1, 3}}},
           [](Args a) { return weighted_loss(Op::huber, a[0], a[1], a[2], 0.2); }},
          {Op::hinge, {{{1, 3}}, {{1, 3}, u8}}, [](Args a) { return hinge(a[0], a[1]); }},
          {Op::focal, two, [](Args a) { return focal(a[0], a[1]); }},
          {Op::focal, {{{1, 3}}, {{1}, i64}}, [](Args a) { return focal(a[0], a[1]); }},
          {Op::kl_div, two, [](Args a) { return kl_div(a[0], a[1]); }},
          {Op::kl_div,
           {{{1, 2, 3}}, {{1, 2, 3}}, {{1, 2}}},
           [](Args a) { return weighted_loss(Op::kl_div, a[0], a[1], a[2], 0.0); }},
          {Op::cosine_loss, two, [](Args a) { return cosine_loss(a[0], a[1]); }},
          {Op::cosine_loss,
           {{{1, 2, 3}}, {{1, 2, 3}}, {{1, 2}}},
           [](Args a) { return weighted_loss(Op::cosine_loss, a[0], a[1], a[2], 0.0); }},
          {Op::reshape, image,
           [](Args a) {
             return reshape(a[0], {-1, 18, 4, 4});
           }},
          {Op::transpose, image,
           [](Args a) {
             return transpose(a[0], {0, 3, 1, 2});
           }},
          {Op::slice, image, [](Args a) { return slice(a[0], 1, 1, -1, 3); }},
          {Op::concat, two,
           [](Args a) {
             return concat({a[0], a[1], a[0]}, -1);
           }},
          {Op::concat, two,
           [](Args a) {
             return concat({a[0], a[1]}, 0);
           }},
          {Op::pad, image,
           [](Args a) {
             return pad(a[0], {{0, 0}, {1, 2}, {0, 1}, {0, 0}}, -1.5);
           }},
          {Op::dropout, matrix, [](Args a) { return dropout(a[0], 0.4, true); }},
          {Op::gaussian_noise, matrix, [](Args a) { return gaussian_noise(a[0], 0.4, true); }},
          {Op::fake_quant, matrix, [](Args a) { return fake_quant_dynamic(a[0], 7); }},
          {Op::fake_quant, matrix,
           [](Args a) {
             Tensor range = Tensor::from({-0.5, 0.75}, a[0].dtype());
             return fake_quant(a[0], range, {.bits = 5, .frozen = true}, true);
           }},
          {Op::fake_quant, matrix,
           [](Args a) {
             Tensor range = Tensor::from({0.5}, a[0].dtype());
             return fake_quant(a[0], range, {.bits = 4, .symmetric = true, .momentum = 0.5, .frozen = true},
                               false);
           }},
      });
  return cases;
}

TEST_CASE("every op has a case here") {
  std::set<Op> covered;
  for (const ReplayCase& c : replay_cases()) covered.insert(c.op);
  for (int i = 0; i < kOps; ++i)
    CHECK_MESSAGE(covered.contains(static_cast<Op>(i)), name(static_cast<Op>(i)), " has no replay case");
}

TEST_CASE("every op runs from its graph with the bits of the traced call, at any batch, in f32 and f64") {
  nn::Module empty;
  for (const ReplayCase& c : replay_cases()) {
    for (DType dtype : {f32, f64}) {
      std::vector<graph::InputSpec> inputs = c.inputs;
      for (graph::InputSpec& input : inputs)
        if (is_float(input.dtype)) input.dtype = dtype;
      auto call = [&](Args given) {
        std::vector<Tensor> args(given.begin(), given.end());
        return c.call(args);
      };
      if (dtype == f64 &&
          (c.op == Op::matmul || c.op == Op::dense || c.op == Op::conv2d || c.op == Op::conv_transpose2d ||
           c.op == Op::rnn || c.op == Op::gru || c.op == Op::lstm))
        continue;  // their weights are f32
      CAPTURE(name(c.op));
      CAPTURE(name(dtype));
      graph::Graph traced = graph::trace(empty, call, inputs);
      REQUIRE(traced.nodes().size() == 1);
      CHECK(traced.nodes()[0].op == c.op);

      graph::GraphModule copy = graph::GraphModule::from(traced.state(), {});
      for (std::int64_t batch : {1, 4, 7}) {
        std::vector<Tensor> given;
        for (std::size_t i = 0; i < inputs.size(); ++i) given.push_back(input_for(inputs[i], batch, 10 + i));
        manual_seed(1);
        Tensor expected = call(given);
        manual_seed(1);
        CHECK_SAME_BITS(copy.forward(given), expected);
        CHECK(graph::infer_shapes(traced, batch)[traced.output()] == expected.shape());
      }
    }
  }
}

TEST_CASE("an activation fused behind an op is run after it") {
  nn::Module empty;
  const Tensor weight = test::random_tensor({5, 6}, 1), x = test::random_tensor({3, 6}, 2, -9.0, 9.0);
  const graph::Graph traced = graph::trace(
      empty, [&](Args a) { return dense(a[0], weight); }, std::vector<graph::InputSpec>{{{1, 6}}});
  const auto fused = [&](const State& attributes) {
    std::vector<graph::Node> nodes = traced.nodes();
    nodes[0].attributes = attributes;
    return graph::GraphModule(graph::Graph(traced.values(), nodes, traced.output())).forward(x);
  };
  CHECK_SAME_BITS(fused({{"activation", "hard_swish"}}), hard_swish(dense(x, weight)));
  CHECK_SAME_BITS(fused({{"activation", "leaky_relu"}, {"p", 0.3}}), leaky_relu(dense(x, weight), 0.3));
  CHECK_SAME_BITS(fused({{"activation", "clamp"}, {"p", -1.0}, {"q", 2.0}}),
                  clamp(dense(x, weight), -1.0, 2.0));
}

}  // namespace
}  // namespace linnet
