// SPDX-License-Identifier: Apache-2.0
#include "linnet/data/cifar10.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <numeric>
#include <vector>

#include "linnet/core/error.h"
#include "linnet/core/tensor_impl.h"
#include "linnet/data/byte_source.h"

namespace linnet::data {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kSide = 32, kChannels = 3, kPlane = kSide * kSide, kImage = kPlane * kChannels;
constexpr std::int64_t kRecord = 1 + kImage, kClasses = 10;
constexpr int kTrainFiles = 5;

struct Records {
  std::vector<std::uint8_t> pixels;  ///< [N, 32, 32, 3]
  std::vector<std::int64_t> labels;

  TensorDataset dataset() const {
    const auto count = static_cast<std::int64_t>(labels.size());
    return {Tensor::from(pixels, {count, kSide, kSide, kChannels}), Tensor::from(labels), {.divide_by = 255}};
  }
};

/// Appends the records of a file; as many as it holds, so that no size is believed before it is there.
void read_records(const std::string& path, Records& records) {
  const std::unique_ptr<ByteSource> source = open_bytes("Cifar10", path);
  std::array<std::byte, kRecord> record;
  for (std::int64_t number = 0;; ++number) {
    const auto got = static_cast<std::int64_t>(source->read(record));
    check<IoError>(got > 0 || number > 0, "Cifar10: ", path, ": the file is empty.");
    if (got == 0) return;
    check<IoError>(got == kRecord, "Cifar10: ", path, ": record ", number, " is cut: ", got, " of ", kRecord,
                   " bytes. Is the file truncated?");
    const auto label = std::to_integer<std::int64_t>(record[0]);
    check<IoError>(label < kClasses, "Cifar10: ", path, ": record ", number, " has label ", label,
                   "; expected 0..9. Is it CIFAR-10's binary version?");
    records.labels.push_back(label);
    const std::size_t begin = records.pixels.size();
    records.pixels.resize(begin + kImage);
    std::uint8_t* to = records.pixels.data() + begin;
    for (std::int64_t at = 0; at < kPlane; ++at)
      for (std::int64_t c = 0; c < kChannels; ++c)
        *to++ = std::to_integer<std::uint8_t>(record[static_cast<std::size_t>(1 + c * kPlane + at)]);
  }
}

bool starts_with(const std::string& text, const std::string& start) { return text.rfind(start, 0) == 0; }

/// `folder`/`start`*.bin and .bin.gz in the order of their names.
std::vector<std::string> files_named(const fs::path& folder, const std::string& start) {
  std::vector<std::string> files;
  std::error_code ignored;  // what cannot be looked at is not there
  for (fs::directory_iterator at(folder, ignored), end; !ignored && at != end; at.increment(ignored)) {
    const std::string name = at->path().filename().string();
    const fs::path plain = at->path().extension() == ".gz" ? at->path().stem() : at->path().filename();
    if (starts_with(name, start) && plain.extension() == ".bin") files.push_back(at->path().string());
  }
  std::sort(files.begin(), files.end());
  // x.bin.gz beside x.bin is the same file.
  const auto packed = [&](const std::string& file) {
    return file.ends_with(".gz") &&
           std::find(files.begin(), files.end(), file.substr(0, file.size() - 3)) != files.end();
  };
  std::vector<std::string> once;
  std::copy_if(files.begin(), files.end(), std::back_inserter(once),
               [&](const std::string& f) { return !packed(f); });
  return once;
}

/// The files of a part, or nothing when `folder` holds none of them.
std::vector<std::string> files_in(const fs::path& folder, Split split) {
  std::vector<std::string> whole = files_named(folder, split == Split::train ? "data_batch_" : "test_batch");
  if (whole.empty()) return files_named(folder, split == Split::train ? "cifar10_train_" : "cifar10_test_");
  const int expected = split == Split::train ? kTrainFiles : 1;
  check<IoError>(whole.size() == static_cast<std::size_t>(expected), "Cifar10: expected ", expected,
                 " files ", split == Split::train ? "data_batch_*.bin" : "test_batch.bin", " in ",
                 folder.string(), ", found ", whole.size(), ".");
  return whole;
}

TensorDataset read_pictures(const std::string& dir, Split split) {
  Records records;
  for (const fs::path& folder : {fs::path(dir), fs::path(dir) / "cifar10"}) {
    for (const std::string& file : files_in(folder, split)) read_records(file, records);
    if (!records.labels.empty()) return records.dataset();
  }
  const char* part = split == Split::train ? "train" : "test";
  fail<IoError>("Cifar10: no ", split == Split::train ? "data_batch_1.bin" : "test_batch.bin", " or cifar10_",
                part, "_*.bin in ", dir, " or ", (fs::path(dir) / "cifar10").string(),
                ". Unpack cifar-10-binary.tar.gz there.");
}

}  // namespace

Cifar10::Cifar10(const std::string& dir, Split split) : TensorDataset(read_pictures(dir, split)) {}

TensorDataset read_cifar10(const std::string& path) {
  Records records;
  read_records(path, records);
  return records.dataset();
}

}  // namespace linnet::data
