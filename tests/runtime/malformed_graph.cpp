// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iterator>

#include "malformed.h"

namespace linnet::test {
namespace {

// Ids of the small model: 0 w1, 1 b1, 2 w2, 3 image, 4 flat, 5 hidden, 6 relu, 7 logits, 8 digit.
// Ops: 0 reshape, 1 dense, 2 relu, 3 dense, 4 softmax.
enum { kW1, kB1, kW2, kImage, kFlat, kHidden, kRelu, kLogits, kDigit };

std::vector<Case> tensor_cases() {
  return {
      rearranged("TENS that is no multiple of 48", LNT_E_SECTION_SIZE,
                 [](std::vector<SectionRecord>& s) { s[0].contents.resize(s[0].contents.size() + 8); }),
      changed("no tensors", LNT_E_TENSOR_PORT, [](File& f) { f.tensors.clear(); }),
      changed("a dtype of the future", LNT_E_TENSOR_DTYPE, [](File& f) { f.tensors[kImage].dtype = 200; }),
      changed("i16 that is no constant", LNT_E_TENSOR_DTYPE,
              [](File& f) { f.tensors[kHidden].dtype = LNT_I16; }),
      changed("rank 0", LNT_E_TENSOR_RANK, [](File& f) { f.tensors[kB1].rank = 0; }),
      changed("rank 7", LNT_E_TENSOR_RANK, [](File& f) { f.tensors[kB1].rank = 7; }),
      changed("rank 255", LNT_E_TENSOR_RANK, [](File& f) { f.tensors[kB1].rank = 255; }),
      changed("a kind of the future", LNT_E_TENSOR_KIND, [](File& f) { f.tensors[kFlat].kind = 5; }),
      changed("a constant after an input", LNT_E_TENSOR_KIND,
              [](File& f) { f.tensors[kFlat].kind = LNT_CONST; }),
      changed("an input after an activation", LNT_E_TENSOR_KIND,
              [](File& f) {
                f.tensors[kHidden].kind = LNT_IN;
                f.tensors[kHidden].port = 1;
              }),
      changed("an encoding of the future", LNT_E_TENSOR_STORAGE,
              [](File& f) { f.tensors[kW1].encoding = 2; }),
      changed("a packed activation", LNT_E_TENSOR_STORAGE,
              [](File& f) { f.tensors[kHidden].encoding = LNT_PACKED; }),
      changed("a blocked constant of rank 1", LNT_E_TENSOR_STORAGE,
              [](File& f) { f.tensors[kB1].layout = LNT_BLOCKED; }),
      changed("a blocked activation", LNT_E_TENSOR_STORAGE,
              [](File& f) { f.tensors[kHidden].layout = LNT_BLOCKED; }),
      changed("a layout of the future", LNT_E_TENSOR_STORAGE, [](File& f) { f.tensors[kW1].layout = 2; }),
      changed("a blocked constant of the bytes of a plain one", LNT_E_TENSOR_BYTES,
              [](File& f) { f.tensors[kW1].layout = LNT_BLOCKED; }),
      changed("a quantization entry of f32", LNT_E_QUANT_ENTRY, [](File& f) { f.tensors[kW1].quant = 0; }),
      changed("a reserved tensor byte", LNT_E_NOT_ZERO, [](File& f) { f.tensors[kW1].zero = 0x100; }),
      changed("a dimension of 0", LNT_E_TENSOR_DIMS, [](File& f) { f.tensors[kW1].dims[0] = 0; }),
      changed("a dimension past the rank", LNT_E_TENSOR_DIMS, [](File& f) { f.tensors[kW1].dims[2] = 1; }),
      changed("a dimension of -1", LNT_E_TENSOR_BYTES, [](File& f) { f.tensors[kW1].dims[0] = ~0u; }),
      changed("a dimension of 2^31", LNT_E_TENSOR_BYTES, [](File& f) { f.tensors[kW1].dims[0] = 1u << 31; }),
      changed("a product of dimensions that wraps to 0", LNT_E_TENSOR_BYTES,
              [](File& f) {
                f.tensors[kW1].rank = 4;
                for (int i = 0; i < 4; ++i) f.tensors[kW1].dims[i] = 65536;
              }),
      changed("a product of dimensions that is right modulo 2^32", LNT_E_TENSOR_BYTES,
              [](File& f) {
                f.tensors[kB1].rank = 2;
                f.tensors[kB1].dims[0] = 0x10000001u;  // times 4 times 4 bytes is 2^32 + 16
                f.tensors[kB1].dims[1] = 4;
              }),
      changed("a product of dimensions that is right modulo 2^64", LNT_E_TENSOR_BYTES,
              [](File& f) {
                const std::uint32_t factors[] = {20, 5581, 8681, 49477, 384773};  // of 2^64 + 4
                f.tensors[kB1].rank = 5;
                std::copy(std::begin(factors), std::end(factors), f.tensors[kB1].dims);
              }),
      changed("a size that does not fit the shape", LNT_E_TENSOR_BYTES,
              [](File& f) { f.tensors[kW1].bytes -= 4; }),
      changed("an input numbered 1 alone", LNT_E_TENSOR_PORT, [](File& f) { f.tensors[kImage].port = 1; }),
      changed("an output numbered 1 alone", LNT_E_TENSOR_PORT, [](File& f) { f.tensors[kDigit].port = 1; }),
      changed("an output numbered 255", LNT_E_TENSOR_PORT, [](File& f) { f.tensors[kDigit].port = 255; }),
      changed("two outputs 0", LNT_E_TENSOR_PORT, [](File& f) { f.tensors[kLogits].kind = LNT_OUT; }),
      changed("a port of a constant", LNT_E_TENSOR_PORT, [](File& f) { f.tensors[kW1].port = 1; }),
      {"no input", LNT_E_TENSOR_PORT,
       [] {
         ModelBuilder m;
         m.output(m.op(LNT_RELU, {m.constant({2}, {1, 2})}, {2}));
         return m.file().bytes();
       }},
      {"33 inputs", LNT_E_TENSOR_PORT,
       [] {
         ModelBuilder m;
         for (int i = 0; i <= LNT_MAX_PORTS; ++i) {
           const auto y = m.op(LNT_RELU, {m.input({1})}, {1});
           if (i == 0) m.output(y);
         }
         return m.file().bytes();
       }},
      {"33 outputs", LNT_E_TENSOR_PORT,
       [] {
         ModelBuilder m;
         const auto x = m.input({1});
         for (int i = 0; i <= LNT_MAX_PORTS; ++i) m.output(m.op(LNT_RELU, {x}, {1}));
         return m.file().bytes();
       }},
      changed("no output", LNT_E_TENSOR_PORT, [](File& f) { f.tensors[kDigit].kind = LNT_ACT; }),
      changed("a constant beyond DATA", LNT_E_DATA_OFFSET, [](File& f) { f.tensors[kW2].off = 1 << 20; }),
      changed("a constant offset that wraps", LNT_E_DATA_OFFSET,
              [](File& f) { f.tensors[kW2].off = ~0ull - 63; }),
      changed("a misaligned constant", LNT_E_DATA_OFFSET, [](File& f) { f.tensors[kB1].off += 4; }),
      changed("two constants at one place", LNT_E_DATA_OFFSET, [](File& f) { f.tensors[kB1].off = 0; }),
      changed("a gap between constants", LNT_E_DATA_OFFSET, [](File& f) { f.tensors[kB1].off += 64; }),
      changed("DATA cut inside the last constant", LNT_E_DATA_OFFSET, [](File& f) { f.data.pop_back(); }),
      changed("DATA cut before the last constant", LNT_E_DATA_OFFSET, [](File& f) { f.data.resize(144); }),
      changed("DATA that goes on after the last constant", LNT_E_SECTION_SIZE,
              [](File& f) { f.data.push_back(0); }),
      changed("a padding byte between constants", LNT_E_NOT_ZERO, [](File& f) { f.data[24 * 4] = 1; }),
  };
}

std::vector<Case> op_cases() {
  return {
      changed("no ops", LNT_E_UNWRITTEN, [](File& f) { f.ops.clear(); }),
      changed("a tensor that nobody writes", LNT_E_UNWRITTEN, [](File& f) { f.ops.pop_back(); }),
      rearranged("an op cut in its head", LNT_E_OP_CUT,
                 [](std::vector<SectionRecord>& s) { s[1].contents.resize(s[1].contents.size() + 4); }),
      rearranged("an op cut in its ids", LNT_E_OP_CUT,
                 [](std::vector<SectionRecord>& s) { s[1].contents.resize(s[1].contents.size() - 4); }),
      changed("opcode 0", LNT_E_OP_UNKNOWN, [](File& f) { f.ops[0].opcode = 0; }),
      changed("an opcode of the future", LNT_E_OP_UNKNOWN, [](File& f) { f.ops[2].opcode = 0xFFFF; }),
      changed("version 0 of an op", LNT_E_OP_VERSION, [](File& f) { f.ops[2].version = 0; }),
      changed("the next version of an op", LNT_E_OP_VERSION, [](File& f) { f.ops[2].version = 2; }),
      changed("relu of nothing", LNT_E_OP_ARITY, [](File& f) { f.ops[2].in.clear(); }),
      changed("relu of two", LNT_E_OP_ARITY, [](File& f) { f.ops[2].in.push_back(kImage); }),
      changed("relu of 255", LNT_E_OP_ARITY, [](File& f) { f.ops[2].n_in = 255; }),
      changed("relu into nothing", LNT_E_OP_ARITY, [](File& f) { f.ops[2].out.clear(); }),
      changed("relu into 255", LNT_E_OP_ARITY, [](File& f) { f.ops[2].n_out = 255; }),
      changed("dense without a weight", LNT_E_OP_ARITY, [](File& f) { f.ops[1].in.resize(1); }),
      changed("softmax without its axis", LNT_E_OP_PARAMS, [](File& f) { f.ops[4].params.clear(); }),
      changed("relu with parameters", LNT_E_OP_PARAMS, [](File& f) { f.ops[2].params.resize(4); }),
      changed("65535 bytes of parameters", LNT_E_OP_PARAMS, [](File& f) { f.ops[4].param_len = 65535; }),
      changed("an axis equal to the rank", LNT_E_OP_PARAMS, [](File& f) { f.ops[4].params[0] = 2; }),
      changed("axis -100000", LNT_E_OP_PARAMS, [](File& f) { put32(f.ops[4].params, 0, 0u - 100000u); }),
      changed("an op that reads a later tensor", LNT_E_OP_READS, [](File& f) { f.ops[1].in[0] = kRelu; }),
      changed("an op that reads what it writes", LNT_E_OP_READS, [](File& f) { f.ops[2].in[0] = kRelu; }),
      changed("two ops that read each other", LNT_E_OP_READS,
              [](File& f) {
                f.ops[1].in[0] = kRelu;
                f.ops[2].in[0] = kHidden;
              }),
      changed("an op that reads a tensor that is not there", LNT_E_OP_READS,
              [](File& f) { f.ops[2].in[0] = static_cast<std::uint32_t>(f.tensors.size()); }),
      changed("an op that reads tensor 2^32 - 1", LNT_E_OP_READS, [](File& f) { f.ops[2].in[0] = ~0u; }),
      changed("an op that writes a constant", LNT_E_OP_WRITES, [](File& f) { f.ops[2].out[0] = kW1; }),
      changed("an op that writes an input", LNT_E_OP_WRITES, [](File& f) { f.ops[2].out[0] = kImage; }),
      changed("two writers of one tensor", LNT_E_OP_WRITES, [](File& f) { f.ops[2].out[0] = kHidden; }),
      changed("an op that writes out of order", LNT_E_OP_WRITES, [](File& f) { f.ops[2].out[0] = kLogits; }),
      changed("an op that writes a tensor that is not there", LNT_E_OP_WRITES,
              [](File& f) {
                f.ops.push_back(f.ops[2]);
                f.ops.back().in[0] = kDigit;
                f.ops.back().out[0] = kDigit + 1;
              }),
      changed("a weight that is an activation", LNT_E_OP_OPERAND,
              [](File& f) {
                f.ops[3].in[1] = kImage;
                f.last[0] = 3;
              }),
      changed("a bias that is an activation", LNT_E_OP_OPERAND,
              [](File& f) {
                f.ops[1].in[2] = kImage;
                f.last[0] = 1;
              }),
      changed("constants numbered in another order", LNT_E_CONST_ORDER,
              [](File& f) { std::swap(f.ops[1].in[1], f.ops[1].in[2]); }),
      changed("a constant that nobody reads, before another", LNT_E_CONST_ORDER,
              [](File& f) { f.ops[1].in.pop_back(); }),
      {"a last constant that nobody reads", LNT_E_CONST_ORDER,
       [] {
         ModelBuilder m;
         const auto x = m.input({2});
         m.output(m.op(LNT_DENSE, {x, m.constant({2, 2}, {1, 2, 3, 4}), m.constant({2}, {1, 2})}, {2}));
         File file = m.file();
         file.ops[0].in.pop_back();
         return file.bytes();
       }},
  };
}

/// A model of one op, whose shapes are the only thing that can be wrong.
Case shapes(const std::string& name, std::uint16_t opcode, const std::vector<ModelBuilder::Dims>& in,
            const ModelBuilder::Dims& out, lnt_status expected = LNT_E_OP_SHAPE) {
  return {name, expected, [opcode, in, out] {
            ModelBuilder m;
            std::vector<ModelBuilder::Value> values{m.input(in[0])};
            for (std::size_t i = 1; i < in.size(); ++i)
              values.push_back(m.constant(in[i], std::vector<float>(64)));
            m.output(m.op(opcode, values, out, opcode == LNT_SOFTMAX ? Bytes(4) : Bytes()));
            return m.file().bytes();
          }};
}

std::vector<Case> shape_cases() {
  return {
      shapes("dense as it must be", LNT_DENSE, {{2, 3, 6}, {4, 6}, {4}}, {2, 3, 4}, LNT_OK),
      shapes("dense with a weight for more inputs", LNT_DENSE, {{1, 6}, {4, 7}, {4}}, {1, 4}),
      shapes("dense with a weight of rank 1", LNT_DENSE, {{1, 6}, {4}, {4}}, {1, 4}),
      shapes("dense with a weight of rank 3", LNT_DENSE, {{1, 6}, {4, 6, 1}, {4}}, {1, 4}),
      shapes("dense to another rank", LNT_DENSE, {{1, 6}, {4, 6}, {4}}, {1, 1, 4}),
      shapes("dense to fewer rows", LNT_DENSE, {{2, 6}, {4, 6}, {4}}, {1, 4}),
      shapes("dense to other leading axes", LNT_DENSE, {{2, 3, 6}, {4, 6}, {4}}, {3, 2, 4}),
      shapes("dense to fewer columns", LNT_DENSE, {{1, 6}, {4, 6}, {4}}, {1, 3}),
      shapes("dense with a bias of rank 2", LNT_DENSE, {{1, 6}, {4, 6}, {4, 1}}, {1, 4}),
      shapes("dense with a bias that is too short", LNT_DENSE, {{1, 6}, {4, 6}, {3}}, {1, 4}),
      shapes("relu to another shape", LNT_RELU, {{1, 4}}, {4, 1}),
      shapes("relu to another rank", LNT_RELU, {{1, 4}}, {1, 4, 1}),
      shapes("softmax to another shape", LNT_SOFTMAX, {{1, 4}}, {4, 1}),
      shapes("softmax to another rank", LNT_SOFTMAX, {{1, 4}}, {1, 4, 1}),
      shapes("reshape to fewer elements", LNT_RESHAPE, {{1, 6}}, {1, 5}),
      shapes("reshape to more elements", LNT_RESHAPE, {{1, 6}}, {7}),
  };
}

std::vector<Case> plan_cases() {
  return {
      rearranged("PLAN without its head", LNT_E_SECTION_SIZE,
                 [](std::vector<SectionRecord>& s) { s[2].contents.resize(4); }),
      changed("PLAN with an entry too few", LNT_E_SECTION_SIZE, [](File& f) { f.last.pop_back(); }),
      changed("PLAN with an entry too many", LNT_E_SECTION_SIZE, [](File& f) { f.last.push_back(0); }),
      changed("an arena of 2^64 - 1 bytes", LNT_E_OVER_LIMIT, [](File& f) { f.arena_bytes = ~0ull; }),
      changed("arena alignment 0", LNT_E_PLAN_ALIGN, [](File& f) { f.alignment = 0; }),
      changed("arena alignment 3", LNT_E_PLAN_ALIGN, [](File& f) { f.alignment = 3; }),
      changed("arena alignment 2^30", LNT_E_PLAN_ALIGN, [](File& f) { f.alignment = 1u << 30; }),
      changed("a reserved plan byte", LNT_E_NOT_ZERO, [](File& f) { f.plan_zero = 1; }),
      changed("a misaligned activation", LNT_E_PLAN_ALIGN, [](File& f) { f.tensors[kRelu].off += 8; }),
      changed("an activation beyond the arena", LNT_E_PLAN_BOUNDS,
              [](File& f) { f.tensors[kRelu].off = f.arena_bytes; }),
      changed("an activation offset that wraps", LNT_E_PLAN_BOUNDS,
              [](File& f) { f.tensors[kRelu].off = ~0ull - 15; }),
      changed("an arena that is too small", LNT_E_PLAN_BOUNDS, [](File& f) { f.arena_bytes -= 16; }),
      changed("an arena that is larger than needed", LNT_E_PLAN_ARENA, [](File& f) { f.arena_bytes += 16; }),
      changed("live tensors at one place", LNT_E_PLAN_OVERLAP,
              [](File& f) { f.tensors[kLogits].off = f.tensors[kRelu].off; }),
      changed("live tensors that overlap from below", LNT_E_PLAN_OVERLAP,
              [](File& f) { f.tensors[kFlat].off = f.tensors[kImage].off + 16; }),
      changed("live tensors that overlap from above", LNT_E_PLAN_OVERLAP,
              [](File& f) {
                f.tensors[kImage].off += 16;
                f.tensors[kFlat].off = 0;
              }),
      changed("dense onto its own input", LNT_E_PLAN_OVERLAP,
              [](File& f) { f.tensors[kHidden].off = f.tensors[kFlat].off; }),
      changed("relu onto an input that is read again", LNT_E_PLAN_OVERLAP,
              [](File& f) {
                f.tensors[kRelu].off = f.tensors[kHidden].off;
                f.ops[3].in[0] = kHidden;
                f.ops[4].in[0] = kLogits;
                f.last[kHidden - kImage] = 3;
                f.tensors[kRelu].kind = LNT_OUT;
                f.tensors[kRelu].port = 1;
                f.last[kRelu - kImage] = LNT_LAST_END;
              }),
      changed("an activation that is read after its end", LNT_E_PLAN_LIFETIME,
              [](File& f) { f.last[kFlat - kImage] = 0; }),
      changed("an activation that ends after its last reading", LNT_E_PLAN_UNREAD,
              [](File& f) { f.last[kFlat - kImage] = 2; }),
      changed("an activation that ends after the last op", LNT_E_PLAN_UNREAD,
              [](File& f) { f.last[kLogits - kImage] = 5; }),
      changed("an activation that never ends", LNT_E_PLAN_LIFETIME,
              [](File& f) { f.last[kFlat - kImage] = LNT_LAST_END; }),
      changed("an output that ends", LNT_E_PLAN_LIFETIME, [](File& f) { f.last[kDigit - kImage] = 4; }),
      {"65 tensors live at the same time", LNT_E_PLAN_LIVE,
       [] {
         ModelBuilder m;
         std::vector<ModelBuilder::Value> v{m.input({1, 4})};
         for (int i = 0; i < LNT_MAX_LIVE; ++i) v.push_back(m.op(LNT_RELU, {v[0]}, {1, 4}));
         for (int i = 1; i <= LNT_MAX_LIVE; ++i) m.op(LNT_RELU, {v[static_cast<std::size_t>(i)]}, {1, 4});
         v.push_back(m.op(LNT_RELU, {v[0]}, {1, 4}));
         m.output(v.back());
         return m.file().bytes();
       }},
  };
}

}  // namespace

std::vector<Case> malformed_graphs() {
  std::vector<Case> all;
  for (const auto& part : {tensor_cases(), op_cases(), shape_cases(), plan_cases()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

}  // namespace linnet::test
