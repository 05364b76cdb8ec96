// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the tests of compression commands share.

#include <algorithm>
#include <set>
#include <string>

#include "linnet/core/tensor.h"
#include "tools/shell.h"

namespace linnet::test {

/// A shell with a network that was trained a little.
struct Trained : Shell {
  Trained() {
    REQUIRE((*this)("train mnist-mlp --data synthetic --limit 1280 --epochs 1 --seed 5 --out a.ckpt").code ==
            0);
  }
};

inline const std::string kData = " --data synthetic --limit 640 --seed 5 --json ";

inline nlohmann::json figures(const Outcome& outcome) {
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  return outcome.json();
}

inline std::int64_t zeros(const Tensor& t) {
  const auto values = t.data<float>();
  return std::count(values.begin(), values.end(), 0.0f);
}

inline std::set<float> distinct(const Tensor& t) {
  const auto values = t.data<float>();
  return {values.begin(), values.end()};
}

}  // namespace linnet::test
