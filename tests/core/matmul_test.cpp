// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/kernels/matmul.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernel_cases.h"
#include "linnet/core/kernels/blas.h"
#include "linnet/core/kernels/matmul_naive.h"
#include "linnet/core/tensor_impl.h"

using namespace linnet;
using kernels::MatmulOptions;

namespace {

struct Sizes {
  std::int64_t rows, columns, terms;
};

/// Small odd sizes, and every fifth time sums of more than one chunk.
Sizes random_sizes(Rng& rng, int i) {
  const std::int64_t terms =
      i % 5 == 0 ? 500 + static_cast<std::int64_t>(rng.below(700)) : test::odd_size(rng);
  return {test::odd_size(rng), test::odd_size(rng), terms};
}

Tensor operand(std::int64_t rows, std::int64_t columns, bool transposed, std::uint64_t seed) {
  return test::random_tensor(transposed ? Shape{columns, rows} : Shape{rows, columns}, seed);
}

Tensor absolute(const Tensor& x) {
  Tensor y = x.to(f64).clone();
  for (double& value : y.mutable_data<double>()) value = std::abs(value);
  return y;
}

Tensor naive_matmul(const Tensor& a, const Tensor& b, MatmulOptions options) {
  const std::int64_t ar = a.dim(1), br = b.dim(1);
  Tensor y = Tensor::empty({options.transpose_a ? ar : a.dim(0), options.transpose_b ? b.dim(0) : br}, f64);
  kernels::naive::matmul(y.dim(0), y.dim(1), options.transpose_a ? a.dim(0) : ar, readable<double>(a),
                         options.transpose_a ? 1 : ar, options.transpose_a ? ar : 1, readable<double>(b),
                         options.transpose_b ? 1 : br, options.transpose_b ? br : 1, writable<double>(y));
  return y;
}

/// op(x) with its sums along rows, for loops that read it often.
std::vector<float> rows_of(const Tensor& x, bool transposed) {
  const std::int64_t rows = x.dim(transposed ? 1 : 0), columns = x.dim(transposed ? 0 : 1);
  std::vector<float> y(static_cast<std::size_t>(x.size()));
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t j = 0; j < columns; ++j)
      y[i * columns + j] = readable<float>(x)[transposed ? j * rows + i : i * columns + j];
  return y;
}

/// The sum that matmul.h promises, one element after the other: madd in chunks of 512, partial sums added.
Tensor documented_sum(const Tensor& a, const Tensor& b, MatmulOptions options, bool fused) {
  const std::vector<float> left = rows_of(a, options.transpose_a), right = rows_of(b, !options.transpose_b);
  const std::int64_t terms = a.dim(options.transpose_a ? 0 : 1);
  Tensor y = Tensor::empty({a.dim(options.transpose_a ? 1 : 0), b.dim(options.transpose_b ? 0 : 1)});
  for (std::int64_t i = 0; i < y.dim(0); ++i)
    for (std::int64_t j = 0; j < y.dim(1); ++j) {
      const float *x = &left[i * terms], *w = &right[j * terms];
      float total = 0.0f;
      for (std::int64_t first = 0; first < terms; first += 512) {
        float sum = 0.0f;
        for (std::int64_t k = first; k < std::min(first + 512, terms); ++k)
          sum = fused ? std::fma(x[k], w[k], sum) : x[k] * w[k] + sum;
        total = first == 0 ? sum : total + sum;
      }
      writable<float>(y)[i * y.dim(1) + j] = total;
    }
  return y;
}

/// body(a, b, options) for the four forms of a product.
template <class Body>
void for_each_form(Sizes s, std::uint64_t seed, Body body) {
  for (int form = 0; form < 4; ++form) {
    const MatmulOptions options{.transpose_a = form % 2 == 1, .transpose_b = form / 2 == 1};
    CAPTURE(s.rows);
    CAPTURE(s.columns);
    CAPTURE(s.terms);
    CAPTURE(form);
    body(operand(s.rows, s.terms, options.transpose_a, seed),
         operand(s.terms, s.columns, options.transpose_b, seed + 1), options);
  }
}

/// Shapes that meet every way through the kernel: few rows, few columns, packed and not, swapped, cut into
/// tiles.
const Sizes kLandmarks[] = {{1, 10, 64},    {2, 33, 1100}, {3, 100, 513},  {4, 128, 784}, {5, 40, 512},
                            {32, 128, 300}, {128, 784, 8}, {150, 70, 100}, {700, 3, 90},  {700, 9, 50},
                            {64, 137, 530}, {70, 64, 530}, {13, 1, 1500},  {1, 1, 2000},  {50, 130, 1030}};

}  // namespace

namespace {

/// Shapes [first, end) of a series.
void check_products_against_f64(int first, int end) {
  Rng rng(11, static_cast<std::uint64_t>(first));
  for (int i = first; i < end; ++i)
    for_each_form(random_sizes(rng, i), 100 + i, [](const Tensor& a, const Tensor& b, MatmulOptions options) {
      const Tensor expected = naive_matmul(a.to(f64), b.to(f64), options);
      const Tensor scale = naive_matmul(absolute(a), absolute(b), options);
      const std::int64_t terms = a.dim(options.transpose_a ? 0 : 1);
      test::on_every_isa([&] {
        CHECK_CLOSE_TO_SCALE(kernels::matmul(a, b, options), expected, scale, tol::f32_of_scale(terms));
      });
    });
}

}  // namespace

TEST_CASE("products agree with f64 on every instruction set, within ULP sqrt(K) of the absolute terms") {
  check_products_against_f64(0, test::kShapes);
}
TEST_SUITE("long") {
  TEST_CASE(
      "all four forms of a product agree with the naive loop on 1,000 shapes, on every instruction set") {
    check_products_against_f64(test::kShapes, test::kManyShapes);
  }
}

TEST_CASE("every element is the documented sum, bit for bit") {
  Rng rng(12, 0);
  const auto check_form = [](const Tensor& a, const Tensor& b, MatmulOptions options) {
    const Tensor fused = documented_sum(a, b, options, true);
    const Tensor rounded_twice = documented_sum(a, b, options, false);
    test::on_every_isa([&] {
      CHECK_SAME_BITS(kernels::matmul(a, b, options), active_isa() == Isa::sse2 ? rounded_twice : fused);
    });
  };
  for (int i = 0; i < test::kShapes; ++i) for_each_form(random_sizes(rng, i), 300 + i, check_form);
  for (const Sizes& sizes : kLandmarks) for_each_form(sizes, 7, check_form);
}

TEST_CASE("instruction sets and thread counts give products of equal bits") {
  for (const Sizes& sizes : kLandmarks)
    for_each_form(sizes, 5, [](const Tensor& a, const Tensor& b, MatmulOptions options) {
      test::check_same_bits_everywhere([&] { return kernels::matmul(a, b, options); });
    });
}

TEST_CASE("dense adds the bias after the product, and a row has the same bits alone and in any batch") {
  for (std::int64_t out : {1, 10, 130})
    for (std::int64_t in : {7, 784}) {
      const Tensor weight = test::random_tensor({out, in}, 1), bias = test::random_tensor({out}, 2);
      const Tensor x = test::random_tensor({200, in}, 3);
      test::on_every_isa([&] {
        const Tensor all = kernels::dense(x, weight, bias);
        Tensor sum = kernels::matmul(x, weight, {.transpose_b = true});
        for (std::int64_t i = 0; i < sum.size(); ++i)
          writable<float>(sum)[i] += readable<float>(bias)[i % out];
        CHECK_SAME_BITS(all, sum);
        CHECK_SAME_BITS(kernels::dense(x, weight, {}), kernels::matmul(x, weight, {.transpose_b = true}));
        for (std::int64_t batch : {1, 2, 4, 5, 7, 32, 47, 48, 128}) {
          const auto begin = x.data<float>().begin() + 3 * in;
          const Tensor part = Tensor::from(std::vector<float>(begin, begin + batch * in), {batch, in});
          const auto rows = all.data<float>().begin() + 3 * out;
          const Tensor expected = Tensor::from(std::vector<float>(rows, rows + batch * out), {batch, out});
          CAPTURE(batch);
          CHECK_SAME_BITS(kernels::dense(part, weight, bias), expected);
        }
      });
    }
}

TEST_CASE("f64 products agree with the naive loop") {
  Rng rng(13, 0);
  for (int i = 0; i < test::kShapes; ++i)
    for_each_form(random_sizes(rng, i), 500 + i, [](const Tensor& a, const Tensor& b, MatmulOptions options) {
      const Tensor expected = naive_matmul(a.to(f64), b.to(f64), options);
      const Tensor scale = naive_matmul(absolute(a), absolute(b), options);
      // 4 roundings' worth of sqrt(1200) terms.
      CHECK_CLOSE_TO_SCALE(kernels::matmul(a.to(f64), b.to(f64), options), expected, scale,
                           (test::Tolerance{0.0, 140 * tol::kUlp64}));
    });
  const Tensor x = test::random_tensor({3, 4}, 1, -1, 1, f64),
               weight = test::random_tensor({2, 4}, 2, -1, 1, f64);
  const Tensor y = kernels::dense(x, weight, Tensor::from({10.0, 20.0}, f64));
  const Tensor product = kernels::matmul(x, weight, {.transpose_b = true});
  for (int i = 0; i < 6; ++i)
    CHECK(y.data<double>()[i] == product.data<double>()[i] + (i % 2 == 0 ? 10.0 : 20.0));
}

TEST_CASE("OpenBLAS, where it is built in, gives the same products") {
  if (!kernels::blas::available()) {
    MESSAGE("skipped: built with -DLINNET_BLAS=OFF");
    return;
  }
  for (const Sizes& sizes : kLandmarks)
    for_each_form(sizes, 9, [](const Tensor& a, const Tensor& b, MatmulOptions options) {
      const Tensor own = kernels::matmul(a, b, options);
      set_matmul_uses_blas(true);
      const Tensor blas = kernels::matmul(a, b, options);
      set_matmul_uses_blas(false);
      const Tensor scale = naive_matmul(absolute(a), absolute(b), options);
      CHECK_CLOSE_TO_SCALE(own, blas, scale, tol::f32_of_scale(a.dim(options.transpose_a ? 0 : 1)));
    });
}

TEST_CASE("an empty sum is zero, an empty result is empty") {
  const Tensor bias = Tensor::from({1.0, 2.0, 3.0});
  CHECK_SAME_BITS(kernels::matmul(Tensor::empty({2, 0}), Tensor::empty({0, 3})), Tensor::zeros({2, 3}));
  CHECK_SAME_BITS(kernels::dense(Tensor::empty({2, 0}), Tensor::empty({3, 0}), bias),
                  Tensor::from({{1, 2, 3}, {1, 2, 3}}));
  CHECK(kernels::matmul(Tensor::empty({0, 4}), Tensor::ones({4, 3})).shape() == Shape{0, 3});
  CHECK(kernels::matmul(Tensor::ones({2, 4}), Tensor::empty({4, 0})).shape() == Shape{2, 0});
}

TEST_CASE("no product is skipped: zero times infinity is NaN, in its own element only") {
  const float infinity = std::numeric_limits<float>::infinity();
  Tensor a = Tensor::zeros({20, 30}), b = Tensor::ones({30, 20});
  b.mutable_data<float>()[4 * 20 + 7] = infinity;
  test::on_every_isa([&] {
    const Tensor y = kernels::matmul(a, b);
    for (std::int64_t i = 0; i < y.size(); ++i) CHECK(std::isnan(y.data<float>()[i]) == (i % 20 == 7));
  });
}
