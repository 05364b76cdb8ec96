// SPDX-License-Identifier: Apache-2.0
#pragma once
// What stands behind a Schedule.

#include <memory>
#include <string>
#include <utility>

#include "linnet/optim/schedule.h"

namespace linnet::optim {

struct Schedule::Form {
  virtual ~Form() = default;
  virtual std::string name() const = 0;
  virtual double factor(std::int64_t t) const = 0;
  virtual std::unique_ptr<Form> clone() const = 0;

  // ---- only for those that remember more than the count
  virtual bool wants_figure() const { return false; }
  virtual void observe(std::int64_t /*t*/, double /*figure*/) {}
  virtual State state() const { return {}; }
  /// Called on a clone, so it may throw half way.
  virtual void load(const State&) {}
};

}  // namespace linnet::optim
