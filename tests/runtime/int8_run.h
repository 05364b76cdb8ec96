// SPDX-License-Identifier: Apache-2.0
#pragma once
// Running the models of int8_models.h.
#include <doctest/doctest.h>

#include <cstring>
#include <functional>

#include "floats.h"
#include "fuzz/use_model.h"
#include "int8_models.h"

namespace linnet::test {

/// A model bound in an arena of exactly its size.
struct Int8Model {
  explicit Int8Model(const File& model) : bytes(model.bytes()) {
    REQUIRE(lnt_check(bytes.data(), bytes.size(), nullptr, &info) == LNT_OK);
    arena = exact_memory(info.arena_bytes);
    REQUIRE(lnt_bind(&bound, &info, arena.get(), info.arena_bytes) == LNT_OK);
  }
  template <class T>
  void set(const std::vector<T>& values, std::uint32_t port = 0) {
    lnt_view view;
    REQUIRE(lnt_input(&bound, port, &view) == LNT_OK);
    REQUIRE(view.bytes == values.size() * sizeof(T));
    std::memcpy(view.data, values.data(), view.bytes);
  }
  template <class T>
  std::vector<T> run() {
    REQUIRE(lnt_run(&bound) == LNT_OK);
    lnt_view view;
    REQUIRE(lnt_output(&bound, 0, &view) == LNT_OK);
    std::vector<T> y(view.bytes / sizeof(T));
    std::memcpy(y.data(), view.data, view.bytes);
    return y;
  }
  Bytes bytes;
  lnt_info info;
  std::unique_ptr<std::uint8_t, Free> arena;
  lnt_model bound;
};

/// Calls visit(index of x or -1 outside, index of weight) for each tap of output o at place i, j of the
/// convolution of int8_conv() and dynamic_conv2d().
inline void each_tap(int i, int j, int o, const std::function<void(int, int)>& visit) {
  for (int r = 0; r < 3; ++r)
    for (int q = 0; q < 2; ++q)
      for (int k = 0; k < 2; ++k) {
        const int row = 2 * i + r - 1, column = j + 2 * q;  // one row above, one column to the right
        const bool inside = row >= 0 && row < 5 && column < 6;
        visit(inside ? (row * 6 + column) * 4 + o / 4 * 2 + k : -1, ((o * 3 + r) * 2 + q) * 2 + k);
      }
}

}  // namespace linnet::test
