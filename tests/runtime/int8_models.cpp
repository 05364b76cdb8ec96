// SPDX-License-Identifier: Apache-2.0
#include "int8_models.h"

#include <algorithm>
#include <cmath>

namespace linnet::test {
namespace {

template <class T>
std::vector<T> as(const std::vector<std::int32_t>& values) {
  std::vector<T> result;
  for (std::int32_t value : values) result.push_back(static_cast<T>(value));
  return result;
}

/// -127..127 in some order, small enough for any type.
std::vector<std::int32_t> filled(const Int8Operand& t) {
  std::vector<std::int32_t> values = t.values;
  for (std::size_t i = values.size(); i < elements_of(t.dims); ++i)
    values.push_back(static_cast<std::int32_t>(i * 37 % 255) - 127);
  return values;
}

ModelBuilder::Value add_constant(ModelBuilder& m, const Int8Operand& t) {
  const std::vector<std::int32_t> values = filled(t);
  if (t.dtype == LNT_F32) return m.constant(t.dims, as<float>(values));
  if (t.dtype == LNT_I32) return m.integers(t.dims, values);
  if (t.dtype == LNT_I16) return m.i16(as<std::int16_t>(values));
  return t.has_entry ? m.i8(t.dims, as<std::int8_t>(values), t.quant)
                     : m.no_entry(t.dims, as<std::int8_t>(values));
}

ModelBuilder::Value add_input(ModelBuilder& m, const Int8Operand& t) {
  if (t.dtype == LNT_I8) return m.quantized_input(t.dims, t.quant);
  return t.dtype == LNT_F32 ? m.input(t.dims) : m.whole_input(t.dims, t.dtype);
}

}  // namespace

Int8Operand quantized(const ModelBuilder::Dims& dims, const Quant& quant) {
  return {dims, LNT_I8, false, quant};
}

Int8Operand weight(const ModelBuilder::Dims& dims, const Quant& quant) {
  Int8Operand w{dims, LNT_I8, true, quant};
  w.values = filled(w);
  return w;
}

Int8Operand constant(const ModelBuilder::Dims& dims, std::uint8_t dtype,
                     const std::vector<std::int32_t>& values) {
  Int8Operand c{dims, dtype, true, {}, false, values};
  c.values = filled(c);
  return c;
}

Int8Operand table(std::uint32_t size) { return constant({size}, LNT_I8, {}); }

Int8Operand sums_of(const Int8Operand& weight, std::int32_t x_zero) {
  const std::size_t rows = weight.dims[0], terms = elements_of(weight.dims) / rows;
  std::vector<std::int32_t> sums(rows);
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t k = 0; k < terms; ++k) sums[r] -= x_zero * weight.values[r * terms + k];
  return constant({weight.dims[0]}, LNT_I32, sums);
}

File int8_file(const Int8Op& op) {
  ModelBuilder m;
  std::vector<ModelBuilder::Value> in;
  for (const Int8Operand& t : op.in) in.push_back(t.constant ? add_constant(m, t) : add_input(m, t));
  const ModelBuilder::Value y = m.op(op.opcode, in, op.out.dims, words(op.params));
  if (op.out.dtype == LNT_I8) m.quantized(y, op.out.quant);
  if (op.out.dtype == LNT_I32) m.whole(y, LNT_I32);
  if (op.scratch != 0) m.scratch(op.scratch);
  m.output(y);
  return m.file();
}

Int8Op int8_quantize() { return {LNT_QUANTIZE, {{{1, 6}, LNT_F32}}, quantized({1, 6}, {-3, {0.05f}})}; }

Int8Op int8_dense() {
  const Quant per_row{
      0, {0.5f, 0.25f, 0.75f, 1.0f}, {{1 << 30, -3}, {1 << 30, -4}, {1288490189, -3}, {1 << 30, -2}}};
  return {LNT_I8_DENSE,
          {quantized({2, 5}, {3, {0.125f}}), weight({4, 5}, per_row),
           constant({4}, LNT_I32, {1000, -200, 3, 70000})},
          quantized({2, 4}, {-7, {0.5f}}),
          {0u - 7u, 127}};
}

Int8Op int8_conv() {
  // x [1, 5, 6, 4], kernel 3x2 with dilation 1x2, two groups: H' = (5 + 1 - 3) / 2 + 1, W' = 6 + 1 - 3 + 1
  return {LNT_I8_CONV2D,
          {quantized({1, 5, 6, 4}, {-20, {0.125f}}), weight({8, 3, 2, 2}, {0, {0.5f}, {{1500000000, -5}}}),
           constant({8}, LNT_I32, {100, -100})},
          quantized({1, 2, 5, 8}, {10, {0.5f}}),
          {2, 1, 1, 2, 1, 0, 0, 1, 2, 0u - 128u, 100}};
}

Int8Op int8_pool(std::uint16_t opcode) {
  return {opcode, {quantized({2, 5, 4, 3}, {4})}, quantized({2, 3, 2, 3}, {4}), {3, 2, 2, 2, 1, 1, 0, 0}};
}

Int8Op int8_binary(std::uint16_t opcode) {
  Int8Op op{opcode,
            {quantized({2, 3, 4}, {3, {0.5f}}), quantized({3, 1}, {-9, {0.25f}})},
            quantized({2, 3, 4}, {5, {0.5f}}),
            {1u << 30, 0, 1u << 30, 0u - 1u, 1u << 30, 0u - 18u, 0u - 100u, 120}};
  if (opcode == LNT_I8_MUL) op.params = {1u << 30, 0u - 2u, 0u - 100u, 120};
  return op;
}

Int8Op int8_lookup() {
  return {LNT_I8_LOOKUP, {quantized({2, 3}, {3}), table(256)}, quantized({2, 3}, {-5, {0.25f}})};
}

Int8Op int8_softmax() {
  std::vector<std::int32_t> e(256);
  for (std::size_t k = 0; k < e.size(); ++k)
    e[k] = static_cast<std::int32_t>(std::lround(8388608.0 * std::exp(-0.1 * static_cast<double>(k))));
  return {LNT_I8_SOFTMAX,
          {quantized({3, 5}, {3, {0.1f}}), constant({256}, LNT_I32, e)},
          quantized({3, 5}, {-128, {1.0f / 256}}),
          {1}};
}

Int8Op int8_pad() {
  return {LNT_PAD, {quantized({2, 3}, {4})}, quantized({3, 6}, {4}), {0, 2, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0}};
}

Int8Op int8_recurrent(bool lstm) {
  const std::uint32_t gates = lstm ? 4 : 3, units = 2;
  const Int8Operand weight_x = weight({gates * units, 3}, {0, {0.01f}, {{1500000000, -2}}}),
                    weight_h = weight({gates * units, units}, {0, {0.02f}, {{1200000000, -3}}});
  std::vector<std::int32_t> sigmoid(513), tanh(513);
  for (int k = 0; k < 513; ++k) {
    const double x = (k - 256) / 16.0;
    sigmoid[static_cast<std::size_t>(k)] =
        std::min(32767, static_cast<int>(std::lround(32768 / (1 + std::exp(-x)))));
    tanh[static_cast<std::size_t>(k)] = std::min(32767, static_cast<int>(std::lround(32768 * std::tanh(x))));
  }
  Int8Op op{static_cast<std::uint16_t>(lstm ? LNT_I8_LSTM : LNT_I8_GRU),
            {quantized({1, 4, 3}, {6, {0.1f}}), weight_x, weight_h, sums_of(weight_x, 6),
             constant({gates * units}, LNT_I16, {})},
            quantized({1, units}, {0, {1.0f / 128}}),
            {0}};
  if (lstm) op.params.push_back(2);
  if (!lstm) op.in.push_back(constant({units}, LNT_I16, {}));
  op.in.push_back(constant({513}, LNT_I16, sigmoid));
  op.in.push_back(constant({513}, LNT_I16, tanh));
  op.scratch = ((lstm ? 11 : 9) * units + 3) / 4;
  return op;
}

Int8Op dynamic_dense() {
  return {LNT_DENSE_DYNAMIC,
          {{{2, 5}, LNT_F32}, weight({4, 5}, {0, {0.5f, 0.25f, 0.75f, 1.0f}}), constant({4}, LNT_F32, {})},
          {{2, 4}, LNT_F32},
          {LNT_RELU, 0, 0},
          4 + 2};
}

Int8Op dynamic_conv2d() {
  return {LNT_CONV2D_DYNAMIC,
          {{{1, 5, 6, 4}, LNT_F32}, weight({8, 3, 2, 2}, {0, {0.5f}}), constant({8}, LNT_F32, {})},
          {{1, 2, 5, 8}, LNT_F32},
          {2, 1, 1, 2, 1, 0, 0, 1, 2, 0, 0, 0},
          8 + 30};
}

}  // namespace linnet::test
