// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/kernels/norm_sums.h"

namespace linnet::kernels {

/// Shift, sum and squares of every column of one sample's chunks.
template <class T>
struct ChunkSums {
  const Chunks& chunks;
  const T* all;
  std::int64_t arrays;
  const T* row(std::int64_t sample, std::int64_t chunk, std::int64_t array) const {
    return all + ((sample * chunks.count + chunk) * arrays + array) * chunks.width;
  }
};

namespace {

/// mean = o + sum (n (shift - o) + sum) / count, with o the first shift: exact for constant values;  variance
/// = sum (squares - 2 delta sum + n delta^2) / count with delta = mean - shift: the sum of (d - delta)^2.
template <class T>
void merge_moments(const ChunkSums<T>& partial, std::int64_t sample, double* mean, double* variance) {
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

template <class T>
Moments moments_of(const Tensor& x, const NormShape& shape) {
  const Chunks chunks(shape);
  Tensor sums = Tensor::empty({shape.samples, chunks.count, 3, chunks.width}, x.dtype());
  T* to = writable<T>(sums);
  chunks.for_each(3, [&](std::int64_t sample, std::int64_t chunk, std::int64_t column, std::int64_t place,
                         const Block& block) {
    T* row = to + (sample * chunks.count + chunk) * 3 * chunks.width + column;
    column_norm_kernels<T>().moments(readable<T>(x) + place, block, row, row + chunks.width,
                                     row + 2 * chunks.width);
  });
  Moments result{Tensor::empty({shape.samples, shape.groups}, f64),
                 Tensor::empty({shape.samples, shape.groups}, f64)};
  for (std::int64_t sample = 0; sample < shape.samples; ++sample)
    merge_moments(ChunkSums<T>{chunks, to, 3}, sample, writable<double>(result.mean) + sample * shape.groups,
                  writable<double>(result.variance) + sample * shape.groups);
  return result;
}

template <class T>
GradientSums<T>::GradientSums(const Tensor& x, const Tensor& dy, const NormShape& shape,
                              const Coefficients<T>& k, bool relu)
    : chunks_(shape),
      covered_(static_cast<std::size_t>(chunks_.count)),
      k_(k),
      relu_(relu),
      x_(readable<T>(x)),
      dy_(readable<T>(dy)),
      sums_(Tensor::empty({shape.samples, chunks_.count, 2, chunks_.width}, dtype_of<T>())) {}

template <class T>
void GradientSums<T>::take(std::int64_t sample, std::int64_t chunk, std::int64_t column, std::int64_t place,
                           const Block& block) {
  const std::int64_t width = chunks_.width;
  T* row = writable<T>(sums_) + (sample * chunks_.count + chunk) * 2 * width + column;
  column_norm_kernels<T>().grad_sums(x_ + place, dy_ + place, block, k_.affine(sample, column), relu_, row,
                                     row + width);
}

template <class T>
void GradientSums<T>::cover(std::int64_t begin, std::int64_t end) {
  const std::int64_t size = kChunkRows * chunks_.width;
  auto body = [this](auto... which) { take(which...); };
  for (std::int64_t chunk = (begin + size - 1) / size; chunk < chunks_.count; ++chunk) {
    const std::int64_t first = chunks_.begin(chunk);
    if (first + chunks_.rows(chunk) * chunks_.columns(chunk) > end) return;
    char& covered = covered_[static_cast<std::size_t>(chunk)];
    if (first < begin || covered) continue;
    for (std::int64_t block = 0; block < chunks_.column_blocks(); ++block)
      chunks_.visit(0, chunk, block, body);
    covered = 1;
  }
}

template <class T>
GradSums GradientSums<T>::finish(const Normalizer& by) {
  const Chunks& chunks = chunks_;
  const NormShape& shape = chunks.shape;
  chunks.for_each(4, [&](std::int64_t sample, std::int64_t chunk, auto... which) {
    if (!covered_[static_cast<std::size_t>(chunk)]) take(sample, chunk, which...);
  });
  const ChunkSums<T> partial{chunks, readable<T>(sums_), 2};
  const auto size = static_cast<std::size_t>(shape.samples * shape.channels);
  GradSums all{PoolVector<double>(size), PoolVector<double>(size)};
  for (std::int64_t sample = 0; sample < shape.samples; ++sample)
    for (std::int64_t chunk = 0; chunk < chunks.count; ++chunk)
      chunks.for_columns(chunk, [&](std::int64_t c, std::int64_t channel, std::int64_t) {
        const auto i = static_cast<std::size_t>(sample * shape.channels + channel);
        all.g[i] += static_cast<double>(partial.row(sample, chunk, 0)[c]);
        all.product[i] += static_cast<double>(partial.row(sample, chunk, 1)[c]);
      });
  for_channels(shape, [&](std::int64_t sample, std::int64_t channel, std::int64_t statistics) {
    const Channel<T> c(by, statistics);
    const auto i = static_cast<std::size_t>(sample * shape.channels + channel);
    all.product[i] = c.inv_std * (all.product[i] + c.rest * all.g[i]);
  });
  return all;
}

template Moments moments_of<float>(const Tensor&, const NormShape&);
template Moments moments_of<double>(const Tensor&, const NormShape&);
template class GradientSums<float>;
template class GradientSums<double>;

}  // namespace linnet::kernels
