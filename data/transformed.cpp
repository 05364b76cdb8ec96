// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "linnet/core/error.h"
#include "linnet/core/tensor_impl.h"
#include "linnet/data/content_hash.h"
#include "linnet/data/over_samples.h"
#include "linnet/data/transform.h"

namespace linnet::data {
namespace {

// The blocks of an epoch's stream that belong to a sample, behind those that shuffling uses.
constexpr std::uint64_t kSamples = std::uint64_t{1} << 63;
constexpr int kBlockBits = 24;  // of each sample
// A dataset below draws from another stream of the same epoch.
constexpr std::uint64_t kBelow = 0x9E3779B97F4A7C15;

Rng numbers_of(RandomKey epoch, std::int64_t index) {
  return Rng(epoch, kSamples | static_cast<std::uint64_t>(index) << kBlockBits);
}

Pixels pixels(float* values, const Shape& sample) {
  const int rank = sample.rank();
  check<ShapeError>(rank >= 1 && rank <= 3, "Transformed: expected samples of 1 to 3 axes, got ", sample,
                    ".");
  return {values, rank > 1 ? sample[0] : 1, rank > 2 ? sample[1] : 1, sample.dim(-1)};
}

/// The shapes before, between and behind the transforms.
std::vector<Shape> shapes_through(const std::vector<Transform>& transforms, const Shape& sample) {
  std::vector<Shape> shapes{sample};
  for (const Transform& transform : transforms)
    shapes.push_back(transform.shape ? transform.shape(shapes.back()) : shapes.back());
  return shapes;
}

}  // namespace

Transformed::Transformed(std::shared_ptr<const Dataset> dataset, std::vector<Transform> transforms)
    : dataset_(std::move(dataset)), transforms_(std::move(transforms)) {
  for (const Transform& transform : transforms_)
    check<ValueError>(static_cast<bool>(transform.apply), "Transformed: the transform \"", transform.text,
                      "\" has no function.");
}
Transformed::Transformed(const Dataset& dataset, std::vector<Transform> transforms)
    : Transformed(borrowed(dataset), std::move(transforms)) {}

bool Transformed::random() const {
  return dataset_->random() || std::any_of(transforms_.begin(), transforms_.end(),
                                           [](const Transform& transform) { return transform.random; });
}

Batch Transformed::epoch_batch(std::span<const std::int64_t> indices, RandomKey epoch) const {
  Batch batch = dataset_->epoch_batch(indices, {epoch.seed ^ kBelow, epoch.call});
  if (transforms_.empty()) return batch;
  check<DTypeError>(batch.x.dtype() == f32, "Transformed: expected samples of f32, got ", batch.x.dtype(),
                    ".");
  const std::vector<Shape> shapes = shapes_through(transforms_, batch.x.shape().without(0));
  std::int64_t largest = 0;
  for (const Shape& shape : shapes) largest = std::max(largest, shape.size());
  PoolVector<float> one(static_cast<std::size_t>(largest)), other(one.size());

  Tensor changed = Tensor::empty(shapes.back().inserted(0, batch.x.dim(0)));
  float* from = writable<float>(batch.x);
  float* to = writable<float>(changed);
  for (const std::int64_t index : indices) {
    Rng numbers = numbers_of(epoch, index);
    float* now = from;
    for (std::size_t i = 0; i < transforms_.size(); ++i) {
      float* next = i + 1 == transforms_.size() ? to : now == one.data() ? other.data() : one.data();
      transforms_[i].apply(pixels(now, shapes[i]), pixels(next, shapes[i + 1]), numbers);
      now = next;
    }
    from += shapes.front().size();
    to += shapes.back().size();
  }
  batch.x = changed;
  return batch;
}

std::uint64_t Transformed::content_hash() const {
  ContentHash hash;
  hash.add(dataset_->content_hash());
  for (const Transform& transform : transforms_) hash.add(std::as_bytes(std::span(transform.text)));
  return hash.value();
}

}  // namespace linnet::data
