// SPDX-License-Identifier: Apache-2.0
#pragma once
// An exported model as a board has it. Private to compress.

#include <algorithm>
#include <span>
#include <vector>

#include "linnet/core/error.h"
#include "linnet/core/tensor.h"
#include "linnet/deploy/deploy.h"
#include "linnet/runtime/linnet_runtime.hpp"

namespace linnet::compress {

/// One input and one output of f32, one sample at a time. Belongs to one thread at a time.
class Board {
 public:
  explicit Board(const deploy::Image& image) : model_(image.bytes) {
    const lnt_info& info = model_.info();
    check<ValueError>(info.n_inputs == 1 && info.n_outputs == 1, "compress: the model has ", info.n_inputs,
                      " inputs and ", info.n_outputs, " outputs. Only models with one of each are measured.");
  }

  /// Of one sample, [1, ...].
  Shape output_shape() const {
    const std::vector<std::uint32_t> shape = model_.output_shape();
    const std::vector<std::int64_t> sizes(shape.begin(), shape.end());
    return Shape(std::span<const std::int64_t>(sizes));
  }
  void set_input(std::span<const float> x) {
    const runtime::View<float> input = model_.input<float>();
    check<ShapeError>(x.size() == input.size(), "compress: the model takes samples of ", input.size(),
                      " numbers, these have ", x.size(), ".");
    std::copy(x.begin(), x.end(), input.begin());
  }
  void run() { model_.run(); }
  std::span<const float> output() const {
    const runtime::View<const float> y = model_.output<float>();
    return {y.data(), y.size()};
  }

 private:
  runtime::Model model_;
};

}  // namespace linnet::compress
