// SPDX-License-Identifier: Apache-2.0
// The integer reference against scripts/golden/int8.py, which computes the same formulas in exact fractions.
#include <doctest/doctest.h>

#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "linnet/runtime/reference.h"

namespace linnet::test {
namespace {

using nlohmann::json;
using I8 = std::vector<std::int8_t>;
using I16 = std::vector<std::int16_t>;
using I32 = std::vector<std::int32_t>;
using Sizes = std::vector<std::size_t>;

I8 i8(const json& c, const char* name) { return c.at(name).get<I8>(); }
I16 i16(const json& c, const char* name) { return c.at(name).get<I16>(); }
I32 i32(const json& c, const char* name) { return c.at(name).get<I32>(); }

lnt_multiplier multiplier(const json& pair) {
  return {pair.at(0).get<std::int32_t>(), pair.at(1).get<std::int32_t>()};
}

std::vector<lnt_multiplier> multipliers(const json& c, const char* name = "factor") {
  std::vector<lnt_multiplier> all;
  for (const json& pair : c.at(name)) all.push_back(multiplier(pair));
  return all;
}

lnt_i8_range range(const json& c) {
  const auto out = i32(c, "out");
  return {out[0], static_cast<std::int8_t>(out[1]), static_cast<std::int8_t>(out[2])};
}

I32 folded(const json& c, std::size_t outs, const I8& weight, bool with_bias = true) {
  const I32 bias = with_bias ? i32(c, "bias") : I32(outs, 0);
  I32 result(outs);
  lnt_i8_fold(weight.data(), outs, weight.size() / outs, bias.data(), c.at("zero").get<std::int32_t>(),
              result.data());
  return result;
}

void check_rescale(const json& c) {
  const I32 x = i32(c, "x"), y = i32(c, "y");
  const auto factor = multipliers(c);
  for (std::size_t i = 0; i < x.size(); ++i) {
    CAPTURE(x[i]);
    CAPTURE(factor[i].value);
    CAPTURE(factor[i].shift);
    CHECK(lnt_rescale(x[i], factor[i]) == y[i]);
  }
}

I8 run_dense(const json& c) {
  const Sizes s = c.at("sizes").get<Sizes>();
  const I8 x = i8(c, "x"), weight = i8(c, "weight");
  const lnt_i8_dense_work work{s[0], s[1], s[2], range(c)};
  I8 y(s[0] * s[2]);
  lnt_i8_dense(&work, x.data(), weight.data(), folded(c, s[2], weight).data(), {multipliers(c).data(), 1},
               y.data());
  return y;
}

I8 run_conv(const json& c) {
  const Sizes s = c.at("sizes").get<Sizes>();
  const I8 x = i8(c, "x"), weight = i8(c, "weight");
  const lnt_i8_conv_work work{s[0],
                              s[1],
                              s[2],
                              s[3],
                              s[4],
                              s[5],
                              s[6],
                              s[7],
                              s[8],
                              s[9],
                              s[10],
                              s[11],
                              s[12],
                              s[13],
                              s[14],
                              s[15],
                              c.at("zero").get<std::int32_t>(),
                              range(c)};
  I8 y(s[0] * s[4] * s[5] * s[6]);
  lnt_i8_conv2d(&work, x.data(), weight.data(), folded(c, s[6], weight).data(), {multipliers(c).data(), 1},
                y.data());
  return y;
}

I8 run_pool(const json& c, bool max) {
  const Sizes s = c.at("sizes").get<Sizes>();
  const I8 x = i8(c, "x");
  const lnt_i8_pool_work work{s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], s[8], s[9], s[10], s[11]};
  I8 y(s[0] * s[4] * s[5] * s[3]);
  (max ? lnt_i8_max_pool2d : lnt_i8_avg_pool2d)(&work, x.data(), y.data());
  return y;
}

I8 run_sum(const json& c, int sign) {
  const I8 a = i8(c, "a"), b = i8(c, "b");
  const I32 zeros = i32(c, "zeros");
  const auto factor = multipliers(c);
  I8 y(a.size());
  lnt_i8_add({a.data(), zeros[0], factor[0]}, {b.data(), zeros[1], factor[1]}, sign, factor[2], range(c),
             y.size(), y.data());
  return y;
}

I8 run_mul(const json& c) {
  const I8 a = i8(c, "a"), b = i8(c, "b");
  const I32 zeros = i32(c, "zeros");
  I8 y(a.size());
  lnt_i8_mul(a.data(), zeros[0], b.data(), zeros[1], multipliers(c)[0], range(c), y.size(), y.data());
  return y;
}

I8 run_requantize(const json& c) {
  const I8 x = i8(c, "x");
  I8 y(x.size());
  lnt_i8_requantize(x.data(), c.at("zero").get<std::int32_t>(), multipliers(c)[0], range(c), y.size(),
                    y.data());
  return y;
}

I8 run_softmax(const json& c) {
  const Sizes s = c.at("sizes").get<Sizes>();
  const I8 x = i8(c, "x");
  I8 y(x.size());
  lnt_i8_softmax(c.at("table").get<std::vector<std::uint32_t>>().data(), x.data(), s[0], s[1], s[2],
                 y.data());
  return y;
}

/// The weights of one recurrent case, and views of them.
struct Layer {
  Layer(const json& c, const I16& sigmoid, const I16& tanh, std::size_t n_gates)
      : s(c.at("sizes").get<Sizes>()),
        x(i8(c, "x")),
        weight_x(i8(c, "weight_x")),
        weight_h(i8(c, "weight_h")),
        folded_x(folded(c, n_gates * s[2], weight_x, false)),
        factor(multipliers(c)),
        factor_h(multipliers(c, "factor_h")),
        bias(i16(c, "bias")),
        bias_h(c.contains("bias_h") ? i16(c, "bias_h") : I16()),
        y(s[0] * s[2]),
        gates(n_gates * s[2]) {
    view = {s[0],
            s[1],
            s[2],
            weight_x.data(),
            weight_h.data(),
            folded_x.data(),
            {factor.data(), 1},
            {factor_h.data(), 1},
            bias.data(),
            bias_h.data(),
            sigmoid.data(),
            tanh.data(),
            0};
  }
  Sizes s;
  I8 x, weight_x, weight_h;
  I32 folded_x;
  std::vector<lnt_multiplier> factor, factor_h;
  I16 bias, bias_h;
  I8 y;
  I16 gates;
  lnt_i8_recurrent view{};
};

/// The steps at once, and one call a step, which must be the same.
I8 run_lstm(const json& c, const I16& sigmoid, const I16& tanh) {
  Layer v(c, sigmoid, tanh, 4);
  v.view.cell_bits = c.at("cell_bits").get<std::int32_t>();
  const std::size_t units = v.s[2];
  I8 h(units), h_last(units), stepwise(v.y.size());
  I16 cell(units), cell_last(units);
  lnt_i8_lstm(&v.view, v.x.data(), h.data(), cell.data(), v.gates.data(), v.y.data());
  CHECK(cell == i16(c, "c"));
  v.view.steps = 1;
  for (std::size_t t = 0; t < v.s[0]; ++t)
    lnt_i8_lstm(&v.view, v.x.data() + t * v.s[1], h_last.data(), cell_last.data(), v.gates.data(),
                stepwise.data() + t * units);
  CHECK(stepwise == v.y);
  CHECK(h_last == h);
  return v.y;
}

I8 run_gru(const json& c, const I16& sigmoid, const I16& tanh) {
  Layer v(c, sigmoid, tanh, 3);
  const std::size_t units = v.s[2];
  I16 h(units), h_last(units);
  I8 h8(units), stepwise(v.y.size());
  lnt_i8_gru(&v.view, v.x.data(), h.data(), v.gates.data(), h8.data(), v.y.data());
  CHECK(h == i16(c, "h"));
  v.view.steps = 1;
  for (std::size_t t = 0; t < v.s[0]; ++t)
    lnt_i8_gru(&v.view, v.x.data() + t * v.s[1], h_last.data(), v.gates.data(), h8.data(),
               stepwise.data() + t * units);
  CHECK(stepwise == v.y);
  return v.y;
}

void check_gates(const json& c, const I16& sigmoid, const I16& tanh) {
  const I16 x = i16(c, "x"), y_sigmoid = i16(c, "y_sigmoid"), y_tanh = i16(c, "y_tanh");
  for (std::size_t i = 0; i < x.size(); ++i) {
    CAPTURE(x[i]);
    CHECK(lnt_i8_gate(sigmoid.data(), x[i]) == y_sigmoid[i]);
    CHECK(lnt_i8_gate(tanh.data(), x[i]) == y_tanh[i]);
  }
}

}  // namespace

TEST_CASE("the integer reference equals exact fractions in every op") {
  std::ifstream file(std::string(LINNET_SOURCE_DIR) + "/tests/golden/int8.json");
  const json cases = json::parse(file).at("cases");
  I16 sigmoid, tanh;
  for (const json& c : cases) {
    const auto op = c.at("op").get<std::string>();
    CAPTURE(op);
    if (op == "gate") {
      sigmoid = i16(c, "sigmoid");
      tanh = i16(c, "tanh");
      REQUIRE(sigmoid.size() == LNT_GATE_TABLE);
      check_gates(c, sigmoid, tanh);
    } else if (op == "rescale") {
      check_rescale(c);
    } else {
      const I8 y = op == "dense"        ? run_dense(c)
                   : op == "conv2d"     ? run_conv(c)
                   : op == "max_pool2d" ? run_pool(c, true)
                   : op == "avg_pool2d" ? run_pool(c, false)
                   : op == "add"        ? run_sum(c, 1)
                   : op == "sub"        ? run_sum(c, -1)
                   : op == "mul"        ? run_mul(c)
                   : op == "requantize" ? run_requantize(c)
                   : op == "softmax"    ? run_softmax(c)
                   : op == "lstm"       ? run_lstm(c, sigmoid, tanh)
                   : op == "gru"        ? run_gru(c, sigmoid, tanh)
                                        : I8();
      CHECK(y == i8(c, "y"));
    }
  }
  CHECK(cases.size() == 26);
}

TEST_CASE("an integer lookup takes entry x + 128") {
  I8 table(256), x(256), y(256);
  for (int i = 0; i < 256; ++i) {
    table[static_cast<std::size_t>(i)] = static_cast<std::int8_t>(i * 7);
    x[static_cast<std::size_t>(i)] = static_cast<std::int8_t>(i - 128);
  }
  lnt_i8_lookup(table.data(), x.data(), x.size(), y.data());
  CHECK(y == table);
}

TEST_CASE("integer sums of 66,311 products fit 32 bits and no more do") {
  CHECK(lnt_i8_fits(66311, 0));
  CHECK(!lnt_i8_fits(66312, 0));
  CHECK(lnt_i8_fits(66311, (std::int64_t{1} << 31) - 1 - 66311ll * 255 * 127));
  CHECK(!lnt_i8_fits(66311, (std::int64_t{1} << 31) - 66311ll * 255 * 127));
  CHECK(!lnt_i8_fits(0, INT64_MIN));
  CHECK(!lnt_i8_fits(~std::uint64_t{0}, 0));
}

TEST_CASE("the largest integer sum that fits is right though its parts wrap around") {
  const std::size_t n = 66311;
  const I8 weight(n, 127);
  const lnt_multiplier factor{1 << 30, -24};  // 2^-25: 64 for 2^31
  for (const std::int32_t zero : {127, -128}) {
    const I8 x(n, zero == 127 ? std::int8_t{-128} : std::int8_t{127});
    std::int32_t folded = 0;
    lnt_i8_fold(weight.data(), 1, n, nullptr, zero, &folded);
    std::int8_t y = 0;
    const lnt_i8_dense_work work{1, n, 1, {0, -128, 127}};
    lnt_i8_dense(&work, x.data(), weight.data(), &folded, {&factor, 0}, &y);
    CHECK(y == (zero == 127 ? -64 : 64));
  }
}

}  // namespace linnet::test
