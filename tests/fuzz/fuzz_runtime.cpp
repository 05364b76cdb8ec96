// SPDX-License-Identifier: Apache-2.0
// libFuzzer target: see use_model.h. The mutator makes checksums and the file length fit again most of the
// time, else nothing gets past them.
#include <algorithm>
#include <random>
#include <vector>

#include "runtime/malformed.h"
#include "use_model.h"

using linnet::test::Bytes;

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  linnet::test::use_model(data, size);
  return 0;
}

namespace {

/// Sets one aligned field to a value that matters to a verifier, or to another field's value.
void edit_field(Bytes& file, std::minstd_rand& random) {
  const std::size_t width = std::size_t{1} << random() % 4;
  const std::size_t fields = file.size() / width;
  // Most edits are behind the table of sections, which is half of a small file.
  const std::size_t first = random() % 4 == 0 ? 0 : (LNT_HEADER_BYTES + 6 * LNT_SECTION_BYTES) / width;
  if (fields <= first) return;
  std::uint8_t* at = file.data() + width * (first + random() % (fields - first));
  std::uint64_t value = 0;
  std::memcpy(&value, at, width);
  switch (random() % 6) {
    case 0:
      value = 0;
      break;
    case 1:
      value = ~std::uint64_t{0} << random() % 64;
      break;
    case 2:
      value = random() % 16;
      break;
    case 3:
      value += random() % 2 == 0 ? 1 : ~std::uint64_t{0};
      break;
    case 4:
      value ^= std::uint64_t{1} << random() % (8 * width);
      break;
    default:
      std::memcpy(&value, file.data() + width * (random() % fields), width);
  }
  std::memcpy(at, &value, width);
}

/// The first output of the op at `record` gets `expected` where its shape has `actual`.
void repair_shape(Bytes& file, std::size_t record, std::uint32_t expected, std::uint32_t actual) {
  using linnet::test::get32;
  const std::size_t out = record + LNT_AT_IDS + 4 * std::size_t{file.at(record + LNT_AT_N_IN)};
  const std::size_t dims = linnet::test::section_start(file, LNT_SECTION_TENS) +
                           LNT_TENSOR_BYTES * std::size_t{get32(file, out)} + LNT_AT_DIMS;
  for (std::size_t i = 0; i < LNT_MAX_RANK; ++i)
    if (get32(file, dims + 4 * i) == actual) return linnet::test::put32(file, dims + 4 * i, expected);
}

/// Whether `at` is this field of a record of TENS.
bool is_field(const Bytes& file, std::size_t at, std::size_t field) {
  return (at - linnet::test::section_start(file, LNT_SECTION_TENS)) % LNT_TENSOR_BYTES == field;
}

std::size_t arena_field(const Bytes& file) {
  return linnet::test::section_start(file, LNT_SECTION_PLAN) + LNT_AT_ARENA_BYTES;
}

/// The tensor whose `last` is at `last_field` moves to the end of the arena.
void move_up(Bytes& file, std::size_t last_field) {
  const std::size_t plan = linnet::test::section_start(file, LNT_SECTION_PLAN);
  std::size_t tensor = linnet::test::section_start(file, LNT_SECTION_TENS);
  while (file.at(tensor + LNT_AT_KIND) == LNT_CONST) tensor += LNT_TENSOR_BYTES;
  tensor += LNT_TENSOR_BYTES * ((last_field - plan - LNT_AT_LAST) / 4);
  linnet::test::put64(file, tensor + LNT_AT_OFF, linnet::test::get64(file, arena_field(file)));
}

/// Up to the end of the tensor whose place is at `off_field`.
void enlarge_arena(Bytes& file, std::size_t off_field) {
  const std::uint64_t end =
      linnet::test::get64(file, off_field) + linnet::test::get32(file, off_field - LNT_AT_OFF + LNT_AT_BYTES);
  linnet::test::put64(file, arena_field(file),
                      (end + LNT_ARENA_ALIGN - 1) / LNT_ARENA_ALIGN * LNT_ARENA_ALIGN);
}

/// Writes what the verifier expects where it says that something else is: after a change of a shape or a
/// parameter sizes, places in the arena and the shapes that follow are wrong, and hardly a file would reach
/// the kernels.
void repair(Bytes& file) {
  for (int round = 0; round < 12; ++round) {
    linnet::test::seal(file);
    lnt_info info;
    if (lnt_check(file.data(), file.size(), nullptr, &info) == LNT_OK) return;
    const lnt_problem& problem = info.problem;
    const std::size_t at = static_cast<std::size_t>(problem.offset);
    const auto expected = static_cast<std::uint32_t>(problem.expected);
    switch (problem.status) {
      case LNT_E_NOT_ZERO:
        file.at(at) = 0;
        break;
      case LNT_E_OP_SHAPE:
        repair_shape(file, at, expected, static_cast<std::uint32_t>(problem.actual));
        break;
      case LNT_E_PLAN_OVERLAP:
        move_up(file, at);
        break;
      case LNT_E_PLAN_BOUNDS:
        enlarge_arena(file, at);
        break;
      case LNT_E_DATA_OFFSET:
        if (!is_field(file, at, LNT_AT_OFF)) return;
        linnet::test::put64(file, at, problem.expected);
        break;
      case LNT_E_PLAN_ARENA:
        linnet::test::put64(file, at, problem.expected);
        break;
      case LNT_E_VERSION:
        linnet::test::put16(file, at, static_cast<std::uint16_t>(expected));
        break;
      case LNT_E_QUANT_ENTRY:
        if (problem.section != LNT_SECTION_TENS) return;  // an operand that is of no use
        linnet::test::put32(file, at, expected);
        break;
      case LNT_E_QUANT_SCALE:
      case LNT_E_QUANT_FACTOR:
      case LNT_E_QUANT_ZERO:
        if (problem.section != LNT_SECTION_QUANT) return;
        linnet::test::put32(file, at, expected);
        if (problem.status == LNT_E_QUANT_FACTOR) linnet::test::put32(file, at + 4, 0);
        break;
      case LNT_E_PLAN_LIFETIME:
        if (problem.section != LNT_SECTION_PLAN)
          return;  // an input of an op, which would read another tensor
        linnet::test::put32(file, at, expected);
        break;
      case LNT_E_TENSOR_BYTES:
      case LNT_E_TENSOR_DIMS:
      case LNT_E_OP_WRITES:
      case LNT_E_CONST_ORDER:
        linnet::test::put32(file, at, expected);
        break;
      default:
        return;
    }
  }
}

/// A good file for every op.
const std::vector<Bytes>& models() {
  static const std::vector<Bytes> all = [] {
    std::vector<Bytes> files{linnet::test::small_model().bytes(), linnet::test::golden_model().bytes()};
    for (const linnet::test::Case& c : linnet::test::good_models()) files.push_back(c.make());
    return files;
  }();
  return all;
}

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned seed) {
  std::minstd_rand random(seed + 1);
  Bytes file(data, data + size);
  if (size < LNT_HEADER_BYTES || random() % 256 == 0) {  // a beginning, also without a corpus
    const Bytes& model = models()[random() % models().size()];
    if (model.size() <= max_size) file = model;
  }
  if (random() % 4 == 0) {
    size = file.size();
    file.resize(max_size);
    file.resize(LLVMFuzzerMutate(file.data(), size, max_size));
    if (file.size() >= LNT_HEADER_BYTES) linnet::test::put64(file, LNT_AT_FILE_LEN, file.size());
  } else {
    for (std::size_t edits = 1 + random() % 4; edits > 0; --edits) edit_field(file, random);
  }
  if (random() % 2 == 0 && file.size() >= LNT_HEADER_BYTES) repair(file);
  if (random() % 16 != 0) linnet::test::seal(file);
  std::copy(file.begin(), file.end(), data);
  return file.size();
}
