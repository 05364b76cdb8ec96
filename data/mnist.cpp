// SPDX-License-Identifier: Apache-2.0
#include "linnet/data/mnist.h"

#include <filesystem>

#include "linnet/core/error.h"
#include "linnet/core/tensor_impl.h"
#include "linnet/data/find_folder.h"
#include "linnet/data/idx.h"

namespace linnet::data {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kDigitPixels = 28, kDigits = 10;

std::string file_name(Split split, const char* part) {
  return std::string(split == Split::train ? "train-" : "t10k-") + part + "-ubyte";
}

std::string digits_file(const std::string& dir, const std::string& name) {
  const std::string below = (fs::path(dir) / "mnist").string(), file = find_file(dir, {"", "mnist"}, name);
  check<IoError>(!file.empty(), "Mnist: no ", name, " or ", name, ".gz in ", dir, " or ", below,
                 ". scripts/fetch_datasets.sh gets it.");
  return file;
}

Tensor read_images(const std::string& dir, Split split) {
  const std::string path = digits_file(dir, file_name(split, "images-idx3"));
  const Tensor images = read_idx(path);
  check<IoError>(images.dtype() == u8 && images.rank() == 3 && images.dim(1) == kDigitPixels &&
                     images.dim(2) == kDigitPixels,
                 "Mnist: ", path, ": expected images [N, 28, 28] u8, got ", images.shape(), " ",
                 images.dtype(), ".");
  return images.view({images.dim(0), kDigitPixels, kDigitPixels, 1});
}

Tensor read_labels(const std::string& dir, Split split, std::int64_t count) {
  const std::string path = digits_file(dir, file_name(split, "labels-idx1"));
  const Tensor labels = read_idx(path);
  check<IoError>(labels.dtype() == u8 && labels.rank() == 1 && labels.dim(0) == count, "Mnist: ", path,
                 ": expected ", count, " labels u8, one for each image, got ", labels.shape(), " ",
                 labels.dtype(), ".");
  const std::uint8_t* values = readable<std::uint8_t>(labels);
  for (std::int64_t i = 0; i < count; ++i)
    check<IoError>(values[i] < kDigits, "Mnist: ", path, ": label ", i, " is ", int{values[i]},
                   "; expected 0..9.");
  return labels.to(i64);
}

TensorDataset read_digits(const std::string& dir, Split split) {
  const Tensor images = read_images(dir, split);
  return {images, read_labels(dir, split, images.dim(0)), {.divide_by = 255}};
}

}  // namespace

Mnist::Mnist(const std::string& dir, Split split) : TensorDataset(read_digits(dir, split)) {}

}  // namespace linnet::data
