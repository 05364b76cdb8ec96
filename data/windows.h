// SPDX-License-Identifier: Apache-2.0
#pragma once
// Windows: sliding windows over the rows of one or several series, made when they are asked for.
//
//   data::Windows hours(sensors, load, {.length = 24, .horizon = 1});    // a day, and what comes an hour
//   later

#include <cstdint>
#include <vector>

#include "linnet/data/dataset.h"

namespace linnet::data {

/// What becomes of a group with too few rows for a window.
enum class Short {
  refuse,  ///< ValueError
  skip,    ///< it has no windows
  pad,     ///< it has one, in front of which its first row is repeated
};

struct WindowOptions {
  std::int64_t length = 30;
  std::int64_t stride = 1;   ///< rows from one window to the next
  std::int64_t horizon = 0;  ///< the target is that of the row so many behind the last of the window
  /// [R], whose row it is (an engine, a subject): no window has rows of two. Rows of a group lie together.
  std::vector<std::int64_t> groups = {};
  bool last_only = false;  ///< one window for each group, the last
  Short too_short = Short::refuse;
};

/// Windows [length, C] f32 of rows, each with the target of one row.
class Windows : public Dataset {
 public:
  /// rows [R, C] f32; targets [R, ...] or undefined. Keeps handles. ShapeError, DTypeError and ValueError for
  /// what does not fit, and when there is no window at all.
  Windows(const Tensor& rows, const Tensor& targets, WindowOptions options = {});

  std::int64_t size() const override { return static_cast<std::int64_t>(places_.size()); }
  Batch batch(std::span<const std::int64_t> indices) const override;
  std::uint64_t content_hash() const override;
  bool in_memory() const override { return true; }

  const WindowOptions& options() const { return options_; }
  /// The first row of a window, and the last that it uses (the row of its target).
  std::int64_t first_row(std::int64_t window) const;
  std::int64_t last_row(std::int64_t window) const;
  /// The group of each window; all 0 without groups.
  std::vector<std::int64_t> groups() const;

 private:
  struct Place {
    std::int64_t begin;  ///< of the window; before `group_begin` where it is padded
    std::int64_t group_begin, group;
  };
  void add_group(std::int64_t begin, std::int64_t end, std::int64_t group);
  const Place& place(std::int64_t window) const;

  Tensor rows_, targets_;
  WindowOptions options_;
  std::vector<Place> places_;
};

}  // namespace linnet::data
