// SPDX-License-Identifier: Apache-2.0
#pragma once
// Transforms: what is done to samples on their way into a batch, and the dataset that does it.
//
//   data::Transformed augmented(training, {data::random_shift({.pixels = 4}), data::random_flip(),
//                                          data::cutout({.size = 8})});
//   data::Loader batches(augmented, {.batch = 64, .shuffle = true});
//
// Random numbers are a function of (seed, call number of the epoch, index of the sample): the same whatever
// the threads, the order, the batch size, and whether the run was stopped and resumed.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "linnet/data/dataset.h"

namespace linnet::data {

/// The values of one sample, row-major. A sequence [T, C] is an image [T, 1, C], a row [C] is [1, 1, C].
struct Pixels {
  float* values;
  std::int64_t height, width, channels;
  float* at(std::int64_t y, std::int64_t x) const { return values + (y * width + x) * channels; }
};

/// One step. Those below are made by functions; any other is an aggregate of your own.
struct Transform {
  /// Names it with its numbers ("random_flip 0.5 0"): part of the contents that a resumed run compares.
  std::string text;
  bool random = false;
  /// Writes every value of `to`, which does not overlap `from`. Called from several threads.
  std::function<void(const Pixels& from, const Pixels& to, Rng& numbers)> apply;
  /// Shape of the result for samples of a shape; ShapeError when they do not fit. Empty: unchanged.
  std::function<Shape(const Shape&)> shape = {};
};

struct NormaliseOptions {
  std::vector<double> mean, std;  ///< one for each channel, or one for all; std above 0
};
/// (x - mean) / std. The same for every sample, so the test part needs it too.
Transform normalise(const NormaliseOptions& options);

struct RandomShiftOptions {
  std::int64_t pixels = 4;  ///< at most, in each direction; sequences are shifted in time
  float fill = 0.0f;        ///< of what comes in from outside
};
Transform random_shift(const RandomShiftOptions& options = {});

struct RandomRotateOptions {
  double degrees = 15.0;  ///< at most, to either side, around the middle; bilinear
  float fill = 0.0f;
};
Transform random_rotate(const RandomRotateOptions& options = {});

struct CropOptions {
  std::int64_t height = 0, width = 0;  ///< of the result
  bool random = false;                 ///< anywhere, or from the middle
};
Transform crop(const CropOptions& options);

struct RandomFlipOptions {
  double horizontal = 0.5, vertical = 0.0;  ///< probabilities
};
Transform random_flip(const RandomFlipOptions& options = {});

struct RandomNoiseOptions {
  double deviation = 0.1;
};
/// Adds a normal number to every value: of sensors, behind normalise().
Transform random_noise(const RandomNoiseOptions& options = {});

struct CutoutOptions {
  std::int64_t size = 8;  ///< side of the square; its centre is anywhere, so it may stick out
  double probability = 1.0;
  float fill = 0.0f;
};
/// DeVries, Taylor: "Improved Regularization of Convolutional Neural Networks with Cutout", 2017.
Transform cutout(const CutoutOptions& options = {});

/// Another dataset, of f32 samples, with transforms applied from first to last. Through batch() random ones
/// draw the numbers of the key {0, 0}; a Loader gives every epoch a key of its own.
class Transformed : public Dataset {
 public:
  Transformed(std::shared_ptr<const Dataset> dataset, std::vector<Transform> transforms);
  /// The same on a dataset that outlives this one.
  Transformed(const Dataset& dataset, std::vector<Transform> transforms);
  Transformed(const Dataset&& dataset, std::vector<Transform> transforms) = delete;

  std::int64_t size() const override { return dataset_->size(); }
  /// DTypeError and ShapeError when the samples do not fit a transform.
  Batch batch(std::span<const std::int64_t> indices) const override { return epoch_batch(indices, {}); }
  Batch epoch_batch(std::span<const std::int64_t> indices, RandomKey epoch) const override;
  bool random() const override;
  std::uint64_t content_hash() const override;
  bool in_memory() const override { return transforms_.empty() && dataset_->in_memory(); }

 private:
  std::shared_ptr<const Dataset> dataset_;
  std::vector<Transform> transforms_;
};

}  // namespace linnet::data
