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

/// A good file for every op.
const std::vector<Bytes>& models() {
  static const std::vector<Bytes> all = [] {
    std::vector<Bytes> files{linnet::test::small_model().bytes()};
    for (const linnet::test::Case& c : linnet::test::malformed_ops())
      if (c.expected == LNT_OK) files.push_back(c.make());
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
  if (random() % 16 != 0) linnet::test::seal(file);
  std::copy(file.begin(), file.end(), data);
  return file.size();
}
