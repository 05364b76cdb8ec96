// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/kernels/conv.h"

#include <algorithm>
#include <cmath>

#include "kernel_cases.h"
#include "linnet/core/kernels/layout.h"
#include "linnet/core/kernels/matmul.h"
#include "linnet/core/tensor_impl.h"

using namespace linnet;

namespace {

/// One convolution: its shapes and the tensors that its three kernels take.
struct ConvCase {
  Shape x_shape, weight_shape;
  Window window;
  std::int64_t groups = 1;
  Tensor x, weight, bias, dy;

  ConvCase(const Shape& images, std::int64_t outputs, Pair kernel, Pair stride, Pair dilation,
           const Padding& padding, std::int64_t group_count, std::uint64_t seed)
      : x_shape(images),
        weight_shape{outputs, kernel.h, kernel.w, images[3] / group_count},
        groups(group_count) {
    window = make_window("conv2d", images, kernel, stride, dilation, padding);
    x = test::random_tensor(images, seed);
    weight = test::random_tensor(weight_shape, seed + 1);
    bias = test::random_tensor({outputs}, seed + 2);
    dy = test::random_tensor({images[0], window.out.h, window.out.w, outputs}, seed + 3);
  }
  std::string str() const {
    return x_shape.str() + " by " + weight_shape.str() + " to " + dy.shape().str() + ", groups " +
           std::to_string(groups) + ", stride " + Shape{window.stride.h, window.stride.w}.str() +
           ", dilation " + Shape{window.dilation.h, window.dilation.w}.str();
  }

  Tensor y() const { return kernels::conv2d(x, weight, bias, window, groups); }
  Tensor dx() const { return kernels::conv2d_grad_input(dy, weight, x_shape, window, groups); }
  Tensor dweight() const { return kernels::conv2d_grad_weight(dy, x, weight_shape, window, groups); }

  /// The same in f64, fed the same values, or their absolute values: the scale of the sums.
  ConvCase in_f64(bool absolute) const {
    ConvCase twin = *this;
    for (Tensor* t : {&twin.x, &twin.weight, &twin.bias, &twin.dy}) {
      *t = t->to(f64);
      for (double& value : t->mutable_data<double>()) value = absolute ? std::abs(value) : value;
    }
    return twin;
  }
};

ConvCase random_conv(Rng& rng, std::uint64_t seed) {
  const auto below = [&](std::int64_t n) { return rng.below(n); };
  const Pair kernel(1 + below(4), 1 + below(4)), stride(1 + below(3), 1 + below(3)),
      dilation(1 + below(2), 1 + below(3));
  const Pair reach((kernel.h - 1) * dilation.h + 1, (kernel.w - 1) * dilation.w + 1);
  Padding padding = below(2) == 0 ? Padding::same_size() : Padding();
  if (below(3) == 0) padding = Padding(below(reach.h), below(reach.h), below(reach.w), below(reach.w));
  // One in four is depthwise, one in four has some other number of groups.
  const std::int64_t kind = below(4), groups = kind == 0   ? test::odd_size(rng) + 1
                                               : kind == 1 ? 1 + below(4)
                                                           : 1;
  const std::int64_t in = kind == 0 ? 1 : test::odd_size(rng), out = kind == 0 ? 1 : test::odd_size(rng);
  const Shape images{1 + below(5), reach.h + below(9), reach.w + below(14), groups * in};
  return ConvCase(images, groups * out, kernel, stride, dilation, padding, groups, seed);
}

/// Shapes that meet every way through the kernels: 1x1, one channel, long sums, cut images, several groups.
std::vector<ConvCase> landmarks() {
  const Padding same = Padding::same_size();
  return {ConvCase({3, 28, 28, 1}, 32, 3, 1, 1, {}, 1, 1),
          ConvCase({2, 13, 13, 32}, 64, 3, 1, 1, {}, 1, 2),
          ConvCase({5, 6, 5, 20}, 17, 1, 1, 1, {}, 1, 3),
          ConvCase({2, 40, 41, 16}, 40, 3, 1, 1, same, 1, 4),
          ConvCase({1, 5, 5, 300}, 9, {2, 2}, 1, 1, same, 1, 5),
          ConvCase({9, 12, 11, 24}, 24, 3, 2, 1, same, 24, 6),
          ConvCase({2, 9, 9, 6}, 1040, 2, 2, 1, {}, 2, 7),
          ConvCase({6, 4, 4, 3}, 8, 3, 1, {1, 2}, same, 1, 8),
          ConvCase({3, 7, 9, 12}, 18, {3, 2}, {1, 2}, 2, same, 3, 9),
          ConvCase({17, 8, 8, 8}, 16, 1, 2, 1, {}, 1, 10)};
}

float madd(float a, float b, float c) { return active_isa() == Isa::sse2 ? a * b + c : std::fma(a, b, c); }

/// Value at (n, h, w, c) of the zero-padded image; h and w count from its first padded row and column.
float padded_at(const ConvCase& t, std::int64_t n, std::int64_t h, std::int64_t w, std::int64_t c) {
  h -= t.window.top, w -= t.window.left;
  if (h < 0 || h >= t.window.in.h || w < 0 || w >= t.window.in.w) return 0.0f;
  return readable<float>(t.x)[((n * t.window.in.h + h) * t.window.in.w + w) * t.x_shape[3] + c];
}

/// One element of y as conv.h documents its sum.
float documented_y(const ConvCase& t, std::int64_t n, std::int64_t i, std::int64_t j, std::int64_t o) {
  const Window& w = t.window;
  const std::int64_t depth = t.weight_shape[3], group = o / (t.weight_shape[0] / t.groups),
                     row = w.kernel.w * depth;
  const std::int64_t rows_at_once = std::max<std::int64_t>(512 / row, 1);
  float total = 0.0f;
  for (std::int64_t first = 0; first < w.kernel.h; first += rows_at_once) {
    float sum = 0.0f;
    for (std::int64_t kh = first; kh < std::min(first + rows_at_once, w.kernel.h); ++kh)
      for (std::int64_t kw = 0; kw < w.kernel.w; ++kw)
        for (std::int64_t c = 0; c < depth; ++c)
          sum = madd(padded_at(t, n, i * w.stride.h + kh * w.dilation.h, j * w.stride.w + kw * w.dilation.w,
                               group * depth + c),
                     readable<float>(t.weight)[((o * w.kernel.h + kh) * w.kernel.w + kw) * depth + c], sum);
    total = first == 0 ? sum : total + sum;
  }
  return total + readable<float>(t.bias)[o];
}

/// One element of dx likewise: h and w are places of the image, c a channel.
float documented_dx(const ConvCase& t, std::int64_t n, std::int64_t h, std::int64_t w, std::int64_t c) {
  const Window& win = t.window;
  const std::int64_t depth = t.weight_shape[3], outputs = t.weight_shape[0] / t.groups, group = c / depth;
  float total = 0.0f;
  for (std::int64_t kh = 0; kh < win.kernel.h; ++kh)
    for (std::int64_t kw = 0; kw < win.kernel.w; ++kw) {
      const std::int64_t y = h + win.top - kh * win.dilation.h, x = w + win.left - kw * win.dilation.w;
      const std::int64_t i = y / win.stride.h, j = x / win.stride.w;
      if (y < 0 || x < 0 || y % win.stride.h != 0 || x % win.stride.w != 0 || i >= win.out.h ||
          j >= win.out.w)
        continue;
      for (std::int64_t first = 0; first < outputs; first += 512) {
        float sum = 0.0f;
        for (std::int64_t o = first; o < std::min(first + 512, outputs); ++o) {
          const std::int64_t out = group * outputs + o;
          const float dy =
              readable<float>(t.dy)[((n * win.out.h + i) * win.out.w + j) * t.weight_shape[0] + out];
          sum = madd(
              dy,
              readable<float>(t.weight)[((out * win.kernel.h + kh) * win.kernel.w + kw) * depth + c % depth],
              sum);
        }
        total += sum;
      }
    }
  return total;
}

/// `value(n, h, w, c)` for every element of a tensor of this shape.
template <class Value>
Tensor filled(const Shape& shape, Value value) {
  Tensor t = Tensor::empty(shape);
  float* to = writable<float>(t);
  for (std::int64_t n = 0; n < shape[0]; ++n)
    for (std::int64_t h = 0; h < shape[1]; ++h)
      for (std::int64_t w = 0; w < shape[2]; ++w)
        for (std::int64_t c = 0; c < shape[3]; ++c) *to++ = value(n, h, w, c);
  return t;
}

bool is_depthwise(const ConvCase& t) {
  return t.weight_shape[3] == 1 && t.groups == t.weight_shape[0] && t.groups > 1;
}

/// Images [first, first + count) of a batch.
Tensor images(const Tensor& batch, std::int64_t first, std::int64_t count) {
  return kernels::slice(batch, 0, first, first + count, 1);
}

}  // namespace

TEST_CASE("a convolution worked by hand") {
  // x = 0 .. 8 in a 3x3 image, kernel [[1, 2], [3, 4]], bias 10.
  const Tensor x = Tensor::arange(9, f32).view({1, 3, 3, 1});
  const Tensor weight = Tensor::from({1.0, 2.0, 3.0, 4.0}, Shape{1, 2, 2, 1});
  const Tensor bias = Tensor::from({10.0});
  const Window w = make_window("conv2d", x.shape(), 2, 1, 1, {});
  const Tensor dy = Tensor::from({1.0, -1.0, 2.0, 0.5}, Shape{1, 2, 2, 1});
  for (DType type : {f32, f64}) {
    CHECK_CLOSE(kernels::conv2d(x.to(type), weight.to(type), bias.to(type), w, 1),
                Tensor::from({37.0, 47.0, 67.0, 77.0}, Shape{1, 2, 2, 1}), tol::exact);
    CHECK_CLOSE(kernels::conv2d_grad_input(dy.to(type), weight.to(type), x.shape(), w, 1),
                Tensor::from({1.0, 1.0, -2.0, 5.0, 5.5, -3.0, 6.0, 9.5, 2.0}, x.shape()), tol::exact);
    CHECK_CLOSE(kernels::conv2d_grad_weight(dy.to(type), x.to(type), weight.shape(), w, 1),
                Tensor::from({7.0, 9.5, 14.5, 17.0}, weight.shape()), tol::exact);
  }
}

namespace {

/// Output, input gradient and weight gradient of each.
void check_against_f64(const std::vector<ConvCase>& cases) {
  for (const ConvCase& t : cases) {
    const std::string what = t.str();
    CAPTURE(what);
    const ConvCase twin = t.in_f64(false), scale = t.in_f64(true);
    const Tensor y = twin.y(), dx = twin.dx(), dweight = twin.dweight();
    const Tensor y_scale = scale.y(), dx_scale = scale.dx(), dweight_scale = scale.dweight();
    const std::int64_t taps = t.window.kernel.h * t.window.kernel.w;
    test::on_every_isa([&] {
      CHECK_CLOSE_TO_SCALE(t.y(), y, y_scale, tol::f32_of_scale(taps * t.weight_shape[3] + 1));
      CHECK_CLOSE_TO_SCALE(t.dx(), dx, dx_scale, tol::f32_of_scale(taps * t.weight_shape[0] / t.groups));
      CHECK_CLOSE_TO_SCALE(t.dweight(), dweight, dweight_scale,
                           tol::f32_of_scale(t.x_shape[0] * t.window.out.h * t.window.out.w));
    });
  }
}

std::vector<ConvCase> random_convs(std::uint64_t series, int count) {
  Rng rng(21, series);
  std::vector<ConvCase> cases;
  for (int i = 0; i < count; ++i)
    cases.push_back(random_conv(rng, 1000 + 100'000 * series + 10 * static_cast<std::uint64_t>(i)));
  return cases;
}

}  // namespace

TEST_CASE("convolutions agree with f64 on every instruction set, within ULP sqrt(K) of the absolute terms") {
  check_against_f64(landmarks());
  check_against_f64(random_convs(0, test::kShapes));
}
TEST_SUITE("long") {
  TEST_CASE(
      "convolutions (plain, grouped, depthwise, 1x1, few channels) and both gradients agree with f64 on "
      "1,000 "
      "shapes, on every instruction set") {
    for (std::uint64_t series = 1; series < 20; ++series)  // cut up, not to hold them all at once
      check_against_f64(random_convs(series, test::kManyShapes / 20));
  }
}

TEST_CASE("every element of y and dx is the documented sum, bit for bit") {
  Rng rng(22, 0);
  std::vector<ConvCase> cases = landmarks();
  for (int i = 0; i < test::kShapes; ++i) cases.push_back(random_conv(rng, 3000 + 10 * i));
  for (const ConvCase& t : cases) {
    const std::string what = t.str();
    CAPTURE(what);
    test::on_every_isa([&] {
      CHECK_SAME_BITS(t.y(), filled(t.dy.shape(), [&](auto n, auto i, auto j, auto o) {
                        return documented_y(t, n, i, j, o);
                      }));
      if (is_depthwise(t)) return;  // its dx is one chain over the taps
      CHECK_SAME_BITS(t.dx(), filled(t.x_shape, [&](auto n, auto h, auto w, auto c) {
                        return documented_dx(t, n, h, w, c);
                      }));
    });
  }
}

TEST_CASE("instruction sets and thread counts give convolutions of equal bits") {
  for (const ConvCase& t : landmarks()) {
    const std::string what = t.str();
    CAPTURE(what);
    test::check_same_bits_everywhere([&] { return t.y(); });
    test::check_same_bits_everywhere([&] { return t.dx(); });
    test::check_same_bits_everywhere([&] { return t.dweight(); });
  }
}

TEST_CASE("an image's output and input gradient have the same bits alone and in any batch") {
  for (const ConvCase& t : landmarks()) {
    const std::string what = t.str();
    CAPTURE(what);
    const Tensor y = t.y(), dx = t.dx();
    for (std::int64_t first = 0; first < t.x_shape[0]; ++first)
      for (std::int64_t count : {std::int64_t{1}, t.x_shape[0] - first}) {
        ConvCase part = t;
        part.x = images(t.x, first, count);
        part.dy = images(t.dy, first, count);
        part.x_shape = part.x.shape();
        CHECK_SAME_BITS(part.y(), images(y, first, count));
        CHECK_SAME_BITS(part.dx(), images(dx, first, count));
      }
  }
}

TEST_CASE("a 1x1 convolution is a matrix product, bit for bit") {
  const ConvCase t({3, 5, 7, 600}, 20, 1, 1, 1, {}, 1, 1);
  const Shape pixels{105, 600}, outputs{105, 20};
  const Tensor weight = t.weight.view({20, 600});
  CHECK_SAME_BITS(t.y().view(outputs), kernels::dense(t.x.view(pixels), weight, t.bias));
  CHECK_SAME_BITS(t.dx().view(pixels), kernels::matmul(t.dy.view(outputs), weight));
}

TEST_CASE("padding is the same as convolving a padded image") {
  const ConvCase padded({2, 6, 5, 3}, 4, {3, 2}, {2, 1}, {1, 2}, Padding(1, 2, 2, 0), 1, 1);
  const std::int64_t before[] = {0, 1, 2, 0}, after[] = {0, 2, 0, 0};
  ConvCase wide = padded;
  wide.x = kernels::pad(padded.x, before, after, 0.0);
  wide.x_shape = wide.x.shape();
  wide.window = make_window("conv2d", wide.x_shape, {3, 2}, {2, 1}, {1, 2}, {});
  CHECK_SAME_BITS(padded.y(), wide.y());
  CHECK_SAME_BITS(padded.dweight(), wide.dweight());
  CHECK_SAME_BITS(padded.dx(), kernels::unpad(wide.dx(), padded.x_shape, before));
}

TEST_CASE("an empty batch has empty outputs and a zero weight gradient") {
  for (std::int64_t groups : {1, 4}) {
    const ConvCase t({0, 6, 5, 4}, 4, 3, 1, 1, {}, groups, 1);
    CHECK(t.y().shape() == Shape{0, 4, 3, 4});
    CHECK(t.dx().shape() == t.x_shape);
    CHECK_SAME_BITS(t.dweight(), Tensor::zeros(t.weight_shape));
  }
}
