// SPDX-License-Identifier: Apache-2.0
#pragma once
// Dataset: a fixed number of samples that are asked for by index, a batch at a time. Everything else (order,
// batching, prefetching, subsets) is built on top by wrapping. Asking is safe from several threads.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "linnet/core/pool_vector.h"
#include "linnet/core/random.h"
#include "linnet/core/tensor.h"

namespace linnet::data {

enum class Split { train, test };

/// Some samples. Unpacks to two names: `const auto& [x, y] = batch`.
struct Batch {
  Tensor x;                          ///< [B, ...]
  Tensor y;                          ///< [B, ...]; undefined when the dataset has no labels
  PoolVector<std::int64_t> indices;  ///< which samples of the dataset these are
  Tensor weights;                    ///< [B], how much each sample counts; undefined: all the same
  Tensor mask;                       ///< what is real where samples are padded; undefined: everything
  Tensor teacher;                    ///< [B, ...], outputs of a teacher (compress/distil.h), or undefined
};

class Dataset {
 public:
  virtual ~Dataset() = default;

  virtual std::int64_t size() const = 0;
  /// The samples at `indices`, in that order. ValueError for an index outside 0 .. size() - 1.
  virtual Batch batch(std::span<const std::int64_t> indices) const = 0;
  /// The same as an epoch sees them, for datasets that change their samples at random (data/transform.h): the
  /// numbers are a function of (epoch, index), whoever asks, when, and beside which other samples.
  virtual Batch epoch_batch(std::span<const std::int64_t> indices, RandomKey) const { return batch(indices); }
  /// True when epoch_batch() depends on its key.
  virtual bool random() const { return false; }

  /// A number that changes when a sample changes: how a resumed run knows that the data are the same. The
  /// one given here reads every sample.
  virtual std::uint64_t content_hash() const;
  /// True when a batch is only copied out of memory, so that a thread that prepares it would cost more.
  virtual bool in_memory() const { return false; }
};

struct TensorDatasetOptions {
  /// Above 0, x is converted to f32 and divided by this: 255 brings pixels to 0 .. 1. At 0, x stays as it is.
  double divide_by = 0.0;
  /// [N], how much each sample counts in a loss object of nn/ (Batch::weights); undefined: all the same.
  Tensor weights = {};
};

/// Samples along axis 0 of x, labels along axis 0 of y (y may be undefined). Keeps handles, no copies, and
/// converts batch by batch: images stay one byte a pixel in memory.
class TensorDataset : public Dataset {
 public:
  /// ShapeError unless x, y and weights have the same number of samples; ValueError for a negative divide_by,
  /// DTypeError for weights that are not f32 or f64.
  TensorDataset(const Tensor& x, const Tensor& y, TensorDatasetOptions options = {});

  std::int64_t size() const override { return x_.dim(0); }
  Batch batch(std::span<const std::int64_t> indices) const override;
  std::uint64_t content_hash() const override;
  bool in_memory() const override { return true; }

  const Tensor& x() const { return x_; }  ///< as kept, not converted
  const Tensor& y() const { return y_; }

 private:
  Tensor x_, y_;
  TensorDatasetOptions options_;
};

/// Some samples of another dataset under new numbers.
class Subset : public Dataset {
 public:
  /// The first `count` samples (all of them, if there are fewer). ValueError for a negative count.
  Subset(std::shared_ptr<const Dataset> dataset, std::int64_t count);
  /// Sample i is dataset[indices[i]]. ValueError for an index that is not there.
  Subset(std::shared_ptr<const Dataset> dataset, std::vector<std::int64_t> indices);
  /// The same on a dataset that outlives this one.
  Subset(const Dataset& dataset, std::int64_t count);
  Subset(const Dataset& dataset, std::vector<std::int64_t> indices);
  Subset(const Dataset&& dataset, std::int64_t) = delete;
  Subset(const Dataset&& dataset, std::vector<std::int64_t>) = delete;

  std::int64_t size() const override { return static_cast<std::int64_t>(indices_.size()); }
  Batch batch(std::span<const std::int64_t> indices) const override;  ///< Batch::indices are ours
  Batch epoch_batch(std::span<const std::int64_t> indices, RandomKey epoch) const override;
  bool random() const override { return dataset_->random(); }
  std::uint64_t content_hash() const override;
  bool in_memory() const override { return dataset_->in_memory(); }

 private:
  PoolVector<std::int64_t> inner(std::span<const std::int64_t> indices) const;

  std::shared_ptr<const Dataset> dataset_;
  std::vector<std::int64_t> indices_;
};

/// take(batch) for all samples in order, `at_once` at a time.
void over_batches(const Dataset& dataset, const std::function<void(const Batch&)>& take,
                  std::int64_t at_once = 64);
/// x of the first `count` samples; of all, if there are fewer.
Tensor first_samples(const Dataset& dataset, std::int64_t count);

template <std::size_t I>
const Tensor& get(const Batch& batch) {
  static_assert(I < 2);
  if constexpr (I == 0)
    return batch.x;
  else
    return batch.y;
}

}  // namespace linnet::data

template <>
struct std::tuple_size<linnet::data::Batch> : std::integral_constant<std::size_t, 2> {};
template <std::size_t I>
struct std::tuple_element<I, linnet::data::Batch> {
  using type = linnet::Tensor;
};
