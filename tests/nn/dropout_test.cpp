// SPDX-License-Identifier: Apache-2.0
#include "linnet/nn/dropout.h"

#include <cmath>
#include <limits>

#include "support/check_close.h"
#include "support/fixtures.h"

namespace linnet::test {
namespace {

TEST_CASE("in training each element is 0 or scaled, with the given probability") {
  manual_seed(4);
  nn::Dropout layer(0.25);
  const Tensor y = layer(Tensor::full({100, 100}, 3.0));
  std::int64_t kept = 0;
  for (const float value : y.data<float>()) {
    CHECK((value == 0.0f || value == 4.0f));
    kept += value != 0.0f;
  }
  // 5 standard deviations of a binomial with 10,000 draws
  CHECK(std::abs(static_cast<double>(kept) - 7500.0) < 5.0 * std::sqrt(10000 * 0.25 * 0.75));
}

TEST_CASE("the mask follows the seed, changes from call to call, and is off in eval") {
  nn::Dropout layer(0.5);
  const Tensor x = Tensor::ones({64});
  manual_seed(4);
  const Tensor first = layer(x), second = layer(x);
  CHECK_FALSE(bit_difference(first, second).empty());
  manual_seed(4);
  CHECK_SAME_BITS(layer(x), first);
  layer.eval();
  CHECK_SAME_BITS(layer(x), x);
  layer.train();
  CHECK_SAME_BITS(layer(x), second);
}

TEST_CASE("a probability outside [0, 1) is refused") {
  for (const double p : {1.0, -0.1, std::numeric_limits<double>::quiet_NaN()})
    CHECK_THROWS_TEXT(
        nn::Dropout{p}, ValueError,
        "Dropout: p must be in [0, 1), got " + concat({p}) + ". It is the share of elements that become 0.");
}

TEST_CASE("GaussianNoise follows the seed, is off in eval, and refuses a size that makes no sense") {
  nn::GaussianNoise layer(0.25);
  const Tensor x = random_tensor({8, 8}, 1);
  manual_seed(4);
  const Tensor first = layer(x);
  CHECK_FALSE(bit_difference(first, x).empty());
  manual_seed(4);
  CHECK_SAME_BITS(layer(x), first);
  layer.eval();
  CHECK_SAME_BITS(layer(x), x);
  CHECK_THROWS_TEXT(nn::GaussianNoise(-1), ValueError,
                    "GaussianNoise: stddev must be finite and not negative, got -1.");
}

TEST_CASE("layers of spatial dropout refuse other ranks and probabilities") {
  CHECK_THROWS_TEXT(nn::SpatialDropout1D()(Tensor::ones({2, 3})), ShapeError,
                    "SpatialDropout1D: x must be [N, T, C], got shape [2, 3].  in SpatialDropout1D 0.5");
  CHECK_THROWS_TEXT(
      nn::SpatialDropout2D()(Tensor::ones({2, 3, 4})), ShapeError,
      "SpatialDropout2D: x must be [N, H, W, C], got shape [2, 3, 4].  in SpatialDropout2D 0.5");
  CHECK_THROWS_TEXT(
      nn::SpatialDropout2D(1.0), ValueError,
      "SpatialDropout2D: p must be in [0, 1), got 1. It is the share of channels that become 0.");
}

}  // namespace
}  // namespace linnet::test
