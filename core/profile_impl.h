// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the library tells its profiler. Private: users name parts of a program with profile::Scope. Call these
// only while profile::on().

#include <cstdint>
#include <string>
#include <string_view>

#include "linnet/core/profile.h"

namespace linnet::profile {

/// What one call must do at least.
struct Cost {
  double flop = 0.0;
  double bytes = 0.0;
};

/// Ends a forward op that began where the event before it ended. The result is for RuleScope.
std::int32_t end_forward(std::string_view op, const Cost& forward, const Cost& backward) noexcept;

/// The rule of an op in backward; `call` is what end_forward() returned, or less than 0.
class RuleScope {
 public:
  RuleScope() = default;
  ~RuleScope() {
    if (open_) end();
  }
  RuleScope(const RuleScope&) = delete;
  RuleScope& operator=(const RuleScope&) = delete;
  void begin(std::int32_t call) noexcept;

 private:
  void end() noexcept;
  std::int32_t call_ = -1;
  bool open_ = false;
};

/// While it lives, ops of this thread belong to the layer.
class LayerScope {
 public:
  LayerScope() = default;
  ~LayerScope() {
    if (open_) end();
  }
  LayerScope(const LayerScope&) = delete;
  LayerScope& operator=(const LayerScope&) = delete;
  void begin(const std::string& location) noexcept;

 private:
  void end() noexcept;
  bool open_ = false;
};

}  // namespace linnet::profile
