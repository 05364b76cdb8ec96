// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/kernels/reduce.h"

#include "kernel_cases.h"
#include "linnet/core/kernels/elementwise.h"
#include "linnet/core/kernels/reduce_table.h"
#include "special_values.h"

using namespace linnet;
using namespace linnet::test;

namespace {

/// Axes of x drawn at random, at least one.
std::vector<int> random_axes(Rng& rng, int rank) {
  std::vector<int> axes;
  for (int axis = 0; axis < rank; ++axis)
    if (rng.below(2) == 0) axes.push_back(rng.below(2) == 0 ? axis : axis - rank);
  if (axes.empty()) axes.push_back(static_cast<int>(rng.below(rank)));
  return axes;
}

/// sum and maximum by visiting every element in turn; both with the reduced axes kept.
struct Expected {
  Tensor sum, max;
};
Expected by_index(const Tensor& x, const std::vector<int>& axes) {
  const auto mask = Axes(std::span<const int>(axes)).mask("test", x.rank());
  const Shape kept = reduced(x.shape(), mask, true);
  std::vector<double> sums(static_cast<std::size_t>(kept.size())), maxima(sums.size(), -kInf);
  for (std::int64_t i = 0; i < x.size(); ++i) {
    std::int64_t rest = i, place = 0, stride = 1;
    for (int axis = x.rank() - 1; axis >= 0; --axis) {
      if (!mask[axis]) place += rest % x.shape()[axis] * stride;
      rest /= x.shape()[axis];
      stride *= kept[axis];
    }
    const double value = x.data<float>()[i];
    sums[place] += value;
    maxima[place] = std::max(maxima[place], value);
  }
  return {Tensor::from(sums, kept), Tensor::from(maxima, kept)};
}

}  // namespace

TEST_CASE("sum and max over any axes agree with visiting every element, on every instruction set") {
  on_every_isa([] {
    Rng rng(11, 0);
    for (int i = 0; i < kShapes; ++i) {
      const Shape shape = odd_shape(rng, 5);
      const Tensor x = random_tensor(shape, 700 + i);
      const std::vector<int> axes = random_axes(rng, shape.rank());
      const Expected expected = by_index(x, axes);
      const Tensor scale = by_index(kernels::unary(Op::abs, x), axes).sum;
      CAPTURE(shape.str());
      CAPTURE(axes.size());
      const Axes reduce{std::span<const int>(axes)};
      const std::int64_t terms = x.size() / std::max<std::int64_t>(1, scale.size());
      CHECK_CLOSE_TO_SCALE(kernels::sum(x, reduce, true), expected.sum, scale, tol::f32_of_scale(terms));
      CHECK_CLOSE(kernels::sum(as_f64(x), reduce, true), expected.sum, tol::f64);
      CHECK_CLOSE(kernels::max(x, reduce, true), expected.max, tol::exact);
      CHECK_CLOSE(kernels::max(as_f64(x), reduce, true), expected.max, tol::exact);
      CHECK(kernels::sum(x, reduce).shape() == reduced(shape, reduce.mask("test", shape.rank()), false));
    }
  });
}

TEST_CASE("the f32 twin of the reductions, one element after the other, agrees too") {
  on_every_isa([] {
    const auto& naive = kernels::naive_reduce<float>();
    for (std::int64_t n : {1, 5, 16, 23, 4096, 4097, 10'001}) {
      const Tensor x = random_tensor({n}, static_cast<std::uint64_t>(n), 0.0, 1.0);
      const float* p = x.data<float>().data();
      CHECK_CLOSE(kernels::sum(x).item() / static_cast<double>(n), naive.sum(p, n) / static_cast<double>(n),
                  tol::f32_accumulated(n));
      CHECK(kernels::max(x).item() == naive.max(p, n));
    }
  });
}

TEST_CASE("sums have the same bits on every instruction set with FMA and for every number of threads") {
  const Tensor x = random_tensor({37, 301, 19}, 12);
  for (const Axes& axes : {Axes{}, Axes{0}, Axes{1}, Axes{2}, Axes{0, 1}, Axes{0, 2}, Axes{1, 2}}) {
    check_same_bits_everywhere([&] { return kernels::sum(x, axes); });
    check_same_bits_everywhere([&] { return kernels::max(x, axes); });
  }
  const Tensor tall = random_tensor({5000, 9}, 13);
  check_same_bits_everywhere([&] { return kernels::sum(tall, 0); });
}

TEST_CASE("sums need no fused multiply-add: SSE2 gives the same bits") {
  const Tensor x = random_tensor({7, 5001}, 14);
  Tensor expected;
  on_every_isa([&] {
    const Tensor y = kernels::sum(x, 1);
    if (!expected.defined()) expected = y;
    CHECK_SAME_BITS(y, expected);
  });
}

TEST_CASE("a sample's sum has the same bits alone and in any batch") {
  on_every_isa([] {
    const Tensor batch = random_tensor({33, 23, 17}, 15);
    for (const Axes& axes : {Axes{1}, Axes{2}, Axes{1, 2}}) {
      const Tensor all = kernels::sum(batch, axes, true);
      const std::int64_t in = 23 * 17, out = all.size() / 33;
      for (std::int64_t i = 0; i < 33; ++i) {
        const Tensor alone = Tensor::from(batch.data<float>().subspan(i * in, in), {1, 23, 17});
        const Tensor expected = Tensor::from(all.data<float>().subspan(i * out, out), all.shape().with(0, 1));
        CHECK_SAME_BITS(kernels::sum(alone, axes, true), expected);
      }
    }
  });
}

TEST_CASE("NaN wins a maximum wherever it is, and infinities add up by the rules") {
  on_every_isa([] {
    for (std::int64_t n : {1, 4, 9, 16, 37})
      for (std::int64_t place = 0; place < n; ++place) {
        Tensor x = random_tensor({n, 1}, 16);
        x.mutable_data<float>()[place] = static_cast<float>(kNan);
        CHECK(std::isnan(kernels::max(x).item()));
        CHECK(std::isnan(kernels::max(kernels::broadcast_to(x, {n, 3}), 0).data<float>()[2]));
        CHECK(kernels::argmax(x, 0).item() == place);
        x.mutable_data<float>()[place] = static_cast<float>(kInf);
        CHECK(kernels::max(x).item() == kInf);
        CHECK(kernels::sum(x).item() == kInf);
      }
    CHECK(kernels::max(Tensor::from({-kInf, -kInf})).item() == -kInf);
  });
}

TEST_CASE("the gradient of max goes to the largest places, in equal parts") {
  for (DType dtype : {f32, f64}) {
    const Tensor x = Tensor::from({{1, 5, 5}, {2, 0, -1}}, dtype);
    const Tensor y = kernels::max(x, 1, true), dy = Tensor::from({4, 3}, Shape{2, 1}, dtype);
    CHECK_CLOSE(kernels::max_grad(x, y, dy), Tensor::from({{0, 2, 2}, {3, 0, 0}}), tol::exact);
    const Tensor all = kernels::max(x, {}, true);
    CHECK_CLOSE(kernels::max_grad(x, all, Tensor::full({1, 1}, 6.0, dtype)),
                Tensor::from({{0, 3, 3}, {0, 0, 0}}), tol::exact);
    const Tensor broken = Tensor::from({kNan, 1.0}, dtype);
    CHECK_CLOSE(kernels::max_grad(broken, kernels::max(broken, 0, true), Tensor::ones({1}, dtype)),
                Tensor::from({1.0, 0.0}), tol::exact);
  }
}

TEST_CASE("argmax takes the first of equal values, along any axis and for any element type") {
  const Tensor x = Tensor::from({{3, 7, 7}, {9, 7, 1}});
  CHECK_SAME_BITS(kernels::argmax(x), Tensor::from(std::vector<std::int64_t>{1, 0}));
  CHECK_SAME_BITS(kernels::argmax(x, 0), Tensor::from(std::vector<std::int64_t>{1, 0, 0}));
  CHECK_SAME_BITS(kernels::argmax(x.to(u8), -2), Tensor::from(std::vector<std::int64_t>{1, 0, 0}));
}

TEST_CASE("sum_to undoes a broadcast") {
  Rng rng(17, 0);
  for (int i = 0; i < kShapes; ++i) {
    const Shape full = odd_shape(rng, 4);
    Shape small = full;
    std::vector<int> axes;
    for (int axis = 0; axis < full.rank(); ++axis)
      if (rng.below(2) == 0) {
        small = small.with(axis, 1);
        if (full[axis] != 1) axes.push_back(axis);
      }
    while (small.rank() > 0 && small[0] == 1 && rng.below(2) == 0) small = small.without(0);
    const Tensor dy = random_tensor(full, 800 + i, -1.0, 1.0, f64);
    const Tensor expected = axes.empty() ? dy : kernels::sum(dy, Axes(std::span<const int>(axes)));
    const Tensor y = kernels::sum_to(dy, small);
    CHECK(y.shape() == small);
    CHECK_CLOSE(y, expected.view(small), tol::exact);
    CHECK_FALSE(y.same_as(dy));
  }
}

TEST_CASE("sum_of_squares adds in f64") {
  for (std::int64_t n : {0, 1, 7, 8, 1001}) {
    const Tensor x = random_tensor({n}, 18);
    double expected = 0.0;
    for (float value : x.data<float>()) expected += static_cast<double>(value) * value;
    CHECK_CLOSE(kernels::sum_of_squares(x), expected, tol::f64);
    CHECK_CLOSE(kernels::sum_of_squares(as_f64(x)), expected, tol::f64);
  }
}

TEST_CASE("empty tensors have sum 0 and no maximum") {
  CHECK(kernels::sum(Tensor::zeros({0})).item() == 0.0);
  CHECK_CLOSE(kernels::sum(Tensor::zeros({0, 2}), 0), Tensor::zeros({2}), tol::exact);
  CHECK(kernels::sum(Tensor::zeros({0, 2}), 1).shape() == Shape{0});
  CHECK_THROWS_TEXT(kernels::max(Tensor::zeros({0, 2}), 0), ShapeError,
                    "max: nothing to take the maximum of: [0, 2].");
  CHECK_THROWS_TEXT(kernels::argmax(Tensor::zeros({2, 0})), ShapeError, "argmax: axis 1 is empty: [2, 0].");
  CHECK_THROWS_TEXT(kernels::sum(Tensor::zeros({2}, i64)), DTypeError,
                    "sum: expected f32 or f64, got i64. Convert with to(f32).");
}
