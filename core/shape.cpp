// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/shape.h"

#include <algorithm>

#include "linnet/core/error.h"

namespace linnet {
namespace {
constexpr std::int64_t kMaxElements = std::int64_t{1} << 48;
}

Shape::Shape(std::span<const std::int64_t> sizes) {
  check<ShapeError>(sizes.size() <= kMaxRank, "shape: expected at most ", kMaxRank, " axes, got ",
                    sizes.size(), ". Merge axes with reshape.");
  for (std::int64_t size : sizes) {
    check<ShapeError>(size >= 0, "shape: sizes must not be negative, got ", size, " at axis ", rank_, ".");
    check<ShapeError>(size == 0 || size_ <= kMaxElements / size, "shape: more than 2^48 elements at axis ",
                      rank_, ".");
    sizes_[rank_++] = size;
    size_ *= size;
  }
}

std::int64_t Shape::dim(int axis) const { return sizes_[normalize_axis("dim", axis, rank_)]; }

Shape Shape::with(int axis, std::int64_t size) const {
  Shape copy = *this;
  copy.sizes_[axis] = size;
  return Shape(std::span(copy.begin(), copy.end()));
}

Shape Shape::without(int axis) const {
  Shape copy;
  for (int i = 0; i < rank_; ++i)
    if (i != axis) copy.sizes_[copy.rank_++] = sizes_[i];
  return Shape(std::span(copy.begin(), copy.end()));
}

Shape Shape::inserted(int axis, std::int64_t size) const {
  std::vector<std::int64_t> sizes(begin(), end());
  sizes.insert(sizes.begin() + axis, size);
  return Shape(std::span<const std::int64_t>(sizes));
}

std::int64_t Shape::product(int first, int last) const {
  std::int64_t n = 1;
  for (int i = first; i < last; ++i) n *= sizes_[i];
  return n;
}

std::string Shape::str() const {
  std::string text = "[";
  for (int i = 0; i < rank_; ++i) text += (i ? ", " : "") + std::to_string(sizes_[i]);
  return text + "]";
}

Axes::Axes(std::span<const int> axes) {
  check<ShapeError>(axes.size() <= Shape::kMaxRank, "axes: expected at most ", Shape::kMaxRank, ", got ",
                    axes.size(), ".");
  for (int axis : axes) list_[count_++] = axis;
}

std::array<bool, Shape::kMaxRank> Axes::mask(const char* op, int rank) const {
  std::array<bool, Shape::kMaxRank> reduced{};
  for (int i = 0; i < rank; ++i) reduced[i] = count_ == 0;
  for (int i = 0; i < count_; ++i) {
    int axis = normalize_axis(op, list_[i], rank);
    check<ShapeError>(!reduced[axis], op, ": axis ", axis, " is named twice.");
    reduced[axis] = true;
  }
  return reduced;
}

Shape reduced(const Shape& x, const std::array<bool, Shape::kMaxRank>& mask, bool keep_dims) {
  std::array<std::int64_t, Shape::kMaxRank> sizes{};
  std::size_t rank = 0;
  for (int i = 0; i < x.rank(); ++i) {
    if (!mask[i])
      sizes[rank++] = x[i];
    else if (keep_dims)
      sizes[rank++] = 1;
  }
  return Shape(std::span<const std::int64_t>(sizes.data(), rank));
}

int normalize_axis(const char* op, int axis, int rank) {
  check<ShapeError>(axis >= -rank && axis < rank, op, ": axis ", axis, " is outside a tensor of rank ", rank,
                    ".");
  return axis < 0 ? axis + rank : axis;
}

Shape broadcast(const char* op, const Shape& a, const Shape& b) {
  if (a == b) return a;
  int rank = std::max(a.rank(), b.rank());
  std::array<std::int64_t, Shape::kMaxRank> sizes{};
  for (int i = 1; i <= rank; ++i) {
    std::int64_t m = i <= a.rank() ? a[a.rank() - i] : 1, n = i <= b.rank() ? b[b.rank() - i] : 1;
    check<ShapeError>(m == n || m == 1 || n == 1, op, ": shapes do not broadcast: ", a, " and ", b,
                      ". Sizes must be equal or 1, counted from the last axis.");
    sizes[rank - i] = m == 1 ? n : m;
  }
  return Shape(std::span<const std::int64_t>(sizes.data(), rank));
}

}  // namespace linnet
