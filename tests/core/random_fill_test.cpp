// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/kernels/random_fill.h"

#include <functional>
#include <limits>

#include "kernel_cases.h"
#include "linnet/core/kernels/reduce.h"

using namespace linnet;
using namespace linnet::test;

namespace {

constexpr RandomKey kKey{0x123456789abcdef0u, 77};

/// The word that belongs to element i, by the definition in random.h.
std::uint32_t word(RandomKey key, std::int64_t i) {
  return philox(key, static_cast<std::uint64_t>(i / 4))[static_cast<std::size_t>(i % 4)];
}

template <class Fill>
Tensor filled(const Shape& shape, DType dtype, Fill fill) {
  Tensor y = Tensor::empty(shape, dtype);
  fill(y);
  return y;
}

}  // namespace

TEST_CASE("dropout keeps exactly the elements whose Philox word says so, on every instruction set") {
  on_every_isa([] {
    for (std::int64_t n : {1, 3, 4, 5, 31, 33, 511, 512, 513, 20'011})
      for (double p : {0.0, 0.2, 0.5, 0.99}) {
        const Tensor x = random_tensor({n}, 41, 0.5, 1.0);
        for (const Tensor& source : {x, as_f64(x)}) {
          const Tensor y = as_f64(kernels::dropout(source, p, kKey));
          std::int64_t wrong = 0;
          for (std::int64_t i = 0; i < n; ++i)
            wrong += (y.data<double>()[i] != 0.0) != (word(kKey, i) >= p * 0x1p32);
          CAPTURE(n);
          CAPTURE(p);
          CHECK(wrong == 0);
        }
      }
  });
}

TEST_SUITE("long") {
  TEST_CASE("dropout agrees with f64 on 1,000 shapes, on every instruction set") {
    on_every_isa([] {
      Rng rng(45, 0);
      for (int i = 0; i < kManyShapes; ++i) {
        const Shape shape = odd_shape(rng, 4);
        const RandomKey key{kKey.seed, static_cast<std::uint64_t>(i)};
        const double p = static_cast<double>(rng.below(100)) / 100;
        const Tensor x = random_tensor(shape, 4500 + static_cast<std::uint64_t>(i));
        CAPTURE(shape.str());
        CAPTURE(p);
        // 1 / (1 - p) is rounded to f32 in the kernel, and at most 100
        CHECK_CLOSE(kernels::dropout(x, p, key), kernels::dropout(as_f64(x), p, key), tol::f32);
      }
    });
  }
}

TEST_CASE("dropout scales what it keeps, so that the mean stays") {
  const Tensor x = Tensor::ones({200'000});
  for (double p : {0.1, 0.5, 0.8}) {
    const Tensor y = kernels::dropout(x, p, kKey);
    for (float value : y.data<float>().first(100))
      CHECK((value == 0.0f || value == static_cast<float>(1.0 / (1.0 - p))));
    // Five standard deviations of the mean of 200,000 Bernoulli variables.
    CHECK_CLOSE(kernels::sum(y).item() / 200'000, 1.0,
                Tolerance({5 * std::sqrt(p / (1 - p) / 200'000), 0.0}));
  }
}

TEST_CASE("dropout with p = 1 gives zeros, with p = 0 the input, and never a dropped NaN") {
  on_every_isa([] {
    const Tensor x = random_tensor({100}, 42);
    CHECK_SAME_BITS(kernels::dropout(x, 1.0, kKey), Tensor::zeros({100}));
    CHECK_SAME_BITS(kernels::dropout(x, 0.0, kKey), x);
    const Tensor bad = Tensor::full({1000}, std::numeric_limits<double>::quiet_NaN());
    const Tensor y = kernels::dropout(bad, 0.5, kKey);
    for (std::int64_t i = 0; i < 1000; ++i)
      CHECK((y.data<float>()[i] == 0.0f) == (word(kKey, i) < 0x80000000u));
  });
}

TEST_CASE("uniform numbers are the words of the stream as fractions, f64 ones the same unrounded") {
  on_every_isa([] {
    for (std::int64_t n : {1, 7, 1000, 40'001}) {
      const Tensor y = filled({n}, f32, [](Tensor& t) { kernels::fill_uniform(t, kKey, -1.0, 3.0); });
      const Tensor y64 = filled({n}, f64, [](Tensor& t) { kernels::fill_uniform(t, kKey, -1.0, 3.0); });
      for (std::int64_t i = 0; i < n; i += 1 + n / 50)
        CHECK(y64.data<double>()[i] == -1.0 + 4.0 * (word(kKey, i) * 0x1p-32));
      CHECK_CLOSE(y, y64, tol::f32);
    }
  });
}

TEST_CASE("uniform numbers stay below the upper end, also when rounding would reach it") {
  // Only 8 floats lie in the interval, so rounding reaches the end for one word in sixteen.
  const double low = 1.0, high = 1.0 + 8 * 0x1p-23;
  const Tensor y = filled({10'000}, f32, [&](Tensor& t) { kernels::fill_uniform(t, kKey, low, high); });
  for (float value : y.data<float>()) {
    CHECK(value >= low);
    CHECK(value < high);
  }
}

TEST_CASE("normal numbers have the moments of the normal distribution") {
  const std::int64_t n = 400'000;
  const Tensor y = filled({n}, f64, [](Tensor& t) { kernels::fill_normal(t, kKey); });
  double mean = 0, square = 0, cube = 0, fourth = 0, neighbours = 0;
  const auto values = y.data<double>();
  for (std::int64_t i = 0; i < n; ++i) {
    const double x = values[i];
    mean += x / n, square += x * x / n, cube += x * x * x / n, fourth += x * x * x * x / n;
    if (i > 0) neighbours += x * values[i - 1] / n;
  }
  // Five standard deviations: the variances of x, x^2, x^3, x^4 are 1, 2, 15, 96.
  const double s = 5 / std::sqrt(static_cast<double>(n));
  CHECK_CLOSE(mean, 0.0, Tolerance({s, 0}));
  CHECK_CLOSE(square, 1.0, Tolerance({s * std::sqrt(2.0), 0}));
  CHECK_CLOSE(cube, 0.0, Tolerance({s * std::sqrt(15.0), 0}));
  CHECK_CLOSE(fourth, 3.0, Tolerance({s * std::sqrt(96.0), 0}));
  CHECK_CLOSE(neighbours, 0.0, Tolerance({s, 0}));
}

TEST_CASE(
    "random tensors have the same bits on every instruction set, number of threads, and in any length") {
  const auto normal = [](std::int64_t n) {
    return filled({n}, f32, [](Tensor& t) { kernels::fill_normal(t, kKey); });
  };
  const auto uniform = [](std::int64_t n) {
    return filled({n}, f32, [](Tensor& t) { kernels::fill_uniform(t, kKey, 0.0, 1.0); });
  };
  const Tensor x = random_tensor({50'001}, 43);
  check_same_bits_everywhere([&] { return normal(50'001); });
  check_same_bits_everywhere([&] { return uniform(50'001); });
  check_same_bits_everywhere([&] { return kernels::dropout(x, 0.3, kKey); });
  for (const auto& make :
       {std::function<Tensor(std::int64_t)>(normal), std::function<Tensor(std::int64_t)>(uniform)}) {
    const Tensor all = make(50'001);
    for (std::int64_t n : {1, 2, 5, 1023})
      CHECK_SAME_BITS(make(n), Tensor::from(all.data<float>().first(static_cast<std::size_t>(n)), {n}));
  }
}

TEST_CASE("another seed or another call gives other numbers") {
  const auto fill = [](RandomKey key) {
    return filled({64}, f32, [&](Tensor& t) { kernels::fill_uniform(t, key, 0.0, 1.0); });
  };
  const Tensor y = fill({1, 1});
  for (RandomKey key : {RandomKey{1, 2}, RandomKey{2, 1}, RandomKey{1 + (std::uint64_t{1} << 32), 1},
                        RandomKey{1, 1 + (std::uint64_t{1} << 32)}})
    CHECK_FALSE(bit_difference(fill(key), y).empty());
}

TEST_CASE("integers cannot be filled with random numbers") {
  Tensor y = Tensor::zeros({2}, i32);
  CHECK_THROWS_TEXT(kernels::fill_normal(y, kKey), DTypeError,
                    "randn: expected f32 or f64, got i32. Convert with to(f32).");
  CHECK_THROWS_TEXT(kernels::fill_uniform(y, kKey, 0, 1), DTypeError,
                    "uniform: expected f32 or f64, got i32. Convert with to(f32).");
  CHECK_THROWS_TEXT(kernels::dropout(y, 0.5, kKey), DTypeError,
                    "dropout: expected f32 or f64, got i32. Convert with to(f32).");
}
