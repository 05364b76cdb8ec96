// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/kernels/elementwise.h"

#include <limits>

#include "kernel_cases.h"
#include "linnet/core/tensor_impl.h"
#include "special_values.h"

using namespace linnet;
using namespace linnet::test;

namespace {

/// A row of unary.def with the values of its parameters and its test range.
struct UnaryCase {
  Op op;
  double p, q, low, high;
};
const UnaryCase kUnary[] = {
#define UNARY(name, value, slope, needs, low, high, ...) {Op::name, 0, 0, low, high},
#define UNARY1(name, p_name, p, value, slope, needs, low, high, ...) {Op::name, p, 0, low, high},
#define UNARY2(name, p_name, q_name, p, q, value, slope, needs, low, high, ...) {Op::name, p, q, low, high},
#include "linnet/core/ops/unary.def"
#undef UNARY
#undef UNARY1
#undef UNARY2
};
const Op kBinary[] = {
#define BINARY(name, ...) Op::name,
#include "linnet/core/ops/binary.def"
#undef BINARY
};

Tensor f32_values(std::initializer_list<double> values) { return Tensor::from(values); }

/// x repeated to `shape` by plain index arithmetic.
Tensor repeated(const Tensor& x, const Shape& shape) {
  std::vector<float> values(static_cast<std::size_t>(shape.size()));
  for (std::int64_t i = 0; i < shape.size(); ++i) {
    std::int64_t rest = i, place = 0, stride = 1;
    for (int axis = shape.rank() - 1, x_axis = x.rank() - 1; x_axis >= 0; --axis, --x_axis) {
      if (x.shape()[x_axis] != 1) place += rest % shape[axis] * stride;
      rest /= shape[axis];
      stride *= x.shape()[x_axis];
    }
    values[i] = x.data<float>()[place];
  }
  return Tensor::from(values, shape);
}

/// Two shapes that broadcast to `full`: single axes repeated in one of them, leading ones dropped.
std::pair<Shape, Shape> broadcast_pair(Rng& rng, const Shape& full) {
  Shape a = full, b = full;
  for (int axis = 0; axis < full.rank(); ++axis) {
    const std::int64_t choice = rng.below(4);
    if (choice == 0) a = a.with(axis, 1);
    if (choice == 1) b = b.with(axis, 1);
  }
  while (b.rank() > 0 && b[0] == 1 && rng.below(2) == 0) b = b.without(0);
  while (a.rank() > 0 && a[0] == 1 && b.rank() == full.rank() && rng.below(2) == 0) a = a.without(0);
  return {a, b};
}

}  // namespace

TEST_CASE("every unary op and its gradient agree with f64 on every instruction set") {
  on_every_isa([] {
    Rng rng(1, 0);
    for (const UnaryCase& c : kUnary)
      for (int i = 0; i < kShapes; ++i) {
        const Shape shape = odd_shape(rng, 3);
        const bool positive_only = c.op == Op::log || c.op == Op::sqrt || c.op == Op::pow;
        const double sign = positive_only || i % 2 ? 1.0 : -1.0;
        const Tensor x = random_tensor(shape, 100 + i, sign * c.low, sign * c.high);
        const Tensor dy = random_tensor(shape, 200 + i);
        CAPTURE(name(c.op));
        const Tensor y = kernels::unary(c.op, x, c.p, c.q);
        // p and q are f32 in the f32 kernel; so they are for the twin.
        const double p = static_cast<float>(c.p), q = static_cast<float>(c.q);
        CHECK_CLOSE(y, kernels::unary(c.op, as_f64(x), p, q), tol::f32);
        CHECK_CLOSE(kernels::unary_grad(c.op, x, y, dy, c.p, c.q),
                    kernels::unary_grad(c.op, as_f64(x), as_f64(y), as_f64(dy), p, q), tol::f32);
      }
  });
}

TEST_CASE("every binary op and its gradients agree with f64 on every instruction set and broadcast") {
  on_every_isa([] {
    Rng rng(2, 0);
    for (Op op : kBinary)
      for (int i = 0; i < kShapes; ++i) {
        const Shape full = odd_shape(rng, 4);
        const std::pair<Shape, Shape> shapes = broadcast_pair(rng, full);
        const Shape& a_shape = shapes.first;
        const Shape& b_shape = shapes.second;
        const Tensor a = random_tensor(a_shape, 300 + i, 0.3, 2.0);
        const Tensor b = random_tensor(b_shape, 400 + i, i % 2 ? 0.3 : -2.0, i % 2 ? 2.0 : -0.3);
        CAPTURE(name(op));
        CAPTURE(a_shape.str());
        CAPTURE(b_shape.str());
        const Tensor y = kernels::binary(op, a, b);
        const Tensor a64 = as_f64(repeated(a, y.shape())), b64 = as_f64(repeated(b, y.shape()));
        CHECK_CLOSE(y, kernels::binary(op, a64, b64), tol::f32);
        const Tensor dy = random_tensor(y.shape(), 500 + i);
        // Slopes reach 2 / 0.3^2 = 22.
        const Tolerance tolerance{32 * tol::kUlp32, 4 * tol::kUlp32};
        for (int side : {0, 1})
          CHECK_CLOSE(kernels::binary_grad(op, side, a, b, dy),
                      kernels::binary_grad(op, side, a64, b64, as_f64(dy)), tolerance);
      }
  });
}

TEST_CASE("elementwise bits do not depend on the instruction set with FMA or on threads") {
  const Shape shape{3, 17, 1999};  // several tiles and a tail
  const Tensor x = random_tensor(shape, 1, 0.2, 3.0), y = random_tensor(shape, 2, 0.2, 3.0);
  const Tensor dy = random_tensor(shape, 3), row = random_tensor({1999}, 4, 0.2, 3.0);
  for (const UnaryCase& c : kUnary) {
    CAPTURE(name(c.op));
    // An exponent that takes the general path of pow.
    const double p = c.op == Op::pow ? 2.3 : c.p;
    check_same_bits_everywhere([&] { return kernels::unary(c.op, x, p, c.q); });
    check_same_bits_everywhere([&] { return kernels::unary_grad(c.op, x, y, dy, p, c.q); });
  }
  for (Op op : kBinary) {
    CAPTURE(name(op));
    check_same_bits_everywhere([&] { return kernels::binary(op, x, row); });
    check_same_bits_everywhere([&] { return kernels::binary_grad(op, 1, x, row, dy); });
  }
  check_same_bits_everywhere([&] { return kernels::scale(x, 0.3); });
  check_same_bits_everywhere([&] {
    Tensor sum = x.clone();
    kernels::accumulate(sum, y, -0.7);
    return sum;
  });
}

TEST_CASE("an element's bits do not depend on its place in a vector") {
  on_every_isa([] {
    for (const UnaryCase& c : kUnary) {
      const Tensor x = random_tensor({37}, 7, c.low, c.high);
      const Tensor all = kernels::unary(c.op, x, c.p, c.q);
      for (std::int64_t i = 0; i < x.size(); ++i) {
        const Tensor one = kernels::unary(c.op, Tensor::from(x.data<float>().subspan(i, 1), {1}), c.p, c.q);
        CAPTURE(name(c.op));
        CHECK_SAME_BITS(one, Tensor::from(all.data<float>().subspan(i, 1), {1}));
      }
    }
  });
}

TEST_CASE("slopes of the smooth activations stay finite, and right, far from zero") {
  const Tensor x = f32_values({-1e30, -1e4, -90, 90, 1e4, 1e30}), one = Tensor::ones({6});
  on_every_isa([&] {
    for (Op op : {Op::hard_swish, Op::silu, Op::gelu, Op::softplus, Op::elu}) {
      CAPTURE(name(op));
      CHECK_CLOSE(kernels::unary_grad(op, x, {}, one, 1.0), f32_values({0, 0, 0, 1, 1, 1}), tol::f32);
    }
  });
}

TEST_CASE("gelu is right to 1.5 units in the last place of x, elu to 4 of the result") {
  std::vector<float> arguments;
  for (int i = -40000; i < 40000; ++i) arguments.push_back(static_cast<float>(i) * 1.7e-4f);
  for (int i = 1; i < 120; ++i) arguments.push_back(std::ldexp(i % 2 ? 1.3f : -1.7f, -i));
  const Tensor x = Tensor::from(arguments);
  const Tensor gelu64 = kernels::unary(Op::gelu, as_f64(x)), elu64 = kernels::unary(Op::elu, as_f64(x), 1.0);
  on_every_isa([&] {
    // A unit of x in [1, 2) is kUlp32.
    CHECK_CLOSE_TO_SCALE(kernels::unary(Op::gelu, x), gelu64, kernels::unary(Op::abs, x),
                         Tolerance({0.0, 1.5 * tol::kUlp32}));
    CHECK_CLOSE(kernels::unary(Op::elu, x, 1.0), elu64, Tolerance({0.0, 4 * tol::kUlp32}));
  });
}

TEST_CASE("the largest errors of exp, log, tanh and sigmoid are those of the table in vec_math.inl" *
          doctest::test_suite("long")) {
  struct Limit {
    Op op;
    double ulp;
  };
  const Limit limits[] = {{Op::exp, 1.0}, {Op::log, 0.85}, {Op::tanh, 1.35}, {Op::sigmoid, 2.4}};
  // Every 4099th of all floats; results that may become 0 are not measured.
  std::vector<float> arguments;
  for (std::uint64_t bits = 0; bits < (std::uint64_t{1} << 32); bits += 4099)
    arguments.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
  const Tensor x = Tensor::from(arguments);
  on_every_isa([&] {
    for (const Limit& limit : limits) {
      const Tensor y = kernels::unary(limit.op, x), exact = kernels::unary(limit.op, as_f64(x));
      double worst = 0.0;
      std::int64_t wrong = 0;
      for (std::int64_t i = 0; i < x.size(); ++i) {
        const double is = y.data<float>()[i], should = exact.data<double>()[i];
        const auto rounded = static_cast<float>(should);
        if (std::isnan(should))
          wrong += !std::isnan(is);
        else if (std::isinf(rounded))
          wrong += is != rounded;
        else if (limit.op != Op::log && limit.op != Op::tanh && should < 0x1.001p-126)
          wrong += !(is >= 0 && is < 0x1.002p-126);
        else if (should != 0.0)
          worst = std::max(worst,
                           std::abs(is - should) / std::ldexp(1.0, std::max(std::ilogb(should) - 23, -149)));
      }
      CAPTURE(name(limit.op));
      CHECK(worst <= limit.ulp);
      CHECK(worst > 0.4);  // it was measured at all
      CHECK(wrong == 0);
    }
  });
}

TEST_CASE("NaN, infinities and zeros come out by the rules, on every instruction set") {
  const auto check = [](Op op, std::initializer_list<double> x, std::initializer_list<double> y,
                        double p = 0) {
    CAPTURE(name(op));
    CHECK_CLOSE(kernels::unary(op, f32_values(x), p), f32_values(y), tol::exact);
    CHECK_CLOSE(kernels::unary(op, Tensor::from(x, f64), p), Tensor::from(y, f64), tol::exact);
  };
  on_every_isa([&] {
    check(Op::relu, {kNan, kInf, -kInf, -1, 2}, {kNan, kInf, 0, 0, 2});
    check(Op::abs, {kNan, kInf, -kInf, -1}, {kNan, kInf, kInf, 1});
    check(Op::exp, {kNan, kInf, -kInf, 0}, {kNan, kInf, 0, 1});
    check(Op::log, {kNan, kInf, -kInf, 0, -1, 1}, {kNan, kInf, kNan, -kInf, kNan, 0});
    check(Op::sqrt, {kNan, kInf, -1, 0, 4}, {kNan, kInf, kNan, 0, 2});
    check(Op::tanh, {kNan, kInf, -kInf, 0}, {kNan, 1, -1, 0});
    check(Op::sigmoid, {kNan, kInf, -kInf, 0}, {kNan, 1, 0, 0.5});
    check(Op::relu6, {kNan, kInf, -kInf, 0, 7}, {kNan, 6, 0, 0, 6});
    check(Op::hard_swish, {kNan, kInf, -1e30, -3, 0, 3}, {kNan, kInf, 0, 0, 0, 3});
    check(Op::silu, {kNan, kInf, -1e30, 0}, {kNan, kInf, 0, 0});
    check(Op::gelu, {kNan, kInf, -1e30, 0, 100}, {kNan, kInf, 0, 0, 100});
    check(Op::softplus, {kNan, kInf, -kInf, 1e4, -1e4}, {kNan, kInf, 0, 1e4, 0});
    check(Op::elu, {kNan, kInf, -kInf, 0}, {kNan, kInf, -2, 0}, 2);
    check(Op::pow, {kNan, kInf, -kInf, 0, -2}, {kNan, kInf, kInf, 0, 4}, 2);
    check(Op::pow, {kNan, kInf, -kInf, 0, -2}, {kNan, kInf, -kInf, 0, -32}, 5);
    check(Op::pow, {kNan, kInf, 0, -2, 4}, {kNan, kInf, 0, kNan, 8}, 1.5);
    check(Op::pow, {kInf, 0, -2, -0.5}, {0, kInf, -0.03125, -32}, -5);
    check(Op::pow, {kInf, 0, -2, 3}, {1, 1, 1, 1}, 0);
    check(Op::pow, {0.5, 2, 1, 0}, {0, kInf, 1, 0}, kInf);
    const Tensor flat = kernels::unary_grad(Op::pow, f32_values({0, kInf, 2}), {}, Tensor::ones({3}), 0.0);
    CHECK_CLOSE(flat, Tensor::zeros({3}), tol::exact);
    const Tensor a = f32_values({kNan, 1, 2, kInf, -kInf, 3}), b = f32_values({1, kNan, 5, 7, 0, 3});
    CHECK_CLOSE(kernels::binary(Op::maximum, a, b), f32_values({kNan, kNan, 5, kInf, 0, 3}), tol::exact);
    CHECK_CLOSE(kernels::binary(Op::minimum, a, b), f32_values({kNan, kNan, 2, 7, -kInf, 3}), tol::exact);
    // Zeros of either sign are equal: the second one is taken.
    const Tensor zeros = kernels::binary(Op::maximum, f32_values({0.0, -0.0}), f32_values({-0.0, 0.0}));
    CHECK_SAME_BITS(zeros, f32_values({-0.0, 0.0}));
  });
}

TEST_CASE("scale, accumulate and scale_in_place compute in place and bump the version") {
  on_every_isa([] {
    for (DType dtype : {f32, f64}) {
      Tensor y = Tensor::from({1, 2, 3}, dtype);
      const std::uint32_t before = y.impl()->storage->version();
      kernels::accumulate(y, Tensor::from({10, 20, 30}, dtype), 0.5);
      CHECK_CLOSE(y, Tensor::from({6, 12, 18}), tol::exact);
      kernels::scale_in_place(y, -0.5);
      CHECK_CLOSE(y, Tensor::from({-3, -6, -9}), tol::exact);
      CHECK(y.impl()->storage->version() >= before + 2);
      CHECK_CLOSE(kernels::scale(y, 2.0), Tensor::from({-6, -12, -18}), tol::exact);
    }
  });
}

TEST_CASE("all_finite finds one bad element wherever it is") {
  on_every_isa([] {
    for (DType dtype : {f32, f64})
      for (std::int64_t n : {1, 7, 16, 41, 5000, 40000})
        for (double bad : {kInf, -kInf, kNan})
          for (std::int64_t place : {std::int64_t{0}, n / 2, n - 1}) {
            Tensor x = Tensor::full({n}, 3e38, dtype);
            CHECK(kernels::all_finite(x));
            if (dtype == f32)
              x.mutable_data<float>()[place] = static_cast<float>(bad);
            else
              x.mutable_data<double>()[place] = bad;
            CHECK_FALSE(kernels::all_finite(x));
          }
  });
  CHECK(kernels::all_finite(Tensor::zeros({3}, i64)));
  CHECK(kernels::all_finite(Tensor::zeros({0})));
}

TEST_CASE("conversion truncates, saturates and makes 0 of NaN") {
  const Tensor x = Tensor::from({1.9, -1.9, 300, -300, kNan, kInf, -kInf}, f64);
  CHECK_CLOSE(kernels::convert(x, u8), Tensor::from({1, 0, 255, 0, 0, 255, 0}), tol::exact);
  CHECK_CLOSE(kernels::convert(x, i8), Tensor::from({1, -1, 127, -128, 0, 127, -128}), tol::exact);
  const std::int64_t least = std::numeric_limits<std::int64_t>::min(),
                     most = std::numeric_limits<std::int64_t>::max();
  CHECK_SAME_BITS(kernels::convert(Tensor::from({kInf, -kInf, 9.3e18}, f64), i64),
                  Tensor::from(std::vector<std::int64_t>{most, least, most}));
  CHECK_SAME_BITS(kernels::convert(Tensor::from(std::vector<std::int64_t>{most, least, 5}), i32),
                  Tensor::from(std::vector<std::int32_t>{2147483647, -2147483647 - 1, 5}));
  CHECK_CLOSE(kernels::convert(Tensor::from({0, 7, 255}, u8), f32), Tensor::from({0, 7, 255}), tol::exact);
}

TEST_CASE("broadcast_to repeats as index arithmetic does") {
  Rng rng(5, 0);
  for (int i = 0; i < kShapes; ++i) {
    const Shape full = odd_shape(rng, 4);
    const Tensor x = random_tensor(broadcast_pair(rng, full).second, 600 + i);
    CHECK_SAME_BITS(kernels::broadcast_to(x, full), repeated(x, full));
  }
}

TEST_CASE("element types that do not fit are refused by name") {
  const Tensor a = Tensor::zeros({2}), b = Tensor::zeros({2}, f64), c = Tensor::zeros({2}, i32);
  CHECK_THROWS_TEXT(kernels::binary(Op::add, a, b), DTypeError,
                    "add: element types differ: f32 and f64. Convert one with to().");
  CHECK_THROWS_TEXT(kernels::unary(Op::exp, c), DTypeError,
                    "exp: expected f32 or f64, got i32. Convert with to(f32).");
  Tensor y = Tensor::zeros({2});
  CHECK_THROWS_TEXT(kernels::accumulate(y, Tensor::zeros({3})), ShapeError,
                    "accumulate: shapes differ: [2] += [3].");
  CHECK_THROWS_TEXT(kernels::accumulate(y, b), DTypeError,
                    "accumulate: element types differ: f32 += f64. Convert one with to().");
}
