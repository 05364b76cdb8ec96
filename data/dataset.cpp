// SPDX-License-Identifier: Apache-2.0
#include "linnet/data/dataset.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "linnet/core/error.h"
#include "linnet/core/parallel.h"
#include "linnet/core/tensor_impl.h"
#include "linnet/data/content_hash.h"
#include "linnet/data/over_samples.h"

namespace linnet::data {
namespace {

void check_indices(const char* what, std::span<const std::int64_t> indices, std::int64_t size) {
  for (const std::int64_t index : indices)
    check<ValueError>(index >= 0 && index < size, what, ": index ", index, " is outside 0..", size - 1, ".");
}

/// Rows come from all over a set that no cache holds: the one after the next few is fetched while one is
/// copied.
void fetch_ahead(const std::byte* first, std::size_t row_bytes, std::span<const std::int64_t> rows,
                 std::size_t at) {
  constexpr std::size_t kAhead = 4, kLine = 64, kMost = 4096;
  if (at + kAhead >= rows.size()) return;
  const std::byte* row = first + static_cast<std::size_t>(rows[at + kAhead]) * row_bytes;
  for (std::size_t byte = 0; byte < std::min(row_bytes, kMost); byte += kLine) __builtin_prefetch(row + byte);
}

/// Rows (entries of axis 0) of x, one after another.
Tensor rows_of(const Tensor& x, std::span<const std::int64_t> rows) {
  Tensor picked = Tensor::empty(x.shape().with(0, static_cast<std::int64_t>(rows.size())), x.dtype());
  const std::size_t bytes = static_cast<std::size_t>(x.shape().product(1, x.rank())) * size_of(x.dtype());
  std::byte* to = writable<std::byte>(picked);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    fetch_ahead(readable<std::byte>(x), bytes, rows, i);
    std::memcpy(to, readable<std::byte>(x) + static_cast<std::size_t>(rows[i]) * bytes, bytes);
    to += bytes;
  }
  return picked;
}

/// The same, converted to f32 and divided.
Tensor scaled_rows_of(const Tensor& x, std::span<const std::int64_t> rows, float divisor) {
  Tensor picked = Tensor::empty(x.shape().with(0, static_cast<std::int64_t>(rows.size())), f32);
  const std::int64_t length = x.shape().product(1, x.rank());
  dispatch(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const auto count = static_cast<std::int64_t>(rows.size());
    parallel_for(count, count * length, [&, divisor](std::int64_t tile) {  // a copy: to[] may not change it
      const auto row = static_cast<std::size_t>(tile);
      fetch_ahead(readable<std::byte>(x), static_cast<std::size_t>(length) * sizeof(T), rows, row);
      const T* from = readable<T>(x) + rows[row] * length;
      float* to = writable<float>(picked) + tile * length;
      for (std::int64_t i = 0; i < length; ++i) to[i] = static_cast<float>(from[i]) / divisor;
    });
  });
  return picked;
}

std::vector<std::int64_t> first(const Dataset& dataset, std::int64_t count) {
  check<ValueError>(count >= 0, "Subset: the count must not be negative: ", count, ".");
  std::vector<std::int64_t> indices(static_cast<std::size_t>(std::min(count, dataset.size())));
  std::iota(indices.begin(), indices.end(), std::int64_t{0});
  return indices;
}

}  // namespace

std::uint64_t Dataset::content_hash() const {
  ContentHash hash;
  hash.add(static_cast<std::uint64_t>(size()));
  over_batches(*this,
               [&](const Batch& some) { hash.add(some.x).add(some.y).add(some.weights).add(some.mask); });
  return hash.value();
}

TensorDataset::TensorDataset(const Tensor& x, const Tensor& y, TensorDatasetOptions options)
    : options_(options) {
  check<ShapeError>(x.rank() >= 1, "TensorDataset: x needs an axis of samples, got ", x.shape(), ".");
  if (y.defined())
    check<ShapeError>(y.rank() >= 1 && y.dim(0) == x.dim(0),
                      "TensorDataset: x and y differ in samples: ", x.shape(), " and ", y.shape(), ".");
  check<ValueError>(options.divide_by >= 0.0,
                    "TensorDataset: divide_by must not be negative: ", options.divide_by, ".");
  const Tensor& weights = options.weights;
  check<ShapeError>(!weights.defined() || weights.shape() == Shape{x.dim(0)},
                    "TensorDataset: expected one weight a sample, ", Shape{x.dim(0)}, ", got ",
                    weights.defined() ? weights.shape() : Shape(), ".");
  check<DTypeError>(!weights.defined() || is_float(weights.dtype()),
                    "TensorDataset: weights must be f32 or f64", ", got ",
                    weights.defined() ? weights.dtype() : f32, ".");
  x_ = x.detach();
  if (y.defined()) y_ = y.detach();
}

Batch TensorDataset::batch(std::span<const std::int64_t> indices) const {
  check_indices("TensorDataset", indices, size());
  Batch batch;
  batch.x = options_.divide_by > 0.0 ? scaled_rows_of(x_, indices, static_cast<float>(options_.divide_by))
                                     : rows_of(x_, indices);
  if (y_.defined()) batch.y = rows_of(y_, indices);
  if (options_.weights.defined()) batch.weights = rows_of(options_.weights, indices);
  batch.indices.assign(indices.begin(), indices.end());
  return batch;
}

std::uint64_t TensorDataset::content_hash() const {
  ContentHash hash;
  hash.add(std::as_bytes(std::span(&options_.divide_by, 1)));
  hash.add(x_).add(y_);
  if (options_.weights.defined()) hash.add(options_.weights);
  return hash.value();
}

Subset::Subset(std::shared_ptr<const Dataset> dataset, std::vector<std::int64_t> indices)
    : dataset_(std::move(dataset)), indices_(std::move(indices)) {
  check_indices("Subset", indices_, dataset_->size());
}
Subset::Subset(std::shared_ptr<const Dataset> dataset, std::int64_t count)
    : dataset_(std::move(dataset)), indices_(first(*dataset_, count)) {}
Subset::Subset(const Dataset& dataset, std::int64_t count) : Subset(borrowed(dataset), count) {}
Subset::Subset(const Dataset& dataset, std::vector<std::int64_t> indices)
    : Subset(borrowed(dataset), std::move(indices)) {}

PoolVector<std::int64_t> Subset::inner(std::span<const std::int64_t> indices) const {
  check_indices("Subset", indices, size());
  PoolVector<std::int64_t> inner(indices.size());
  for (std::size_t i = 0; i < indices.size(); ++i) inner[i] = indices_[static_cast<std::size_t>(indices[i])];
  return inner;
}

Batch Subset::batch(std::span<const std::int64_t> indices) const {
  Batch batch = dataset_->batch(inner(indices));
  batch.indices.assign(indices.begin(), indices.end());
  return batch;
}

Batch Subset::epoch_batch(std::span<const std::int64_t> indices, RandomKey epoch) const {
  Batch batch = dataset_->epoch_batch(inner(indices), epoch);
  batch.indices.assign(indices.begin(), indices.end());
  return batch;
}

std::uint64_t Subset::content_hash() const {
  ContentHash hash;
  hash.add(dataset_->content_hash()).add(std::as_bytes(std::span(indices_)));
  return hash.value();
}

namespace {

std::vector<std::int64_t> places(std::int64_t begin, std::int64_t count) {
  std::vector<std::int64_t> indices(static_cast<std::size_t>(count));
  std::iota(indices.begin(), indices.end(), begin);
  return indices;
}

}  // namespace

void over_batches(const Dataset& dataset, const std::function<void(const Batch&)>& take,
                  std::int64_t at_once) {
  for (std::int64_t begin = 0; begin < dataset.size(); begin += at_once)
    take(dataset.batch(places(begin, std::min(at_once, dataset.size() - begin))));
}

Tensor first_samples(const Dataset& dataset, std::int64_t count) {
  return dataset.batch(places(0, std::min(count, dataset.size()))).x;
}

}  // namespace linnet::data
