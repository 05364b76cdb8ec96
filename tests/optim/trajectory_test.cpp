// SPDX-License-Identifier: Apache-2.0
// A small net trained in f64 against PyTorch: tests/golden/trajectories.json, 20 steps, and
// optimizers.json, 50.
#include <set>

#include "golden/trajectory.h"

namespace linnet::test {
namespace {

using nlohmann::json;

/// The net of the "mlp" cases, on plain tensors.
struct Mlp {
  NamedTensors parameters;

  explicit Mlp(const json& golden) {
    for (const auto& [name, values] : golden.at("start").items())
      parameters.emplace_back(name,
                              Tensor::zeros(golden_tensor(values, f64).shape(), f64).set_requires_grad(true));
  }
  const Tensor& operator[](const std::string& name) const {
    for (const auto& [key, tensor] : parameters)
      if (key == name) return tensor;
    throw ValueError("Mlp: no parameter " + name);
  }
  Tensor operator()(const Tensor& x) const {
    const Mlp& p = *this;
    return dense(tanh(dense(x, p["fc1.weight"], p["fc1.bias"])), p["fc2.weight"], p["fc2.bias"]);
  }
};

TEST_CASE("twenty steps of every optimizer, option and loss follow PyTorch to 1e-9") {
  int runs = 0;
  for (const json& golden : golden_cases("trajectories.json")) {
    const auto name = golden["name"].get<std::string>();
    if (!name.starts_with("mlp")) continue;  // tests/nn/trajectory_test.cpp
    CAPTURE(name);
    const Mlp net(golden);
    check_trajectory(golden, net.parameters, net);
    ++runs;
  }
  CHECK(runs == 13);
}

TEST_CASE("fifty steps of every optimizer that PyTorch has, with groups and a schedule, follow it to 1e-9") {
  std::set<std::string> seen;
  for (const json& golden : golden_cases("optimizers.json")) {
    CAPTURE(golden["name"].get<std::string>());
    const Mlp net(golden);
    check_trajectory(golden, net.parameters, net, 50);
    seen.insert(golden["optimizer"].get<std::string>());
  }
  CHECK(seen == std::set<std::string>{"Adagrad", "Adam", "AdamW", "NAdam", "RMSprop", "SGD"});
}

TEST_CASE("the trajectories tell every option of an optimizer from its default") {
  std::vector<json> all = golden_cases("trajectories.json").get<std::vector<json>>();
  for (const json& golden : golden_cases("optimizers.json"))
    if (!golden.contains("groups")) all.push_back(golden);
  for (const json& golden : all)
    for (const auto& option : golden["options"].items()) {
      if (option.key() == "lr") continue;
      json without = golden;
      without["options"].erase(option.key());
      if (option.key() == "momentum") without["options"].erase("nesterov");
      Tensor weight = golden_tensor(golden["start"].begin().value(), f64).set_requires_grad(true);
      Tensor other = weight.clone().set_requires_grad(true);
      const auto with_it = golden_optimizer(golden, {{"w", weight}}),
                 without_it = golden_optimizer(without, {{"w", other}});
      for (int step = 0; step < 20; ++step) {  // AMSGrad needs v to fall first
        with_it->zero_grad();
        without_it->zero_grad();
        backward(sum(square(weight)) + sum(weight));
        backward(sum(square(other)) + sum(other));
        with_it->step();
        without_it->step();
      }
      CAPTURE(golden["name"].get<std::string>() + " without " + option.key());
      CHECK_FALSE(difference(weight, other, tol::trajectory64).empty());
    }
}

}  // namespace
}  // namespace linnet::test
