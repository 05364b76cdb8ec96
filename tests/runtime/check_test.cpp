// SPDX-License-Identifier: Apache-2.0
// One malformed file for each rule of runtime/format.h, with checksums that fit, so that the rule itself
// refuses it.
#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <set>
#include <string>

#include "linnet/runtime/linnet_runtime.h"
#include "model_builder.h"

namespace linnet::test {
namespace {

struct Case {
  std::string name;
  lnt_status expected;
  std::function<Bytes()> make;
};

/// The small model with something changed in what the file says.
Case changed(const std::string& name, lnt_status expected, void (*change)(File&)) {
  return {name, expected, [change] {
            File file = small_model();
            change(file);
            return file.bytes();
          }};
}

/// The small model with some bytes changed and checksums that fit again.
Case patched(const std::string& name, lnt_status expected, void (*change)(Bytes&)) {
  return {name, expected, [change] {
            Bytes bytes = small_model().bytes();
            change(bytes);
            seal(bytes);
            return bytes;
          }};
}

/// The small model with its list of sections changed.
Case rearranged(const std::string& name, lnt_status expected, void (*change)(std::vector<SectionRecord>&)) {
  return {name, expected, [change] {
            const File file = small_model();
            std::vector<SectionRecord> sections = file.sections();
            change(sections);
            return lay_out(file, sections);
          }};
}

// Ids of the small model: 0 w1, 1 b1, 2 w2, 3 image, 4 flat, 5 hidden, 6 relu, 7 logits, 8 digit.
// Ops: 0 reshape, 1 dense, 2 relu, 3 dense, 4 softmax.
enum { kW1, kB1, kW2, kImage, kFlat, kHidden, kRelu, kLogits, kDigit };
constexpr std::size_t kEntry = LNT_HEADER_BYTES;  // of TENS, the first section

std::vector<Case> header_cases() {
  return {
      {"an empty file", LNT_E_TRUNCATED, [] { return Bytes(0); }},
      patched("another magic", LNT_E_NOT_A_MODEL, [](Bytes& b) { b[1] = 'l'; }),
      patched("major version 0", LNT_E_VERSION, [](Bytes& b) { put16(b, LNT_AT_MAJOR, 0); }),
      patched("the next major version", LNT_E_VERSION, [](Bytes& b) { put16(b, LNT_AT_MAJOR, 2); }),
      patched("the largest major version", LNT_E_VERSION, [](Bytes& b) { put16(b, LNT_AT_MAJOR, 0xFFFF); }),
      patched("a file of another byte order", LNT_E_VERSION,
              [](Bytes& b) { put16(b, LNT_AT_MAJOR, 0x0100); }),
      changed("an encrypted file", LNT_E_FLAGS, [](File& f) { f.flags = LNT_FLAG_ENCRYPTED; }),
      changed("a signed file", LNT_E_FLAGS, [](File& f) { f.flags = LNT_FLAG_SIGNED; }),
      changed("an unknown flag", LNT_E_FLAGS, [](File& f) { f.flags = 1u << 31; }),
      patched("a length that is one too long", LNT_E_TRUNCATED,
              [](Bytes& b) { put64(b, LNT_AT_FILE_LEN, b.size() + 1); }),
      patched("a length that is one too short", LNT_E_TRAILING_BYTES,
              [](Bytes& b) { put64(b, LNT_AT_FILE_LEN, b.size() - 1); }),
      patched("a length of 2^64 - 1", LNT_E_OVER_LIMIT, [](Bytes& b) { put64(b, LNT_AT_FILE_LEN, ~0ull); }),
      patched("2^32 - 1 sections", LNT_E_SECTION_COUNT, [](Bytes& b) { put32(b, LNT_AT_N_SECTIONS, ~0u); }),
      patched("one section too many", LNT_E_SECTION_COUNT,
              [](Bytes& b) { put32(b, LNT_AT_N_SECTIONS, LNT_MAX_SECTIONS + 1); }),
      {"a section table longer than the file", LNT_E_SECTION_BOUNDS,
       [] {
         Bytes b = lay_out(small_model(), {});
         put32(b, LNT_AT_N_SECTIONS, 5);
         return b;
       }},
      {"a wrong header checksum", LNT_E_HEADER_CHECKSUM,
       [] {
         Bytes b = small_model().bytes();
         b[LNT_AT_GRAPH_HASH] ^= 1;
         return b;
       }},
      patched("a reserved header byte", LNT_E_NOT_ZERO, [](Bytes& b) { b[LNT_AT_HEADER_ZERO + 7] = 1; }),
  };
}

std::vector<Case> section_cases() {
  using Sections = std::vector<SectionRecord>;
  return {
      {"a file without sections", LNT_E_SECTION_MISSING, [] { return lay_out(small_model(), {}); }},
      rearranged("no DATA", LNT_E_SECTION_MISSING, [](Sections& s) { s.erase(s.begin() + 3); }),
      rearranged("no META", LNT_E_SECTION_MISSING, [](Sections& s) { s.pop_back(); }),
      rearranged("sections in another order", LNT_E_SECTION_ORDER,
                 [](Sections& s) { std::swap(s[1], s[2]); }),
      rearranged("a section twice", LNT_E_SECTION_ORDER, [](Sections& s) { s.push_back(s.back()); }),
      rearranged("section type 0", LNT_E_SECTION_ORDER, [](Sections& s) { s[0].type = 0; }),
      rearranged("a required section of the future", LNT_E_SECTION_UNKNOWN,
                 [](Sections& s) {
                   s.push_back({99, LNT_SECTION_REQUIRED, 8, {1}});
                 }),
      rearranged("quantization", LNT_E_SECTION_UNKNOWN,
                 [](Sections& s) {
                   s.insert(s.begin() + 2, {LNT_SECTION_QUANT, LNT_SECTION_REQUIRED, 8, {1}});
                 }),
      rearranged("quantization that claims not to matter", LNT_E_SECTION_UNKNOWN,
                 [](Sections& s) {
                   s.insert(s.begin() + 2, {LNT_SECTION_QUANT, 0, 8, {1}});
                 }),
      rearranged("TENS that is not required", LNT_E_SECTION_FLAGS, [](Sections& s) { s[0].flags = 0; }),
      rearranged("META that is required", LNT_E_SECTION_FLAGS, [](Sections& s) { s[4].flags = 1; }),
      rearranged("an unknown flag of an unknown section", LNT_E_SECTION_FLAGS,
                 [](Sections& s) {
                   s.push_back({99, 2, 8, {1}});
                 }),
      rearranged("alignment 0", LNT_E_SECTION_ALIGN, [](Sections& s) { s[0].align = 0; }),
      rearranged("alignment 3", LNT_E_SECTION_ALIGN, [](Sections& s) { s[1].align = 3; }),
      rearranged("alignment 2^30", LNT_E_SECTION_ALIGN, [](Sections& s) { s[3].align = 1u << 30; }),
      rearranged("DATA at a multiple of 32", LNT_E_SECTION_ALIGN, [](Sections& s) { s[3].align = 32; }),
      rearranged("an unknown section with alignment 24", LNT_E_SECTION_ALIGN,
                 [](Sections& s) {
                   s.push_back({99, 0, 24, {1}});
                 }),
      rearranged("an unknown section with alignment 4", LNT_E_SECTION_ALIGN,
                 [](Sections& s) {
                   s.push_back({99, 0, 4, {1}});
                 }),
      rearranged("an unknown section with alignment 8192", LNT_E_SECTION_ALIGN,
                 [](Sections& s) {
                   s.push_back({99, 0, 8192, {1}});
                 }),
      patched("a section inside the header", LNT_E_SECTION_BOUNDS,
              [](Bytes& b) { put64(b, kEntry + LNT_AT_SECTION_OFF, 0); }),
      patched(
          "a gap before a section", LNT_E_SECTION_BOUNDS,
          [](Bytes& b) { put64(b, kEntry + LNT_AT_SECTION_OFF, get64(b, kEntry + LNT_AT_SECTION_OFF) + 8); }),
      patched("a section beyond the end", LNT_E_SECTION_BOUNDS,
              [](Bytes& b) { put64(b, kEntry + LNT_AT_SECTION_OFF, 1ull << 40); }),
      patched("a section longer than the file", LNT_E_SECTION_BOUNDS,
              [](Bytes& b) { put64(b, kEntry + LNT_AT_SECTION_LEN, b.size()); }),
      patched("offset + length that wraps", LNT_E_SECTION_BOUNDS,
              [](Bytes& b) { put64(b, kEntry + LNT_AT_SECTION_LEN, ~0ull); }),
      {"an empty section that begins beyond the end", LNT_E_SECTION_BOUNDS,
       [] {
         std::vector<SectionRecord> sections = small_model().sections();
         sections.push_back({99, 0, LNT_PAGE_ALIGN, {}});
         Bytes b = lay_out(small_model(), sections);
         b.resize(section_start(b, LNT_SECTION_META) + sections[4].contents.size());
         put64(b, LNT_AT_FILE_LEN, b.size());
         seal(b);
         return b;
       }},
      {"bytes after the last section", LNT_E_SECTION_BOUNDS,
       [] {
         Bytes b = small_model().bytes();
         b.insert(b.end(), 8, 0);
         put64(b, LNT_AT_FILE_LEN, b.size());
         seal(b);
         return b;
       }},
      {"a wrong section checksum", LNT_E_SECTION_CHECKSUM,
       [] {
         Bytes b = small_model().bytes();
         b[section_start(b, LNT_SECTION_DATA)] ^= 0x80;
         return b;
       }},
      patched("a padding byte between sections", LNT_E_NOT_ZERO,
              [](Bytes& b) { b[section_start(b, LNT_SECTION_DATA) - 1] = 1; }),
  };
}

std::vector<Case> tensor_cases() {
  return {
      rearranged("TENS that is no multiple of 48", LNT_E_SECTION_SIZE,
                 [](std::vector<SectionRecord>& s) { s[0].contents.resize(s[0].contents.size() + 8); }),
      changed("no tensors", LNT_E_TENSOR_PORT, [](File& f) { f.tensors.clear(); }),
      changed("a dtype of the future", LNT_E_TENSOR_DTYPE, [](File& f) { f.tensors[kImage].dtype = 200; }),
      changed("int8 without quantization", LNT_E_TENSOR_DTYPE,
              [](File& f) { f.tensors[kW1].dtype = LNT_I8; }),
      changed("rank 0", LNT_E_TENSOR_RANK, [](File& f) { f.tensors[kB1].rank = 0; }),
      changed("rank 7", LNT_E_TENSOR_RANK, [](File& f) { f.tensors[kB1].rank = 7; }),
      changed("rank 255", LNT_E_TENSOR_RANK, [](File& f) { f.tensors[kB1].rank = 255; }),
      changed("a kind of the future", LNT_E_TENSOR_KIND, [](File& f) { f.tensors[kFlat].kind = 4; }),
      changed("a constant after an input", LNT_E_TENSOR_KIND,
              [](File& f) { f.tensors[kFlat].kind = LNT_CONST; }),
      changed("an input after an activation", LNT_E_TENSOR_KIND,
              [](File& f) {
                f.tensors[kHidden].kind = LNT_IN;
                f.tensors[kHidden].port = 1;
              }),
      changed("a packed constant", LNT_E_TENSOR_STORAGE,
              [](File& f) { f.tensors[kW1].encoding = LNT_CODEBOOK; }),
      changed("a blocked constant", LNT_E_TENSOR_STORAGE,
              [](File& f) { f.tensors[kW1].layout = LNT_BLOCKED; }),
      changed("a quantization entry", LNT_E_TENSOR_STORAGE, [](File& f) { f.tensors[kW1].quant = 0; }),
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
      changed("reshape to fewer elements", LNT_E_OP_SHAPE,
              [](File& f) {
                f.tensors[kFlat].dims[1] = 5;
                f.tensors[kFlat].bytes = 20;
              }),
      changed("relu to another shape", LNT_E_OP_SHAPE,
              [](File& f) {
                f.tensors[kRelu].dims[0] = 4;
                f.tensors[kRelu].dims[1] = 1;
              }),
      changed("relu to another rank", LNT_E_OP_SHAPE,
              [](File& f) {
                f.tensors[kRelu].rank = 3;
                f.tensors[kRelu].dims[2] = 1;
              }),
      changed("softmax to another shape", LNT_E_OP_SHAPE,
              [](File& f) {
                f.tensors[kDigit].dims[0] = 3;
                f.tensors[kDigit].dims[1] = 1;
              }),
      changed("dense with a weight for other inputs", LNT_E_OP_SHAPE,
              [](File& f) {
                f.tensors[kW1].dims[0] = 6;
                f.tensors[kW1].dims[1] = 4;
              }),
      changed("dense with a weight of rank 1", LNT_E_OP_SHAPE,
              [](File& f) {
                f.tensors[kW1].rank = 1;
                f.tensors[kW1].dims[0] = 24;
                f.tensors[kW1].dims[1] = 0;
              }),
      changed("dense to another rank", LNT_E_OP_SHAPE,
              [](File& f) {
                f.tensors[kHidden].rank = 3;
                f.tensors[kHidden].dims[1] = 1;
                f.tensors[kHidden].dims[2] = 4;
              }),
      changed("dense to other leading axes", LNT_E_OP_SHAPE,
              [](File& f) {
                f.tensors[kHidden].dims[0] = 2;
                f.tensors[kHidden].dims[1] = 2;
              }),
      changed("dense to another width", LNT_E_OP_SHAPE,
              [](File& f) {
                f.tensors[kHidden].dims[1] = 3;
                f.tensors[kHidden].bytes = 12;
              }),
      changed("dense with a bias of rank 2", LNT_E_OP_SHAPE,
              [](File& f) {
                f.tensors[kB1].rank = 2;
                f.tensors[kB1].dims[1] = 1;
              }),
      changed("dense with a bias that is too short", LNT_E_OP_SHAPE,
              [](File& f) {
                f.tensors[kB1].dims[0] = 3;
                f.tensors[kB1].bytes = 12;
              }),
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

std::vector<Case> meta_cases() {
  return {
      changed("META without its last NUL", LNT_E_META, [](File& f) { f.meta.pop_back(); }),
      changed("an entry without '='", LNT_E_META, [](File& f) { f.meta = std::string("task\0", 5); }),
      changed("an empty key", LNT_E_META, [](File& f) { f.meta = std::string("=x\0", 3); }),
      changed("an empty entry", LNT_E_META, [](File& f) { f.meta += '\0'; }),
      changed("a key with a capital", LNT_E_META, [](File& f) { f.meta = std::string("Task=x\0", 7); }),
      changed("a key twice", LNT_E_META, [](File& f) { f.meta = std::string("a=x\0a=y\0", 8); }),
      changed("keys in another order", LNT_E_META, [](File& f) { f.meta = std::string("b=x\0a=y\0", 8); }),
      changed("a longer key before its beginning", LNT_E_META,
              [](File& f) { f.meta = std::string("ab=x\0a=y\0", 9); }),
      changed("a stray continuation byte", LNT_E_META, [](File& f) { f.meta = std::string("a=\x80\0", 4); }),
      changed("a character cut short", LNT_E_META, [](File& f) { f.meta = std::string("a=\xE2\x82\0", 5); }),
      changed("an overlong character", LNT_E_META, [](File& f) { f.meta = std::string("a=\xC0\xAF\0", 5); }),
      changed("an overlong character of three bytes", LNT_E_META,
              [](File& f) { f.meta = std::string("a=\xE0\x80\x80\0", 6); }),
      changed("an overlong character of four bytes", LNT_E_META,
              [](File& f) { f.meta = std::string("a=\xF0\x80\x80\x80\0", 7); }),
      changed("half a surrogate pair", LNT_E_META,
              [](File& f) { f.meta = std::string("a=\xED\xA0\x80\0", 6); }),
      changed("a character above U+10FFFF", LNT_E_META,
              [](File& f) { f.meta = std::string("a=\xF4\x90\x80\x80\0", 7); }),
      changed("byte FF", LNT_E_META, [](File& f) { f.meta = std::string("a=\xFF\0", 4); }),
  };
}

std::vector<Case> all_cases() {
  std::vector<Case> all;
  for (const auto& part :
       {header_cases(), section_cases(), tensor_cases(), op_cases(), plan_cases(), meta_cases()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

/// In memory of exactly its size, so that a sanitizer sees a byte read too far.
lnt_status check(const Bytes& bytes, lnt_info* info, const lnt_limits* limits = nullptr) {
  static_assert(__STDCPP_DEFAULT_NEW_ALIGNMENT__ >= LNT_FILE_ALIGN);
  const Bytes exact(bytes.begin(), bytes.end());
  alignas(LNT_FILE_ALIGN) static const std::uint8_t nothing = 0;
  const lnt_status status = lnt_check(exact.empty() ? &nothing : exact.data(), exact.size(), limits, info);
  CHECK(info->problem.status == status);
  CHECK(info->problem.offset <= bytes.size());
  CHECK((info->file.at != nullptr) == (status == LNT_OK));
  return status;
}

}  // namespace

TEST_CASE("a well-formed file is accepted, and the info says what is in it") {
  const Bytes bytes = small_model().bytes();
  lnt_info info;
  REQUIRE(lnt_check(bytes.data(), bytes.size(), nullptr, &info) == LNT_OK);
  CHECK(info.n_tensors == 9);
  CHECK(info.n_consts == 3);
  CHECK(info.n_inputs == 1);
  CHECK(info.n_outputs == 1);
  CHECK(info.n_ops == 5);
  CHECK(info.arena_bytes == 32 + 32 + 16 + 16 + 16 + 16);
  CHECK(info.model_version == 7);
  CHECK(info.graph_hash[15] == 16);
}

TEST_CASE("each rule of the format has a file that breaks it, refused with its status") {
  for (const Case& c : all_cases()) {
    CAPTURE(c.name);
    lnt_info info;
    const lnt_status status = check(c.make(), &info);
    CHECK(std::string(lnt_status_text(status)) == lnt_status_text(c.expected));
  }
}

TEST_CASE("every status that lnt_check can give has a malformed file") {
  std::set<int> seen{LNT_OK, LNT_E_BAD_ARGUMENT, LNT_E_MISALIGNED, LNT_E_ARENA_TOO_SMALL};  // run_test.cpp
  for (const Case& c : all_cases()) seen.insert(c.expected);
  for (int status = 0; status < LNT_N_STATUSES; ++status) {
    CAPTURE(lnt_status_text(static_cast<lnt_status>(status)));
    CHECK(seen.count(status) == 1);
  }
}

TEST_CASE("later minor versions may bring sections that need not be known") {
  File file = small_model();
  file.minor = 1;
  std::vector<SectionRecord> sections = file.sections();
  sections.push_back({LNT_SECTION_GOLD, 0, LNT_SECTION_ALIGN, {1, 2, 3}});
  sections.push_back({99, 0, LNT_PAGE_ALIGN, {}});
  lnt_info info;
  CHECK(check(lay_out(file, sections), &info) == LNT_OK);
}

TEST_CASE("DATA may lie at a page of its own") {
  File file = small_model();
  file.data_align = LNT_PAGE_ALIGN;
  lnt_info info;
  CHECK(check(file.bytes(), &info) == LNT_OK);
}

TEST_CASE("a model without constants or META text is accepted") {
  ModelBuilder m;
  m.output(m.op(LNT_RELU, {m.input({3})}, {3}));
  lnt_info info;
  CHECK(check(m.file().bytes(), &info) == LNT_OK);
  CHECK(info.n_consts == 0);
}

TEST_CASE("a file over a limit is refused before anything else in it is looked at") {
  const Bytes bytes = small_model().bytes();
  lnt_info info;
  const lnt_limits exact{bytes.size(), 128, 9, 5};
  CHECK(check(bytes, &info, &exact) == LNT_OK);
  lnt_limits less = exact;
  less.file_bytes -= 1;
  CHECK(check(bytes, &info, &less) == LNT_E_OVER_LIMIT);
  CHECK(info.problem.expected == less.file_bytes);
  CHECK(info.problem.actual == bytes.size());
  less = exact;
  less.arena_bytes -= 1;
  CHECK(check(bytes, &info, &less) == LNT_E_OVER_LIMIT);
  less = exact;
  less.tensors -= 1;
  CHECK(check(bytes, &info, &less) == LNT_E_OVER_LIMIT);
  less = exact;
  less.ops -= 1;
  CHECK(check(bytes, &info, &less) == LNT_E_OVER_LIMIT);

  // A head that claims 4 GiB: only these 64 bytes are there to be read.
  Bytes head(bytes.begin(), bytes.begin() + LNT_HEADER_BYTES);
  put64(head, LNT_AT_FILE_LEN, 1ull << 32);
  CHECK(check(head, &info) == LNT_E_OVER_LIMIT);
}

}  // namespace linnet::test
