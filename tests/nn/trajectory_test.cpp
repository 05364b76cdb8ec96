// SPDX-License-Identifier: Apache-2.0
// Twenty steps of a convolutional and a recurrent net in f64 against PyTorch: tests/golden/*.json.
#include "golden/trajectory.h"
#include "linnet/nn/nn.h"

namespace linnet::test {
namespace {

TEST_CASE("twenty steps of a net with every kind of layer follow PyTorch to 1e-9") {
  int runs = 0;
  for (const nlohmann::json& golden : golden_cases("trajectories.json")) {
    const auto name = golden["name"].get<std::string>();
    if (!name.starts_with("cnn")) continue;  // tests/optim/trajectory_test.cpp
    CAPTURE(name);
    nn::Sequential model{nn::Conv2D(2, 4),
                         nn::ReLU(),
                         nn::MaxPool2D({.stride = Pair(1)}),
                         nn::Conv2D(4, 6, {.stride = 2, .padding = nn::same, .groups = 2}),
                         nn::Tanh(),
                         nn::Conv2D(6, 3, {.dilation = 2, .padding = 2, .bias = false}),
                         nn::AvgPool2D({.stride = Pair(1)}),
                         nn::Flatten(),
                         nn::Dense(12, 5)};
    model.to(f64);
    check_trajectory(golden, model.parameters(), [&](const Tensor& x) { return model(x); });
    ++runs;
  }
  CHECK(runs == 2);
}

TEST_CASE("twenty steps of LSTM and Dense with Adam follow PyTorch to 1e-9") {
  nn::Sequential model{nn::LSTM(3, 6), nn::Dense(6, 2)};
  model.to(f64);
  for (const nlohmann::json& golden : golden_cases("recurrent_trajectory.json"))
    check_trajectory(golden, model.parameters(), [&](const Tensor& x) { return model(x); });
}

}  // namespace
}  // namespace linnet::test
