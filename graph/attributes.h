// SPDX-License-Identifier: Apache-2.0
#pragma once
// What every op's attributes look like: one table for checking, for batch-relative integers and for printing.
// Private to graph.

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "linnet/core/op.h"
#include "linnet/core/state.h"

namespace linnet::graph {

enum class AttributeKind : std::uint8_t { integer, real, text, list };

struct AttributeRule {
  std::string_view name;
  AttributeKind kind;
  bool sizes = false;  ///< sizes or positions of an axis: may be -k for k times the batch
  bool optional = false;
};

std::span<const AttributeRule> attribute_rules(Op op);

/// GraphError, starting with `where`, unless the attributes are exactly those of the op, each of its kind, no
/// integer is beyond 2^31, and only sizes are negative. A user's op has none.
void check_attributes(const std::string& where, Op op, const State& attributes);

/// "{axis 1}", for people; empty without attributes.
std::string attributes_str(Op op, const State& attributes);

/// The attributes with every integer that is a size or position replaced by change(name, place in its list,
/// value).
using ChangeSize = std::function<std::int64_t(std::string_view name, std::size_t place, std::int64_t value)>;
State map_sizes(Op op, const State& attributes, const ChangeSize& change);

/// An entry of a list, or the integer itself at place 0.
std::int64_t integer_at(const StateValue& value, std::size_t place);
std::size_t count_of(const StateValue& value);

inline constexpr std::int64_t kLargestSize = std::int64_t{1} << 48;  ///< of a tensor's axis

/// k times the batch for -k, else the size. GraphError beyond kLargestSize.
std::int64_t size_at_batch(std::int64_t size, std::int64_t batch);

}  // namespace linnet::graph
