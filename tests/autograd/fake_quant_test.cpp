// SPDX-License-Identifier: Apache-2.0
#include "linnet/autograd/autograd.h"
#include "linnet/autograd/ops.h"
#include "support/check_close.h"
#include "support/fixtures.h"

using namespace linnet;

TEST_CASE("training moves the range of fake_quant towards what it sees, the first time all the way") {
  Tensor range = Tensor::zeros({2});
  const FakeQuantParams params{.momentum = 0.25};
  fake_quant(Tensor::from({-1, 3}), range, params, true);
  CHECK_SAME_BITS(range, Tensor::from({-1, 3}));
  fake_quant(Tensor::from({1, 7}), range, params, true);
  CHECK_SAME_BITS(range, Tensor::from({-0.75, 4}));
  fake_quant(Tensor::from({-9, 9}), range, params, false);
  fake_quant(Tensor::from({-9, 9}), range, {.momentum = 0.25, .frozen = true}, true);
  CHECK_SAME_BITS(range, Tensor::from({-0.75, 4}));
}

TEST_CASE("the range of weights is their largest absolute value, for all or for each row") {
  const Tensor w = Tensor::from({{-3, 1}, {0, 2}});
  Tensor one = Tensor::zeros({1}), rows = Tensor::ones({2});
  fake_quant(w, one, {.symmetric = true}, true);
  fake_quant(w, rows, {.symmetric = true}, true);
  CHECK_SAME_BITS(one, Tensor::from({3}));
  CHECK_SAME_BITS(rows, Tensor::from({3, 2}));
}

TEST_CASE("without a range each sample has its own, alone and in a batch") {
  const Tensor x = test::random_tensor({5, 7, 3}, 1, -2.0, 3.0);
  const Tensor y = fake_quant_dynamic(x);
  for (std::int64_t i = 0; i < 5; ++i)
    CHECK_SAME_BITS(fake_quant_dynamic(slice(x, 0, i, i + 1)), slice(y, 0, i, i + 1));
  CHECK_CLOSE(y, x, (test::Tolerance{0.5 * 5.0 / 255.0, 0.0}));
}

TEST_CASE("weights of which all are 0 are quantized to 0 and get their gradient") {
  Tensor w = Tensor::zeros({3, 2}).set_requires_grad(true), range = Tensor::zeros({3});
  const Tensor y = fake_quant(w, range, {.symmetric = true}, true);
  CHECK_SAME_BITS(y, Tensor::zeros({3, 2}));
  backward(sum(y));
  CHECK_SAME_BITS(w.grad(), Tensor::ones({3, 2}));
}

TEST_CASE("fake_quant has the same bits with any number of threads") {
  const Tensor x = test::random_tensor({64, 5000}, 1);
  Tensor range = Tensor::zeros({64});
  const auto run = [&](int threads) {
    const test::ThreadScope scope(threads);
    return fake_quant(x, range, {.symmetric = true}, true);
  };
  const Tensor y = run(1);
  CHECK_SAME_BITS(run(2), y);
  CHECK_SAME_BITS(run(4), y);
}

TEST_CASE("arguments of fake_quant that do not fit are refused") {
  const Tensor x = Tensor::ones({4, 2});
  Tensor two = Tensor::zeros({2}), three = Tensor::zeros({3}), fine = Tensor::zeros({2}, f64);
  CHECK_THROWS_TEXT(fake_quant(x, three, {}, false), ShapeError,
                    "fake_quant: range must have shape [2], got [3].");
  CHECK_THROWS_TEXT(fake_quant(x, three, {.symmetric = true}, false), ShapeError,
                    "fake_quant: range must have shape [1] or [4], got [3].");
  CHECK_THROWS_TEXT(fake_quant(x, two, {.bits = 9}, false), ValueError,
                    "fake_quant: bits must be in 2..8, got 9.");
  CHECK_THROWS_TEXT(fake_quant(x, two, {.momentum = 0.0}, false), ValueError,
                    "fake_quant: momentum must be in (0, 1], got 0.");
  CHECK_THROWS_TEXT(fake_quant(x, fine, {}, false), DTypeError,
                    "fake_quant: x is f32 but range is f64. Convert one with to().");
  CHECK_THROWS_TEXT(fake_quant_dynamic(Tensor::ones({0, 2})), ShapeError,
                    "fake_quant: x must have a sample, got shape [0, 2].");
}
