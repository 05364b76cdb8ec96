// SPDX-License-Identifier: Apache-2.0
#include "malformed.h"

namespace linnet::test {

Case changed(const std::string& name, lnt_status expected, void (*change)(File&)) {
  return {name, expected, [change] {
            File file = small_model();
            change(file);
            return file.bytes();
          }};
}

Case patched(const std::string& name, lnt_status expected, void (*change)(Bytes&)) {
  return {name, expected, [change] {
            Bytes bytes = small_model().bytes();
            change(bytes);
            seal(bytes);
            return bytes;
          }};
}

Case rearranged(const std::string& name, lnt_status expected, void (*change)(std::vector<SectionRecord>&)) {
  return {name, expected, [change] {
            const File file = small_model();
            std::vector<SectionRecord> sections = file.sections();
            change(sections);
            return lay_out(file, sections);
          }};
}

namespace {

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

using Sections = std::vector<SectionRecord>;

std::vector<Case> section_cases() {
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
      rearranged("quantization of nothing", LNT_E_SECTION_SIZE,
                 [](Sections& s) {
                   s.insert(s.begin() + 2, {LNT_SECTION_QUANT, LNT_SECTION_REQUIRED, 8, {}});
                 }),
      rearranged("quantization of no tensor", LNT_E_SECTION_SIZE,
                 [](Sections& s) {
                   s.insert(s.begin() + 2, {LNT_SECTION_QUANT, LNT_SECTION_REQUIRED, 8, Bytes(20)});
                 }),
      changed("a minor version that a float file does not need", LNT_E_VERSION,
              [](File& f) { f.minor = LNT_MINOR_INT8; }),
      rearranged("quantization that claims not to matter", LNT_E_SECTION_FLAGS,
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

/// The model with golden cases, with something changed in them.
Case regilded(const std::string& name, lnt_status expected, void (*change)(Bytes&)) {
  return {name, expected, [change] {
            File file = golden_model();
            change(file.gold);
            return file.bytes();
          }};
}

std::vector<Case> gold_cases() {
  constexpr std::size_t kIds = LNT_AT_GOLD_RANGES, kNumbers = kIds + 8;  // the ranges
  return {
      regilded("golden cases as they must be", LNT_OK, [](Bytes&) {}),
      regilded("any seed", LNT_OK, [](Bytes& b) { put64(b, LNT_AT_GOLD_SEED, ~0ull); }),
      regilded("GOLD that ends in its header", LNT_E_SECTION_SIZE, [](Bytes& b) { b.resize(4); }),
      regilded("GOLD that ends in its ranges", LNT_E_SECTION_SIZE, [](Bytes& b) { b.resize(kNumbers); }),
      regilded("a golden output too few", LNT_E_SECTION_SIZE, [](Bytes& b) { b.resize(b.size() - 4); }),
      regilded("a byte after the golden outputs", LNT_E_SECTION_SIZE, [](Bytes& b) { b.push_back(0); }),
      regilded("no golden case", LNT_E_GOLD, [](Bytes& b) { put32(b, LNT_AT_GOLD_CASES, 0); }),
      regilded("seven golden cases", LNT_E_GOLD, [](Bytes& b) { put32(b, LNT_AT_GOLD_CASES, 7); }),
      regilded("nine golden cases with the outputs of eight", LNT_E_SECTION_SIZE,
               [](Bytes& b) { put32(b, LNT_AT_GOLD_CASES, 9); }),
      regilded("2^32 - 1 golden cases", LNT_E_GOLD, [](Bytes& b) { put32(b, LNT_AT_GOLD_CASES, ~0u); }),
      regilded("a reserved byte of GOLD", LNT_E_NOT_ZERO, [](Bytes& b) { b[LNT_AT_GOLD_ZERO + 3] = 1; }),
      regilded("an empty range of whole numbers", LNT_E_GOLD, [](Bytes& b) { put32(b, kIds, 5); }),
      regilded("a range of whole numbers the wrong way round", LNT_E_GOLD,
               [](Bytes& b) { put32(b, kIds + 4, ~0u); }),
      regilded("an empty range of numbers", LNT_E_GOLD, [](Bytes& b) { put32(b, kNumbers, bits_of(1.0f)); }),
      regilded("a range that begins at NaN", LNT_E_GOLD, [](Bytes& b) { put32(b, kNumbers, 0x7FC00000); }),
      regilded("a range up to infinity", LNT_E_GOLD, [](Bytes& b) { put32(b, kNumbers + 4, 0x7F800000); }),
      regilded("a range wider than f32", LNT_E_GOLD,
               [](Bytes& b) {
                 put32(b, kNumbers, bits_of(-3e38f));
                 put32(b, kNumbers + 4, bits_of(3e38f));
               }),
      rearranged("GOLD that is required", LNT_E_SECTION_FLAGS,
                 [](Sections& s) {
                   s.push_back({LNT_SECTION_GOLD, LNT_SECTION_REQUIRED, 8, {1}});
                 }),
      rearranged("GOLD with another alignment", LNT_E_SECTION_ALIGN,
                 [](Sections& s) {
                   s.push_back({LNT_SECTION_GOLD, 0, 16, {1}});
                 }),
      rearranged("GOLD before META", LNT_E_SECTION_ORDER,
                 [](Sections& s) {
                   s.insert(s.begin() + 4, {LNT_SECTION_GOLD, 0, 8, {1}});
                 }),
      rearranged("an empty GOLD", LNT_E_SECTION_SIZE,
                 [](Sections& s) {
                   s.push_back({LNT_SECTION_GOLD, 0, 8, {}});
                 }),
  };
}

}  // namespace

std::vector<Case> malformed_containers() {
  std::vector<Case> all;
  for (const auto& part : {header_cases(), section_cases(), meta_cases(), gold_cases()})
    all.insert(all.end(), part.begin(), part.end());
  return all;
}

}  // namespace linnet::test
