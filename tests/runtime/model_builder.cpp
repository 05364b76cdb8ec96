// SPDX-License-Identifier: Apache-2.0
#include "model_builder.h"

#include <algorithm>
#include <cstring>

namespace linnet::test {
namespace {

template <class T>
void append(Bytes& bytes, T value) {
  for (std::size_t i = 0; i < sizeof value; ++i) bytes.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

void put(Bytes& bytes, std::size_t at, std::uint64_t value, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) bytes.at(at + i) = static_cast<std::uint8_t>(value >> (8 * i));
}

std::uint64_t get(const Bytes& bytes, std::size_t at, std::size_t n) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < n; ++i) value |= std::uint64_t{bytes.at(at + i)} << (8 * i);
  return value;
}

void pad(Bytes& bytes, std::size_t align) {
  while (bytes.size() % align != 0) bytes.push_back(0);
}

Bytes tens_section(const std::vector<TensorRecord>& tensors) {
  Bytes b;
  for (const TensorRecord& t : tensors) {
    for (std::uint8_t v : {t.dtype, t.rank, t.kind, t.encoding, t.layout, t.port}) b.push_back(v);
    append(b, t.zero);
    for (std::uint32_t d : t.dims) append(b, d);
    append(b, t.quant);
    append(b, t.bytes);
    append(b, t.off);
  }
  return b;
}

Bytes ops_section(const std::vector<OpRecord>& ops) {
  Bytes b;
  auto stated = [](int n, std::size_t real) {
    return n >= 0 ? static_cast<unsigned>(n) : static_cast<unsigned>(real);
  };
  for (const OpRecord& op : ops) {
    append(b, op.opcode);
    append(b, static_cast<std::uint8_t>(stated(op.n_in, op.in.size())));
    append(b, static_cast<std::uint8_t>(stated(op.n_out, op.out.size())));
    append(b, static_cast<std::uint16_t>(stated(op.param_len, op.params.size())));
    append(b, op.version);
    for (std::uint32_t id : op.in) append(b, id);
    for (std::uint32_t id : op.out) append(b, id);
    b.insert(b.end(), op.params.begin(), op.params.end());
  }
  return b;
}

/// Bytes of a packed constant when it is unpacked.
std::size_t memory_of(const TensorRecord& t) {
  std::size_t bytes = t.dtype == LNT_I8 ? 1 : 4;
  for (std::size_t i = 0; i < t.rank; ++i)
    bytes *=
        i == 0 && t.layout == LNT_BLOCKED ? (t.dims[0] + LNT_BLOCK - 1) / LNT_BLOCK * LNT_BLOCK : t.dims[i];
  return bytes;
}

/// Parameters that are all 0.
Bytes no_params(std::uint16_t opcode) {
  if (opcode == LNT_DENSE || opcode == LNT_BATCH_NORM) return Bytes(12);
  const bool unary = opcode == LNT_RELU || (opcode >= LNT_NEG && opcode <= LNT_CLAMP);
  return Bytes(unary ? 8 : 0);
}

}  // namespace

Bytes words(const std::vector<std::uint32_t>& values) {
  Bytes bytes;
  for (std::uint32_t value : values) append(bytes, value);
  return bytes;
}
std::uint32_t bits_of(float value) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, 4);
  return bits;
}

void put16(Bytes& bytes, std::size_t at, std::uint16_t value) { put(bytes, at, value, 2); }
void put32(Bytes& bytes, std::size_t at, std::uint32_t value) { put(bytes, at, value, 4); }
void put64(Bytes& bytes, std::size_t at, std::uint64_t value) { put(bytes, at, value, 8); }
std::uint32_t get32(const Bytes& bytes, std::size_t at) {
  return static_cast<std::uint32_t>(get(bytes, at, 4));
}
std::uint64_t get64(const Bytes& bytes, std::size_t at) { return get(bytes, at, 8); }

std::size_t section_start(const Bytes& file, std::uint32_t type) {
  std::size_t entry = LNT_HEADER_BYTES;
  while (get32(file, entry + LNT_AT_SECTION_TYPE) != type) entry += LNT_SECTION_BYTES;
  return static_cast<std::size_t>(get64(file, entry + LNT_AT_SECTION_OFF));
}

std::uint32_t File::n_consts() const {
  return static_cast<std::uint32_t>(std::count_if(tensors.begin(), tensors.end(),
                                                  [](const TensorRecord& t) { return t.kind == LNT_CONST; }));
}

std::vector<SectionRecord> File::sections() const {
  Bytes plan;
  append(plan, arena_bytes);
  append(plan, alignment);
  append(plan, plan_zero);
  for (std::uint32_t l : last) append(plan, l);
  std::vector<SectionRecord> all{
      {LNT_SECTION_TENS, LNT_SECTION_REQUIRED, LNT_SECTION_ALIGN, tens_section(tensors)},
      {LNT_SECTION_OPS, LNT_SECTION_REQUIRED, LNT_SECTION_ALIGN, ops_section(ops)},
      {LNT_SECTION_PLAN, LNT_SECTION_REQUIRED, LNT_SECTION_ALIGN, plan},
      {LNT_SECTION_DATA, LNT_SECTION_REQUIRED, data_align, data},
      {LNT_SECTION_META, 0, LNT_SECTION_ALIGN, Bytes(meta.begin(), meta.end())}};
  if (!quant.empty())
    all.insert(all.begin() + 2, {LNT_SECTION_QUANT, LNT_SECTION_REQUIRED, LNT_SECTION_ALIGN, quant});
  if (!gold.empty()) all.push_back({LNT_SECTION_GOLD, 0, LNT_SECTION_ALIGN, gold});
  return all;
}

Bytes File::bytes() const { return lay_out(*this, sections()); }

Bytes lay_out(const File& header, const std::vector<SectionRecord>& sections) {
  Bytes b(LNT_HEADER_BYTES + LNT_SECTION_BYTES * sections.size());
  std::memcpy(b.data(), LNT_MAGIC, 8);
  put16(b, LNT_AT_MAJOR, header.major);
  put16(b, LNT_AT_MINOR, header.minor);
  put32(b, LNT_AT_FLAGS, header.flags);
  put32(b, LNT_AT_N_SECTIONS, static_cast<std::uint32_t>(sections.size()));
  for (std::size_t i = 0; i < 16; ++i) b[LNT_AT_GRAPH_HASH + i] = static_cast<std::uint8_t>(i + 1);
  put64(b, LNT_AT_MODEL_VERSION, header.model_version);
  for (std::size_t i = 0; i < sections.size(); ++i) {
    const SectionRecord& s = sections[i];
    const std::size_t entry = LNT_HEADER_BYTES + LNT_SECTION_BYTES * i;
    const bool sane = s.align != 0 && s.align <= LNT_PAGE_ALIGN;
    pad(b, sane ? s.align : std::uint32_t{LNT_SECTION_ALIGN});
    put32(b, entry + LNT_AT_SECTION_TYPE, s.type);
    put32(b, entry + LNT_AT_SECTION_FLAGS, s.flags);
    put64(b, entry + LNT_AT_SECTION_OFF, b.size());
    put64(b, entry + LNT_AT_SECTION_LEN, s.contents.size());
    put32(b, entry + LNT_AT_SECTION_ALIGN, s.align);
    b.insert(b.end(), s.contents.begin(), s.contents.end());
  }
  put64(b, LNT_AT_FILE_LEN, b.size());
  seal(b);
  return b;
}

void seal(Bytes& file) {
  if (file.size() < LNT_HEADER_BYTES) return;
  const std::uint64_t n = get32(file, LNT_AT_N_SECTIONS);
  const std::uint64_t table_end = LNT_HEADER_BYTES + LNT_SECTION_BYTES * n;
  if (table_end > file.size()) return;
  for (std::size_t entry = LNT_HEADER_BYTES; entry < table_end; entry += LNT_SECTION_BYTES) {
    const std::uint64_t off = get64(file, entry + LNT_AT_SECTION_OFF),
                        len = get64(file, entry + LNT_AT_SECTION_LEN);
    if (off > file.size() || len > file.size() - off) continue;
    put32(file, entry + LNT_AT_SECTION_CRC, lnt_crc32c(0, file.data() + off, static_cast<std::size_t>(len)));
  }
  put32(file, LNT_AT_HEADER_CRC, 0);
  put32(file, LNT_AT_HEADER_CRC, lnt_crc32c(0, file.data(), static_cast<std::size_t>(table_end)));
}

ModelBuilder::Value ModelBuilder::add(std::uint8_t kind, const Dims& dims, std::uint8_t dtype) {
  Node node;
  node.tensor.kind = kind;
  node.tensor.dtype = dtype;
  node.tensor.rank = static_cast<std::uint8_t>(dims.size());
  node.tensor.bytes = dtype == LNT_I8 ? 1 : dtype == LNT_I16 ? 2 : 4;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    node.tensor.dims[i] = dims[i];
    node.tensor.bytes *= dims[i];
  }
  nodes_.push_back(node);
  return static_cast<Value>(nodes_.size() - 1);
}

ModelBuilder::Value ModelBuilder::constant(const Dims& dims, const std::vector<float>& values) {
  const Value v = add(LNT_CONST, dims);
  for (float value : values) append(nodes_.back().data, bits_of(value));
  return v;
}

ModelBuilder::Value ModelBuilder::input(const Dims& dims, const std::string& name) {
  const Value v = add(LNT_IN, dims);
  if (!name.empty()) meta_["input." + std::to_string(n_inputs_)] = name;
  nodes_.back().tensor.port = n_inputs_++;
  return v;
}

ModelBuilder::Value ModelBuilder::op(std::uint16_t opcode, const std::vector<Value>& in, const Dims& dims,
                                     const Bytes& params) {
  const Value out = add(LNT_ACT, dims);
  steps_.push_back({opcode, in, out, params.empty() ? no_params(opcode) : params});
  return out;
}

ModelBuilder::Value ModelBuilder::blocked(const Dims& dims, const std::vector<float>& values) {
  std::size_t n = values.size() / dims[0], outs = (dims[0] + LNT_BLOCK - 1) / LNT_BLOCK * LNT_BLOCK;
  std::vector<float> blocks(outs * n);
  for (std::size_t o = 0; o < dims[0]; ++o)
    for (std::size_t k = 0; k < n; ++k)
      blocks[(o / LNT_BLOCK * n + k) * LNT_BLOCK + o % LNT_BLOCK] = values[o * n + k];
  const Value v = constant(dims, blocks);
  nodes_.back().tensor.layout = LNT_BLOCKED;
  nodes_.back().tensor.bytes = static_cast<std::uint32_t>(4 * blocks.size());
  return v;
}

ModelBuilder::Value ModelBuilder::integers(const Dims& dims, const std::vector<std::int32_t>& values) {
  const Value v = add(LNT_CONST, dims, LNT_I32);
  for (std::int32_t value : values) append(nodes_.back().data, static_cast<std::uint32_t>(value));
  return v;
}

ModelBuilder::Value ModelBuilder::i8(const Dims& dims, const std::vector<std::int8_t>& values,
                                     const Quant& quant) {
  const Value v = add(LNT_CONST, dims, LNT_I8);
  for (std::int8_t value : values) nodes_.back().data.push_back(static_cast<std::uint8_t>(value));
  entry(v, quant);
  return v;
}

ModelBuilder::Value ModelBuilder::no_entry(const Dims& dims, const std::vector<std::int8_t>& values) {
  const Value v = i8(dims, values, {});
  nodes_.back().entry.clear();
  return v;
}

ModelBuilder::Value ModelBuilder::i16(const std::vector<std::int16_t>& values) {
  const Value v = add(LNT_CONST, {static_cast<std::uint32_t>(values.size())}, LNT_I16);
  for (std::int16_t value : values) append(nodes_.back().data, static_cast<std::uint16_t>(value));
  return v;
}

ModelBuilder::Value ModelBuilder::quantized_input(const Dims& dims, const Quant& quant) {
  return quantized(input(dims), quant);
}

ModelBuilder::Value ModelBuilder::packed(const Dims& dims, const Bytes& contents, bool is_i8) {
  const Value v = add(LNT_CONST, dims, is_i8 ? LNT_I8 : LNT_F32);
  nodes_.back().data = contents;
  nodes_.back().tensor.encoding = LNT_PACKED;
  nodes_.back().tensor.bytes = static_cast<std::uint32_t>(contents.size());
  return v;
}

void ModelBuilder::entry(Value value, const Quant& quant) { node(value).entry = entry_of(quant); }

ModelBuilder::Value ModelBuilder::quantized(Value value, const Quant& quant) {
  entry(whole(value, LNT_I8), quant);
  return value;
}

ModelBuilder::Value ModelBuilder::whole(Value value, std::uint8_t dtype) {
  TensorRecord& tensor = node(value).tensor;
  const auto size = [](std::uint8_t type) { return type == LNT_I8 ? 1u : type == LNT_I16 ? 2u : 4u; };
  tensor.bytes = tensor.bytes / size(tensor.dtype) * size(dtype);
  tensor.dtype = dtype;
  return value;
}

void ModelBuilder::in_blocks(Value weight) { node(weight).tensor.layout = LNT_BLOCKED; }

ModelBuilder::Value ModelBuilder::integer_input(const Dims& dims) {
  const Value v = input(dims);
  nodes_.back().tensor.dtype = LNT_I32;
  return v;
}

void ModelBuilder::scratch(std::uint32_t floats) { steps_.back().scratch = add(LNT_TMP, {floats}); }

void ModelBuilder::output(Value value, const std::string& name) {
  TensorRecord& tensor = nodes_[static_cast<std::size_t>(value)].tensor;
  if (!name.empty()) meta_["output." + std::to_string(n_outputs_)] = name;
  tensor.kind = LNT_OUT;
  tensor.port = n_outputs_++;
}

std::vector<std::uint32_t> ModelBuilder::ids() const {
  constexpr std::uint32_t kNone = 0xFFFFFFFFu;
  std::vector<std::uint32_t> ids(nodes_.size(), kNone);
  std::uint32_t next = 0;
  for (const Step& step : steps_) {
    for (Value v : step.in) {
      std::uint32_t& id = ids[static_cast<std::size_t>(v)];
      if (nodes_[static_cast<std::size_t>(v)].tensor.kind == LNT_CONST && id == kNone) id = next++;
    }
  }
  for (std::size_t v = 0; v < nodes_.size(); ++v) {
    if (nodes_[v].tensor.kind == LNT_IN) ids[v] = next++;
  }
  for (const Step& step : steps_) {
    ids[static_cast<std::size_t>(step.out)] = next++;
    if (step.scratch >= 0) ids[static_cast<std::size_t>(step.scratch)] = next++;
  }
  return ids;
}

File ModelBuilder::file() const {
  File file;
  const std::vector<std::uint32_t> id = ids();
  file.tensors.resize(nodes_.size());
  std::vector<const Node*> by_id(nodes_.size());
  std::size_t unpacked = 0;
  for (std::size_t v = 0; v < nodes_.size(); ++v) by_id.at(id[v]) = &nodes_[v];
  for (std::size_t i = 0; i < by_id.size(); ++i) {
    TensorRecord& t = file.tensors[i] = by_id[i]->tensor;
    const Bytes& entry = by_id[i]->entry;
    const bool packed = t.encoding == LNT_PACKED;
    if (packed || t.dtype == LNT_I8 || t.dtype == LNT_I16) file.minor = LNT_MINOR_INT8;
    if (!entry.empty()) t.quant = static_cast<std::uint32_t>(file.quant.size());
    file.quant.insert(file.quant.end(), entry.begin(), entry.end());
    if (t.kind == LNT_CONST) {
      pad(file.data, packed ? std::size_t{LNT_PACKED_ALIGN} : std::size_t{LNT_DATA_ALIGN});
      t.off = file.data.size();
      Bytes data = by_id[i]->data;
      data.resize(t.bytes);
      if (packed && data.size() >= LNT_PACKED_BYTES) {
        put64(data, LNT_AT_UNPACKED, unpacked);
        unpacked =
            (unpacked + memory_of(t) + LNT_UNPACKED_ALIGN - 1) / LNT_UNPACKED_ALIGN * LNT_UNPACKED_ALIGN;
      }
      file.data.insert(file.data.end(), data.begin(), data.end());
    } else {
      t.off = file.arena_bytes;
      file.arena_bytes = (t.off + t.bytes + LNT_ARENA_ALIGN - 1) / LNT_ARENA_ALIGN * LNT_ARENA_ALIGN;
    }
  }
  const std::uint32_t n_consts = file.n_consts();
  file.last.resize(nodes_.size() - n_consts);
  for (const Step& step : steps_) {
    OpRecord op;
    op.opcode = step.opcode;
    op.params = step.params;
    op.out = {id[static_cast<std::size_t>(step.out)]};
    if (step.scratch >= 0) {
      op.out.push_back(id[static_cast<std::size_t>(step.scratch)]);
      file.last[op.out[1] - n_consts] = static_cast<std::uint32_t>(file.ops.size());
    }
    for (Value v : step.in) op.in.push_back(id[static_cast<std::size_t>(v)]);
    for (std::uint32_t x : op.in) {
      if (x >= n_consts) file.last[x - n_consts] = static_cast<std::uint32_t>(file.ops.size());
    }
    file.ops.push_back(op);
  }
  for (std::size_t i = n_consts; i < file.tensors.size(); ++i) {
    if (file.tensors[i].kind == LNT_OUT) file.last[i - n_consts] = LNT_LAST_END;
  }
  for (const auto& [key, text] : meta_) file.meta += key + "=" + text + '\0';
  return file;
}

std::uint32_t elements_of(const ModelBuilder::Dims& dims) {
  std::uint32_t n = 1;
  for (std::uint32_t d : dims) n *= d;
  return n;
}

File golden_model() {
  constexpr std::uint32_t kRows = 5, kIds = 3, kNumbers = 6, kSeed = 7;
  const std::vector<float> table{0.5f, -1.0f, 2.0f, 0.25f, -3.0f, 1.5f, 4.0f, -0.125f, 1.0f, 0.75f};
  ModelBuilder m;
  const auto ids = m.integer_input({kIds}), x = m.input({1, kNumbers});
  m.output(m.op(LNT_EMBEDDING, {m.constant({kRows, 2}, table), ids}, {kIds, 2}));
  m.output(m.op(LNT_NEG, {x}, {1, kNumbers}));
  File file = m.file();
  file.gold = words({LNT_MIN_GOLDEN, 0, kSeed, 0, 0, kRows, bits_of(-1.0f), bits_of(1.0f)});
  for (std::uint32_t c = 0; c < LNT_MIN_GOLDEN; ++c) {
    for (std::uint32_t i = 0; i < kIds; ++i) {
      const std::uint32_t word = philox({i / 4, 0, 32 * c, 0}, {kSeed, 0})[i % 4];
      const std::size_t row = static_cast<std::size_t>(std::uint64_t{word} * kRows >> 32);
      for (std::size_t d = 0; d < 2; ++d) append(file.gold, bits_of(table[2 * row + d]));
    }
    for (std::uint32_t i = 0; i < kNumbers; ++i) {
      const std::uint32_t word = philox({i / 4, 0, 32 * c + 1, 0}, {kSeed, 0})[i % 4];
      append(file.gold, bits_of(1.0f - 2.0f * (static_cast<float>(word >> 8) / 16777216.0f)));
    }
  }
  return file;
}

}  // namespace linnet::test
