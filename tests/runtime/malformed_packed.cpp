// SPDX-License-Identifier: Apache-2.0
// Packed constants: every kind as it must be, and with one bit of what it says that is wrong.
#include "malformed.h"

namespace linnet::test {
namespace {

using Numbers = std::vector<std::uint32_t>;

/// x -> relu, and a packed [3, 4] as it comes out of lnt_bind.
struct PackedModel {
  Packing packing = {};
  Numbers numbers = {};
  std::uint32_t width = 32;
  bool is_i8 = false, has_entry = false;
};

File file_of(const PackedModel& p, const Bytes& contents) {
  ModelBuilder m;
  m.output(m.op(LNT_RELU, {m.input({2})}, {2}));
  const auto constant = m.packed({3, 4}, contents, p.is_i8);
  if (p.has_entry) m.entry(constant, {0, {0.5f}});
  const auto y = m.op(LNT_RESHAPE, {constant}, {12});
  if (p.is_i8) m.quantized(y, {0, {0.5f}});
  m.output(y);
  return m.file();
}

Bytes contents_of(const PackedModel& p) { return pack(p.packing, p.numbers, p.width); }

class PackedCases {
 public:
  PackedCases(std::vector<Case>& all, std::string name, PackedModel good)
      : all_(all), name_(std::move(name)), good_(std::move(good)) {
    but("as it must be", LNT_OK, [](Bytes&) {});
  }
  /// Places count from the start of the constant: 16 is what follows the head.
  PackedCases& but(const std::string& what, lnt_status expected, const std::function<void(Bytes&)>& change) {
    all_.push_back({name_ + " " + what, expected, [model = good_, change] {
                      Bytes contents = contents_of(model);
                      change(contents);
                      return file_of(model, contents).bytes();
                    }});
    return *this;
  }
  PackedCases& byte(const std::string& what, std::size_t at, std::uint8_t value,
                    lnt_status expected = LNT_E_PACKED) {
    return but(what, expected, [=](Bytes& b) { b.at(at) = value; });
  }
  PackedCases& lengths(lnt_status too_few = LNT_E_TENSOR_BYTES) {
    return but("with a byte too many", LNT_E_TENSOR_BYTES, [](Bytes& b) { b.push_back(0); })
        .but("with a byte too few", too_few, [](Bytes& b) { b.pop_back(); })
        .but("with half a head", LNT_E_TENSOR_BYTES, [](Bytes& b) { b.resize(15); })
        .but("that claims 2^32 - 1 stored numbers", LNT_E_PACKED, [](Bytes& b) { put32(b, 4, 0xFFFFFFFFu); })
        .but("that claims 65535 values", LNT_E_PACKED, [](Bytes& b) { put16(b, 2, 0xFFFF); });
  }

 private:
  std::vector<Case>& all_;
  std::string name_;
  PackedModel good_;
};

// 5 of 12 are not 0, and have 3 values.
Numbers sparse(std::uint32_t a, std::uint32_t b, std::uint32_t c) {
  return {0, a, 0, b, 0, 0, 0, 0, a, 0, c, b};
}
Numbers dense(std::uint32_t a, std::uint32_t b, std::uint32_t c) {
  return {a, a, b, b, c, a, c, c, a, b, a, b};
}

const std::uint32_t kOne = 0x3F800000u, kTwo = 0x40000000u, kMinusOne = 0xBF800000u;

void elements(std::vector<Case>& all) {
  // Head 16, values 12, five places of 2 bits, 12 bits of map.
  PackedCases bits(all, "codebook and bitmap",
                   {{LNT_NUMBER_ELEMENT, LNT_MAP_BITS, true}, sparse(kOne, kTwo, kMinusOne)});
  bits.lengths()
      .byte("with a number of the future", 0, 4)
      .byte("with a map of the future", 1, 9)
      .byte("with gaps of 254 bits", 1, 254)
      .byte("with one number fewer", 4, 4)
      .byte("with one number more", 4, 6)
      .byte("whose codebook falls", 19, 0x41)
      .but("whose codebook says a number twice", LNT_E_PACKED, [](Bytes& b) { put32(b, 20, kOne); })
      .but("whose codebook has 0", LNT_E_PACKED, [](Bytes& b) { put32(b, 16, 0); })
      .byte("with a place behind the codebook", 28, 3)
      .byte("with a value that nobody uses", 28, 0x55)
      .byte("with a bit behind the places", 29, 0x80, LNT_E_NOT_ZERO)
      .byte("with a bit behind the map", 31, 0x8D, LNT_E_NOT_ZERO)
      .byte("with an element more in the map", 30, 0x0E, LNT_E_NOT_ZERO)
      .byte("with an element less in the map", 30, 0x02);
  PackedCases gaps(all, "numbers and gaps of 2 bits",
                   {{LNT_NUMBER_ELEMENT, 2, false}, sparse(kOne, kTwo, kMinusOne)});
  // Gaps 1 1 3+1 1 0: the symbols 1 1 3 1 1 0 behind the 20 bytes of numbers.
  gaps.lengths(LNT_E_PACKED)
      .but("with a stored 0", LNT_E_PACKED, [](Bytes& b) { put32(b, 16, 0); })
      .byte("with a gap too long", 36, 0xFF)
      .byte("with a bit behind the gaps", 37, 0x11, LNT_E_NOT_ZERO)
      .byte("with 7 bits a gap", 1, 7);
  PackedCases values(all, "codebook", {{LNT_NUMBER_ELEMENT, LNT_MAP_NONE, true}, dense(0, kTwo, kMinusOne)});
  values.lengths()
      .byte("without a codebook, which is a raw constant", 2, 0)
      .byte("with one number fewer", 4, 11)
      .byte("with a place behind the codebook", 28, 3);
  PackedCases one(all, "codebook of one value",
                  {{LNT_NUMBER_ELEMENT, LNT_MAP_NONE, true}, Numbers(12, kOne)});
  one.byte("with another place", 20, 1);
  PackedCases nothing(all, "nothing but zeros", {{LNT_NUMBER_ELEMENT, LNT_MAP_BITS, false}, Numbers(12, 0)});
  nothing.byte("and a bit", 17, 1, LNT_E_NOT_ZERO).but("with a codebook", LNT_E_PACKED, [](Bytes& b) {
    put16(b, 2, 1), b.insert(b.begin() + 16, {1, 2, 3, 4});
  });
}

void small_numbers(std::vector<Case>& all) {
  PackedCases half(all, "half precision", {{LNT_NUMBER_F16}, dense(0x3C00, 0x8000, 0x0001), 16});
  half.lengths()
      .but("with an infinity", LNT_E_PACKED, [](Bytes& b) { put16(b, 18, 0x7C00); })
      .but("with a negative infinity", LNT_E_PACKED, [](Bytes& b) { put16(b, 18, 0xFC00); })
      .but("with NaN", LNT_E_PACKED, [](Bytes& b) { put16(b, 38, 0x7E00); });
  PackedCases i8(all, "bytes of f32", {{LNT_NUMBER_I8}, dense(0x81, 0, 0x7F), 8, false, true});
  i8.lengths().byte("with -128", 20, 0x80, LNT_E_WEIGHT);
  PackedCases i8_values(all, "codebook of bytes of f32",
                        {{LNT_NUMBER_I8, LNT_MAP_BITS, true}, sparse(0x81, 3, 0x7F), 8, false, true});
  i8_values.byte("with -128", 18, 0x80, LNT_E_WEIGHT);
  PackedCases i4(all, "four bits of f32", {{LNT_NUMBER_I4}, dense(7, 0, 9), 4, false, true});
  i4.lengths().byte("with -8", 18, 0x98, LNT_E_WEIGHT).byte("with a codebook", 2, 2);
  PackedCases i4_gaps(all, "four bits and gaps",
                      {{LNT_NUMBER_I4, 3, false}, sparse(7, 1, 9), 4, false, true});
  i4_gaps.byte("with a bit behind the numbers", 18, 0x19, LNT_E_NOT_ZERO).byte("with a stored 0", 16, 0x10);
  PackedCases weights(all, "int8 codebook and bitmap",
                      {{LNT_NUMBER_ELEMENT, LNT_MAP_BITS, true}, sparse(0x81, 3, 0x7F), 8, true, true});
  weights.lengths()
      .byte("in half precision", 0, LNT_NUMBER_F16)
      .byte("of numbers with a scale", 0, LNT_NUMBER_I8);
}

void places(std::vector<Case>& all) {
  const PackedModel model{{LNT_NUMBER_ELEMENT, LNT_MAP_BITS, true}, sparse(kOne, kTwo, kMinusOne)};
  const auto add = [&](const char* name, lnt_status expected, std::function<void(File&)> change) {
    all.push_back({name, expected, [=] {
                     File file = file_of(model, contents_of(model));
                     change(file);
                     return file.bytes();
                   }});
  };
  add("a packed constant unpacked to another place", LNT_E_PACKED, [](File& f) { put64(f.data, 8, 64); });
  add("a packed constant unpacked to 2^64 - 64", LNT_E_PACKED, [](File& f) { put64(f.data, 8, ~0ull - 63); });
  add("packed whole numbers", LNT_E_TENSOR_STORAGE, [](File& f) { f.tensors[0].dtype = LNT_I32; });
  add("a packed constant with an entry that it does not need", LNT_E_QUANT_ENTRY,
      [](File& f) { f.tensors[0].quant = 0, f.quant = entry_of({}); });
  add("the minor version of a float file with a packed constant", LNT_E_VERSION,
      [](File& f) { f.minor = LNT_MINOR_FLOAT; });
  add("a packed constant of more bytes than DATA has", LNT_E_DATA_OFFSET,
      [](File& f) { f.tensors[0].bytes = 1u << 20; });
  add("a packed constant of another shape", LNT_E_TENSOR_BYTES, [](File& f) {
    f.tensors[0].dims[0] = 6, f.tensors[2].rank = 2;
    f.tensors[0].dims[1] = 4;
  });
  // 16 bytes that unpack to 1700.
  all.push_back({"a packed constant a hundred times larger than its bytes", LNT_E_PACKED, [] {
                   ModelBuilder m;
                   m.output(m.op(LNT_RELU, {m.input({2})}, {2}));
                   const Bytes contents = pack({LNT_NUMBER_ELEMENT, 8, false}, Numbers(425), 32);
                   m.output(m.op(LNT_RESHAPE, {m.packed({425}, contents)}, {425}));
                   return m.file().bytes();
                 }});
  const PackedModel i8{{LNT_NUMBER_I8}, dense(0x81, 0, 0x7F), 8, false, false};
  all.push_back({"packed integers without a scale", LNT_E_QUANT_ENTRY,
                 [=] { return file_of(i8, contents_of(i8)).bytes(); }});
  const PackedModel plain{{LNT_NUMBER_ELEMENT, LNT_MAP_BITS, false}, sparse(1, 2, 3), 8, true, false};
  all.push_back(
      {"a packed table", LNT_E_QUANT_ENTRY, [=] { return file_of(plain, contents_of(plain)).bytes(); }});
}

/// Of weights: the rules of raw ones hold for packed ones.
void weights(std::vector<Case>& all) {
  for (std::uint32_t lowest : {0x81u, 0x80u})
    for (bool codebook : {false, true})
      all.push_back(
          {"a packed int8 weight of " + std::to_string(lowest), lowest == 0x80 ? LNT_E_WEIGHT : LNT_OK, [=] {
             ModelBuilder m;
             const auto x = m.quantized_input({1, 4}, {0, {1.0f}});
             const Numbers numbers = sparse(lowest, 3, 0x7F);
             const auto w = m.packed({3, 4}, pack({0, 2, codebook}, numbers, 8), true);
             m.entry(w, {0, {0.5f}, {{1 << 30, -3}}});
             const auto y = m.op(LNT_I8_DENSE, {x, w, m.integers({3}, {1, 2, 3})}, {1, 3}, words({0, 100}));
             m.output(m.quantized(y, {0, {0.5f}}));
             return m.file().bytes();
           }});
}

}  // namespace

std::vector<Case> malformed_packed() {
  std::vector<Case> all;
  elements(all);
  small_numbers(all);
  places(all);
  weights(all);
  return all;
}

}  // namespace linnet::test
