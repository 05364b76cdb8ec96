// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/kernels/norm.h"

#include <cmath>

#include "kernel_cases.h"
#include "linnet/core/kernels/elementwise.h"
#include "linnet/core/kernels/embedding.h"

using namespace linnet;
using namespace linnet::test;
using kernels::Moments;
using kernels::Normalizer;
using kernels::NormShape;

namespace {

/// Mean and biased variance of group g of sample n, by the definition.
std::pair<double, double> by_definition(const Tensor& x, const NormShape& s, std::int64_t n, std::int64_t g) {
  const Tensor wide = x.to(f64);
  const auto values = wide.data<double>();
  const std::int64_t of_group = s.channels / s.groups;
  const auto over_group = [&](auto term) {
    double sum = 0.0;
    for (std::int64_t r = 0; r < s.rows; ++r)
      for (std::int64_t c = g * of_group; c < (g + 1) * of_group; ++c)
        sum += term(values[static_cast<std::size_t>((n * s.rows + r) * s.channels + c)]);
    return sum / static_cast<double>(s.count());
  };
  const double mean = over_group([](double v) { return v; });
  return {mean, over_group([mean](double v) { return (v - mean) * (v - mean); })};
}

void check_moments(const Tensor& x, const NormShape& shape, Tolerance tolerance) {
  const Moments moments = kernels::moments(x, shape);
  for (std::int64_t n = 0; n < shape.samples; ++n)
    for (std::int64_t g = 0; g < shape.groups; ++g) {
      const std::size_t place = static_cast<std::size_t>(n * shape.groups + g);
      const auto expected = by_definition(x, shape, n, g);
      const double deviation = std::sqrt(expected.second);
      CAPTURE(n);
      CAPTURE(g);
      CHECK_CLOSE_TO_SCALE(moments.mean.data<double>()[place], expected.first, deviation, tolerance);
      CHECK_CLOSE(moments.variance.data<double>()[place], expected.second, tolerance);
    }
}

NormShape random_norm_shape(Rng& rng) {
  const std::int64_t groups = 1 + rng.below(4), channels = groups * odd_size(rng);
  return {1 + rng.below(3), 1 + rng.below(rng.below(4) == 0 ? 900 : 40), channels, groups};
}

Tensor drawn(const NormShape& s, std::uint64_t seed, double low = -1.0, double high = 1.0,
             DType dtype = f32) {
  return random_tensor({s.samples, s.rows, s.channels}, seed, low, high, dtype);
}

}  // namespace

TEST_CASE("means and variances are those of the definition, on every instruction set, for any shape") {
  on_every_isa([] {
    Rng rng(51, 0);
    for (int i = 0; i < kShapes; ++i) {
      const NormShape shape = random_norm_shape(rng);
      CAPTURE(shape.rows);
      CAPTURE(shape.channels);
      check_moments(drawn(shape, 5100 + static_cast<std::uint64_t>(i)), shape,
                    tol::f32_of_scale(shape.count()));
    }
  });
}

TEST_CASE("a mean of a thousand standard deviations costs the variance no digits") {
  on_every_isa([] {
    for (const std::int64_t channels : {1, 3, 8, 16, 100}) {
      const NormShape shape{1, 2000, channels, channels};
      CAPTURE(channels);
      // Neighbouring floats at 1000 are 6e-5 apart: x itself is that coarse, not the sums.
      check_moments(drawn(shape, 52, 999.0, 1001.0), shape, tol::f32_of_scale(2000));
      check_moments(drawn(shape, 53, -1e6 - 20, -1e6 + 20), shape, tol::f32_of_scale(2000));
    }
  });
}

TEST_CASE("a first value far from all others costs eight bits and no more") {
  const NormShape shape{1, 5000, 4, 4};
  Tensor x = drawn(shape, 54);
  for (std::int64_t row = 0; row < 5000; ++row)
    if (row % 16 == 0 && row < 64) x.mutable_data<float>()[row * 4] = 1e4f;  // the first values of tiles
  on_every_isa([&] {  // Squares of 255 times the variance, in a sum of 256.
    check_moments(x, shape, {0.0, 255 * 4 * tol::kUlp32});
  });
}

TEST_CASE("constant values have variance 0 exactly, whatever their size") {
  on_every_isa([] {
    for (const double value : {0.0, 0.1, -1e6, 3e38})
      for (const DType dtype : {f32, f64}) {
        const NormShape shape{2, 77, 6, 6};
        const Moments moments = kernels::moments(Tensor::full({2, 77, 6}, value, dtype), shape);
        CHECK_CLOSE(moments.variance, Tensor::zeros({2, 6}, f64), tol::exact);
      }
  });
}

TEST_CASE("normalising and its gradients agree with f64 on every instruction set") {
  on_every_isa([] {
    Rng rng(55, 0);
    for (int i = 0; i < kShapes; ++i) {
      NormShape shape = random_norm_shape(rng);
      shape.rows += 3;  // of one or two values the variance may be so small that all is noise
      const auto seed = static_cast<std::uint64_t>(5200 + 10 * i);
      const Tensor x = drawn(shape, seed, 3.0, 5.0), dy = drawn(shape, seed + 1);
      const Tensor weight = random_tensor({shape.channels}, seed + 2, 0.5, 1.5),
                   bias = random_tensor({shape.channels}, seed + 3);
      const Normalizer by = kernels::normalizer(kernels::moments(x, shape), 1e-3),
                       by64 = kernels::normalizer(kernels::moments(as_f64(x), shape), 1e-3);
      CAPTURE(shape.rows);
      CAPTURE(shape.channels);
      CAPTURE(shape.groups);
      const Tolerance tolerance = tol::f32_accumulated(64 + shape.count());
      CHECK_CLOSE(kernels::normalize(x, shape, by, weight, bias),
                  kernels::normalize(as_f64(x), shape, by64, as_f64(weight), as_f64(bias)), tolerance);
      for (const bool fixed : {false, true}) {
        const auto actual =
            kernels::normalize_grad(x, dy, shape, by, weight, {}, {.fixed_statistics = fixed});
        const auto expected = kernels::normalize_grad(as_f64(x), as_f64(dy), shape, by64, as_f64(weight), {},
                                                      {.fixed_statistics = fixed});
        // 1 / deviation is at most 10 or so here
        CHECK_CLOSE_TO_SCALE(actual.x, expected.x, Tensor::full(x.shape(), 16.0), tolerance);
        const auto sums = tol::f32_accumulated(16 * shape.samples * shape.rows);
        CHECK_CLOSE_TO_SCALE(actual.weight, expected.weight, Tensor::full(weight.shape(), 16.0), sums);
        CHECK_CLOSE(actual.bias, expected.bias, sums);
      }
    }
  });
}

TEST_CASE("layer-norm and its gradients agree with f64 on every instruction set") {
  on_every_isa([] {
    Rng rng(56, 0);
    for (int i = 0; i < kShapes; ++i) {
      const std::int64_t rows = odd_size(rng) * (rng.below(8) == 0 ? 9 : 1), n = 3 + odd_size(rng);
      const auto seed = static_cast<std::uint64_t>(5800 + 10 * i);
      const Tensor x = random_tensor({rows, n}, seed, 3.0, 5.0), dy = random_tensor({rows, n}, seed + 1);
      const Tensor weight = rng.below(3) ? random_tensor({n}, seed + 2, 0.5, 1.5) : Tensor();
      const Tensor bias = weight.defined() ? random_tensor({n}, seed + 3) : Tensor();
      const auto wide = [](const Tensor& t) { return t.defined() ? as_f64(t) : t; };
      CAPTURE(rows);
      CAPTURE(n);
      const auto actual = kernels::layer_norm(x, n, weight, bias, 1e-3);
      const auto expected = kernels::layer_norm(as_f64(x), n, wide(weight), wide(bias), 1e-3);
      const Tolerance tolerance = tol::f32_accumulated(64 + n);
      CHECK_CLOSE_TO_SCALE(actual.y, expected.y, Tensor::full(x.shape(), 8.0), tolerance);
      CHECK_CLOSE_TO_SCALE(kernels::layer_norm_grad(x, dy, n, weight, actual.kept),
                           kernels::layer_norm_grad(as_f64(x), as_f64(dy), n, wide(weight), expected.kept),
                           Tensor::full(x.shape(), 32.0), tolerance);
      const auto sums = kernels::layer_norm_grad_weight(x, dy, n, actual.kept);
      const auto sums64 = kernels::layer_norm_grad_weight(as_f64(x), as_f64(dy), n, expected.kept);
      CHECK_CLOSE_TO_SCALE(sums.weight, sums64.weight, Tensor::full({n}, 8.0),
                           tol::f32_accumulated(16 * rows));
      CHECK_CLOSE(sums.bias, sums64.bias, tol::f32_accumulated(rows));
    }
  });
}

TEST_CASE("normalisation has the same bits on every instruction set with FMA and number of threads") {
  for (const std::int64_t channels : {3, 8, 70, 300}) {
    CAPTURE(channels);
    for (const NormShape& shape : {NormShape{1, 40'000 / channels * 3, channels, channels},
                                   NormShape{3, 40'000 / channels + 1, channels, 1}}) {
      const Tensor x = drawn(shape, 57), dy = drawn(shape, 58), weight = random_tensor({channels}, 59);
      const auto by = [&] { return kernels::normalizer(kernels::moments(x, shape), 1e-5); };
      const auto gradients = [&] { return kernels::normalize_grad(x, dy, shape, by(), weight, {}, {}); };
      check_same_bits_everywhere([&] { return kernels::moments(x, shape).mean; });
      check_same_bits_everywhere([&] { return kernels::moments(x, shape).variance; });
      check_same_bits_everywhere([&] { return kernels::normalize(x, shape, by(), weight, weight); });
      check_same_bits_everywhere([&] { return gradients().x; });
      check_same_bits_everywhere([&] { return gradients().weight; });
    }
    const std::int64_t rows = 40'000 / channels;
    const Tensor x = random_tensor({rows, channels}, 60), dy = random_tensor({rows, channels}, 61);
    const auto kept = [&] { return kernels::layer_norm(x, channels, {}, {}, 1e-5).kept; };
    check_same_bits_everywhere([&] { return kernels::layer_norm(x, channels, {}, {}, 1e-5).y; });
    check_same_bits_everywhere([&] { return kernels::layer_norm_grad(x, dy, channels, {}, kept()); });
    check_same_bits_everywhere(
        [&] { return kernels::layer_norm_grad_weight(x, dy, channels, kept()).weight; });
  }
}

TEST_CASE("a sample's group-norm and layer-norm have the same bits alone and in any batch") {
  on_every_isa([] {
    const NormShape shape{5, 30, 12, 3}, one{1, 30, 12, 3};
    const Tensor x = drawn(shape, 62);
    const auto group_norm = [](const Tensor& t, const NormShape& s) {
      return kernels::normalize(t, s, kernels::normalizer(kernels::moments(t, s), 1e-5), {}, {});
    };
    const Tensor groups = group_norm(x, shape), rows = kernels::layer_norm(x, 360, {}, {}, 1e-5).y;
    for (std::int64_t i = 0; i < 5; ++i) {
      const auto sample = [i](const Tensor& t) {
        return Tensor::from(t.data<float>().subspan(static_cast<std::size_t>(i) * 360, 360), {1, 30, 12});
      };
      CHECK_SAME_BITS(group_norm(sample(x), one), sample(groups));
      CHECK_SAME_BITS(kernels::layer_norm(sample(x), 360, {}, {}, 1e-5).y, sample(rows));
    }
  });
}

TEST_CASE("rows of a table are gathered, and their gradients summed in order, by index arithmetic") {
  const Tensor table = random_tensor({4, 19}, 63), dy = random_tensor({3, 2, 19}, 64);
  for (const DType dtype : {i64, i32, u8}) {
    const Tensor indices = Tensor::from({3, 0, 3, 3, 1, 0}, {3, 2}, dtype);
    const Tensor y = kernels::embedding(indices, table);
    REQUIRE(y.shape() == Shape{3, 2, 19});
    std::vector<float> sums(4 * 19, 0.0f);
    const std::int64_t rows[] = {3, 0, 3, 3, 1, 0};
    for (std::int64_t i = 0; i < 6; ++i)
      for (std::int64_t k = 0; k < 19; ++k) {
        CHECK(y.data<float>()[i * 19 + k] == table.data<float>()[rows[i] * 19 + k]);
        sums[static_cast<std::size_t>(rows[i] * 19 + k)] += dy.data<float>()[i * 19 + k];
      }
    CHECK_SAME_BITS(kernels::embedding_grad(indices, dy, 4, {}), Tensor::from(sums, {4, 19}));
    for (int k = 0; k < 19; ++k) sums[static_cast<std::size_t>(3 * 19 + k)] = 0.0f;
    CHECK_SAME_BITS(kernels::embedding_grad(indices, dy, 4, 3), Tensor::from(sums, {4, 19}));
  }
}
