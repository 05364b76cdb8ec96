// SPDX-License-Identifier: Apache-2.0
#include "linnet/nn/dense.h"

#include "support/check_close.h"
#include "support/fixtures.h"

namespace linnet::test {
namespace {

TEST_CASE("Dense computes x weight^T + bias over the last axis") {
  nn::Dense layer(3, 2);
  layer.weight.copy_(Tensor::from({{1, 2, 3}, {-1, 0, 4}}));
  layer.bias.copy_(Tensor::from({0.5, -0.5}));
  const Tensor x = Tensor::from({{1, 1, 1}, {2, 0, -1}});
  CHECK_CLOSE(layer(x), Tensor::from({{6.5, 2.5}, {-0.5, -6.5}}), tol::exact);
  CHECK_CLOSE(layer(x.reshape({1, 2, 1, 3})), Tensor::from({6.5, 2.5, -0.5, -6.5}, {1, 2, 1, 2}), tol::exact);
}

TEST_CASE("Dense starts Glorot uniform with bias 0, or as it is told") {
  manual_seed(3);
  const nn::Dense layer(30, 20);
  manual_seed(3);
  CHECK_SAME_BITS(layer.weight.detach(), nn::init::glorot_uniform({20, 30}));
  CHECK_SAME_BITS(layer.bias.detach(), Tensor::zeros({20}));
  const nn::Dense ones(3, 2, {.weight_init = nn::init::constant(1.0)});
  CHECK_SAME_BITS(ones.weight.detach(), Tensor::ones({2, 3}));
}

TEST_CASE("Dense refuses sizes and initialisers that make no sense, and draws nothing for them") {
  manual_seed(1);
  const State generator = rng_state();
  const std::string hint = ". `in` is the number of features of one sample.";
  CHECK_THROWS_TEXT(nn::Dense(0, 10), ValueError, "Dense: sizes must be at least 1: in 0, out 10" + hint);
  CHECK_THROWS_TEXT(nn::Dense(10, -1), ValueError, "Dense: sizes must be at least 1: in 10, out -1" + hint);
  CHECK_THROWS_TEXT(nn::Dense(3, 2, {.weight_init = {}}), ValueError,
                    "Dense: weight_init is empty. Leave it out for Glorot uniform.");
  CHECK_THROWS_TEXT(nn::Dense(3, 2,
                              {.weight_init =
                                   [](const Shape&) {
                                     return Tensor::ones({3, 2});
                                   }}),
                    ShapeError, "Dense: weight_init returned the wrong shape: expected [2, 3], got [3, 2].");
  CHECK(rng_state() == generator);
}

}  // namespace
}  // namespace linnet::test
