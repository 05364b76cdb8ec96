// SPDX-License-Identifier: Apache-2.0
#pragma once
// How batch- and group-norm cut a tensor, and the numbers of each column. For norm*.cpp.

#include <algorithm>
#include <cstdint>
#include <numeric>

#include "linnet/core/kernels/norm.h"
#include "linnet/core/kernels/norm_table.h"
#include "linnet/core/kernels/select.h"
#include "linnet/core/parallel.h"
#include "linnet/core/tensor_impl.h"

namespace linnet::kernels {

LINNET_FLOAT_TABLE(ColumnNormKernels, column_norm, naive_column_norm)

inline constexpr std::int64_t kChunkRows = 256;
inline constexpr std::int64_t kColumnBlock = 256;  // has no influence on the result

/// Columns that a sample [R, C] is read in: a multiple of C, so that few channels still fill vectors.
inline std::int64_t width_of(std::int64_t channels) {
  std::int64_t width = channels;
  if (channels < 64) width *= 16 / std::gcd<std::int64_t>(channels, 16);
  while (width < 64) width *= 2;
  return width;
}

/// A sample as chunks of at most kChunkRows rows of `width` columns; what is left of a row is the last chunk.
struct Chunks {
  NormShape shape;
  std::int64_t width, full, tail, count;

  explicit Chunks(const NormShape& s) : shape(s), width(width_of(s.channels)) {
    full = s.rows * s.channels / width;
    tail = s.rows * s.channels % width;
    count = (full + kChunkRows - 1) / kChunkRows + (tail > 0);
  }
  bool is_tail(std::int64_t chunk) const { return tail > 0 && chunk == count - 1; }
  std::int64_t rows(std::int64_t chunk) const {
    return is_tail(chunk) ? 1 : std::min(kChunkRows, full - chunk * kChunkRows);
  }
  std::int64_t columns(std::int64_t chunk) const { return is_tail(chunk) ? tail : width; }
  std::int64_t begin(std::int64_t chunk) const {
    return (is_tail(chunk) ? full : chunk * kChunkRows) * width;
  }

  /// body(sample, chunk, first column, place in x, block), in parallel.
  template <class Body>
  void for_each(std::int64_t cost, Body body) const {
    const std::int64_t blocks = column_blocks();
    const std::int64_t work = shape.samples * shape.rows * shape.channels * cost;
    parallel_for(shape.samples * count * blocks, work, [&](std::int64_t tile) {
      visit(tile / blocks / count, tile / blocks % count, tile % blocks, body);
    });
  }
  std::int64_t column_blocks() const { return (width + kColumnBlock - 1) / kColumnBlock; }
  /// The same for one block of columns of one chunk.
  template <class Body>
  void visit(std::int64_t sample, std::int64_t chunk, std::int64_t column_block, Body& body) const {
    const std::int64_t column = column_block * kColumnBlock, left = columns(chunk) - column;
    if (left <= 0) return;
    const std::int64_t place = sample * shape.rows * shape.channels + begin(chunk) + column;
    body(sample, chunk, column, place, Block{rows(chunk), std::min(kColumnBlock, left), width});
  }
  /// body(column, channel, group) for the columns of a chunk.
  template <class Body>
  void for_columns(std::int64_t chunk, Body body) const {
    const std::int64_t of_group = shape.channels / shape.groups, end = columns(chunk);
    for (std::int64_t c = 0; c < end;)
      for (std::int64_t group = 0, channel = 0; group < shape.groups; ++group)
        for (std::int64_t i = 0; i < of_group; ++i) body(c++, channel++, group);
  }
};

/// What a loop over columns reads of each: the numbers of channels, repeated to a row of columns for each
/// sample.
template <class T>
class Coefficients {
 public:
  enum Row { kMean, kScale, kOffset, kA, kB, kC };

  Coefficients(const Chunks& chunks, std::int64_t rows)
      : chunks_(chunks),
        rows_(rows),
        all_(Tensor::empty({chunks.shape.samples, rows, chunks.width}, dtype_of<T>())) {}

  void set(std::int64_t sample, Row row, std::int64_t channel, double value) {
    T* to = writable<T>(all_) + (sample * rows_ + row) * chunks_.width;
    for (std::int64_t c = channel; c < chunks_.width; c += chunks_.shape.channels)
      to[c] = static_cast<T>(value);
  }
  Affine<T> affine(std::int64_t sample, std::int64_t column) const {
    return {at(sample, kMean, column), at(sample, kScale, column), at(sample, kOffset, column)};
  }
  Slopes<T> slopes(std::int64_t sample, std::int64_t column) const {
    return {at(sample, kA, column), at(sample, kB, column), at(sample, kC, column)};
  }

 private:
  const T* at(std::int64_t sample, Row row, std::int64_t column) const {
    return readable<T>(all_) + (sample * rows_ + row) * chunks_.width + column;
  }

  const Chunks& chunks_;
  std::int64_t rows_;
  Tensor all_;
};

template <class T>
double value_or(const Tensor& t, std::int64_t i, double otherwise) {
  return t.defined() ? static_cast<double>(readable<T>(t)[i]) : otherwise;
}

/// The mean and deviation of a channel in one sample, split so that T can subtract the mean without loss.
template <class T>
struct Channel {
  double mean, inv_std, head, rest;  ///< head is a T; rest = head - mean
  Channel(const Normalizer& by, std::int64_t statistics) {
    mean = readable<double>(by.mean)[statistics];
    inv_std = readable<double>(by.inv_std)[statistics];
    head = static_cast<double>(static_cast<T>(mean));
    rest = head - mean;
  }
};

/// body(sample, channel, place of its statistics in [samples, groups]).
template <class Body>
void for_channels(const NormShape& shape, Body body) {
  const std::int64_t of_group = shape.channels / shape.groups;
  for (std::int64_t sample = 0, statistics = 0; sample < shape.samples; ++sample)
    for (std::int64_t channel = 0; channel < shape.channels; ++statistics)
      for (const std::int64_t end = channel + of_group; channel < end; ++channel)
        body(sample, channel, statistics);
}

/// y = (x - head) scale + offset, with scale = inv_std weight and offset = bias + rest scale.
template <class T>
void set_affine(Coefficients<T>& k, const NormShape& shape, const Normalizer& by, const Tensor& weight,
                const Tensor& bias) {
  for_channels(shape, [&](std::int64_t sample, std::int64_t channel, std::int64_t statistics) {
    const Channel<T> c(by, statistics);
    const double scale = c.inv_std * value_or<T>(weight, channel, 1.0);
    k.set(sample, k.kMean, channel, c.head);
    k.set(sample, k.kScale, channel, scale);
    k.set(sample, k.kOffset, channel, value_or<T>(bias, channel, 0.0) + c.rest * scale);
  });
}

}  // namespace linnet::kernels
