// SPDX-License-Identifier: Apache-2.0
// libFuzzer target: any bytes through lnt_check; what passes is bound in an arena of exactly its size and
// run. The mutator makes checksums and the file length fit again most of the time, else nothing gets past
// them.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>

#include "linnet/runtime/linnet_runtime.h"
#include "runtime/model_builder.h"

using linnet::test::Bytes;

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace {

struct Free {
  void operator()(void* p) const { std::free(p); }
};

/// Memory of exactly n bytes at the alignment that the runtime asks for, so that a byte too far is seen.
std::unique_ptr<std::uint8_t, Free> exact_memory(std::size_t n) {
  void* p = nullptr;
  if (posix_memalign(&p, LNT_FILE_ALIGN, n == 0 ? 1 : n) != 0) std::abort();
  return std::unique_ptr<std::uint8_t, Free>(static_cast<std::uint8_t*>(p));
}

void use(const lnt_info& info) {
  const auto arena = exact_memory(info.arena_bytes);
  lnt_model model;
  lnt_view view;
  if (lnt_bind(&model, &info, arena.get(), info.arena_bytes) != LNT_OK) std::abort();
  for (std::uint32_t i = 0; i < info.n_inputs; ++i) {
    if (lnt_input(&model, i, &view) != LNT_OK) std::abort();
    std::memset(view.data, 0x3F, view.bytes);
  }
  if (lnt_run(&model) != LNT_OK) std::abort();
  for (std::uint32_t i = 0; i < info.n_outputs; ++i) {
    if (lnt_output(&model, i, &view) != LNT_OK || std::strlen(view.name) > info.file.len) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto file = exact_memory(size);
  if (size != 0) std::memcpy(file.get(), data, size);
  const lnt_limits limits = {1u << 20, 1u << 20, 1000, 1000};
  lnt_info info;
  char text[64];
  if (lnt_check(file.get(), size, &limits, &info) == LNT_OK) use(info);
  lnt_problem_text(&info.problem, text, sizeof text);
  return 0;
}

namespace {

/// Sets one aligned field to a value that matters to a verifier, or to another field's value.
void edit_field(Bytes& file, std::minstd_rand& random) {
  const std::size_t width = std::size_t{1} << random() % 4;
  const std::size_t fields = file.size() / width;
  if (fields == 0) return;
  std::uint8_t* at = file.data() + width * (random() % fields);
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

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned seed) {
  std::minstd_rand random(seed + 1);
  Bytes file(data, data + size);
  static const Bytes model = linnet::test::small_model().bytes();
  if (size < LNT_HEADER_BYTES && model.size() <= max_size) file = model;  // a beginning without a corpus
  if (random() % 4 == 0) {
    size = file.size();
    file.resize(max_size);
    file.resize(LLVMFuzzerMutate(file.data(), size, max_size));
    if (file.size() >= LNT_HEADER_BYTES) linnet::test::put64(file, LNT_AT_FILE_LEN, file.size());
  } else {
    for (std::size_t edits = 1 + random() % 4; edits > 0; --edits) edit_field(file, random);
  }
  if (random() % 16 != 0) linnet::test::seal(file);
  std::copy(file.begin(), file.end(), data);
  return file.size();
}
