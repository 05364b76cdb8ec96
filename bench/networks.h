// SPDX-License-Identifier: Apache-2.0
#pragma once
// The networks of the four workloads in docs/performance.md.

#include <string>

#include "linnet/linnet.h"
#include "linnet/nn/zoo/mobilenet.h"

namespace bench {

struct Network {
  linnet::nn::Sequential model;
  linnet::Shape sample;  ///< without the batch axis
};

/// ValueError for another name.
inline Network network(const std::string& name) {
  using namespace linnet;
  if (name == "mlp")
    return {
        nn::Sequential{nn::Flatten(), nn::Dense(784, 128), nn::ReLU(), nn::Dropout(0.2), nn::Dense(128, 10)},
        {28, 28, 1}};
  if (name == "cnn")
    return {nn::Sequential{nn::Conv2D(1, 32, {.kernel = 3}), nn::ReLU(), nn::MaxPool2D({.kernel = 2}),
                           nn::Conv2D(32, 64, {.kernel = 3}), nn::ReLU(), nn::MaxPool2D({.kernel = 2}),
                           nn::Flatten(), nn::Dense(1600, 64), nn::ReLU(), nn::Dense(64, 10)},
            {28, 28, 1}};
  if (name == "lstm")
    return {nn::Sequential{nn::LSTM(8, 50, {.return_sequences = true}), nn::LSTM(50, 50), nn::Dense(50, 1)},
            {50, 8}};
  if (name == "mobilenet") return {nn::zoo::mobilenet_v1({.width = 0.25, .classes = 10}), {96, 96, 3}};
  fail<ValueError>("unknown workload ", name, ". There are: mlp, cnn, lstm, mobilenet.");
}

}  // namespace bench
