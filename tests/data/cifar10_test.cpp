// SPDX-License-Identifier: Apache-2.0
#include "linnet/data/cifar10.h"

#include <filesystem>

#include "linnet/core/error.h"
#include "linnet/core/random.h"
#include "support/check_close.h"
#include "support/fixtures.h"

using namespace linnet;
using namespace linnet::data;

namespace {

namespace fs = std::filesystem;
using Bytes = std::vector<std::uint8_t>;

constexpr std::size_t kRecord = 3073;

/// Records with these labels; the pixel at (y, x) of image n is [n, y, x].
Bytes records(const Bytes& labels) {
  Bytes bytes;
  for (std::size_t n = 0; n < labels.size(); ++n) {
    bytes.push_back(labels[n]);
    for (int plane = 0; plane < 3; ++plane)
      for (std::size_t i = 0; i < 1024; ++i)
        bytes.push_back(static_cast<std::uint8_t>(plane == 0 ? n : plane == 1 ? i / 32 : i % 32));
  }
  return bytes;
}

struct CifarFolder {
  test::TemporaryFolder folder;
  std::string dir = folder.path().string(), path = folder / "x.bin", says = "Cifar10: " + path + ": ";
  TensorDataset read(const Bytes& bytes) const {
    test::write_bytes(path, bytes);
    return read_cifar10(path);
  }
  void write(const std::string& name, const Bytes& labels) const {
    test::write_bytes(folder / name, records(labels));
  }
};

}  // namespace

TEST_CASE_FIXTURE(CifarFolder,
                  "planes of records become pixels [32, 32, 3] in 0 to 1, kept as bytes, and labels i64") {
  const TensorDataset images = read(records({6, 9, 0}));
  CHECK(images.size() == 3);
  CHECK(images.x().dtype() == u8);
  CHECK_SAME_BITS(images.y(), Tensor::from(std::vector<std::int64_t>{6, 9, 0}));
  const Tensor x = images.batch(std::vector<std::int64_t>{2}).x;
  CHECK(x.shape() == Shape{1, 32, 32, 3});
  const auto values = x.data<float>().subspan((5 * 32 + 7) * 3, 3);
  CHECK(values[0] == 2.0f / 255.0f);
  CHECK(values[1] == 5.0f / 255.0f);
  CHECK(values[2] == 7.0f / 255.0f);
}

TEST_CASE_FIXTURE(CifarFolder,
                  "the five files of the whole set, or parts by name, from the folder or its parent") {
  write("cifar10_train_b.bin", {3});
  write("cifar10_train_a.bin", {1, 2});
  write("cifar10_test_1.bin", {4});
  CHECK_SAME_BITS(Cifar10(dir, Split::train).y(), Tensor::from(std::vector<std::int64_t>{1, 2, 3}));
  CHECK_SAME_BITS(Cifar10(dir, Split::test).y(), Tensor::from(std::vector<std::int64_t>{4}));
  write("cifar10_test_1.bin.gz", {4});  // what it was unpacked from
  CHECK(Cifar10(dir, Split::test).size() == 1);
  for (std::uint8_t i = 1; i <= 5; ++i) write("data_batch_" + std::to_string(i) + ".bin", {i});
  write("test_batch.bin", {7});
  write("test_batch.txt", {8});
  CHECK_SAME_BITS(Cifar10(dir, Split::train).y(), Tensor::from(std::vector<std::int64_t>{1, 2, 3, 4, 5}));
  CHECK_SAME_BITS(Cifar10(dir, Split::test).y(), Tensor::from(std::vector<std::int64_t>{7}));
  fs::remove(folder / "data_batch_2.bin");
  CHECK_THROWS_TEXT(Cifar10(dir, Split::train), IoError,
                    "Cifar10: expected 5 files data_batch_*.bin in " + dir + ", found 4.");
  const test::TemporaryFolder parent;
  fs::create_directory(parent / "cifar10");
  CHECK_THROWS_TEXT(Cifar10(parent.path().string(), Split::test), IoError,
                    "Cifar10: no test_batch.bin or cifar10_test_*.bin in " + parent.path().string() + " or " +
                        (parent / "cifar10") + ". Unpack cifar-10-binary.tar.gz there.");
  test::write_bytes(parent / "cifar10/test_batch.bin", records({5}));
  CHECK(Cifar10(parent.path().string(), Split::test).size() == 1);
}

TEST_CASE_FIXTURE(CifarFolder,
                  "files that are not whole records with labels 0 to 9 are refused, saying which") {
  CHECK_THROWS_TEXT(read({}), IoError, says + "the file is empty.");
  Bytes bytes = records({1, 2});
  bytes.pop_back();
  CHECK_THROWS_TEXT(read(bytes), IoError,
                    says + "record 1 is cut: 3072 of 3073 bytes. Is the file truncated?");
  CHECK_THROWS_TEXT(read(records({1, 10})), IoError,
                    says + "record 1 has label 10; expected 0..9. Is it CIFAR-10's binary version?");
  CHECK_THROWS_TEXT(read_cifar10(folder / "none.bin"), IoError,
                    "Cifar10: " + (folder / "none.bin") + ": no such file.");
}

TEST_CASE_FIXTURE(CifarFolder, "any bytes are read or refused, whatever they are and wherever they end") {
  Rng rng(5, 0);
  int good = 0;
  for (int round = 0; round < 200; ++round) {
    Bytes bytes(static_cast<std::size_t>(rng.below(3)) * kRecord +
                static_cast<std::size_t>(round % 2 ? 0 : rng.below(kRecord)));
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(rng.bits());
    if (round % 3 == 0 && bytes.size() > 2) bytes[0] = 0x1F, bytes[1] = 0x8B;  // as if compressed
    try {
      good += read(bytes).size() > 0;
    } catch (const IoError&) {
    }
  }
  CHECK(good > 0);
}

TEST_CASE("the subset of the real CIFAR-10 has its labels, balance and first pixels") {
  const std::string dir = test::data_folder("cifar10");
  if (dir.empty()) return;
  const Cifar10 training(dir, Split::train), held_out(dir, Split::test);
  if (training.size() != 4000) {
    MESSAGE("skipped: another part of CIFAR-10");
    return;
  }
  std::vector<std::int64_t> counts(10);
  for (const std::int64_t label : training.y().data<std::int64_t>())
    ++counts[static_cast<std::size_t>(label)];
  CHECK(counts == std::vector<std::int64_t>{396, 366, 420, 384, 422, 393, 414, 385, 407, 413});
  const auto first = training.x().data<std::uint8_t>();
  CHECK(std::vector<int>(first.begin(), first.begin() + 3) == std::vector<int>{59, 62, 63});
  CHECK(held_out.size() == 1000);
  const auto other = held_out.x().data<std::uint8_t>();
  CHECK(std::vector<int>(other.begin(), other.begin() + 3) == std::vector<int>{158, 112, 49});
}
