// SPDX-License-Identifier: Apache-2.0
// The ops on quantized tensors as a model runs them, against plain sums in exact numbers and, where an op is
// one call of it, against the integer reference.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>

#include "int8_run.h"
#include "linnet/runtime/reference.h"

namespace linnet::test {
namespace {

using I8 = std::vector<std::int8_t>;

I8 random_i8(std::mt19937& random, std::size_t n) {
  I8 values(n);
  for (std::int8_t& v : values) v = static_cast<std::int8_t>(random());
  return values;
}

std::size_t size_of(const ModelBuilder::Dims& dims) {
  std::size_t n = 1;
  for (std::uint32_t d : dims) n *= d;
  return n;
}

/// factor sum, rounded to the nearest, halves up, in exact numbers.
std::int64_t scaled(std::int64_t sum, const std::array<std::int32_t, 2>& factor) {
  const long double value = static_cast<long double>(sum) * factor[0] * std::exp2l(factor[1] - 31);
  return static_cast<std::int64_t>(std::floor(value + 0.5L));
}

std::int8_t placed(std::int64_t value, std::int64_t zero, std::int64_t low, std::int64_t high) {
  return static_cast<std::int8_t>(std::clamp(value + zero, low, high));
}

const std::array<std::int32_t, 2>& factor_of(const Quant& quant, std::size_t row) {
  return quant.factors[quant.factors.size() == 1 ? 0 : row];
}

std::uint32_t as_word(int value) { return static_cast<std::uint32_t>(value); }

}  // namespace

TEST_CASE("quantize is round(x / scale) + zero, halves to even, clamped; of NaN it is the zero") {
  Int8Op op = int8_quantize();
  std::mt19937 random(1);
  for (float scale : {0.5f, 0.1f, 3e-20f, 1e10f})
    for (int zero : {-128, 0, 17, 127}) {
      Floats x = random_between(random, 2000, -200 * scale, 200 * scale);
      for (int k = -300; k < 300; ++k) x.push_back((static_cast<float>(k) + 0.5f) * scale);
      for (float special : {INFINITY, -INFINITY, NAN, 0.0f, -0.0f, 3e38f, -3e38f, 1e-45f})
        x.push_back(special);
      const auto n = static_cast<std::uint32_t>(x.size());
      op.in[0].dims = op.out.dims = {n};
      op.out.quant = {zero, {scale}};
      Int8Model model(int8_file(op));
      model.set(x);
      const I8 y = model.run<std::int8_t>();
      for (std::size_t i = 0; i < x.size(); ++i) {
        CAPTURE(x[i]);
        const float q = std::clamp(std::nearbyint(x[i] / scale), -1000.0f, 1000.0f);  // halves to even
        CHECK(int{y[i]} == (std::isnan(x[i]) ? zero : std::clamp(static_cast<int>(q) + zero, -128, 127)));
      }
    }
}

TEST_CASE("dequantize is scale (x - zero), rounded once") {
  Int8Op op{LNT_DEQUANTIZE, {quantized({256}, {-100, {0.1f}})}, {{256}, LNT_F32}};
  I8 x(256);
  for (int i = 0; i < 256; ++i) x[static_cast<std::size_t>(i)] = static_cast<std::int8_t>(i - 128);
  Int8Model model(int8_file(op));
  model.set(x);
  const Floats y = model.run<float>();
  for (std::size_t i = 0; i < x.size(); ++i) CHECK(y[i] == 0.1f * static_cast<float>(x[i] + 100));
}

TEST_CASE("int8 dense is the exact sum of weights times x - zero, scaled, rounded and clamped") {
  std::mt19937 random(2);
  for (bool per_row : {true, false}) {
    Int8Op op = int8_dense();
    if (!per_row) op.in[1].quant = {0, {0.5f}, {{1234567890, -4}}};
    const std::vector<std::int32_t> bias{500, -300, 77, 0}, w = op.in[1].values;
    op.in[2] = sums_of(op.in[1], 3);
    for (std::size_t o = 0; o < 4; ++o) op.in[2].values[o] += bias[o];
    Int8Model model(int8_file(op));
    for (int trial = 0; trial < 50; ++trial) {
      const I8 x = random_i8(random, 10);
      model.set(x);
      I8 wanted;
      for (std::size_t r = 0; r < 2; ++r)
        for (std::size_t o = 0; o < 4; ++o) {
          std::int64_t sum = bias[o];
          for (std::size_t k = 0; k < 5; ++k) sum += w[o * 5 + k] * (x[r * 5 + k] - 3);
          wanted.push_back(placed(scaled(sum, factor_of(op.in[1].quant, o)), -7, -7, 127));
        }
      CHECK(model.run<std::int8_t>() == wanted);
    }
  }
}

TEST_CASE("int8 convolution is the exact sum over the taps; outside the image is the zero") {
  std::mt19937 random(3);
  Int8Op op = int8_conv();
  const std::vector<std::int32_t> w = op.in[1].values;
  op.in[2] = sums_of(op.in[1], -20);
  Int8Model model(int8_file(op));
  for (int trial = 0; trial < 20; ++trial) {
    const I8 x = random_i8(random, 120);
    model.set(x);
    I8 wanted;
    for (int i = 0; i < 2; ++i)
      for (int j = 0; j < 5; ++j)
        for (int o = 0; o < 8; ++o) {
          std::int64_t sum = 0;
          each_tap(i, j, o, [&](int at, int tap) {
            if (at >= 0) sum += w[static_cast<std::size_t>(tap)] * (x[static_cast<std::size_t>(at)] + 20);
          });
          wanted.push_back(placed(scaled(sum, op.in[1].quant.factors[0]), 10, -128, 100));
        }
    CHECK(model.run<std::int8_t>() == wanted);
  }
}

TEST_CASE("int8 pools, lookup, softmax and requantize are those of the reference") {
  std::mt19937 random(4);
  const I8 x = random_i8(random, 120), few(x.begin(), x.begin() + 15), six(x.begin(), x.begin() + 6);
  for (std::uint16_t opcode : {LNT_I8_MAX_POOL2D, LNT_I8_AVG_POOL2D}) {
    Int8Model pool(int8_file(int8_pool(opcode)));
    pool.set(x);
    I8 y(36);
    const lnt_i8_pool_work work{2, 5, 4, 3, 3, 2, 3, 2, 2, 2, 1, 0};
    (opcode == LNT_I8_MAX_POOL2D ? lnt_i8_max_pool2d : lnt_i8_avg_pool2d)(&work, x.data(), y.data());
    CHECK(pool.run<std::int8_t>() == y);
  }
  Int8Model softmax(int8_file(int8_softmax()));
  softmax.set(few);
  const std::vector<std::int32_t> e = int8_softmax().in[1].values;
  const std::vector<std::uint32_t> entries(e.begin(), e.end());
  I8 y(15), y6(6);
  lnt_i8_softmax(entries.data(), few.data(), 3, 5, 1, y.data());
  CHECK(softmax.run<std::int8_t>() == y);

  Int8Model lookup(int8_file(int8_lookup()));
  lookup.set(six);
  for (std::size_t i = 0; i < 6; ++i)
    y6[i] = static_cast<std::int8_t>(int8_lookup().in[1].values[static_cast<std::size_t>(six[i] + 128)]);
  CHECK(lookup.run<std::int8_t>() == y6);

  Int8Model requantize(int8_file({LNT_I8_REQUANTIZE,
                                  {quantized({6}, {4, {0.5f}})},
                                  quantized({6}, {-4, {0.25f}}),
                                  {1u << 30, 2, as_word(-100), 100}}));
  requantize.set(six);
  for (std::size_t i = 0; i < 6; ++i) y6[i] = placed(2 * (six[i] - 4), -4, -100, 100);
  CHECK(requantize.run<std::int8_t>() == y6);
}

TEST_CASE("int8 sums, differences and products are those of the reference, broadcast as in NumPy") {
  std::mt19937 random(5);
  const std::vector<std::pair<ModelBuilder::Dims, ModelBuilder::Dims>> shapes = {
      {{2, 3, 4}, {2, 3, 4}}, {{2, 3, 4}, {3, 1}}, {{2, 3, 4}, {4}}, {{1, 3, 1}, {2, 1, 4}}, {{5}, {1}}};
  for (std::uint16_t opcode : {LNT_I8_ADD, LNT_I8_SUB, LNT_I8_MUL})
    for (const auto& [a_dims, b_dims] : shapes) {
      Int8Op op = int8_binary(opcode);
      op.in[0].dims = a_dims, op.in[1].dims = b_dims;
      op.out.dims = a_dims.size() == 1 ? a_dims : ModelBuilder::Dims{2, 3, 4};
      const I8 a = random_i8(random, size_of(a_dims)), b = random_i8(random, size_of(b_dims));
      Int8Model model(int8_file(op));
      model.set(a, 0);
      model.set(b, 1);
      I8 wanted(size_of(op.out.dims));
      for (std::size_t i = 0; i < wanted.size(); ++i) {
        const auto place = [&](const ModelBuilder::Dims& dims) {
          std::size_t at = 0, left = i, step = 1;
          for (std::size_t d = 1; d <= op.out.dims.size(); ++d) {
            const std::size_t index = left % op.out.dims[op.out.dims.size() - d];
            left /= op.out.dims[op.out.dims.size() - d];
            const std::size_t size = d <= dims.size() ? dims[dims.size() - d] : 1;
            at += size == 1 ? 0 : index * step;
            step *= size;
          }
          return at;
        };
        const std::int8_t *pa = &a[place(a_dims)], *pb = &b[place(b_dims)];
        const lnt_i8_range range{5, -100, 120};
        if (opcode == LNT_I8_MUL)
          lnt_i8_mul(pa, 3, pb, -9, {1 << 30, -2}, range, 1, &wanted[i]);
        else
          lnt_i8_add({pa, 3, {1 << 30, 0}}, {pb, -9, {1 << 30, -1}}, opcode == LNT_I8_ADD ? 1 : -1,
                     {1 << 30, -18}, range, 1, &wanted[i]);
      }
      CHECK(model.run<std::int8_t>() == wanted);
    }
}

TEST_CASE("reshape, transpose, slice, concat and pad move int8 as they are, and pad with the zero") {
  const I8 x{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13}, six(x.begin(), x.begin() + 6);
  const auto moved = [&](const Int8Op& op, const I8& from) {
    Int8Model model(int8_file(op));
    model.set(from);
    return model.run<std::int8_t>();
  };
  CHECK(moved({LNT_RESHAPE, {quantized({2, 3}, {4})}, quantized({6}, {4})}, six) == six);
  CHECK(moved({LNT_TRANSPOSE, {quantized({2, 3}, {4})}, quantized({3, 2}, {4}), {1, 0, 0, 0, 0, 0}}, six) ==
        I8{0, 3, 1, 4, 2, 5});
  CHECK(moved({LNT_SLICE, {quantized({2, 7}, {4})}, quantized({2, 3}, {4}), {1, 1, 2}}, x) ==
        I8{1, 3, 5, 8, 10, 12});
  CHECK(moved(int8_pad(), six) == I8{4, 4, 0, 1, 2, 4, 4, 4, 3, 4, 5, 4, 4, 4, 4, 4, 4, 4});
  Int8Model concat(
      int8_file({LNT_CONCAT, {quantized({2, 3}, {4}), quantized({2, 1}, {4})}, quantized({2, 4}, {4}), {1}}));
  concat.set(six, 0);
  concat.set(I8{100, 101}, 1);
  CHECK(concat.run<std::int8_t>() == I8{0, 1, 2, 100, 3, 4, 5, 101});
}

TEST_CASE("int8 lstm and gru are those of the reference, forwards and backwards, all steps or the last") {
  std::mt19937 random(6);
  for (bool lstm : {true, false})
    for (std::uint32_t flags : {0u, std::uint32_t{LNT_RNN_SEQUENCE}, std::uint32_t{LNT_RNN_REVERSE},
                                std::uint32_t{LNT_RNN_REVERSE | LNT_RNN_SEQUENCE}}) {
      CAPTURE(lstm);
      CAPTURE(flags);
      Int8Op op = int8_recurrent(lstm);
      op.in[0].dims = {2, 4, 3};
      op.params[0] = flags;
      op.out.dims = {2, 2};
      if ((flags & LNT_RNN_SEQUENCE) != 0) op.out.dims = {2, 4, 2};
      const auto narrow = [&](std::size_t i) { return I8(op.in[i].values.begin(), op.in[i].values.end()); };
      const auto wide = [&](std::size_t i) {
        return std::vector<std::int16_t>(op.in[i].values.begin(), op.in[i].values.end());
      };
      const I8 weight_x = narrow(1), weight_h = narrow(2), x = random_i8(random, 24);
      const std::size_t n = op.in.size();
      const auto bias = wide(4), bias_h = wide(5), sigmoid = wide(n - 2), tanh = wide(n - 1);
      const auto &fx = op.in[1].quant.factors[0], &fh = op.in[2].quant.factors[0];
      const lnt_multiplier factor_x{fx[0], fx[1]}, factor_h{fh[0], fh[1]};
      const lnt_i8_recurrent layer{1,
                                   3,
                                   2,
                                   weight_x.data(),
                                   weight_h.data(),
                                   op.in[3].values.data(),
                                   {&factor_x, 0},
                                   {&factor_h, 0},
                                   bias.data(),
                                   bias_h.data(),
                                   sigmoid.data(),
                                   tanh.data(),
                                   lstm ? 2 : 0};
      I8 wanted;
      for (std::size_t sample = 0; sample < 2; ++sample) {
        I8 h8(2), y(2), rows(8);
        std::vector<std::int16_t> state(2), gates(8);
        for (std::size_t k = 0; k < 4; ++k) {
          const std::size_t t = (flags & LNT_RNN_REVERSE) != 0 ? 3 - k : k;
          const std::int8_t* at = x.data() + (sample * 4 + t) * 3;
          if (lstm)
            lnt_i8_lstm(&layer, at, h8.data(), state.data(), gates.data(), y.data());
          else
            lnt_i8_gru(&layer, at, state.data(), gates.data(), h8.data(), y.data());
          std::copy(y.begin(), y.end(), rows.begin() + static_cast<std::ptrdiff_t>(2 * t));
        }
        const I8& result = (flags & LNT_RNN_SEQUENCE) != 0 ? rows : y;
        wanted.insert(wanted.end(), result.begin(), result.end());
      }
      Int8Model model(int8_file(op));
      for (int run = 0; run < 2; ++run) {  // the state does not stay
        model.set(x);
        CHECK(model.run<std::int8_t>() == wanted);
      }
    }
}

namespace {

/// Runs the pieces last first, and counts them.
void last_first(void* context, lnt_task task, void* work, std::uint32_t count) {
  *static_cast<std::uint32_t*>(context) += count;
  for (std::uint32_t i = count; i-- > 0;) task(work, i);
}

}  // namespace

TEST_CASE("threads of the caller get pieces of int8 layers, and the results are the same") {
  std::mt19937 random(10);
  const Quant factor{0, {0.5f}, {{1 << 30, -6}}};
  const Quant each{0, Floats(200, 0.5f), std::vector<std::array<std::int32_t, 2>>(200, {1 << 30, -6})};
  Int8Op conv = int8_conv(), one_row = int8_dense(), rows = int8_dense();
  conv.in = {quantized({2, 21, 17, 8}, {-20}), weight({24, 3, 3, 8}, factor), {}};
  conv.out.dims = {2, 11, 17, 24};
  conv.params = {2, 1, 1, 1, 1, 1, 1, 1, 1, as_word(-128), 127};
  one_row.in = {quantized({1, 400}, {3}), weight({200, 400}, each), {}};
  one_row.in[1].quant.factors[150] = {1 << 30, -5};
  one_row.out.dims = {1, 200};
  rows.in = {quantized({9, 400}, {3}), weight({30, 400}, factor), {}};
  rows.out.dims = {9, 30};
  for (Int8Op* op : {&conv, &one_row, &rows}) {
    op->in[2] = sums_of(op->in[1], op->in[0].quant.zero);
    Int8Model model(int8_file(*op));
    const I8 x = random_i8(random, size_of(op->in[0].dims));
    model.set(x);
    const I8 y = model.run<std::int8_t>();
    std::uint32_t pieces = 0;
    REQUIRE(lnt_set_parallel(&model.bound, last_first, &pieces) == LNT_OK);
    model.set(x);
    CHECK(model.run<std::int8_t>() == y);
    CHECK(pieces >= 4);
  }
  Int8Model small(int8_file(int8_dense()));  // two rows that are not worth a thread
  std::uint32_t pieces = 0;
  REQUIRE(lnt_set_parallel(&small.bound, last_first, &pieces) == LNT_OK);
  small.run<std::int8_t>();
  CHECK(pieces == 0);
}

TEST_CASE("an int8 view says scale and zero, one of f32 says 0") {
  Int8Model model(int8_file(int8_quantize()));
  lnt_view in, out;
  REQUIRE(lnt_input(&model.bound, 0, &in) == LNT_OK);
  REQUIRE(lnt_output(&model.bound, 0, &out) == LNT_OK);
  CHECK(in.scale == 0.0f);
  CHECK(out.scale == 0.05f);
  CHECK(out.zero == -3);
  CHECK(out.dtype == LNT_I8);
  CHECK(out.bytes == 6);
}

}  // namespace linnet::test
