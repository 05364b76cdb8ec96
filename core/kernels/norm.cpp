// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/kernels/norm.h"

#include <cmath>
#include <numeric>
#include <vector>

#include "linnet/core/kernels/norm_table.h"
#include "linnet/core/kernels/select.h"
#include "linnet/core/parallel.h"
#include "linnet/core/pool_vector.h"
#include "linnet/core/tensor_impl.h"

namespace linnet::kernels {
namespace {

LINNET_FLOAT_TABLE(ColumnNormKernels, column_norm, naive_column_norm)

constexpr std::int64_t kChunkRows = 256;
constexpr std::int64_t kColumnBlock = 256;  // has no influence on the result

/// Columns that a sample [R, C] is read in: a multiple of C, so that few channels still fill vectors.
std::int64_t width_of(std::int64_t channels) {
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
    const std::int64_t blocks = (width + kColumnBlock - 1) / kColumnBlock;
    const std::int64_t work = shape.samples * shape.rows * shape.channels * cost;
    parallel_for(shape.samples * count * blocks, work, [&](std::int64_t tile) {
      const std::int64_t column = tile % blocks * kColumnBlock, chunk = tile / blocks % count;
      const std::int64_t sample = tile / blocks / count, left = columns(chunk) - column;
      if (left <= 0) return;
      const std::int64_t place = sample * shape.rows * shape.channels + begin(chunk) + column;
      body(sample, chunk, column, place, Block{rows(chunk), std::min(kColumnBlock, left), width});
    });
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

std::int64_t group_of(const NormShape& shape, std::int64_t channel) {
  return channel / (shape.channels / shape.groups);
}

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
  Channel(const NormShape& shape, const Normalizer& by, std::int64_t sample, std::int64_t channel) {
    const std::int64_t place = sample * shape.groups + group_of(shape, channel);
    mean = readable<double>(by.mean)[place];
    inv_std = readable<double>(by.inv_std)[place];
    head = static_cast<double>(static_cast<T>(mean));
    rest = head - mean;
  }
};

template <class Body>
void for_channels(const NormShape& shape, Body body) {
  for (std::int64_t sample = 0; sample < shape.samples; ++sample)
    for (std::int64_t channel = 0; channel < shape.channels; ++channel) body(sample, channel);
}

/// Shift, sum and squares of every column of one sample's chunks.
template <class T>
struct Partial {
  const Chunks& chunks;
  const T* all;
  std::int64_t arrays;
  const T* row(std::int64_t sample, std::int64_t chunk, std::int64_t array) const {
    return all + ((sample * chunks.count + chunk) * arrays + array) * chunks.width;
  }
};

/// mean = o + sum (n (shift - o) + sum) / count, with o the first shift: exact for constant values;  variance
/// = sum (squares - 2 delta sum + n delta^2) / count with delta = mean - shift: the sum of (d - delta)^2.
template <class T>
void merge_moments(const Partial<T>& partial, std::int64_t sample, double* mean, double* variance) {
  const Chunks& chunks = partial.chunks;
  const NormShape& shape = chunks.shape;
  const double count = static_cast<double>(shape.count());
  PoolVector<double> origin(static_cast<std::size_t>(shape.groups));
  for (std::int64_t g = 0; g < shape.groups && chunks.count > 0; ++g)
    origin[static_cast<std::size_t>(g)] =
        static_cast<double>(partial.row(sample, 0, 0)[g * (shape.channels / shape.groups)]);
  std::fill_n(mean, shape.groups, 0.0);
  std::fill_n(variance, shape.groups, 0.0);
  for (std::int64_t chunk = 0; chunk < chunks.count; ++chunk) {
    const T *shift = partial.row(sample, chunk, 0), *sum = partial.row(sample, chunk, 1);
    const double n = static_cast<double>(chunks.rows(chunk));
    chunks.for_columns(chunk, [&](std::int64_t c, std::int64_t, std::int64_t g) {
      mean[g] += n * (static_cast<double>(shift[c]) - origin[static_cast<std::size_t>(g)]) +
                 static_cast<double>(sum[c]);
    });
  }
  for (std::int64_t g = 0; g < shape.groups; ++g)
    mean[g] = origin[static_cast<std::size_t>(g)] + mean[g] / count;
  for (std::int64_t chunk = 0; chunk < chunks.count; ++chunk) {
    const T *shift = partial.row(sample, chunk, 0), *sum = partial.row(sample, chunk, 1);
    const T* squares = partial.row(sample, chunk, 2);
    const double n = static_cast<double>(chunks.rows(chunk));
    chunks.for_columns(chunk, [&](std::int64_t c, std::int64_t, std::int64_t g) {
      const double delta = mean[g] - static_cast<double>(shift[c]);
      variance[g] +=
          static_cast<double>(squares[c]) - 2.0 * delta * static_cast<double>(sum[c]) + n * delta * delta;
    });
  }
  // Rounding may leave a constant group just below 0.
  for (std::int64_t g = 0; g < shape.groups; ++g) variance[g] = variance[g] < 0.0 ? 0.0 : variance[g] / count;
}

}  // namespace

Moments moments(const Tensor& x, const NormShape& shape) {
  const Chunks chunks(shape);
  Moments result{Tensor::empty({shape.samples, shape.groups}, f64),
                 Tensor::empty({shape.samples, shape.groups}, f64)};
  dispatch_float("moments", x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    Tensor sums = Tensor::empty({shape.samples, chunks.count, 3, chunks.width}, x.dtype());
    T* to = writable<T>(sums);
    chunks.for_each(3, [&](std::int64_t sample, std::int64_t chunk, std::int64_t column, std::int64_t place,
                           const Block& block) {
      T* row = to + (sample * chunks.count + chunk) * 3 * chunks.width + column;
      table<T>().moments(readable<T>(x) + place, block, row, row + chunks.width, row + 2 * chunks.width);
    });
    for (std::int64_t sample = 0; sample < shape.samples; ++sample)
      merge_moments(Partial<T>{chunks, to, 3}, sample, writable<double>(result.mean) + sample * shape.groups,
                    writable<double>(result.variance) + sample * shape.groups);
  });
  return result;
}

Normalizer normalizer(const Moments& moments, double eps) {
  Tensor inv_std = Tensor::empty(moments.variance.shape(), f64);
  for (std::int64_t i = 0; i < inv_std.size(); ++i)
    writable<double>(inv_std)[i] = 1.0 / std::sqrt(readable<double>(moments.variance)[i] + eps);
  return {moments.mean, inv_std};
}

namespace {

/// y = (x - head) scale + offset, with scale = inv_std weight and offset = bias + rest scale.
template <class T>
void set_affine(Coefficients<T>& k, const NormShape& shape, const Normalizer& by, const Tensor& weight,
                const Tensor& bias) {
  for_channels(shape, [&](std::int64_t sample, std::int64_t channel) {
    const Channel<T> c(shape, by, sample, channel);
    const double scale = c.inv_std * value_or<T>(weight, channel, 1.0);
    k.set(sample, k.kMean, channel, c.head);
    k.set(sample, k.kScale, channel, scale);
    k.set(sample, k.kOffset, channel, value_or<T>(bias, channel, 0.0) + c.rest * scale);
  });
}

}  // namespace

Tensor normalize(const Tensor& x, const NormShape& shape, const Normalizer& by, const Tensor& weight,
                 const Tensor& bias, bool relu) {
  Tensor y = Tensor::empty(x.shape(), x.dtype());
  const Chunks chunks(shape);
  dispatch_float("normalize", x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    Coefficients<T> k(chunks, 3);
    set_affine(k, shape, by, weight, bias);
    chunks.for_each(3, [&](std::int64_t sample, std::int64_t, std::int64_t column, std::int64_t place,
                           const Block& block) {
      table<T>().apply(readable<T>(x) + place, writable<T>(y) + place, block, k.affine(sample, column), relu);
    });
  });
  return y;
}

namespace {

/// Sums of g and of g xhat over the rows of each sample, in f64: [N, C] each.
struct GradSums {
  PoolVector<double> g, product;
};

template <class T>
GradSums grad_sums(const Tensor& x, const Tensor& dy, const Chunks& chunks, const Normalizer& by,
                   const Coefficients<T>& k, bool relu) {
  const NormShape& shape = chunks.shape;
  Tensor sums = Tensor::empty({shape.samples, chunks.count, 2, chunks.width}, x.dtype());
  T* to = writable<T>(sums);
  chunks.for_each(4, [&](std::int64_t sample, std::int64_t chunk, std::int64_t column, std::int64_t place,
                         const Block& block) {
    T* row = to + (sample * chunks.count + chunk) * 2 * chunks.width + column;
    table<T>().grad_sums(readable<T>(x) + place, readable<T>(dy) + place, block, k.affine(sample, column),
                         relu, row, row + chunks.width);
  });
  const auto size = static_cast<std::size_t>(shape.samples * shape.channels);
  GradSums all{PoolVector<double>(size), PoolVector<double>(size)};
  const Partial<T> partial{chunks, to, 2};
  for (std::int64_t sample = 0; sample < shape.samples; ++sample)
    for (std::int64_t chunk = 0; chunk < chunks.count; ++chunk)
      chunks.for_columns(chunk, [&](std::int64_t c, std::int64_t channel, std::int64_t) {
        const auto i = static_cast<std::size_t>(sample * shape.channels + channel);
        all.g[i] += static_cast<double>(partial.row(sample, chunk, 0)[c]);
        all.product[i] += static_cast<double>(partial.row(sample, chunk, 1)[c]);
      });
  for_channels(shape, [&](std::int64_t sample, std::int64_t channel) {
    const Channel<T> c(shape, by, sample, channel);
    const auto i = static_cast<std::size_t>(sample * shape.channels + channel);
    all.product[i] = c.inv_std * (all.product[i] + c.rest * all.g[i]);
  });
  return all;
}

/// The sum over samples, as a gradient of shape [C].
template <class T>
Tensor over_samples(const PoolVector<double>& sums, const NormShape& shape) {
  Tensor total = Tensor::empty({shape.channels}, dtype_of<T>());
  for (std::int64_t channel = 0; channel < shape.channels; ++channel) {
    double sum = 0.0;
    for (std::int64_t sample = 0; sample < shape.samples; ++sample)
      sum += sums[static_cast<std::size_t>(sample * shape.channels + channel)];
    writable<T>(total)[channel] = static_cast<T>(sum);
  }
  return total;
}

/// dx = a g + (b (x - head) + c), a = inv_std weight, b = -inv_std^2 mean(g xhat), c = -inv_std mean(g) +
/// b rest. With fixed statistics b and c are 0.
template <class T>
void set_slopes(Coefficients<T>& k, const NormShape& shape, const Normalizer& by, const Tensor& weight,
                const GradSums* sums) {
  const auto groups = static_cast<std::size_t>(shape.samples * shape.groups);
  PoolVector<double> mean(groups), slope(groups);
  if (sums)
    for_channels(shape, [&](std::int64_t sample, std::int64_t channel) {
      const auto i = static_cast<std::size_t>(sample * shape.channels + channel);
      const auto g = static_cast<std::size_t>(sample * shape.groups + group_of(shape, channel));
      const double w = value_or<T>(weight, channel, 1.0) / static_cast<double>(shape.count());
      mean[g] += w * sums->g[i];
      slope[g] += w * sums->product[i];
    });
  for_channels(shape, [&](std::int64_t sample, std::int64_t channel) {
    const Channel<T> c(shape, by, sample, channel);
    const auto g = static_cast<std::size_t>(sample * shape.groups + group_of(shape, channel));
    const double b = sums ? -c.inv_std * c.inv_std * slope[g] : 0.0;  // not -0
    k.set(sample, k.kA, channel, c.inv_std * value_or<T>(weight, channel, 1.0));
    k.set(sample, k.kB, channel, b);
    k.set(sample, k.kC, channel, sums ? b * c.rest - c.inv_std * mean[g] : 0.0);
  });
}

template <class T>
Tensor grad_input(const Tensor& x, const Tensor& dy, const Chunks& chunks, const Coefficients<T>& k,
                  bool relu, Tensor dx) {
  if (!dx.defined()) dx = Tensor::empty(dy.shape(), dy.dtype());
  chunks.for_each(
      4, [&](std::int64_t sample, std::int64_t, std::int64_t column, std::int64_t place, const Block& block) {
        table<T>().grad(readable<T>(x) + place, readable<T>(dy) + place, writable<T>(dx) + place, block,
                        k.affine(sample, column), relu, k.slopes(sample, column));
      });
  return dx;
}

/// inv_std weight dy: the statistics do not depend on x.
Tensor scaled(const Tensor& dy, const NormShape& shape, const Normalizer& by, const Tensor& weight) {
  return normalize(dy, shape, {Tensor::zeros(by.mean.shape(), f64), by.inv_std}, weight, {});
}

}  // namespace

NormGradients normalize_grad(const Tensor& x, const Tensor& dy, const NormShape& shape, const Normalizer& by,
                             const Tensor& weight, const Tensor& bias, const NormGradOptions& options) {
  NormGradients gradients;
  const bool fixed = options.fixed_statistics;
  if (fixed && options.want_x && !options.relu) gradients.x = scaled(dy, shape, by, weight);
  if (fixed && !options.want_parameters && !options.relu) return gradients;
  // A value that is its own mean: exactly 0, where the sums below leave rounding errors over sqrt(eps).
  const bool lone = !fixed && shape.count() == 1;
  if (lone && options.want_x) gradients.x = Tensor::zeros(dy.shape(), dy.dtype());
  const Chunks chunks(shape);
  dispatch_float("normalize_grad", dy.dtype(), [&](auto zero) {
    using T = decltype(zero);
    Coefficients<T> k(chunks, 6);
    set_affine(k, shape, by, weight, bias);
    const GradSums sums = grad_sums<T>(x, dy, chunks, by, k, options.relu);
    if (options.want_parameters) {
      gradients.weight = over_samples<T>(sums.product, shape);
      gradients.bias = over_samples<T>(sums.g, shape);
    }
    if (!options.want_x || gradients.x.defined()) return;
    set_slopes(k, shape, by, weight, fixed ? nullptr : &sums);
    gradients.x = grad_input<T>(x, dy, chunks, k, options.relu, options.into);
  });
  return gradients;
}

}  // namespace linnet::kernels
