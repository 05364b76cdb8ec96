// SPDX-License-Identifier: Apache-2.0
// Quantized tensors and the ops on them: as they must be, and with one number that is wrong.
#include <limits>
#include <utility>

#include "int8_models.h"
#include "malformed.h"

namespace linnet::test {
namespace {

using Change = std::function<void(Int8Op&)>;
using Factors = std::vector<std::array<std::int32_t, 2>>;

class Int8Cases {
 public:
  Int8Cases(std::vector<Case>& all, std::string name, Int8Op good)
      : all_(all), name_(std::move(name)), good_(std::move(good)) {
    add("as it must be", LNT_OK, good_);
  }
  Int8Cases& but(const std::string& what, lnt_status expected, const Change& change) {
    Int8Op op = good_;
    change(op);
    add(what, expected, op);
    return *this;
  }
  Int8Cases& not_params(const std::string& what, std::size_t at, const std::vector<std::uint32_t>& values,
                        lnt_status expected = LNT_E_OP_PARAMS) {
    for (std::uint32_t value : values)
      but(what + " " + std::to_string(value), expected, [=](Int8Op& op) { op.params[at] = value; });
    return *this;
  }
  /// Each operand of another type, and each number of quantization where none belongs.
  Int8Cases& wrong_types() {
    for (std::size_t i = 0; i < good_.in.size(); ++i) {
      const std::string which = "operand " + std::to_string(i) + " ";
      const std::uint8_t other = good_.in[i].dtype == LNT_F32 ? LNT_I32 : LNT_F32;
      but(which + "of another type", LNT_E_OP_OPERAND, [=](Int8Op& op) { op.in[i].dtype = other; });
      if (good_.in[i].constant)
        but(which + "that is no constant",
            good_.in[i].dtype == LNT_I16 ? LNT_E_TENSOR_DTYPE : LNT_E_OP_OPERAND,
            [=](Int8Op& op) { op.in[i].constant = false, op.in[i].quant = {}; });
    }
    return but("with a result of another type", LNT_E_OP_OPERAND,
               [](Int8Op& op) { op.out.dtype = op.out.dtype == LNT_I8 ? LNT_F32 : LNT_I32; });
  }

 private:
  void add(const std::string& what, lnt_status expected, const Int8Op& op) {
    all_.push_back({name_ + " " + what, expected, [op] { return int8_file(op).bytes(); }});
  }
  std::vector<Case>& all_;
  std::string name_;
  Int8Op good_;
};

constexpr std::uint32_t kMinus129 = 0u - 129u;

/// QUANT of one op: case 46 of the list of bad inputs.
void entries(std::vector<Case>& all) {
  const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  Int8Cases dense(all, "quantized", int8_dense());
  const std::pair<const char*, float> scales[] = {{"0", 0.0f},  {"-0", -0.0f},     {"-1", -1.0f},
                                                  {"NaN", nan}, {"infinity", inf}, {"a denormal", 1e-39f}};
  for (const auto& each : scales) {
    const float scale = each.second;
    dense.but(std::string("scale ") + each.first, LNT_E_QUANT_SCALE,
              [=](Int8Op& op) { op.in[0].quant.scales = {scale}; });
    dense.but(std::string("weight scale ") + each.first, LNT_E_QUANT_SCALE,
              [=](Int8Op& op) { op.in[1].quant.scales[2] = scale; });
  }
  for (int zero : {-129, 128, 200, std::numeric_limits<int>::max(), std::numeric_limits<int>::min()})
    dense.but("zero point " + std::to_string(zero), LNT_E_QUANT_ZERO,
              [=](Int8Op& op) { op.in[0].quant.zero = zero; });
  for (int zero : {-128, 1})
    dense.but("weight with zero point " + std::to_string(zero), LNT_E_QUANT_ZERO,
              [=](Int8Op& op) { op.in[1].quant.zero = zero; });
  for (std::size_t count : {0u, 2u, 3u, 5u})
    dense.but("weight of 4 rows with scales: " + std::to_string(count), LNT_E_QUANT_COUNT, [=](Int8Op& op) {
      op.in[1].quant.scales.resize(count, 0.25f), op.in[1].quant.factors.resize(count, {1 << 30, -4});
    });
  dense
      .but("weight of alike rows with one scale", LNT_OK,
           [](Int8Op& op) {
             op.in[1].quant = {0, {0.5f}, {{1 << 30, -3}}};
           })
      .but("weight of alike rows with a scale each", LNT_E_QUANT_COUNT,
           [](Int8Op& op) {
             op.in[1].quant = {0, {1, 1, 1, 1}, Factors(4, {1 << 30, -3})};
           })
      .but("activation with a scale for each row", LNT_E_QUANT_COUNT,
           [](Int8Op& op) {
             op.in[0].quant.scales = {1, 2};
           })
      .but("activation with a factor", LNT_E_QUANT_FACTOR, [](Int8Op& op) {
        op.in[0].quant.factors = {{1 << 30, 0}};
      });
  const Factors wrong = {{(1 << 30) - 1, 0},
                         {-1, 0},
                         {std::numeric_limits<int>::min(), 0},
                         {1 << 30, 31},
                         {1 << 30, -32},
                         {0, 1},
                         {1, 0},
                         {1 << 30, 1 << 20}};
  for (const auto& factor : wrong)
    dense.but("factor " + std::to_string(factor[0]) + " and shift " + std::to_string(factor[1]),
              LNT_E_QUANT_FACTOR, [=](Int8Op& op) { op.in[1].quant.factors[3] = factor; });
  for (const auto& factor : Factors{{0, 0}, {1 << 30, 30}, {0x7FFFFFFF, -31}})
    dense.but("factor as small or large as can be, shift " + std::to_string(factor[1]), LNT_OK,
              [=](Int8Op& op) { op.in[1].quant.factors[3] = factor; });
}

/// Sums that 32 bits may not hold, and weights that there are not.
void sums(std::vector<Case>& all) {
  Int8Cases dense(all, "int8 dense", int8_dense());
  dense.but("with a weight of -128", LNT_E_WEIGHT, [](Int8Op& op) { op.in[1].values[7] = -128; })
      .but("with a weight of -127", LNT_OK, [](Int8Op& op) { op.in[1].values[7] = -127; })
      .but("with sums that may leave 32 bits", LNT_E_SUMS,
           [](Int8Op& op) { op.in[2].values[1] = std::numeric_limits<int>::max(); })
      .but("with sums that may leave 32 bits below", LNT_E_SUMS,
           [](Int8Op& op) { op.in[2].values[1] = std::numeric_limits<int>::min(); });
  for (std::uint32_t terms : {66311u, 66312u})
    dense.but("of " + std::to_string(terms) + " products", terms == 66311 ? LNT_OK : LNT_E_SUMS,
              [=](Int8Op& op) {
                op.in[0] = quantized({1, terms}, {});
                op.in[1] = weight({1, terms}, {0, {1.0f}, {{1 << 30, 0}}});
                op.in[2] = constant({1}, LNT_I32, {0});
                op.out.dims = {1, 1};
              });
}

void products(std::vector<Case>& all) {
  Int8Cases dense(all, "int8 dense", int8_dense());
  dense.wrong_types()
      .not_params("with low", 0, {kMinus129, 128})
      .not_params("with high", 1, {kMinus129, 128, 0u - 9u})
      .but("without sums", LNT_E_OP_ARITY, [](Int8Op& op) { op.in.pop_back(); })
      .but("with sums of other rows", LNT_E_OP_SHAPE,
           [](Int8Op& op) { op.in[2] = constant({5}, LNT_I32, {}); })
      .but("of other columns", LNT_E_OP_SHAPE, [](Int8Op& op) { op.out.dims[1] = 5; })
      .but("with weights without an entry", LNT_E_QUANT_ENTRY,
           [](Int8Op& op) { op.in[1].has_entry = false; });
  Int8Cases conv(all, "int8 conv2d", int8_conv());
  conv.wrong_types()
      .not_params("with stride", 0, {0, 0xFFFFFFFFu})
      .not_params("with groups", 8, {0, 3, 0xFFFFFFFFu})
      .not_params("with low", 9, {kMinus129, 128})
      .not_params("with high", 10, {kMinus129, 128})
      .but("of another height", LNT_E_OP_SHAPE, [](Int8Op& op) { op.out.dims[1] = 3; })
      .but("with a weight of -128", LNT_E_WEIGHT, [](Int8Op& op) { op.in[1].values[0] = -128; });
  Int8Cases dynamic(all, "dynamic dense", dynamic_dense());
  dynamic.wrong_types()
      .but("without bias", LNT_OK, [](Int8Op& op) { op.in.pop_back(); })
      .but("with a factor", LNT_E_QUANT_FACTOR,
           [](Int8Op& op) {
             op.in[1].quant = {0, {0.5f}, {{1 << 30, 0}}};
           })
      .but("with a weight of -128", LNT_E_WEIGHT, [](Int8Op& op) { op.in[1].values[0] = -128; })
      .but("of rank 1", LNT_E_OP_SHAPE,
           [](Int8Op& op) { op.in[0].dims = {5}, op.out.dims = {4}, op.scratch = 5; })
      .but("with scratch that is too small", LNT_E_TENSOR_BYTES, [](Int8Op& op) { op.scratch -= 1; })
      .but("with scratch that is too large", LNT_E_TENSOR_BYTES, [](Int8Op& op) { op.scratch += 1; })
      .not_params("with an activation", 0, {1, LNT_ADD})
      .but("of more products than 32 bits hold", LNT_E_SUMS, [](Int8Op& op) {
        op.in = {constant({2, 66312}, LNT_F32, {}), weight({4, 66312}, {})};
        op.in[0].constant = false;
        op.out.dims = {2, 4};
        op.scratch = 4 + 66312 / 4;
      });
  Int8Cases dynamic_conv(all, "dynamic conv2d", dynamic_conv2d());
  dynamic_conv.wrong_types()
      .not_params("with groups", 8, {0, 3})
      .not_params("with an activation", 9, {1, LNT_ADD})
      .but("with scratch that is too small", LNT_E_TENSOR_BYTES, [](Int8Op& op) { op.scratch -= 1; });
}

void elementwise(std::vector<Case>& all) {
  Int8Cases(all, "quantize", int8_quantize())
      .wrong_types()
      .but("to another shape", LNT_E_OP_SHAPE, [](Int8Op& op) {
        op.out.dims = {6, 1};
      });
  Int8Op dequantize = int8_quantize();
  std::swap(dequantize.in[0], dequantize.out);
  dequantize.opcode = LNT_DEQUANTIZE;
  Int8Cases(all, "dequantize", dequantize)
      .wrong_types()
      .but("to another shape", LNT_E_OP_SHAPE, [](Int8Op& op) {
        op.out.dims = {6, 1};
      });
  for (std::uint16_t opcode : {LNT_I8_ADD, LNT_I8_SUB, LNT_I8_MUL}) {
    const std::size_t range = opcode == LNT_I8_MUL ? 2 : 6;
    Int8Cases sum(all, "int8 binary " + std::to_string(opcode), int8_binary(opcode));
    sum.wrong_types()
        .not_params("with a factor", range - 2, {1, 0, 0x80000000u}, LNT_E_QUANT_FACTOR)
        .not_params("with a shift", range - 1, {31, 0u - 32u, 0x80000000u}, LNT_E_QUANT_FACTOR)
        .not_params("with low", range, {kMinus129, 128})
        .not_params("with high", range + 1, {kMinus129, 128})
        .but("of sizes that differ", LNT_E_OP_SHAPE, [](Int8Op& op) { op.in[1].dims = {3}; })
        .but("with a constant", LNT_OK,
             [](Int8Op& op) {
               op.in[1] = weight({4}, {3, {0.5f}});
             })
        .but("with a constant that has a factor", LNT_E_QUANT_FACTOR,
             [](Int8Op& op) {
               op.in[1] = weight({4}, {3, {0.5f}, {{1 << 30, 0}}});
             })
        .but("with a constant of several scales", LNT_E_QUANT_COUNT, [](Int8Op& op) {
          op.in[1] = weight({4}, {3, {1, 2, 3, 4}});
        });
  }
  Int8Cases requantize(all, "requantize",
                       {LNT_I8_REQUANTIZE,
                        {quantized({2, 3}, {4, {0.5f}})},
                        quantized({2, 3}, {-4, {0.25f}}),
                        {1u << 30, 1, 0u - 100u, 100}});
  requantize.wrong_types()
      .not_params("with a shift", 1, {31}, LNT_E_QUANT_FACTOR)
      .not_params("with low", 2, {101});
  Int8Cases lookup(all, "lookup", int8_lookup());
  lookup.wrong_types()
      .but("with a table of 255", LNT_E_OP_SHAPE, [](Int8Op& op) { op.in[1] = table(255); })
      .but("with a table that has an entry", LNT_E_QUANT_ENTRY, [](Int8Op& op) { op.in[1].has_entry = true; })
      .but("to another shape", LNT_E_OP_SHAPE, [](Int8Op& op) { op.out.dims = {7}; });
  Int8Cases softmax(all, "int8 softmax", int8_softmax());
  softmax.wrong_types()
      .not_params("along axis", 0, {2})
      .but("of another scale", LNT_E_OP_QUANT, [](Int8Op& op) { op.out.quant.scales[0] = 1.0f / 255; })
      .but("of another zero", LNT_E_OP_QUANT, [](Int8Op& op) { op.out.quant.zero = 0; })
      .but("whose table begins with 0", LNT_E_OP_OPERAND, [](Int8Op& op) { op.in[1].values[0] = 0; })
      .but("whose table rises", LNT_E_OP_OPERAND, [](Int8Op& op) { op.in[1].values[9] = 1 << 23; })
      .but("whose table is negative", LNT_E_OP_OPERAND, [](Int8Op& op) { op.in[1].values[255] = -1; });
}

void int8_moves(std::vector<Case>& all) {
  const std::pair<const char*, Int8Op> ops[] = {
      {"int8 max pool", int8_pool(LNT_I8_MAX_POOL2D)},
      {"int8 average pool", int8_pool(LNT_I8_AVG_POOL2D)},
      {"int8 reshape", {LNT_RESHAPE, {quantized({2, 3}, {4})}, quantized({6}, {4})}},
      {"int8 transpose",
       {LNT_TRANSPOSE, {quantized({2, 3}, {4})}, quantized({3, 2}, {4}), {1, 0, 0, 0, 0, 0}}},
      {"int8 slice", {LNT_SLICE, {quantized({2, 7}, {4})}, quantized({2, 3}, {4}), {1, 1, 2}}},
      {"int8 concat",
       {LNT_CONCAT, {quantized({2, 3}, {4}), quantized({2, 1}, {4})}, quantized({2, 4}, {4}), {1}}},
      {"int8 pad", int8_pad()}};
  for (const auto& [name, op] : ops) {
    Int8Cases cases(all, name, op);
    cases.wrong_types()
        .but("to another scale", LNT_E_OP_QUANT, [](Int8Op& changed) { changed.out.quant.scales[0] = 0.75f; })
        .but("to another zero", LNT_E_OP_QUANT, [](Int8Op& changed) { changed.out.quant.zero = 5; });
  }
  Int8Cases(all, "int8 concat", ops[5].second)
      .but("with a part of another scale", LNT_E_OP_QUANT,
           [](Int8Op& op) { op.in[1].quant.scales[0] = 0.75f; });
  Int8Cases(all, "int8 pad", int8_pad()).not_params("with", 12, {1, bits_of(0.5f)});
  Int8Cases(all, "int8 average pool", int8_pool(LNT_I8_AVG_POOL2D))
      .but("over a window of 2^58 places, 1 of them inside", LNT_OK,
           [](Int8Op& op) {
             op.in[0].dims = op.out.dims = {1, 1, 1, 1};
             op.params = {1u << 29, 1u << 29, 1, 1, (1u << 29) - 1, 0, (1u << 29) - 1, 0};
           })
      .but("over 2^23 elements", LNT_E_OP_PARAMS, [](Int8Op& op) {
        op.in[0].dims = {1, 4096, 2048, 1}, op.out.dims = {1, 1, 1, 1};
        op.params = {4096, 2048, 1, 1, 0, 0, 0, 0};
      });
}

void lstm_and_gru(std::vector<Case>& all) {
  for (bool lstm : {true, false}) {
    Int8Cases layer(all, lstm ? "int8 lstm" : "int8 gru", int8_recurrent(lstm));
    const std::size_t last = lstm ? 6 : 7;
    layer.wrong_types()
        .not_params("with flags", 0, {LNT_RNN_MASKED, LNT_RNN_STATE, LNT_RNN_CELL, LNT_RNN_RELU})
        .not_params("of all steps in one row", 0, {LNT_RNN_SEQUENCE}, LNT_E_OP_SHAPE)
        .but("of another scale", LNT_E_OP_QUANT, [](Int8Op& op) { op.out.quant.scales[0] = 1.0f / 127; })
        .but("of another zero", LNT_E_OP_QUANT, [](Int8Op& op) { op.out.quant.zero = 1; })
        .but("with sums that are not those of the weights", LNT_E_SUMS,
             [](Int8Op& op) { ++op.in[3].values[2]; })
        .but("with a weight of -128", LNT_E_WEIGHT, [](Int8Op& op) { op.in[1].values[0] = -128; })
        .but("with a weight of the state of -128", LNT_E_WEIGHT,
             [](Int8Op& op) { op.in[2].values[0] = -128; })
        .but("with a table of 512", LNT_E_OP_SHAPE,
             [=](Int8Op& op) { op.in[last] = constant({512}, LNT_I16, {}); })
        .but("with a bias of other rows", LNT_E_OP_SHAPE,
             [](Int8Op& op) { op.in[4] = constant({4}, LNT_I16, {}); })
        .but("with other units", LNT_E_OP_SHAPE,
             [](Int8Op& op) {
               op.in[2] = weight({8, 3}, op.in[2].quant);
             })
        .but("with scratch that is too small", LNT_E_TENSOR_BYTES, [](Int8Op& op) { op.scratch -= 1; })
        .but("without scratch", LNT_E_OP_ARITY, [](Int8Op& op) { op.scratch = 0; });
    if (lstm) layer.not_params("with cell bits", 1, {5, 0xFFFFFFFFu});
  }
}

/// What QUANT and the records say of each other.
void quant_section(std::vector<Case>& all) {
  const auto add = [&](const char* name, lnt_status expected, void (*change)(File&)) {
    all.push_back({name, expected, [=] {
                     File file = int8_file(int8_dense());
                     change(file);
                     return file.bytes();
                   }});
  };
  // Tensors: 0 weight, 1 sums, 2 x, 3 y; entries of 0, 2 and 3 at 0, 56 and 76.
  add("QUANT missing", LNT_E_QUANT_ENTRY, [](File& f) { f.quant.clear(); });
  add("QUANT cut short", LNT_E_QUANT_ENTRY, [](File& f) { f.quant.resize(f.quant.size() - 4); });
  add("QUANT cut within a weight's entry", LNT_E_QUANT_COUNT, [](File& f) { f.quant.resize(40); });
  add("QUANT with something behind", LNT_E_SECTION_SIZE, [](File& f) { f.quant.resize(f.quant.size() + 4); });
  add("an entry that is missing", LNT_E_QUANT_ENTRY, [](File& f) { f.tensors[2].quant = LNT_NO_QUANT; });
  add("an entry of two tensors", LNT_E_QUANT_ENTRY, [](File& f) { f.tensors[3].quant = f.tensors[2].quant; });
  add("an entry that begins too late", LNT_E_QUANT_ENTRY, [](File& f) { f.tensors[2].quant += 4; });
  add("an entry behind QUANT", LNT_E_QUANT_ENTRY, [](File& f) { f.tensors[3].quant = 96; });
  add("an entry of whole numbers", LNT_E_QUANT_ENTRY, [](File& f) { f.tensors[1].quant = 56; });
  add("the minor version of a float file", LNT_E_VERSION, [](File& f) { f.minor = LNT_MINOR_FLOAT; });
  add("int8 of the bytes of f32", LNT_E_TENSOR_BYTES, [](File& f) { f.tensors[2].bytes *= 4; });
  add("an int8 weight in blocks", LNT_E_TENSOR_STORAGE, [](File& f) { f.tensors[0].layout = LNT_BLOCKED; });
}

}  // namespace

std::vector<Case> malformed_int8() {
  std::vector<Case> all;
  entries(all);
  sums(all);
  products(all);
  elementwise(all);
  int8_moves(all);
  lstm_and_gru(all);
  quant_section(all);
  return all;
}

}  // namespace linnet::test
