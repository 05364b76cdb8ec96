// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/kernels/layout.h"

#include "kernel_cases.h"

using namespace linnet;
using namespace linnet::test;

namespace {

using Index = std::vector<std::int64_t>;

Index index_of(std::int64_t place, const Shape& shape) {
  Index index(static_cast<std::size_t>(shape.rank()));
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    index[axis] = place % shape[axis];
    place /= shape[axis];
  }
  return index;
}

std::int64_t place_of(const Index& index, const Shape& shape) {
  std::int64_t place = 0;
  for (int axis = 0; axis < shape.rank(); ++axis) place = place * shape[axis] + index[axis];
  return place;
}

/// A tensor of `shape` whose element at index i is source(i) of x, by plain index arithmetic.
template <class Source>
Tensor by_index(const Tensor& x, const Shape& shape, Source source) {
  Tensor y = Tensor::zeros(shape, x.dtype());
  const Tensor from = x.to(f64);
  Tensor to = y.to(f64).clone();
  for (std::int64_t i = 0; i < shape.size(); ++i)
    to.mutable_data<double>()[i] = source(index_of(i, shape), from.data<double>());
  return to.to(x.dtype());
}

/// Numbers that differ from place to place in every element type.
Tensor numbered(const Shape& shape, std::uint64_t seed, DType dtype) {
  return random_labels(shape, seed, 120).to(dtype);
}

constexpr DType kTypes[] = {f32, f64, i8, u8, i32, i64};

Shape shape_of(const Index& sizes) { return Shape(std::span<const std::int64_t>(sizes)); }

}  // namespace

TEST_CASE("transpose moves every element to its place, for every order of axes and element type") {
  Rng rng(51, 0);
  for (int i = 0; i < 3 * kShapes; ++i) {
    const Shape shape = odd_shape(rng, 4);
    std::vector<int> order(static_cast<std::size_t>(shape.rank()));
    for (int axis = 0; axis < shape.rank(); ++axis) order[axis] = axis;
    rng.shuffle(order.data(), shape.rank());
    Index sizes;
    for (int axis : order) sizes.push_back(shape[axis]);
    const Tensor x = numbered(shape, 1600 + i, kTypes[i % 6]);
    CAPTURE(shape.str());
    CHECK_SAME_BITS(kernels::transpose(x, order),
                    by_index(x, shape_of(sizes), [&](const Index& to, auto values) {
                      Index from(to.size());
                      for (std::size_t axis = 0; axis < order.size(); ++axis) from[order[axis]] = to[axis];
                      return values[place_of(from, shape)];
                    }));
  }
}

TEST_CASE("a slice holds every step-th element, and its gradient puts them back between zeros") {
  Rng rng(52, 0);
  for (int i = 0; i < kShapes; ++i) {
    const Shape shape = odd_shape(rng, 3);
    const int axis = static_cast<int>(rng.below(shape.rank()));
    const std::int64_t begin = rng.below(shape[axis]), end = begin + rng.below(shape[axis] - begin + 1);
    const std::int64_t step = 1 + rng.below(3), count = (end - begin + step - 1) / step;
    const Tensor x = numbered(shape, 1700 + i, kTypes[i % 6]);
    CAPTURE(shape.str());
    CAPTURE(begin);
    CAPTURE(end);
    CAPTURE(step);
    const Tensor y = kernels::slice(x, axis, begin, end, step);
    CHECK_SAME_BITS(y, by_index(x, shape.with(axis, count), [&](Index at, auto values) {
                      at[axis] = begin + at[axis] * step;
                      return values[place_of(at, shape)];
                    }));
    CHECK_SAME_BITS(kernels::slice_grad(y, shape, axis, begin, step),
                    by_index(x, shape, [&](const Index& at, auto values) {
                      const std::int64_t k = at[axis] - begin;
                      return k >= 0 && at[axis] < end && k % step == 0 ? values[place_of(at, shape)] : 0.0;
                    }));
  }
}

TEST_CASE("concat joins parts in order, and slicing takes them apart again") {
  Rng rng(53, 0);
  for (int i = 0; i < kShapes; ++i) {
    const Shape shape = odd_shape(rng, 3);
    const int axis = static_cast<int>(rng.below(shape.rank()));
    std::vector<Tensor> parts;
    for (std::int64_t k = 0, count = 1 + rng.below(4); k < count; ++k)
      parts.push_back(
          numbered(shape.with(axis, k == 1 ? 0 : odd_size(rng)), 1800 + 10 * i + k, kTypes[i % 6]));
    const Tensor y = kernels::concat(parts, axis);
    std::int64_t begin = 0;
    for (const Tensor& part : parts) {
      const std::int64_t end = begin + part.shape()[axis];
      CHECK_SAME_BITS(kernels::slice(y, axis, begin, end, 1), part);
      begin = end;
    }
    CHECK(y.shape() == shape.with(axis, begin));
  }
}

TEST_CASE("pad surrounds with a value, and unpad takes the inside out") {
  Rng rng(54, 0);
  for (int i = 0; i < kShapes; ++i) {
    const Shape shape = odd_shape(rng, 4);
    Index before, after, sizes;
    for (std::int64_t size : shape) {
      before.push_back(rng.below(3));
      after.push_back(rng.below(3));
      sizes.push_back(before.back() + size + after.back());
    }
    const Tensor x = numbered(shape, 1900 + i, kTypes[i % 6]);
    const Tensor y = kernels::pad(x, before, after, 5.0);
    CHECK_SAME_BITS(y, by_index(x, shape_of(sizes), [&](Index at, auto values) {
                      for (int axis = 0; axis < shape.rank(); ++axis) {
                        at[axis] -= before[axis];
                        if (at[axis] < 0 || at[axis] >= shape[axis]) return 5.0;
                      }
                      return values[place_of(at, shape)];
                    }));
    CHECK_SAME_BITS(kernels::unpad(y, shape, before), x);
  }
}

TEST_CASE("gather_rows picks rows in the order asked for, repeated ones too") {
  for (DType dtype : kTypes) {
    const Tensor x = numbered({300, 7, 9}, 55, dtype);
    std::vector<std::int64_t> rows;
    Rng rng(56, 0);
    for (int i = 0; i < 1000; ++i) rows.push_back(rng.below(300));
    CHECK_SAME_BITS(kernels::gather_rows(x, rows), by_index(x, {1000, 7, 9}, [&](Index at, auto values) {
                      at[0] = rows[at[0]];
                      return values[place_of(at, x.shape())];
                    }));
  }
  CHECK(kernels::gather_rows(Tensor::zeros({3, 2}), {}).shape() == Shape{0, 2});
}

TEST_CASE("empty tensors move without a fault") {
  const Tensor x = Tensor::zeros({0, 3});
  const int order[] = {1, 0};
  const std::int64_t one[] = {1, 1};
  CHECK(kernels::transpose(x, order).shape() == Shape{3, 0});
  CHECK(kernels::slice(x, 1, 1, 3, 1).shape() == Shape{0, 2});
  CHECK_CLOSE(kernels::pad(x, one, one, 2.0), Tensor::full({2, 5}, 2.0), tol::exact);
}

TEST_CASE("large moves are the same with 1, 2 and 4 threads") {
  const Tensor x = random_tensor({301, 17, 29}, 57);
  const int order[] = {2, 0, 1};
  check_same_bits_everywhere([&] { return kernels::transpose(x, order); });
  check_same_bits_everywhere([&] { return kernels::slice(x, 1, 1, 16, 2); });
}
