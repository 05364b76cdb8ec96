// SPDX-License-Identifier: Apache-2.0
// Windows at the borders of small images: convolutions and max-pooling of every size, stride and padding
// around the kernels' special cases, against the plain sum, on every instruction set.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <random>
#include <vector>

#include "floats.h"
#include "linnet/runtime/linnet_runtime.h"
#include "model_builder.h"

namespace linnet::test {
namespace {

struct Window {
  int h, w, c, kernel, stride, top, bottom, left, right;
  int places_h() const { return (h + top + bottom - kernel) / stride + 1; }
  int places_w() const { return (w + left + right - kernel) / stride + 1; }
};

std::uint32_t u(int value) { return static_cast<std::uint32_t>(value); }

/// Calls visit(index of y, index of x, tap) for every tap inside the image, in the order of the sum, channel
/// 0.
void each_tap(const Window& v, const std::function<void(int y, int x, int tap)>& visit) {
  for (int i = 0; i < v.places_h(); ++i)
    for (int j = 0; j < v.places_w(); ++j)
      for (int tap = 0; tap < v.kernel * v.kernel; ++tap) {
        const int row = i * v.stride + tap / v.kernel - v.top,
                  column = j * v.stride + tap % v.kernel - v.left;
        if (row >= 0 && row < v.h && column >= 0 && column < v.w)
          visit((i * v.places_w() + j) * v.c, (row * v.w + column) * v.c, tap);
      }
}

/// Small images around the size of the kernel, with less padding than the kernel has rows.
void each_window(const std::function<void(const Window&)>& visit) {
  for (int kernel : {2, 3})
    for (int h = 1; h <= 5; ++h)
      for (int w = 1; w <= 7; w += h < 3 ? 1 : 2)
        for (int stride = 1; stride <= 3; ++stride)
          for (int pads = 0; pads < 81; pads += h < 3 ? 1 : 5) {
            Window v = {
                h, w, h % 2 == 0 ? 8 : 19, kernel, stride, pads % 3, pads / 3 % 3, pads / 9 % 3, pads / 27};
            if (std::max({v.top, v.bottom, v.left, v.right}) < kernel && h + v.top + v.bottom >= kernel &&
                w + v.left + v.right >= kernel)
              visit(v);
          }
}

/// Every instruction set's output for one-op files.
void run_everywhere(const File& file, const Floats& x, const std::function<void(const float* y)>& check) {
  const Bytes bytes = file.bytes();
  lnt_info info;
  REQUIRE(lnt_check(bytes.data(), bytes.size(), nullptr, &info) == LNT_OK);
  std::vector<std::uint8_t> arena(info.arena_bytes);
  lnt_model model;
  lnt_view in, out;
  REQUIRE(lnt_bind(&model, &info, arena.data(), arena.size()) == LNT_OK);
  REQUIRE(lnt_input(&model, 0, &in) == LNT_OK);
  REQUIRE(lnt_output(&model, 0, &out) == LNT_OK);
  for (lnt_isa isa : {LNT_SCALAR, LNT_AVX2, LNT_AVX512, LNT_NEON}) {
    if (!lnt_has_isa(isa)) continue;
    REQUIRE(lnt_set_isa(&model, isa) == LNT_OK);
    std::memcpy(in.data, x.data(), in.bytes);
    REQUIRE(lnt_run(&model) == LNT_OK);
    check(static_cast<const float*>(out.data));
  }
}

void check_convolution(const Window& v, bool depthwise, std::mt19937& random) {
  CAPTURE(depthwise);
  const int of_group = depthwise ? 1 : v.c, taps = v.kernel * v.kernel;
  const Floats x = random_floats(random, u(v.h * v.w * v.c), 4.0f),
               bias = random_floats(random, u(v.c), 4.0f);
  const Floats weight = random_floats(random, u(v.c * taps * of_group), 4.0f);
  Floats wanted(u(v.places_h() * v.places_w() * v.c));
  for (std::size_t i = 0; i < wanted.size(); ++i) wanted[i] = bias[i % u(v.c)];
  each_tap(v, [&](int y, int at, int tap) {
    for (int c = 0; c < v.c; ++c)
      for (int k = 0; k < of_group; ++k)
        wanted[u(y + c)] += x[u(at + (depthwise ? c : k))] * weight[u((c * taps + tap) * of_group + k)];
  });
  ModelBuilder m;
  const auto input = m.input({1, u(v.h), u(v.w), u(v.c)});
  m.output(m.op(
      LNT_CONV2D,
      {input, m.blocked({u(v.c), u(v.kernel), u(v.kernel), u(of_group)}, weight), m.constant({u(v.c)}, bias)},
      {1, u(v.places_h()), u(v.places_w()), u(v.c)},
      words({u(v.stride), u(v.stride), 1, 1, u(v.top), u(v.bottom), u(v.left), u(v.right),
             u(depthwise ? v.c : 1), LNT_RELU, 0, 0})));
  run_everywhere(m.file(), x, [&](const float* y) {
    // Sums of at most 172 terms below 16, in another order and rounded otherwise.
    for (std::size_t i = 0; i < wanted.size(); ++i)
      REQUIRE(std::fabs(std::max(wanted[i], 0.0f) - y[i]) <= 1e-3f);
  });
}

void check_max_pool(const Window& v, std::mt19937& random) {
  const Floats x = random_floats(random, u(v.h * v.w * v.c), 4.0f);
  Floats wanted(u(v.places_h() * v.places_w() * v.c), -INFINITY);
  each_tap(v, [&](int y, int at, int) {
    for (int c = 0; c < v.c; ++c) wanted[u(y + c)] = std::max(wanted[u(y + c)], x[u(at + c)]);
  });
  if (std::count(wanted.begin(), wanted.end(), -INFINITY) > 0)
    return;  // a window outside: the file is refused
  ModelBuilder m;
  const auto input = m.input({1, u(v.h), u(v.w), u(v.c)});
  m.output(m.op(LNT_MAX_POOL2D, {input}, {1, u(v.places_h()), u(v.places_w()), u(v.c)},
                words({u(v.kernel), u(v.kernel), u(v.stride), u(v.stride), u(v.top), u(v.bottom), u(v.left),
                       u(v.right)})));
  run_everywhere(m.file(), x, [&](const float* y) {
    REQUIRE(std::memcmp(wanted.data(), y, wanted.size() * sizeof(float)) == 0);
  });
}

}  // namespace

TEST_CASE("convolutions and max-pooling are right at every border of small images") {
  std::mt19937 random(1);
  int windows = 0;
  each_window([&](const Window& v) {
    CAPTURE(v.h);
    CAPTURE(v.w);
    CAPTURE(v.kernel);
    CAPTURE(v.stride);
    CAPTURE(v.top);
    CAPTURE(v.bottom);
    CAPTURE(v.left);
    CAPTURE(v.right);
    check_convolution(v, true, random);
    check_convolution(v, false, random);
    check_max_pool(v, random);
    ++windows;
  });
  CHECK(windows > 2000);
}

}  // namespace linnet::test
