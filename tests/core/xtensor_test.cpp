// SPDX-License-Identifier: Apache-2.0
#include "support/check_close.h"

#if __has_include(<xtensor/xadapt.hpp>)

#include <xtensor/xmath.hpp>
#include <xtensor/xview.hpp>

#include "linnet/core/xtensor.h"
#include "support/fixtures.h"

using namespace linnet;

TEST_CASE("an xtensor view reads the tensor's own elements") {
  const Tensor x = test::random_tensor({3, 4, 5}, 1);
  const auto elements = view<float>(x);
  CHECK(elements.dimension() == 3);
  CHECK(elements.shape(1) == 4);
  CHECK(&elements(0, 0, 0) == x.data<float>().data());
  CHECK(elements(2, 1, 3) == x.data<float>()[2 * 20 + 1 * 5 + 3]);
  CHECK(view<float>(Tensor::full({}, 7.0))() == 7.0f);
}

TEST_CASE("a mutable xtensor view writes the tensor in place") {
  const Tensor x = test::random_tensor({4, 6}, 2);
  Tensor y = Tensor::zeros({4, 6});
  const float* place = y.data<float>().data();
  mutable_view<float>(y) = 2.0f * view<float>(x) + 1.0f;
  CHECK(y.data<float>().data() == place);
  for (int i = 0; i < 24; ++i) CHECK(y.data<float>()[i] == 2.0f * x.data<float>()[i] + 1.0f);
}

TEST_CASE("an expression becomes a tensor of its shape and type") {
  const Tensor x = Tensor::from({{1, 2, 3}, {4, 5, 6}});
  const Tensor y = from(xt::view(view<float>(x), xt::all(), xt::range(1, 3)) * 10.0f);
  CHECK_SAME_BITS(y, Tensor::from({{20, 30}, {50, 60}}));
  CHECK_SAME_BITS(from(xt::xarray<double>{1.5, 2.5}), Tensor::from({1.5, 2.5}, f64));
  // The way around keep_dims that the header shows: rows minus their largest element.
  const auto a = view<float>(x);
  const xt::xarray<float> largest = xt::amax(a, {1});
  CHECK_SAME_BITS(from(a - xt::view(largest, xt::all(), xt::newaxis())),
                  Tensor::from({{-2, -1, 0}, {-2, -1, 0}}));
}

TEST_CASE("an xtensor view of another element type is refused") {
  Tensor x = Tensor::ones({2});
  CHECK_THROWS_AS(view<double>(x), DTypeError);
  CHECK_THROWS_AS(mutable_view<std::int64_t>(x), DTypeError);
}

#else

TEST_CASE("xtensor views") { MESSAGE("skipped: xtensor is not installed"); }

#endif
