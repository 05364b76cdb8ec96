// SPDX-License-Identifier: Apache-2.0
// Normalisation, embedding and dropout of channels: what they refuse, and what they do beside their values.
#include <cmath>

#include "linnet/autograd/autograd.h"
#include "linnet/autograd/ops.h"
#include "support/check_close.h"
#include "support/fixtures.h"

namespace linnet {
namespace {

TEST_CASE("normalisation refuses what does not fit before anything has changed") {
  Tensor mean = Tensor::zeros({3}), variance = Tensor::ones({3});
  const Tensor x = Tensor::ones({2, 3}), weight = Tensor::ones({3});
  CHECK_THROWS_TEXT(batch_norm(x, mean, variance, weight, {}, {}, true), ValueError,
                    "batch_norm: got weight alone. Give weight and bias, or neither.");
  CHECK_THROWS_TEXT(batch_norm(x, mean, variance, {}, weight, {}, true), ValueError,
                    "batch_norm: got bias alone. Give weight and bias, or neither.");
  CHECK_THROWS_TEXT(
      batch_norm(x, mean, variance, Tensor::ones({2}), weight, {}, true), ShapeError,
      "batch_norm: x of shape [2, 3] needs weight of shape [3], got [2]. Channels are the last axis.");
  CHECK_THROWS_TEXT(batch_norm(x, mean, variance, {}, {}, {.eps = 0.0}, true), ValueError,
                    "batch_norm: eps must be above 0, got 0.");
  CHECK_THROWS_TEXT(batch_norm(x, mean, variance, {}, {}, {.momentum = -0.5}, true), ValueError,
                    "batch_norm: momentum must be in [0, 1], got -0.5. It is the share of the new batch.");
  Tensor none;
  CHECK_THROWS_TEXT(batch_norm(x, none, variance, {}, {}, {}, true), ValueError,
                    "batch_norm: running_mean is undefined.");
  CHECK_CLOSE(mean, Tensor::zeros({3}), tol::exact);

  CHECK_THROWS_TEXT(group_norm(x, 2), ShapeError,
                    "group_norm: 2 groups do not divide the 3 channels of x [2, 3].");
  CHECK_THROWS_TEXT(group_norm(Tensor::ones({3}), 1), ShapeError,
                    "group_norm: x must have a batch axis and channels as its last axis, got shape [3].");
  CHECK_THROWS_TEXT(layer_norm(x, 3), ShapeError,
                    "layer_norm: expected 1 to 2 axes for x of shape [2, 3], got 3.");
  CHECK_THROWS_TEXT(layer_norm(x, 1, {}, {}, -1.0), ValueError,
                    "layer_norm: eps must be at least 1e-30, got -1.");
  CHECK_THROWS_TEXT(
      layer_norm(x, 2, weight, weight), ShapeError,
      "layer_norm: x of shape [2, 3] needs weight of shape [2, 3], got [3]. Channels are the last axis.");
}

TEST_CASE("backward of an eval pass does not mind that training has moved the statistics since") {
  Tensor mean = Tensor::zeros({2}), variance = Tensor::full({2}, 4.0);
  Tensor x = Tensor::ones({3, 2}).set_requires_grad(true);
  const Tensor y = batch_norm(x, mean, variance, {}, {}, {}, false);
  batch_norm(Tensor::from({{1, 5}, {2, 6}}), mean, variance, {}, {}, {}, true);
  backward(sum(y));
  CHECK_CLOSE(x.grad(), Tensor::full({3, 2}, 0.5), test::Tolerance({1e-5, 0.0}));
}

TEST_CASE("an index outside the table is refused by position and value, whatever its type") {
  const Tensor table = Tensor::ones({5, 2});
  for (const DType dtype : {i64, i32, u8})
    CHECK_THROWS_TEXT(embedding(Tensor::from({0, 4, 7, 9}, {2, 2}, dtype), table), ValueError,
                      "embedding: index 7 at position 2 is outside 0..4. The table has 5 rows.");
  CHECK_THROWS_TEXT(embedding(Tensor::from({0, -1}, i64), table), ValueError,
                    "embedding: index -1 at position 1 is outside 0..4. The table has 5 rows.");
  CHECK_THROWS_TEXT(embedding(Tensor::ones({2}), table), DTypeError,
                    "embedding: indices must be i64, i32 or u8, got f32.");
  CHECK_THROWS_TEXT(embedding(Tensor::zeros({2}, i64), Tensor::ones({5})), ShapeError,
                    "embedding: weight must have 2 axes, got shape [5].");
  CHECK_THROWS_TEXT(embedding(Tensor::zeros({2}, i64), table, 5), ValueError,
                    "embedding: padding_idx 5 is outside 0..4.");
  CHECK_THROWS_TEXT(embedding(Tensor::zeros({1, 1, 1, 1, 1, 1}, i64), table), ShapeError,
                    "embedding: indices of shape [1, 1, 1, 1, 1, 1] leave no axis for the vectors.");
}

TEST_CASE("spatial dropout drops and scales whole channels, each sample its own") {
  manual_seed(6);
  const Tensor y = spatial_dropout(Tensor::ones({40, 3, 5, 25}), 0.25, true);
  std::int64_t kept = 0;
  for (std::int64_t n = 0; n < 40; ++n)
    for (std::int64_t c = 0; c < 25; ++c) {
      const float first = y.data<float>()[n * 375 + c];
      CHECK((first == 0.0f || first == static_cast<float>(1.0 / 0.75)));
      kept += first != 0.0f;
      for (std::int64_t place = 1; place < 15; ++place)
        CHECK(y.data<float>()[(n * 15 + place) * 25 + c] == first);
    }
  // 5 standard deviations of a binomial with 1000 draws
  CHECK(std::abs(static_cast<double>(kept) - 750.0) < 5.0 * std::sqrt(1000 * 0.25 * 0.75));
  CHECK_THROWS_TEXT(spatial_dropout(Tensor::ones({3}), 0.5, true), ShapeError,
                    "spatial_dropout: x must be [N, ..., C], got shape [3].");
  CHECK_THROWS_TEXT(spatial_dropout(Tensor::ones({3, 2}), 1.0, true), ValueError,
                    "spatial_dropout: p must be in [0, 1), got 1.");
}

TEST_CASE(
    "gaussian noise adds normal numbers of the given size, a call number each, and passes gradients on") {
  manual_seed(8);
  Tensor x = Tensor::full({100, 100}, 3.0).set_requires_grad(true);
  const Tensor y = gaussian_noise(x, 0.5, true), noise = y.detach().to(f64) - 3.0;
  // 5 standard deviations of the mean and of the variance of 10,000 normal numbers
  CHECK(std::abs(mean(noise).item()) < 5.0 * 0.5 / 100);
  CHECK(std::abs(mean(square(noise)).item() / 0.25 - 1.0) < 5.0 * std::sqrt(2.0) / 100);
  CHECK_FALSE(test::bit_difference(gaussian_noise(x, 0.5, true), y).empty());
  CHECK(rng_state()["next_call"].integer() == 2);
  backward(y, {.gradient = test::random_tensor({100, 100}, 1)});
  CHECK_SAME_BITS(x.grad(), test::random_tensor({100, 100}, 1));

  CHECK(gaussian_noise(x, 0.5, false).same_as(x));
  CHECK(gaussian_noise(x, 0.0, true).same_as(x));
  CHECK(rng_state()["next_call"].integer() == 2);
  CHECK_THROWS_TEXT(gaussian_noise(x, -0.5, true), ValueError,
                    "gaussian_noise: stddev must be finite and not negative, got -0.5.");
}

TEST_CASE("batch_norm moves both of its running statistics or none") {
  const Tensor x = test::random_tensor({5, 2}, 1);
  Tensor mean = Tensor::zeros({2}), source = Tensor::ones({2}).set_requires_grad(true),
         variance = source * 1.0;
  CHECK_THROWS_AS(batch_norm(x, mean, variance, {}, {}, {}, true), AutogradError);
  CHECK_SAME_BITS(mean, Tensor::zeros({2}));
}

TEST_CASE("inputs without a gradient that ask for one get none, and disturb nobody") {
  Tensor x = test::random_tensor({2, 3, 4}, 1), mask = Tensor::ones({2, 3}).set_requires_grad(true);
  const Tensor y = rnn(x, Tensor::ones({5, 4}), Tensor::ones({5, 5}), Tensor::zeros({5}), {.mask = mask});
  CHECK_NOTHROW(backward(sum(y)));
  CHECK_FALSE(mask.grad().defined());
}

TEST_CASE("the gradient of spatial dropout has its mask") {
  manual_seed(7);
  Tensor x = test::random_tensor({4, 6, 9}, 1, 0.5, 1.0).set_requires_grad(true);
  const Tensor y = spatial_dropout(x, 0.5, true);
  backward(sum(y));
  for (std::int64_t i = 0; i < x.size(); ++i)
    CHECK((y.data<float>()[i] != 0.0f) == (x.grad().data<float>()[i] == 2.0f));
}

}  // namespace
}  // namespace linnet
