// SPDX-License-Identifier: Apache-2.0
#include "linnet/data/windows.h"

#include <algorithm>
#include <cstring>
#include <set>

#include "linnet/core/error.h"
#include "linnet/core/tensor_impl.h"
#include "linnet/data/content_hash.h"

namespace linnet::data {

Windows::Windows(const Tensor& rows, const Tensor& targets, WindowOptions options)
    : options_(std::move(options)) {
  const auto& [length, stride, horizon, groups, last_only, too_short] = options_;
  check<ShapeError>(rows.rank() == 2, "Windows: expected rows [R, C], got ", rows.shape(), ".");
  check<DTypeError>(rows.dtype() == f32, "Windows: expected rows of f32, got ", rows.dtype(), ".");
  const std::int64_t count = rows.dim(0);
  if (targets.defined())
    check<ShapeError>(targets.rank() >= 1 && targets.dim(0) == count,
                      "Windows: rows and targets differ: ", rows.shape(), " and ", targets.shape(), ".");
  constexpr std::int64_t kMost = std::int64_t{1} << 40;
  check<ValueError>(
      length >= 1 && stride >= 1 && horizon >= 0 && std::max({length, stride, horizon}) <= kMost,
      "Windows: length and stride must be at least 1, horizon at least 0, all at most 2^40: ", length, ", ",
      stride, ", ", horizon, ".");
  check<ValueError>(groups.empty() || groups.size() == static_cast<std::size_t>(count),
                    "Windows: expected a group for each of ", count, " rows, got ", groups.size(), ".");
  rows_ = rows.detach();
  if (targets.defined()) targets_ = targets.detach();

  std::set<std::int64_t> seen;
  for (std::int64_t begin = 0, end = 0; begin < count; begin = end) {
    const auto group_of = [&](std::int64_t row) {
      return options_.groups.empty() ? 0 : options_.groups[static_cast<std::size_t>(row)];
    };
    const std::int64_t group = group_of(begin);
    check<ValueError>(seen.insert(group).second, "Windows: the rows of group ", group,
                      " do not lie together: row ", begin, " is apart from those before. Sort them.");
    for (end = begin + 1; end < count && group_of(end) == group;) ++end;
    add_group(begin, end, group);
  }
  check<ValueError>(!places_.empty(), "Windows: ", count, " rows hold no window of ", length,
                    " rows and horizon ", horizon, ".");
}

void Windows::add_group(std::int64_t begin, std::int64_t end, std::int64_t group) {
  const std::int64_t last = end - options_.horizon - options_.length;  // where the last window begins
  if (last < begin) {
    check<ValueError>(options_.too_short != Short::refuse, "Windows: group ", group, " has ", end - begin,
                      " rows, a window needs ", options_.length + options_.horizon,
                      ". Choose Short::skip or Short::pad.");
    const bool one_row = end - begin > options_.horizon;
    if (options_.too_short == Short::pad && one_row) places_.push_back({last, begin, group});
    return;
  }
  const std::int64_t first = options_.last_only ? last : begin;
  for (std::int64_t at = first; at <= last; at += options_.stride) places_.push_back({at, begin, group});
}

const Windows::Place& Windows::place(std::int64_t window) const {
  check<ValueError>(window >= 0 && window < size(), "Windows: index ", window, " is outside 0..", size() - 1,
                    ".");
  return places_[static_cast<std::size_t>(window)];
}

std::int64_t Windows::first_row(std::int64_t window) const {
  return std::max(place(window).begin, place(window).group_begin);
}

std::int64_t Windows::last_row(std::int64_t window) const {
  return place(window).begin + options_.length - 1 + options_.horizon;
}

std::vector<std::int64_t> Windows::groups() const {
  std::vector<std::int64_t> groups;
  for (const Place& one : places_) groups.push_back(one.group);
  return groups;
}

Batch Windows::batch(std::span<const std::int64_t> indices) const {
  const auto count = static_cast<std::int64_t>(indices.size());
  const std::int64_t channels = rows_.dim(1);
  for (const std::int64_t index : indices) place(index);  // before anything is made
  Batch batch;
  batch.x = Tensor::empty({count, options_.length, channels});
  const auto row_bytes = static_cast<std::size_t>(channels) * sizeof(float);
  float* to = writable<float>(batch.x);
  for (const std::int64_t index : indices)
    for (std::int64_t step = 0; step < options_.length; ++step, to += channels) {
      const std::int64_t row = std::max(place(index).begin + step, place(index).group_begin);
      std::memcpy(to, readable<float>(rows_) + row * channels, row_bytes);
    }
  if (targets_.defined()) {
    batch.y = Tensor::empty(targets_.shape().with(0, count), targets_.dtype());
    const std::size_t bytes =
        static_cast<std::size_t>(targets_.shape().product(1, targets_.rank())) * size_of(targets_.dtype());
    for (std::size_t i = 0; i < indices.size(); ++i)
      std::memcpy(writable<std::byte>(batch.y) + i * bytes,
                  readable<std::byte>(targets_) + static_cast<std::size_t>(last_row(indices[i])) * bytes,
                  bytes);
  }
  batch.indices.assign(indices.begin(), indices.end());
  return batch;
}

std::uint64_t Windows::content_hash() const {
  ContentHash hash;
  hash.add(rows_).add(targets_);
  for (const std::int64_t number : {options_.length, options_.horizon})
    hash.add(static_cast<std::uint64_t>(number));
  for (const Place& one : places_)
    hash.add(static_cast<std::uint64_t>(one.begin)).add(static_cast<std::uint64_t>(one.group_begin));
  return hash.value();
}

}  // namespace linnet::data
