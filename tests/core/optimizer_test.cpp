// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/kernels/optimizer.h"

#include "kernel_cases.h"
#include "linnet/core/tensor_impl.h"

using namespace linnet;
using namespace linnet::test;

namespace {

kernels::AdamStep adam_step(int t, double weight_decay = 0.0, bool decoupled = false) {
  return {.lr = 0.01,
          .beta1 = 0.9,
          .beta2 = 0.999,
          .eps = 1e-8,
          .weight_decay = weight_decay,
          .decoupled = decoupled,
          .correction1 = 1 - std::pow(0.9, t),
          .correction2 = 1 - std::pow(0.999, t)};
}

/// What a parameter and its two state tensors are after some steps with gradients of a seed.
struct Run {
  Tensor w, first, second;
};

Run run_adam(DType dtype, std::int64_t n, int steps, double decay, bool decoupled) {
  Run run{random_tensor({n}, 1, -1, 1, dtype), Tensor::zeros({n}, dtype), Tensor::zeros({n}, dtype)};
  for (int t = 1; t <= steps; ++t)
    kernels::adam_update(run.w, random_tensor({n}, 10 + t, -1, 1, dtype), run.first, run.second,
                         adam_step(t, decay, decoupled));
  return run;
}

Run run_sgd(DType dtype, std::int64_t n, int steps, double momentum, double dampening, double decay,
            bool nesterov) {
  Run run{random_tensor({n}, 2, -1, 1, dtype), momentum != 0.0 ? Tensor::empty({n}, dtype) : Tensor(), {}};
  for (int t = 1; t <= steps; ++t)
    kernels::sgd_update(run.w, random_tensor({n}, 50 + t, -1, 1, dtype), run.first,
                        {.lr = 0.1,
                         .momentum = momentum,
                         .dampening = dampening,
                         .weight_decay = decay,
                         .nesterov = nesterov,
                         .first = t == 1});
  return run;
}

Run run_amsgrad(DType dtype, std::int64_t n, int steps, double decay, bool decoupled) {
  Run run{random_tensor({n}, 1, -1, 1, dtype), Tensor::zeros({n}, dtype), Tensor::zeros({n}, dtype)};
  Tensor largest = Tensor::zeros({n}, dtype);
  for (int t = 1; t <= steps; ++t)
    kernels::adam_update(run.w, random_tensor({n}, 10 + t, -1, 1, dtype), run.first, run.second,
                         adam_step(t, decay, decoupled), &largest);
  run.second = largest;
  return run;
}

Run run_nadam(DType dtype, std::int64_t n, int steps, double decay) {
  Run run{random_tensor({n}, 3, -1, 1, dtype), Tensor::zeros({n}, dtype), Tensor::zeros({n}, dtype)};
  for (int t = 1; t <= steps; ++t)
    kernels::nadam_update(run.w, random_tensor({n}, 30 + t, -1, 1, dtype), run.first, run.second,
                          {.lr = 0.01,
                           .beta1 = 0.9,
                           .beta2 = 0.999,
                           .eps = 1e-8,
                           .weight_decay = decay,
                           .moment_share = 0.5 / t,
                           .gradient_share = 0.75,
                           .correction2 = 1 - std::pow(0.999, t)});
  return run;
}

Run run_rmsprop(DType dtype, std::int64_t n, int steps, bool centered, bool momentum, double decay) {
  Run run{random_tensor({n}, 4, -1, 1, dtype), Tensor::zeros({n}, dtype), Tensor::zeros({n}, dtype)};
  Tensor velocity = Tensor::zeros({n}, dtype);
  for (int t = 1; t <= steps; ++t)
    kernels::rmsprop_update(run.w, random_tensor({n}, 70 + t, -1, 1, dtype), run.second,
                            centered ? &run.first : nullptr, momentum ? &velocity : nullptr,
                            {.lr = 0.01, .alpha = 0.9, .eps = 1e-3, .weight_decay = decay, .momentum = 0.9});
  if (!centered) run.first = velocity;
  return run;
}

Run run_adagrad(DType dtype, std::int64_t n, int steps, double decay) {
  Run run{random_tensor({n}, 5, -1, 1, dtype), Tensor::zeros({n}, dtype), {}};
  for (int t = 1; t <= steps; ++t)
    kernels::adagrad_update(run.w, random_tensor({n}, 90 + t, -1, 1, dtype), run.first,
                            {.rate = 0.05, .eps = 1e-10, .weight_decay = decay});
  return run;
}

/// With `exact` gradients and factors that f32 and f64 take the same signs from.
Run run_lion(DType dtype, std::int64_t n, int steps, bool exact) {
  Run run{random_tensor({n}, 6, -1, 1, dtype), Tensor::zeros({n}, dtype), {}};
  for (int t = 1; t <= steps; ++t) {
    Tensor g = random_tensor({n}, 110 + t, -1, 1, dtype);
    if (exact)
      g = random_labels({n}, static_cast<std::uint64_t>(110 + t), 9)
              .to(dtype)
              .add_(Tensor::full({n}, 4.0, dtype), -1.0);
    kernels::lion_update(
        run.w, g, run.first,
        {.lr = 0.01, .beta1 = exact ? 0.75 : 0.9, .beta2 = exact ? 0.5 : 0.99, .weight_decay = 0.1});
  }
  return run;
}

Run run_ema(DType dtype, std::int64_t n, int steps) {
  Run run{random_tensor({n}, 7, -1, 1, dtype), {}, {}};
  for (int t = 1; t <= steps; ++t) kernels::ema_update(run.w, random_tensor({n}, 130 + t, -1, 1, dtype), 0.9);
  return run;
}

}  // namespace

TEST_CASE("Adam in f64 is its formula, step by step") {
  for (bool decoupled : {false, true}) {
    const double decay = 0.1;
    double w = 0.5, m = 0.0, v = 0.0;
    Tensor tw = Tensor::from({w}, f64), tm = Tensor::zeros({1}, f64), tv = Tensor::zeros({1}, f64);
    for (int t = 1; t <= 10; ++t) {
      double g = std::sin(t);
      kernels::adam_update(tw, Tensor::from({g}, f64), tm, tv, adam_step(t, decay, decoupled));
      if (decoupled)
        w -= 0.01 * decay * w;
      else
        g += decay * w;
      m = 0.9 * m + 0.1 * g;
      v = 0.999 * v + 0.001 * g * g;
      w -= 0.01 * (m / (1 - std::pow(0.9, t))) / (std::sqrt(v / (1 - std::pow(0.999, t))) + 1e-8);
      CHECK_CLOSE(tw.item(), w, tol::f64);
      CHECK_CLOSE(tm.item(), m, tol::f64);
      CHECK_CLOSE(tv.item(), v, tol::f64);
    }
  }
}

TEST_CASE("SGD in f64 is its formula, with every combination of its options") {
  for (double momentum : {0.0, 0.9})
    for (double dampening : {0.0, 0.3})
      for (double decay : {0.0, 0.05})
        for (bool nesterov : {false, true}) {
          double w = 0.5, v = 0.0;
          Tensor tw = Tensor::from({w}, f64), tv = momentum != 0.0 ? Tensor::full({1}, 1e9, f64) : Tensor();
          for (int t = 1; t <= 6; ++t) {
            double g = std::cos(t);
            kernels::sgd_update(tw, Tensor::from({g}, f64), tv,
                                {.lr = 0.1,
                                 .momentum = momentum,
                                 .dampening = dampening,
                                 .weight_decay = decay,
                                 .nesterov = nesterov,
                                 .first = t == 1});
            g += decay * w;
            v = t == 1 ? g : momentum * v + (1 - dampening) * g;
            if (momentum == 0.0)
              w -= 0.1 * g;
            else
              w -= 0.1 * (nesterov ? g + momentum * v : v);
            CHECK_CLOSE(tw.item(), w, tol::f64);
          }
        }
}

namespace {

void check_newer_against_f64(std::int64_t n, int i) {
  const double decay = 0.1 * (i % 3);
  const bool flag = i % 2;
  const auto check = [](const Run& f32_run, const Run& f64_run) {
    CHECK_CLOSE(f32_run.w, f64_run.w, tol::f32_accumulated(10));
    for (const auto part : {&Run::first, &Run::second})
      if ((f32_run.*part).defined()) CHECK_CLOSE(f32_run.*part, f64_run.*part, tol::f32_accumulated(10));
  };
  check(run_amsgrad(f32, n, 10, decay, flag), run_amsgrad(f64, n, 10, decay, flag));
  check(run_nadam(f32, n, 10, decay), run_nadam(f64, n, 10, decay));
  check(run_rmsprop(f32, n, 10, flag, i % 4 < 2, decay), run_rmsprop(f64, n, 10, flag, i % 4 < 2, decay));
  check(run_adagrad(f32, n, 10, decay), run_adagrad(f64, n, 10, decay));
  check(run_lion(f32, n, 10, true), run_lion(f64, n, 10, true));
  check(run_ema(f32, n, 10), run_ema(f64, n, 10));
}

/// Sizes [first, end) of a series.
void check_updates_against_f64(int first, int end) {
  on_every_isa([=] {
    Rng rng(31, static_cast<std::uint64_t>(first));
    for (int i = first; i < end; ++i) {
      const std::int64_t n = odd_size(rng) * odd_size(rng);
      const bool flag = i % 2;
      // Ten steps of a hundredth: a few roundings of numbers of order one. The ratio m / sqrt(v) of Adam is
      // at most one and loses some places where gradients nearly cancel.
      const Run adam = run_adam(f32, n, 10, 0.1 * (i % 3), flag),
                adam64 = run_adam(f64, n, 10, 0.1 * (i % 3), flag);
      CHECK_CLOSE(adam.w, adam64.w, tol::f32_accumulated(10));
      CHECK_CLOSE(adam.first, adam64.first, tol::f32_accumulated(10));
      CHECK_CLOSE(adam.second, adam64.second, tol::f32_accumulated(10));
      const double momentum = i % 3 == 0 ? 0.0 : 0.9;
      const Run sgd = run_sgd(f32, n, 10, momentum, 0.1, 0.01, flag);
      CHECK_CLOSE(sgd.w, run_sgd(f64, n, 10, momentum, 0.1, 0.01, flag).w, tol::f32_accumulated(10));
      check_newer_against_f64(n, i);
    }
  });
}

}  // namespace

TEST_CASE("the f32 updates agree with f64 on every instruction set and size") {
  check_updates_against_f64(0, kShapes);
}
TEST_SUITE("long") {
  TEST_CASE("ten steps of every optimizer agree with f64 on 1,000 sizes, on every instruction set") {
    check_updates_against_f64(kShapes, kManyShapes);
  }
}

TEST_CASE("updates have the same bits on every instruction set and number of threads, SSE2 included") {
  const auto check = [](auto make) {
    const Tensor expected = make();
    on_every_isa([&] { CHECK_SAME_BITS(make(), expected); });
    check_same_bits_everywhere(make);
  };
  check([] { return run_adam(f32, 50'001, 5, 0.01, true).w; });
  check([] { return run_adam(f32, 50'001, 5, 0.01, false).second; });
  check([] { return run_sgd(f32, 50'001, 5, 0.9, 0.0, 0.01, true).w; });
  check([] { return run_sgd(f32, 50'001, 5, 0.0, 0.0, 0.01, false).w; });
  check([] { return run_amsgrad(f32, 50'001, 5, 0.01, true).w; });
  check([] { return run_nadam(f32, 50'001, 5, 0.01).w; });
  for (const bool centered : {false, true})
    for (const bool momentum : {false, true})
      check([=] { return run_rmsprop(f32, 50'001, 5, centered, momentum, 0.01).w; });
  check([] { return run_adagrad(f32, 50'001, 5, 0.01).w; });
  check([] { return run_lion(f32, 50'001, 5, false).w; });
  check([] { return run_ema(f32, 50'001, 5).w; });
}

TEST_CASE("a largest v stays when v falls, a centered mean square is never negative, sign of 0 is 0") {
  on_every_isa([] {
    Tensor w = Tensor::zeros({1}), m = Tensor::zeros({1}), v = Tensor::from({4.0}),
           largest = Tensor::from({1.0});
    kernels::adam_update(w, Tensor::zeros({1}), m, v, adam_step(1), &largest);
    CHECK_CLOSE(largest, Tensor::from({4.0 * 0.999}), tol::f32);
    largest.fill_(9.0);
    kernels::adam_update(w, Tensor::zeros({1}), m, v, adam_step(2), &largest);
    CHECK(largest.item() == 9.0);
    Tensor square = Tensor::from({0.25}), mean = Tensor::from({0.5625});
    kernels::rmsprop_update(w, Tensor::from({0.5}), square, &mean, nullptr,
                            {.lr = 0.5, .alpha = 0.5, .eps = 1.0, .weight_decay = 0.0, .momentum = 0.0});
    CHECK(w.item() == -0.25);
    kernels::lion_update(w, Tensor::zeros({1}), m,
                         {.lr = 1.0, .beta1 = 0.9, .beta2 = 0.99, .weight_decay = 0.0});
    CHECK(w.item() == -0.25);
  });
}

TEST_CASE("state below 1e-30 becomes 0 in f32, and NaN stays visible") {
  on_every_isa([] {
    Tensor w = Tensor::ones({3}), m = Tensor::from({1.05e-30, 1.0, -1.05e-30}),
           v = Tensor::from({1e-30, 1.0, 1e-31});
    kernels::adam_update(w, Tensor::zeros({3}), m, v, adam_step(1));
    CHECK_CLOSE(m, Tensor::from({0.0, 0.9, 0.0}), tol::f32);
    CHECK(m.data<float>()[0] == 0.0f);
    CHECK(v.data<float>()[0] == 0.0f);
    CHECK_CLOSE(v, Tensor::from({0.0, 0.999, 0.0}), tol::f32);
    Tensor bad = Tensor::ones({1}), m1 = Tensor::zeros({1}), v1 = Tensor::zeros({1});
    kernels::adam_update(bad, Tensor::from({std::nan("")}), m1, v1, adam_step(1));
    CHECK(std::isnan(bad.item()));
    CHECK(std::isnan(m1.item()));
  });
}

TEST_CASE("an update bumps the version of what it changes, and a wrong shape or type changes nothing") {
  Tensor w = Tensor::ones({3}), m = Tensor::zeros({3}), v = Tensor::zeros({3}), none;
  const auto version = [&] { return w.impl()->storage->version(); };
  const std::uint32_t before = version();
  CHECK_THROWS_TEXT(kernels::adam_update(w, Tensor::ones({2}), m, v, adam_step(1)), ShapeError,
                    "adam: the shape of gradient differs: parameter [3], gradient [2].");
  CHECK_THROWS_TEXT(kernels::sgd_update(w, Tensor::ones({3}, f64), none, {}), DTypeError,
                    "sgd: the element type of gradient differs: parameter f32, gradient f64.");
  Tensor two = Tensor::zeros({2});
  CHECK_THROWS_TEXT(kernels::adam_update(w, Tensor::ones({3}), m, v, adam_step(1), &two), ShapeError,
                    "adam: the shape of v_max differs: parameter [3], v_max [2].");
  CHECK_THROWS_TEXT(kernels::nadam_update(w, Tensor::ones({3}), two, v, {}), ShapeError,
                    "nadam: the shape of m differs: parameter [3], m [2].");
  CHECK_THROWS_TEXT(kernels::rmsprop_update(w, Tensor::ones({3}), v, &two, nullptr, {}), ShapeError,
                    "rmsprop: the shape of mean differs: parameter [3], mean [2].");
  CHECK_THROWS_TEXT(kernels::adagrad_update(w, Tensor::ones({3}), two, {}), ShapeError,
                    "adagrad: the shape of sum differs: parameter [3], sum [2].");
  CHECK_THROWS_TEXT(kernels::lion_update(w, Tensor::ones({3}), two, {}), ShapeError,
                    "lion: the shape of m differs: parameter [3], m [2].");
  CHECK_THROWS_TEXT(kernels::ema_update(w, two, 0.5), ShapeError,
                    "ema: the shape of average differs: parameter [2], average [3].");
  CHECK(version() == before);
  CHECK_CLOSE(w, Tensor::ones({3}), tol::exact);
  kernels::adam_update(w, Tensor::ones({3}), m, v, adam_step(1));
  CHECK(version() > before);
}
