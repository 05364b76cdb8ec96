// SPDX-License-Identifier: Apache-2.0
#include "linnet/optim/ema.h"

#include <algorithm>
#include <cmath>

#include "linnet/core/error.h"
#include "support/check_close.h"
#include "support/fixtures.h"

namespace linnet::test {
namespace {

Tensor weights(int t, DType dtype = f32) {
  return random_tensor({17}, static_cast<std::uint64_t>(t), -1, 1, dtype);
}

}  // namespace

TEST_CASE("the average is its formula, with and without warm-up") {
  for (const bool warm_up : {false, true}) {
    double w = 2.0, average = 2.0;
    Tensor tw = Tensor::from({w}, f64);
    optim::EMA ema({{"w", tw}}, {.decay = 0.75, .warm_up = warm_up});
    for (int t = 1; t <= 50; ++t) {
      w = std::sin(t);
      tw.fill_(w);
      ema.update();
      const double d = warm_up ? std::min(0.75, (1.0 + (t - 1)) / (10.0 + (t - 1))) : 0.75;
      average = d * average + (1 - d) * w;
      CHECK_CLOSE(ema.state()["w"].tensor().item(), average, tol::f64);
    }
    CHECK(ema.updates() == 50);
  }
}

TEST_CASE("weights that do not move are their own average, exactly") {
  Tensor w = weights(3);
  optim::EMA ema({{"w", w}}, {.decay = 0.9});
  for (int i = 0; i < 20; ++i) ema.update();
  CHECK_SAME_BITS(ema.state()["w"].tensor(), weights(3));
}

TEST_CASE("swap exchanges both ways through every handle, without a copy, and two swaps change nothing") {
  Tensor w = weights(1);
  const Tensor handle = w;
  optim::EMA ema({{"w", w}}, {.decay = 0.5, .warm_up = false});
  w.copy_(weights(2));
  ema.update();
  const float* place = w.data<float>().data();
  const Tensor average = ema.state()["w"].tensor().clone();
  ema.swap();
  CHECK(ema.swapped());
  CHECK_SAME_BITS(handle, average);
  CHECK_SAME_BITS(ema.state()["w"].tensor(), weights(2));
  CHECK_THROWS_TEXT(ema.update(), ValueError,
                    "EMA: update: the averages are in the tensors. Call swap() before training on.");
  ema.swap();
  CHECK_SAME_BITS(handle, weights(2));
  CHECK(w.data<float>().data() == place);
  {
    optim::AverageScope outer(&ema), inner(&ema), nothing(nullptr);
    CHECK_SAME_BITS(w, average);
  }
  CHECK_SAME_BITS(w, weights(2));
}

TEST_CASE("averages that are saved and loaded, swapped in or not, go on with the same bits") {
  for (const bool swapped : {false, true}) {
    Tensor w = weights(0), other = Tensor::zeros({17});
    optim::EMA straight({{"w", w}}), resumed({{"w", other}});
    const auto step = [](Tensor& tensor, optim::EMA& ema, int t) {
      tensor.add_(weights(t), 0.5);
      ema.update();
    };
    for (int t = 1; t <= 5; ++t) step(w, straight, t);
    if (swapped) straight.swap();
    other.copy_(w);
    resumed.load(straight.state());
    CHECK(resumed.swapped() == swapped);
    for (optim::EMA* ema : {&straight, &resumed})
      if (swapped) ema->swap();
    for (int t = 6; t <= 9; ++t) {
      step(w, straight, t);
      step(other, resumed, t);
    }
    CHECK_SAME_BITS(other, w);
    CHECK(resumed.state() == straight.state());
  }
}

TEST_CASE("an EMA refuses what it cannot average, and a state that does not fit") {
  Tensor w = Tensor::ones({2});
  using optim::EMA;
  CHECK_THROWS_TEXT(EMA({{"w", w}}, {.decay = 1.0}), ValueError, "EMA: decay must be in [0, 1), got 1.");
  CHECK_THROWS_TEXT(EMA(NamedTensors{}), ValueError,
                    "EMA: there are no tensors to average. Pass model.parameters().");
  CHECK_THROWS_TEXT(EMA({{"w", Tensor()}}), ValueError, "EMA: \"w\" is undefined.");
  CHECK_THROWS_TEXT(EMA({{"n", Tensor::zeros({1}, i64)}}), DTypeError,
                    "EMA: \"n\" must be f32 or f64, got i64.");
  CHECK_THROWS_TEXT(EMA({{"w", w}, {"w", w.clone()}}), ValueError, "EMA: two tensors are called \"w\".");
  CHECK_THROWS_TEXT(EMA({{"a", w}, {"b", w}}), ValueError,
                    "EMA: \"a\" and \"b\" are one tensor. Name it once.");
  EMA ema({{"w", w}});
  CHECK_THROWS_TEXT(ema.load({{"updates", -1}, {"swapped", 0}, {"w", Tensor::ones({2})}}), StateError,
                    "EMA: updates must be at least 0, got -1.");
  CHECK_THROWS_AS(ema.load({{"updates", 4}, {"swapped", 0}, {"w", Tensor::ones({3})}}), StateError);
  CHECK(ema.updates() == 0);
  w.set_contents(Tensor::ones({3}));
  for (const char* function : {"update", "swap"})
    CHECK_THROWS_TEXT(std::string(function) == "swap" ? ema.swap() : ema.update(), ShapeError,
                      std::string("EMA: ") + function +
                          ": \"w\" was f32 [2], now it is f32 [3]. Make a new EMA after changing a model.");
}

}  // namespace linnet::test
