// SPDX-License-Identifier: Apache-2.0
#pragma once
// A writer of .linnet files for tests of the runtime, made from runtime/format.h alone. Every field can be
// set to nonsense: File is what the file says, bytes() lays it out and makes the checksums fit.

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "linnet/runtime/format.h"

namespace linnet::test {

using Bytes = std::vector<std::uint8_t>;

/// One record of TENS.
struct TensorRecord {
  std::uint8_t dtype = LNT_F32, rank = 0, kind = LNT_ACT, encoding = LNT_RAW, layout = LNT_PLAIN, port = 0;
  std::uint16_t zero = 0;
  std::uint32_t dims[LNT_MAX_RANK] = {};
  std::uint32_t quant = LNT_NO_QUANT, bytes = 0;
  std::uint64_t off = 0;
};

/// One record of OPS; the counts and lengths that it states are those of the vectors unless told otherwise.
struct OpRecord {
  std::uint16_t opcode = 0, version = 1;
  std::vector<std::uint32_t> in, out;
  Bytes params;
  int n_in = -1, n_out = -1, param_len = -1;
};

struct SectionRecord {
  std::uint32_t type = 0, flags = 0, align = LNT_SECTION_ALIGN;
  Bytes contents;
};

struct File {
  std::uint16_t major = LNT_FORMAT_MAJOR, minor = LNT_MINOR_FLOAT;
  std::uint32_t flags = 0;
  std::uint64_t model_version = 7;
  std::vector<TensorRecord> tensors;
  std::vector<OpRecord> ops;
  std::uint64_t arena_bytes = 0;
  std::uint32_t alignment = LNT_ARENA_ALIGN, plan_zero = 0;
  std::vector<std::uint32_t> last;
  Bytes data;
  std::uint32_t data_align = LNT_DATA_ALIGN;
  std::string meta;
  Bytes gold;   ///< no section when empty
  Bytes quant;  ///< likewise

  std::uint32_t n_consts() const;
  std::vector<SectionRecord> sections() const;
  Bytes bytes() const;
};

/// One entry of QUANT.
struct Quant {
  std::int32_t zero = 0;
  std::vector<float> scales = {0.5f};
  std::vector<std::array<std::int32_t, 2>> factors = {};  ///< of each scale; 0 0 when there are none
};
Bytes entry_of(const Quant& quant);

/// How a packed constant says what it holds.
struct Packing {
  std::uint8_t number = LNT_NUMBER_ELEMENT, map = LNT_MAP_NONE;
  bool codebook = false;
};
/// `numbers` are the bits of each element, of as many bits as that kind of number has.
Bytes pack(const Packing& packing, const std::vector<std::uint32_t>& numbers, std::uint32_t width);

/// The file of any sections in any order: offsets, lengths and checksums fit.
Bytes lay_out(const File& header, const std::vector<SectionRecord>& sections);

/// Makes the checksums fit the bytes again, as far as the table can be followed.
void seal(Bytes& file);

/// Parameters of ops.
Bytes words(const std::vector<std::uint32_t>& values);
std::uint32_t bits_of(float value);

void put16(Bytes& bytes, std::size_t at, std::uint16_t value);
void put32(Bytes& bytes, std::size_t at, std::uint32_t value);
void put64(Bytes& bytes, std::size_t at, std::uint64_t value);
std::uint32_t get32(const Bytes& bytes, std::size_t at);
std::uint64_t get64(const Bytes& bytes, std::size_t at);
/// Start of section `type` in a well-formed file.
std::size_t section_start(const Bytes& file, std::uint32_t type);

/// Builds a graph in any order and numbers and plans it as the format prescribes. Tensors do not share
/// memory: tests that want sharing set `off` themselves.
class ModelBuilder {
 public:
  using Value = int;
  using Dims = std::vector<std::uint32_t>;
  Value constant(const Dims& dims, const std::vector<float>& values);
  Value input(const Dims& dims, const std::string& name = "");
  /// A weight in blocks of 16 rows; `values` are its rows.
  Value blocked(const Dims& dims, const std::vector<float>& values);
  Value integers(const Dims& dims, const std::vector<std::int32_t>& values);
  Value integer_input(const Dims& dims);
  /// Weights, tables, and what else are small integers.
  Value i8(const Dims& dims, const std::vector<std::int8_t>& values, const Quant& quant);
  Value no_entry(const Dims& dims, const std::vector<std::int8_t>& values);
  Value i16(const std::vector<std::int16_t>& values);
  Value quantized_input(const Dims& dims, const Quant& quant);
  /// From pack(); f32, or with `is_i8` i8.
  Value packed(const Dims& dims, const Bytes& contents, bool is_i8 = false);
  /// Gives a value an entry of QUANT, or makes it i8, which needs one.
  void entry(Value value, const Quant& quant);
  Value quantized(Value value, const Quant& quant);
  /// i8 without an entry, i16 or i32.
  Value whole(Value value, std::uint8_t dtype);
  Value whole_input(const Dims& dims, std::uint8_t dtype) { return whole(input(dims), dtype); }
  void in_blocks(Value weight);
  /// Parameters that are not given are all 0.
  Value op(std::uint16_t opcode, const std::vector<Value>& in, const Dims& dims, const Bytes& params = {});
  /// The last op writes this, too.
  void scratch(std::uint32_t floats);
  void output(Value value, const std::string& name = "");
  void meta(const std::string& key, const std::string& text) { meta_[key] = text; }
  File file() const;
  /// Id that file() gives a value.
  std::uint32_t id(Value value) const { return ids()[static_cast<std::size_t>(value)]; }

 private:
  struct Node {
    TensorRecord tensor;
    Bytes data, entry;
  };
  struct Step {
    std::uint16_t opcode;
    std::vector<Value> in;
    Value out;
    Bytes params;
    Value scratch = -1;
  };
  Value add(std::uint8_t kind, const Dims& dims, std::uint8_t dtype = LNT_F32);
  Node& node(Value value) { return nodes_[static_cast<std::size_t>(value)]; }
  std::vector<std::uint32_t> ids() const;

  std::vector<Node> nodes_;
  std::vector<Step> steps_;
  std::map<std::string, std::string> meta_;
  std::uint8_t n_inputs_ = 0, n_outputs_ = 0;
};

/// The product of the sizes.
std::uint32_t elements_of(const ModelBuilder::Dims& dims);

/// x [1, 2, 3] -> reshape [1, 6] -> dense 4 -> relu -> dense 3 -> softmax, with names and labels.
File small_model();

/// Philox4x32-10 by its definition; counter and key as the paper writes them.
std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key);

/// ids [3] below 5 -> rows [3, 2] of a table, and x [1, 6] in [-1, 1) -> -x; with eight golden cases of
/// seed 7.
File golden_model();

}  // namespace linnet::test
