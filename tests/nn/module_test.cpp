// SPDX-License-Identifier: Apache-2.0
#include "linnet/nn/module.h"

#include <type_traits>

#include "linnet/autograd/autograd.h"
#include "linnet/autograd/ops.h"
#include "linnet/nn/nn.h"
#include "support/check_close.h"
#include "support/fixtures.h"

namespace linnet::test {
namespace {

static_assert(!std::is_copy_constructible_v<nn::Dense>, "a copy would share its weights");
static_assert(std::is_move_constructible_v<nn::Dense> && std::is_move_assignable_v<nn::Dense>);

struct Block : nn::Module {
  nn::Dense fc1{4, 3}, fc2{3, 4, {.bias = false}};
  Tensor seen = Tensor::zeros({1}, i64);
  void members(nn::Members& m) override {
    m.child("fc1", fc1);
    m.buffer("seen", seen);
    m.child("fc2", fc2);
  }
  std::string describe() const override { return "Block"; }
  Tensor operator()(const Tensor& x) { return x + fc2(relu(fc1(x))); }
};

struct Net : nn::Module {
  Tensor scale = Tensor::ones({}).set_requires_grad(true);
  Block block;
  nn::Sequential head{nn::Dropout(0.5), nn::Dense(4, 2)};
  void members(nn::Members& m) override {
    m.parameter("scale", scale);
    m.child("block", block);
    m.child("head", head);
  }
  Tensor operator()(const Tensor& x) { return head(block(x) * scale); }
};

std::vector<std::string> names(const NamedTensors& tensors) {
  std::vector<std::string> all;
  for (const NamedTensor& named : tensors) all.push_back(named.first);
  return all;
}

TEST_CASE("parameters and buffers have full names in member order, without what is undefined") {
  const Net net;
  CHECK(names(net.parameters()) == std::vector<std::string>{"scale", "block.fc1.weight", "block.fc1.bias",
                                                            "block.fc2.weight", "head.1.weight",
                                                            "head.1.bias"});
  CHECK(names(net.buffers()) == std::vector<std::string>{"block.seen"});
  CHECK(net.parameter_count() == 1 + 12 + 3 + 12 + 8 + 2);
  CHECK(net.parameters()[1].second.same_as(net.block.fc1.weight));
}

TEST_CASE("the state holds parameters and buffers in member order, and shares their contents") {
  Net net;
  std::vector<std::string> found;
  const State state = net.state();
  for (const State::Entry& entry : state) found.push_back(entry.first);
  CHECK(found == std::vector<std::string>{"scale", "block.fc1.weight", "block.fc1.bias", "block.seen",
                                          "block.fc2.weight", "head.1.weight", "head.1.bias"});
  net.scale.fill_(3.0);
  CHECK(state["scale"].tensor().item() == 3.0);
  CHECK_FALSE(state["scale"].tensor().requires_grad());
}

TEST_CASE("a fresh module that loads a state computes the same bits") {
  manual_seed(1);
  Net net, fresh;
  net.block.seen.fill_(7);
  const Tensor weight = fresh.block.fc1.weight;  // a handle that an optimizer may hold
  fresh.load(net.state());
  CHECK(fresh.state() == net.state());
  CHECK_SAME_BITS(weight.detach(), net.block.fc1.weight.detach());
  CHECK(weight.requires_grad());
  net.eval();
  fresh.eval();
  const Tensor x = random_tensor({3, 4}, 1);
  CHECK_SAME_BITS(fresh(x), net(x));
}

TEST_CASE("a state that does not fit is refused with the whole difference and changes nothing") {
  manual_seed(1);
  nn::Sequential model{nn::Dense(3, 2), nn::ReLU(), nn::Dense(2, 1)};
  const Tensor before = model.parameters()[0].second.clone();
  CHECK_THROWS_TEXT(model.load({{"0.weight", Tensor::zeros({2, 3})},
                                {"0.bias", Tensor::zeros({3})},
                                {"2.weight", Tensor::zeros({1, 2}, f64)},
                                {"3.bias", Tensor::zeros({1})}}),
                    StateError,
                    "load: the state does not fit:\n  shape of 0.bias: expected [2], got [3]\n"
                    "  type of 2.weight: expected f32, got f64\n  missing: 2.bias [1] f32\n"
                    "  unexpected: 3.bias [1] f32\nWas it saved from another model?");
  CHECK_SAME_BITS(model.parameters()[0].second.detach(), before);
}

TEST_CASE("a tensor with two names is one parameter, under the first name") {
  struct Tied : nn::Module {
    nn::Dense in{3, 3}, out{3, 3};
    Tied() { out.weight = in.weight; }
    void members(nn::Members& m) override {
      m.child("in", in);
      m.child("out", out);
    }
  };
  Tied tied, fresh;
  CHECK(names(tied.parameters()) == std::vector<std::string>{"in.weight", "in.bias", "out.bias"});
  CHECK(tied.parameter_count() == 15);
  fresh.load(tied.state());
  CHECK_SAME_BITS(fresh.out.weight.detach(), tied.in.weight.detach());
}

TEST_CASE("two members of one name are refused") {
  struct Twice : nn::Module {
    nn::Dense a{1, 1}, b{1, 1};
    void members(nn::Members& m) override {
      m.child("fc", a);
      m.child("fc", b);
    }
    std::string describe() const override { return "Twice"; }
  };
  struct Outer : nn::Module {
    Twice inner;
    void members(nn::Members& m) override { m.child("inner", inner); }
  };
  CHECK_THROWS_TEXT(
      Twice().parameters(), ValueError,
      "members: two members of Twice have one name: \"fc\". Give each its own: it is the name in "
      "checkpoints.");
  CHECK_THROWS_TEXT(
      Outer().state(), ValueError,
      "members: two members of inner (Twice) have one name: \"fc\". Give each its own: it is the name in "
      "checkpoints.");
}

TEST_CASE("train and eval reach every module below") {
  Net net;
  CHECK(net.training());
  net.eval();
  CHECK_FALSE(net.training());
  CHECK_FALSE(net.block.fc2.training());
  CHECK_FALSE(net.head[0].training());
  net.block.train();
  CHECK(net.block.fc1.training());
  CHECK_FALSE(net.training());
  net.train();
  CHECK(net.head[0].training());
}

TEST_CASE("zero_grad drops every gradient") {
  Net net;
  backward(sum(net(random_tensor({2, 4}, 1))));
  CHECK(net.scale.grad().defined());
  net.zero_grad();
  for (const NamedTensor& parameter : net.parameters()) CHECK_FALSE(parameter.second.grad().defined());
}

TEST_CASE("a module converts to f64 and back, through every handle; integer buffers stay") {
  Net net;
  const Tensor handle = net.block.fc1.weight, before = handle.clone();
  net.to(f64);
  CHECK(handle.dtype() == f64);
  CHECK(handle.requires_grad());
  CHECK(net.block.seen.dtype() == i64);
  CHECK(net(random_tensor({2, 4}, 1, -1, 1, f64)).dtype() == f64);
  net.to(f32);
  CHECK_SAME_BITS(handle.detach(), before);
  CHECK_THROWS_TEXT(net.to(i8), DTypeError,
                    "to: a module computes in f32 or f64, not in i8. Quantized models are made by compress.");
}

TEST_CASE("a module prints as a tree with its parameter counts") {
  CHECK(Net().str() ==
        "Module (38 parameters)\n"
        "  block: Block (27 parameters)\n"
        "    fc1: Dense 4 -> 3 (15 parameters)\n"
        "    fc2: Dense 3 -> 4, no bias (12 parameters)\n"
        "  head: Sequential of 2 (10 parameters)\n"
        "    0: Dropout 0.5\n"
        "    1: Dense 4 -> 2 (10 parameters)\n");
}

TEST_CASE("an error names the layer it happened in, once the tree has been walked") {
  Net net;
  const Tensor wrong = random_tensor({2, 5}, 1);
  const std::string what =
      "dense: the last axis of x must have 4 elements: x [2, 5], weight [3, 4]. Flatten the input first?";
  CHECK_THROWS_TEXT(net.block.fc1(wrong), ShapeError, what + "  in Dense 4 -> 3");
  CHECK(net.block.fc1.location() == "Dense 4 -> 3");
  net.parameters();
  CHECK_THROWS_TEXT(net.block.fc1(wrong), ShapeError, what + "  in block.fc1 (Dense 4 -> 3)");
  CHECK_THROWS_TEXT(
      net.head(wrong), ShapeError,
      "dense: the last axis of x must have 4 elements: x [2, 5], weight [2, 4]. Flatten the input first?"
      "  in head.1 (Dense 4 -> 2)");
}

TEST_CASE("walking a part of a tree leaves its place in the whole") {
  Net net;
  net.parameters();
  CHECK(names(net.block.parameters()).front() == "fc1.weight");
  CHECK(net.block.fc1.location() == "block.fc1 (Dense 4 -> 3)");
  CHECK(net.block.location() == "block (Block)");
  CHECK(net.location() == "Module");
}

}  // namespace
}  // namespace linnet::test
