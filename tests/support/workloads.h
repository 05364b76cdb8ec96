// SPDX-License-Identifier: Apache-2.0
#pragma once
// The networks of docs/performance.md, for what has to hold for all of them.

#include "linnet/nn/nn.h"

namespace linnet::test {

// In braces the layers are made from left to right; in parentheses the compiler may draw their weights in any
// order.
inline nn::Sequential mlp_workload() {
  return nn::Sequential{nn::Flatten(), nn::Dense(784, 128, {.weight_init = nn::init::he_uniform}), nn::ReLU(),
                        nn::Dropout(0.2), nn::Dense(128, 10)};
}

inline nn::Sequential cnn_workload() {
  return nn::Sequential{nn::Conv2D(1, 32, {.kernel = 3, .weight_init = nn::init::he_uniform}),
                        nn::ReLU(),
                        nn::MaxPool2D({.kernel = 2}),
                        nn::Conv2D(32, 64, {.kernel = 3, .weight_init = nn::init::he_uniform}),
                        nn::ReLU(),
                        nn::MaxPool2D({.kernel = 2}),
                        nn::Flatten(),
                        nn::Dense(1600, 64, {.weight_init = nn::init::he_uniform}),
                        nn::ReLU(),
                        nn::Dense(64, 10)};
}

inline nn::Sequential lstm_workload() { return nn::zoo::stacked_lstm(); }

inline nn::Sequential mobilenet_workload() { return nn::zoo::mobilenet_v1({.width = 0.25, .classes = 10}); }

}  // namespace linnet::test
