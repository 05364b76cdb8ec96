// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/kernels/pool.h"

#include <cmath>
#include <limits>

#include "kernel_cases.h"
#include "linnet/core/kernels/layout.h"

using namespace linnet;

namespace {

struct PoolCase {
  Shape x_shape;
  Window window;
  Tensor x, dy;

  PoolCase(const Shape& images, Pair kernel, Pair stride, const Padding& padding, std::uint64_t seed)
      : x_shape(images), window(make_window("max_pool2d", images, kernel, stride, 1, padding)) {
    x = test::random_tensor(images, seed);
    dy = test::random_tensor({images[0], window.out.h, window.out.w, images[3]}, seed + 1);
  }
  std::string str() const {
    return x_shape.str() + ", kernel " + Shape{window.kernel.h, window.kernel.w}.str() + ", stride " +
           Shape{window.stride.h, window.stride.w}.str() + ", padding " +
           Shape{window.top, window.left}.str();
  }
};

PoolCase random_pool(Rng& rng, std::uint64_t seed) {
  const Pair kernel(1 + rng.below(4), 1 + rng.below(4)), stride(1 + rng.below(4), 1 + rng.below(4));
  Padding padding = rng.below(2) == 0 ? Padding::same_size() : Padding();
  if (rng.below(3) == 0)
    padding = Padding(rng.below(kernel.h), rng.below(kernel.h), rng.below(kernel.w), rng.below(kernel.w));
  const Shape images{1 + rng.below(4), kernel.h + rng.below(9), kernel.w + rng.below(9), test::odd_size(rng)};
  return PoolCase(images, kernel, stride, padding, seed);
}

std::vector<PoolCase> random_pools(std::uint64_t series, int count) {
  Rng rng(31, series);
  std::vector<PoolCase> list;
  for (int i = 0; i < count; ++i)
    list.push_back(random_pool(rng, 100 + 10'000 * series + 2 * static_cast<std::uint64_t>(i)));
  return list;
}

std::vector<PoolCase> cases() {
  std::vector<PoolCase> list{PoolCase({4, 26, 26, 32}, 2, 2, {}, 1),
                             PoolCase({2, 20, 19, 5}, {17, 16}, 1, {}, 2)};
  for (PoolCase& t : random_pools(0, test::kShapes)) list.push_back(std::move(t));
  return list;
}

}  // namespace

TEST_CASE("pooling worked by hand") {
  // 0 .. 8 with the last two swapped for equal maxima, in a 3x3 image; 2x2 windows with stride 1.
  const Tensor x = Tensor::from({0.0, 1.0, 2.0, 3.0, 8.0, 5.0, 6.0, 8.0, 7.0}, Shape{1, 3, 3, 1});
  const Window w = make_window("max_pool2d", x.shape(), 2, 1, 1, {});
  const Tensor dy = Tensor::from({1.0, 2.0, 4.0, 8.0}, Shape{1, 2, 2, 1});
  test::on_every_isa([&] {
    for (DType type : {f32, f64}) {
      const kernels::MaxPool pooled = kernels::max_pool2d(x.to(type), w, true);
      CHECK_CLOSE(pooled.y, Tensor::from({8.0, 8.0, 8.0, 8.0}, Shape{1, 2, 2, 1}), tol::exact);
      CHECK_SAME_BITS(pooled.index, Tensor::from({3.0, 2.0, 1.0, 0.0}, Shape{1, 2, 2, 1}, u8));
      CHECK_CLOSE(kernels::max_pool2d_grad(dy.to(type), pooled.index, x.shape(), w),
                  Tensor::from({0.0, 0.0, 0.0, 0.0, 15.0, 0.0, 0.0, 0.0, 0.0}, x.shape()), tol::exact);
      CHECK_CLOSE(kernels::avg_pool2d(x.to(type), w), Tensor::from({3.0, 4.0, 6.25, 7.0}, Shape{1, 2, 2, 1}),
                  tol::exact);
      CHECK_CLOSE(kernels::avg_pool2d_grad(dy.to(type), x.shape(), w),
                  Tensor::from({0.25, 0.75, 0.5, 1.25, 3.75, 2.5, 1.0, 3.0, 2.0}, x.shape()), tol::exact);
    }
  });
}

namespace {

void check_against_f64(const std::vector<PoolCase>& list) {
  for (const PoolCase& t : list) {
    const std::string what = t.str();
    CAPTURE(what);
    const Tensor x = t.x.to(f64), dy = t.dy.to(f64);
    const kernels::MaxPool pooled = kernels::max_pool2d(x, t.window, true);
    const Tensor max_grad = kernels::max_pool2d_grad(dy, pooled.index, t.x_shape, t.window);
    const Tensor average = kernels::avg_pool2d(x, t.window);
    const Tensor average_grad = kernels::avg_pool2d_grad(dy, t.x_shape, t.window);
    const std::int64_t taps = t.window.kernel.h * t.window.kernel.w;
    test::on_every_isa([&] {
      const kernels::MaxPool own = kernels::max_pool2d(t.x, t.window, true);
      CHECK_CLOSE(own.y, pooled.y, tol::exact);
      CHECK_SAME_BITS(own.index, pooled.index);
      CHECK_SAME_BITS(kernels::max_pool2d(t.x, t.window, false).y, own.y);
      CHECK_CLOSE(kernels::max_pool2d_grad(t.dy, own.index, t.x_shape, t.window), max_grad,
                  tol::f32_accumulated(taps));
      CHECK_CLOSE(kernels::avg_pool2d(t.x, t.window), average, tol::f32_accumulated(taps));
      CHECK_CLOSE(kernels::avg_pool2d_grad(t.dy, t.x_shape, t.window), average_grad,
                  tol::f32_accumulated(taps));
    });
  }
}

}  // namespace

TEST_CASE("pooling agrees with f64 on every instruction set; the maximum and its place exactly") {
  check_against_f64(cases());
}
TEST_SUITE("long") {
  TEST_CASE("poolings and their gradients agree with f64 on 1,000 shapes, on every instruction set") {
    for (std::uint64_t series = 1; series < 20; ++series)
      check_against_f64(random_pools(series, test::kManyShapes / 20));
  }
}

TEST_CASE("instruction sets and thread counts give poolings of equal bits") {
  for (const PoolCase& t : cases()) {
    const std::string what = t.str();
    CAPTURE(what);
    const Tensor index = kernels::max_pool2d(t.x, t.window, true).index;
    test::check_same_bits_everywhere([&] { return kernels::max_pool2d(t.x, t.window, false).y; });
    test::check_same_bits_everywhere(
        [&] { return kernels::max_pool2d_grad(t.dy, index, t.x_shape, t.window); });
    test::check_same_bits_everywhere([&] { return kernels::avg_pool2d(t.x, t.window); });
    test::check_same_bits_everywhere([&] { return kernels::avg_pool2d_grad(t.dy, t.x_shape, t.window); });
  }
}

TEST_CASE("a place is a byte up to 256 places, then an i32") {
  CHECK(
      kernels::max_pool2d(Tensor::zeros({1, 16, 16, 1}), make_window("p", {1, 16, 16, 1}, 16, 1, 1, {}), true)
          .index.dtype() == u8);
  const Shape large{1, 17, 16, 1};
  const Window w = make_window("p", large, {17, 16}, 1, 1, {});
  for (DType type : {f32, f64}) {
    Tensor x = Tensor::zeros(large);
    x.mutable_data<float>()[271] = 1.0f;
    const kernels::MaxPool pooled = kernels::max_pool2d(x.to(type), w, true);
    CHECK_SAME_BITS(pooled.index, Tensor::full({1, 1, 1, 1}, 271, i32));
    CHECK_CLOSE(kernels::max_pool2d_grad(Tensor::ones({1, 1, 1, 1}, type), pooled.index, large, w), x,
                tol::exact);
  }
}

TEST_CASE("the first of equal values wins, padding never does, and is not counted in a mean") {
  const Tensor x = Tensor::full({1, 3, 3, 10}, -2.0);
  const Window w = make_window("p", x.shape(), 3, 1, 1, Padding(1));
  test::on_every_isa([&] {
    for (DType type : {f32, f64}) {
      const kernels::MaxPool pooled = kernels::max_pool2d(x.to(type), w, true);
      CHECK_CLOSE(pooled.y, x, tol::exact);
      CHECK_CLOSE(kernels::avg_pool2d(x.to(type), w), x, tol::f64);
      // The first place inside the image: row 1, column 1 at the upper left, row 0, column 0 in the middle.
      CHECK(pooled.index.data<std::uint8_t>()[0] == 4);
      CHECK(pooled.index.data<std::uint8_t>()[10] == 3);
      CHECK(pooled.index.data<std::uint8_t>()[4 * 10 + 9] == 0);
    }
  });
}

TEST_CASE("a NaN wins its maximum and gets its gradient, wherever it is in the window") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Shape shape{1, 2, 2, 9};
  const Window w = make_window("p", shape, 2, 2, 1, {});
  test::on_every_isa([&] {
    for (DType type : {f32, f64})
      for (std::int64_t place = 0; place < 4; ++place) {
        Tensor x = test::random_tensor(shape, 5);
        x.mutable_data<float>()[place * 9 + 8] = nan;
        const kernels::MaxPool pooled = kernels::max_pool2d(x.to(type), w, true);
        for (std::int64_t c = 0; c < 9; ++c) CHECK(std::isnan(pooled.y.to(f32).data<float>()[c]) == (c == 8));
        CHECK(pooled.index.data<std::uint8_t>()[8] == place);
      }
  });
}

TEST_CASE("an image is pooled alone as in any batch") {
  for (const PoolCase& t : cases()) {
    const Tensor last = kernels::slice(t.x, 0, t.x_shape[0] - 1, t.x_shape[0], 1);
    const auto last_of = [&](const Tensor& y) {
      return kernels::slice(y, 0, t.x_shape[0] - 1, t.x_shape[0], 1);
    };
    CHECK_SAME_BITS(kernels::max_pool2d(last, t.window, false).y,
                    last_of(kernels::max_pool2d(t.x, t.window, false).y));
    CHECK_SAME_BITS(kernels::avg_pool2d(last, t.window), last_of(kernels::avg_pool2d(t.x, t.window)));
  }
}
