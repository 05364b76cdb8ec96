// SPDX-License-Identifier: Apache-2.0
// One op as it must be, and the same with one parameter, operand or size that is wrong.
#include "malformed.h"

namespace linnet::test {
namespace {

using Dims = ModelBuilder::Dims;
using Params = std::vector<std::uint32_t>;
constexpr std::uint32_t kHuge = 0xFFFFFFFFu, kBig = 0x7FFFFFFFu;

/// What a case may change of a one-op model.
struct OneOp {
  std::uint16_t opcode = 0;
  std::vector<Dims> in = {};  ///< activations first, then constants
  std::size_t activations = 1;
  Dims out = {};
  Params params = {};
  std::uint32_t scratch = 0;
  std::vector<std::size_t> blocked = {};   ///< constants in blocks
  std::vector<std::size_t> integers = {};  ///< operands of whole numbers
};

bool has(const std::vector<std::size_t>& list, std::size_t i) {
  for (std::size_t each : list)
    if (each == i) return true;
  return false;
}

Bytes file_of(const OneOp& op) {
  ModelBuilder m;
  std::vector<ModelBuilder::Value> in;
  for (std::size_t i = 0; i < op.in.size(); ++i) {
    const std::vector<float> values(elements_of(op.in[i]), 0.5f);
    const bool integer = has(op.integers, i);
    if (i < op.activations)
      in.push_back(integer ? m.integer_input(op.in[i]) : m.input(op.in[i]));
    else if (integer)
      in.push_back(m.integers(op.in[i], std::vector<std::int32_t>(elements_of(op.in[i]), 2)));
    else
      in.push_back(has(op.blocked, i) ? m.blocked(op.in[i], values) : m.constant(op.in[i], values));
  }
  m.output(m.op(op.opcode, in, op.out, words(op.params)));
  if (op.scratch != 0) m.scratch(op.scratch);
  return m.file().bytes();
}

class Cases {
 public:
  Cases(std::string name, OneOp good) : name_(std::move(name)), good_(std::move(good)) {
    cases_.push_back({name_ + " as it must be", LNT_OK, [op = good_] { return file_of(op); }});
  }
  Cases& but(const std::string& what, lnt_status expected, const std::function<void(OneOp&)>& change) {
    OneOp op = good_;
    change(op);
    cases_.push_back({name_ + " " + what, expected, [op] { return file_of(op); }});
    return *this;
  }
  /// Each value for this parameter is refused.
  Cases& not_params(const std::string& what, std::size_t at, const Params& values,
                    lnt_status expected = LNT_E_OP_PARAMS) {
    for (std::uint32_t value : values)
      but(what + " " + std::to_string(value), expected, [=](OneOp& op) { op.params[at] = value; });
    return *this;
  }
  void to(std::vector<Case>& all) const { all.insert(all.end(), cases_.begin(), cases_.end()); }

 private:
  std::string name_;
  OneOp good_;
  std::vector<Case> cases_;
};

const Params kConv = {2, 1, 1, 2, 1, 0, 0, 1, 1, 0, 0, 0};

void convolutions(std::vector<Case>& all) {
  // x [1, 5, 6, 4], kernel 3x2 with dilation 1x2: H' = (5 + 1 - 3) / 2 + 1, W' = 6 + 1 - 3 + 1
  Cases conv("conv2d", {LNT_CONV2D, {{1, 5, 6, 4}, {20, 3, 2, 4}, {20}}, 1, {1, 2, 5, 20}, kConv, 0, {1}});
  conv.not_params("with stride", 0, {0, kHuge})
      .not_params("with dilation", 2, {0, 3, kBig, kHuge})
      .not_params("with a pad of", 4, {3, 0x80000000u, kHuge})
      .not_params("with another stride", 1, {2}, LNT_E_OP_SHAPE)
      .not_params("with another pad", 7, {0}, LNT_E_OP_SHAPE)
      .not_params("with groups", 8, {0, 3, 5, kHuge})
      .not_params("with weights for one group in groups", 8, {2}, LNT_E_OP_SHAPE)
      .not_params("with an activation that is no elementwise op", 9, {1, LNT_ADD, 31, 49, 65535, kHuge})
      .not_params("with a number for no activation", 10, {1})
      .but("with a slope that is infinite", LNT_E_OP_PARAMS,
           [](OneOp& op) {
             op.params[9] = LNT_LEAKY_RELU;
             op.params[10] = 0x7F800000u;
           })
      .but("with a weight of rank 3", LNT_E_OP_SHAPE,
           [](OneOp& op) {
             op.in[1] = {20, 3, 8};
           })
      .but("with a weight that is an activation", LNT_E_OP_OPERAND,
           [](OneOp& op) { op.activations = 2, op.blocked = {}; })
      .but("with a bias for other outputs", LNT_E_OP_SHAPE, [](OneOp& op) { op.in[2] = {19}; })
      .but("with a blocked bias", LNT_E_TENSOR_STORAGE,
           [](OneOp& op) {
             op.in[2] = {20, 1}, op.blocked = {1, 2};
           })
      .but("of another batch", LNT_E_OP_SHAPE, [](OneOp& op) { op.out[0] = 2; })
      .but("of integers", LNT_E_OP_OPERAND, [](OneOp& op) { op.integers = {0}; })
      .but("of rank 3", LNT_E_OP_SHAPE, [](OneOp& op) {
        op.in[0] = {5, 6, 4};
      });
  conv.to(all);
  Params grouped = kConv;
  grouped[8] = 2;
  Cases groups("grouped conv2d",
               {LNT_CONV2D, {{1, 5, 6, 4}, {20, 3, 2, 2}, {20}}, 1, {1, 2, 5, 20}, grouped});
  groups.but("with blocks in two groups", LNT_E_TENSOR_STORAGE, [](OneOp& op) { op.blocked = {1}; });
  groups.to(all);
  // H' = (3 - 1) 2 + 3 - 1 + 1 = 7, W' = (4 - 1) 1 + 2 = 5
  Cases transposed("conv_transpose2d", {LNT_CONV_TRANSPOSE2D,
                                        {{1, 3, 4, 2}, {5, 3, 2, 2}},
                                        1,
                                        {1, 7, 5, 5},
                                        {2, 1, 1, 1, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0}});
  transposed.not_params("with extra", 8, {2, kHuge}, LNT_E_OP_PARAMS)
      .not_params("with no extra", 8, {0}, LNT_E_OP_SHAPE)
      .not_params("with stride", 0, {0, kHuge})
      .but("with a blocked weight", LNT_E_TENSOR_STORAGE, [](OneOp& op) { op.blocked = {1}; })
      .but("to another size", LNT_E_OP_SHAPE, [](OneOp& op) { op.out[1] = 9; });
  transposed.to(all);
}

void images(std::vector<Case>& all) {
  for (std::uint16_t opcode : {LNT_MAX_POOL2D, LNT_AVG_POOL2D}) {
    Cases pool("pool " + std::to_string(opcode),
               {opcode, {{2, 5, 4, 3}}, 1, {2, 3, 2, 3}, {3, 2, 2, 2, 1, 1, 0, 0}});
    pool.not_params("with kernel", 0, {0, 8, kBig, kHuge})
        .not_params("with stride", 3, {0, kHuge})
        .not_params("with a pad of", 4, {3, kHuge})
        .but("to other channels", LNT_E_OP_SHAPE, [](OneOp& op) { op.out[3] = 4; })
        .but("to another size", LNT_E_OP_SHAPE, [](OneOp& op) { op.out[1] = 4; });
    pool.to(all);
  }
  Cases upsample("upsample2d", {LNT_UPSAMPLE2D, {{1, 2, 3, 4}}, 1, {1, 5, 3, 4}, {1}});
  upsample.not_params("with mode", 0, {2, kHuge}).but("to other channels", LNT_E_OP_SHAPE, [](OneOp& op) {
    op.out[3] = 3;
  });
  upsample.to(all);
}

void moves(std::vector<Case>& all) {
  Cases transpose("transpose", {LNT_TRANSPOSE, {{2, 3, 4}}, 1, {4, 2, 3}, {2, 0, 1, 0, 0, 0}});
  transpose.not_params("with axis", 0, {3, kHuge})
      .not_params("with an axis twice:", 1, {2})
      .not_params("with an axis past the rank", 4, {1})
      .but("to another shape", LNT_E_OP_SHAPE, [](OneOp& op) {
        op.out = {4, 3, 2};
      });
  transpose.to(all);
  Cases slice("slice", {LNT_SLICE, {{2, 7}}, 1, {2, 3}, {1, 1, 2}});
  slice.not_params("of axis", 0, {2, 0u - 100000u})
      .not_params("from", 1, {7, kHuge})
      .not_params("from too late:", 1, {3}, LNT_E_OP_SHAPE)
      .not_params("in steps of", 2, {0})
      .not_params("in steps too large:", 2, {4, kHuge}, LNT_E_OP_SHAPE)
      .but("to other rows", LNT_E_OP_SHAPE, [](OneOp& op) { op.out[0] = 3; });
  slice.to(all);
  Cases concat("concat", {LNT_CONCAT, {{2, 3}, {2, 1}}, 2, {2, 4}, {1}});
  concat.not_params("along axis", 0, {2, kHuge})
      .but("of different types", LNT_E_OP_OPERAND, [](OneOp& op) { op.integers = {1}; })
      .but("to a shorter result", LNT_E_OP_SHAPE, [](OneOp& op) { op.out[1] = 3; })
      .but("of other rows", LNT_E_OP_SHAPE,
           [](OneOp& op) {
             op.in[1] = {3, 1};
           })
      .but("of one part", LNT_E_OP_ARITY, [](OneOp& op) { op.in.resize(1), op.activations = 1; });
  concat.to(all);
  Cases pad("pad", {LNT_PAD, {{2, 3}}, 1, {3, 6}, {0, 2, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, bits_of(0.5f)}});
  pad.not_params("by more", 1, {3, kHuge}, LNT_E_OP_SHAPE)
      .not_params("by something past the rank", 2, {1})
      .not_params("by something past the rank after", 8, {1});
  pad.to(all);
  all.push_back({"embedding of indices that are no whole numbers", LNT_E_OP_OPERAND, [] {
                   ModelBuilder m;
                   const auto x = m.input({2, 3});
                   m.output(m.op(LNT_EMBEDDING, {m.constant({5, 4}, std::vector<float>(20)), x}, {2, 3, 4}));
                   return m.file().bytes();
                 }});
  for (std::int32_t index : {4, 5, -1}) {
    all.push_back({"embedding of a constant index " + std::to_string(index),
                   index == 4 ? LNT_OK : LNT_E_INDEX, [index] {
                     ModelBuilder m;
                     const auto table = m.input({5, 4});
                     m.output(m.op(LNT_EMBEDDING, {table, m.integers({2}, {0, index})}, {2, 4}));
                     return m.file().bytes();
                   }});
  }
}

void numbers(std::vector<Case>& all) {
  for (std::uint16_t opcode : {LNT_SUM, LNT_MEAN, LNT_MAX}) {
    Cases reduce("reduction " + std::to_string(opcode), {opcode, {{2, 3, 4}}, 1, {2, 4}, {2, 0}});
    reduce.not_params("over axes", 0, {0, 8, kHuge})
        .not_params("with keep", 1, {2, kHuge})
        .not_params("that keeps its axes in another shape", 1, {1}, LNT_E_OP_SHAPE)
        .but("over all axes", LNT_OK, [](OneOp& op) { op.params[0] = 7, op.out = {1}; })
        .but("over all axes to two", LNT_E_OP_SHAPE, [](OneOp& op) {
          op.params[0] = 7, op.out = {1, 1};
        });
    reduce.to(all);
  }
  Cases add("add", {LNT_ADD, {{2, 3, 4}, {3, 1}}, 2, {2, 3, 4}});
  add.but("of sizes that differ", LNT_E_OP_SHAPE,
          [](OneOp& op) {
            op.in[1] = {2, 1};
          })
      .but("to one of the shapes only", LNT_E_OP_SHAPE,
           [](OneOp& op) {
             op.out = {2, 3, 1};
           })
      .but("of integers", LNT_E_OP_OPERAND, [](OneOp& op) {
        op.integers = {0, 1};
      });
  add.to(all);
  Cases clamp("clamp", {LNT_CLAMP, {{3}}, 1, {3}, {0, bits_of(1.0f)}});
  clamp.not_params("to a limit", 1, {0x7F800000u, 0x7FC00000u});
  clamp.to(all);
  Cases elu("elu", {LNT_ELU, {{3}}, 1, {3}, {bits_of(1.0f), 0}});
  elu.not_params("with a second number", 1, {1});
  elu.to(all);
  for (std::uint16_t opcode = LNT_NEG; opcode <= LNT_POW; ++opcode)
    Cases("elementwise " + std::to_string(opcode), {opcode, {{2, 3}}, 1, {2, 3}, {0, 0}}).to(all);
  for (std::uint16_t opcode = LNT_SUB; opcode <= LNT_PRELU; ++opcode)
    Cases("elementwise " + std::to_string(opcode), {opcode, {{2, 3}, {2, 1}}, 1, {2, 3}}).to(all);
  for (std::uint16_t opcode : {LNT_SOFTMAX, LNT_LOG_SOFTMAX})
    Cases("softmax " + std::to_string(opcode), {opcode, {{2, 3, 2}}, 1, {2, 3, 2}, {1}}).to(all);
  Cases matmul("matmul", {LNT_MATMUL, {{2, 3}, {3, 5}}, 2, {2, 5}});
  matmul.but("of inner sizes that differ", LNT_E_OP_SHAPE,
             [](OneOp& op) {
               op.in[1] = {2, 5};
             })
      .but("with a blocked constant", LNT_E_TENSOR_STORAGE,
           [](OneOp& op) { op.activations = 1, op.blocked = {1}; });
  matmul.to(all);
  Cases batch("batch_norm", {LNT_BATCH_NORM, {{2, 3}, {3}, {3}, {3}}, 1, {2, 3}, {0, 0, 0}});
  batch.but("of other channels", LNT_E_OP_SHAPE, [](OneOp& op) { op.in[2] = {2}; });
  batch.to(all);
  Cases group("group_norm", {LNT_GROUP_NORM, {{2, 5, 6}, {6}, {6}}, 1, {2, 5, 6}, {3, bits_of(1e-5f)}});
  group.not_params("with groups", 0, {0, 4, 7, kHuge})
      .not_params("with eps", 1, {0x7F800000u})
      .but("with a weight alone", LNT_E_OP_ARITY, [](OneOp& op) { op.in.resize(2); });
  group.to(all);
  Cases layer("layer_norm", {LNT_LAYER_NORM, {{2, 5, 6}, {5, 6}, {5, 6}}, 1, {2, 5, 6}, {2, bits_of(1e-5f)}});
  layer.not_params("over axes", 0, {0, 4, kHuge}).not_params("over other axes:", 0, {1}, LNT_E_OP_SHAPE);
  layer.to(all);
}

void recurrent(std::vector<Case>& all) {
  // 2 units: scratch (8 + 1) 8 + 4
  Cases lstm("lstm",
             {LNT_LSTM, {{1, 4, 3}, {8, 3}, {8, 2}, {8}}, 1, {1, 4, 2}, {LNT_RNN_SEQUENCE}, 76, {1, 2}});
  lstm.not_params("with flags", 0, {64 | LNT_RNN_SEQUENCE, LNT_RNN_RELU | LNT_RNN_SEQUENCE, kHuge})
      .not_params("with a mask that is not there", 0, {LNT_RNN_MASKED | LNT_RNN_SEQUENCE}, LNT_E_OP_ARITY)
      .not_params("with states that are not there", 0, {LNT_RNN_STATE | LNT_RNN_SEQUENCE}, LNT_E_OP_ARITY)
      .not_params("of the last step only, in all rows", 0, {0}, LNT_E_OP_SHAPE)
      .but("with its cell", LNT_OK,
           [](OneOp& op) {
             op.params[0] |= LNT_RNN_CELL, op.out = {1, 5, 2};
           })
      .but("with three gates", LNT_E_OP_SHAPE,
           [](OneOp& op) {
             op.in[1] = {6, 3};
           })
      .but("with a bias for three gates", LNT_E_OP_SHAPE, [](OneOp& op) { op.in[3] = {6}; })
      .but("with scratch that is too small", LNT_E_TENSOR_BYTES, [](OneOp& op) { op.scratch = 75; })
      .but("with scratch that is too large", LNT_E_TENSOR_BYTES, [](OneOp& op) { op.scratch = 77; })
      .but("without scratch", LNT_E_OP_ARITY, [](OneOp& op) { op.scratch = 0; })
      .but("with one weight in blocks", LNT_E_TENSOR_STORAGE, [](OneOp& op) { op.blocked = {1}; });
  lstm.to(all);
  Cases("gru", {LNT_GRU, {{1, 4, 3}, {6, 3}, {6, 2}, {6}, {2}}, 1, {1, 2}, {LNT_RNN_REVERSE}, 58}).to(all);
  Cases("rnn", {LNT_RNN, {{1, 4, 3}, {2, 3}, {2, 2}, {2}}, 1, {1, 2}, {LNT_RNN_RELU}, 22}).to(all);
  const auto two_results = [](std::uint8_t kind, std::uint32_t last) {
    return [=] {
      ModelBuilder m;
      const auto x = m.input({1, 4, 3});
      const auto y = m.op(LNT_RNN,
                          {x, m.constant({2, 3}, std::vector<float>(6)),
                           m.constant({2, 2}, std::vector<float>(4)), m.constant({2}, {1, 2})},
                          {1, 2}, words({0}));
      m.scratch(22);
      m.output(m.op(LNT_RELU, {y}, {1, 2}));
      File file = m.file();
      file.tensors[5].kind = kind;
      file.last[2] = last;
      return file.bytes();
    };
  };
  all.push_back({"scratch that lives on", LNT_E_PLAN_LIFETIME, two_results(LNT_TMP, 1)});
  all.push_back({"scratch that is an activation", LNT_E_OP_WRITES, two_results(LNT_ACT, 0)});
  all.push_back({"an op that reads scratch", LNT_E_PLAN_LIFETIME, [] {
                   ModelBuilder m;
                   const auto x = m.input({1, 4, 3});
                   const auto y = m.op(LNT_RNN,
                                       {x, m.constant({2, 3}, std::vector<float>(6)),
                                        m.constant({2, 2}, std::vector<float>(4)), m.constant({2}, {1, 2})},
                                       {1, 2}, words({0}));
                   m.scratch(22);
                   m.output(m.op(LNT_RELU, {y}, {1, 22}));
                   File file = m.file();
                   file.ops[1].in[0] = 5;
                   return file.bytes();
                 }});
  all.push_back({"a result that is scratch", LNT_E_OP_WRITES, [] {
                   File file = small_model();
                   file.tensors[5].kind = LNT_TMP;
                   return file.bytes();
                 }});
}

void blocks(std::vector<Case>& all) {
  all.push_back({"a blocked weight as it must be", LNT_OK, [] {
                   ModelBuilder m;
                   const auto x = m.input({1, 2});
                   m.output(m.op(LNT_DENSE, {x, m.blocked({3, 2}, {1, 2, 3, 4, 5, 6})}, {1, 3}));
                   return m.file().bytes();
                 }});
  for (std::size_t at : {12u, 60u, 76u, 127u}) {
    all.push_back({"a lane that no row fills, byte " + std::to_string(at), LNT_E_NOT_ZERO, [at] {
                     ModelBuilder m;
                     const auto x = m.input({1, 2});
                     m.output(m.op(LNT_DENSE, {x, m.blocked({3, 2}, {1, 2, 3, 4, 5, 6})}, {1, 3}));
                     File file = m.file();
                     file.data[at] = 1;
                     return file.bytes();
                   }});
  }
}

}  // namespace

std::vector<Case> malformed_ops() {
  std::vector<Case> all;
  convolutions(all);
  images(all);
  moves(all);
  numbers(all);
  recurrent(all);
  blocks(all);
  return all;
}

std::vector<Case> good_models() {
  std::vector<Case> good;
  for (const auto& cases : {malformed_ops(), malformed_int8(), malformed_packed()})
    for (const Case& c : cases)
      if (c.expected == LNT_OK && c.name.find("66311") == std::string::npos) good.push_back(c);
  return good;
}

}  // namespace linnet::test
