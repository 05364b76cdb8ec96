// SPDX-License-Identifier: Apache-2.0
#pragma once
// Shape: up to six sizes, stored inline, row-major. The empty shape [] is a scalar with one element.

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

namespace linnet {

class Shape {
 public:
  static constexpr int kMaxRank = 6;

  Shape() = default;
  /// Throws ShapeError for more than six sizes, a negative size, or a product beyond 2^48.
  Shape(std::initializer_list<std::int64_t> sizes) : Shape(std::span(sizes.begin(), sizes.size())) {}
  explicit Shape(std::span<const std::int64_t> sizes);

  int rank() const { return rank_; }
  std::int64_t size() const { return size_; }  ///< number of elements
  std::int64_t operator[](int axis) const { return sizes_[axis]; }
  std::int64_t dim(int axis) const;  ///< like [], but counts negative axes from the end and checks
  std::int64_t back() const { return sizes_[rank_ - 1]; }

  const std::int64_t* begin() const { return sizes_.data(); }
  const std::int64_t* end() const { return sizes_.data() + rank_; }

  /// The same shape with one size replaced, removed, or inserted before `axis`.
  Shape with(int axis, std::int64_t size) const;
  Shape without(int axis) const;
  Shape inserted(int axis, std::int64_t size) const;

  /// Product of the sizes in [first, last).
  std::int64_t product(int first, int last) const;

  friend bool operator==(const Shape& a, const Shape& b) {
    if (a.rank_ != b.rank_) return false;
    for (int i = 0; i < a.rank_; ++i)
      if (a.sizes_[i] != b.sizes_[i]) return false;
    return true;
  }

  std::string str() const;  ///< "[32, 784]"

 private:
  std::array<std::int64_t, kMaxRank> sizes_{};
  std::int64_t size_ = 1;
  int rank_ = 0;
};

/// A set of axes to reduce: none given means all of them. Negative axes count from the end.
class Axes {
 public:
  Axes() = default;
  Axes(int axis) : list_{axis}, count_(1) {}
  /// ShapeError for more than six.
  Axes(std::initializer_list<int> axes) : Axes(std::span(axes.begin(), axes.size())) {}
  explicit Axes(std::span<const int> axes);

  /// reduced[i] for i in [0, rank). ShapeError on a repeated or missing axis, naming the op.
  std::array<bool, Shape::kMaxRank> mask(const char* op, int rank) const;

 private:
  std::array<int, Shape::kMaxRank> list_{};
  int count_ = 0;
};

/// The shape after reducing the axes of `mask`, kept as 1 or removed.
Shape reduced(const Shape& x, const std::array<bool, Shape::kMaxRank>& mask, bool keep_dims);

/// Axis in [0, rank) from one that may be negative; ShapeError names the op otherwise.
int normalize_axis(const char* op, int axis, int rank);

/// NumPy's rule: align at the last axis, sizes must agree or be one. ShapeError names the op.
Shape broadcast(const char* op, const Shape& a, const Shape& b);

}  // namespace linnet
