// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/quantizer.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "linnet/core/kernels/fake_quant.h"
#include "support/check_close.h"
#include "support/fixtures.h"

using namespace linnet;

TEST_CASE("a range becomes scale and zero, and holds 0 exactly") {
  CHECK(symmetric_quantizer(1.27, 8) == Quantizer{0.01f, 0, -127, 127});
  CHECK(symmetric_quantizer(7.0, 4) == Quantizer{1.0f, 0, -7, 7});
  CHECK(symmetric_quantizer(0.0, 8).scale == 1e-30f);
  CHECK(range_quantizer(0.0, 2.55, 8) == Quantizer{0.01f, -128, -128, 127});
  CHECK(range_quantizer(0.5, 2.55, 8) == Quantizer{0.01f, -128, -128, 127});
  CHECK(range_quantizer(-2.55, -1.0, 8) == Quantizer{0.01f, 127, -128, 127});
  // the fixed ranges of softmax and sigmoid, of tanh and recurrent layers
  CHECK(range_quantizer(0.0, 255.0 / 256.0, 8) == Quantizer{1.0f / 256.0f, -128, -128, 127});
  CHECK(range_quantizer(-1.0, 127.0 / 128.0, 8) == Quantizer{1.0f / 128.0f, 0, -128, 127});
}

TEST_CASE("fake_quant takes each number to the nearest of the staircase, and no further than its ends") {
  const Quantizer by[] = {{0.25f, 1, -8, 7}, {0.5f, 0, -7, 7}};
  const Tensor x = Tensor::from({{0.1, 0.125, -0.375, 1.6, -2.26, 0.0}, {0.2, 0.75, -0.25, 9.0, -9.0, 3.4}});
  const Tensor y = Tensor::from({{0.0, 0.0, -0.5, 1.5, -2.25, 0.0}, {0.0, 1.0, 0.0, 3.5, -3.5, 3.5}});
  CHECK_CLOSE(kernels::fake_quant(x, by), y, (test::Tolerance{}));
}

TEST_CASE("fake_quant equals rounding by the C library, for every length and type") {
  for (const DType type : {f32, f64})
    for (const std::int64_t n : {1, 15, 16, 33, 40000}) {
      const Tensor x = test::random_tensor({3, n}, 5, -2.0, 2.0, type);
      const Quantizer by[] = {range_quantizer(-1.0, 1.5, 8), range_quantizer(0.0, 1.0, 4),
                              symmetric_quantizer(1.1, 8)};
      const Tensor y = kernels::fake_quant(x, by);
      for (std::int64_t i = 0; i < x.size(); ++i) {
        const Quantizer& q = by[i / n];
        const double expected =
            type == f32 ? std::clamp(std::nearbyintf(x.data<float>()[i] / q.scale) + float(q.zero),
                                     float(q.low), float(q.high))
                        : std::clamp(std::nearbyint(x.data<double>()[i] / q.scale) + double(q.zero),
                                     double(q.low), double(q.high));
        const double got = type == f32 ? y.data<float>()[i] : y.data<double>()[i];
        if (got !=
            (type == f32 ? double(float(expected - q.zero) * q.scale) : (expected - q.zero) * q.scale)) {
          FAIL_CHECK("element ", i, ": ", got);
          break;
        }
      }
    }
}

TEST_CASE("extents are those of each part and of 0, without NaN") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const Tensor x = Tensor::from({{1.0, 3.0, nan}, {-2.0, nan, 5.0}});
  std::vector<kernels::Extent> all(2), one(1);
  kernels::extents(x, all);
  kernels::extents(x, one);
  CHECK(all[0].low == 0.0);
  CHECK(all[0].high == 3.0);
  CHECK(all[1].low == -2.0);
  CHECK(all[1].high == 5.0);
  CHECK(one[0].low == -2.0);
  CHECK(one[0].high == 5.0);
}
