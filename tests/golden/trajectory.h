// SPDX-License-Identifier: Apache-2.0
#pragma once
// Repeats a run of tests/golden/trajectories.json: the same start, data, loss and optimizer.

#include <functional>
#include <map>
#include <memory>

#include "golden/golden.h"
#include "linnet/optim/optim.h"

namespace linnet::test {

inline std::unique_ptr<optim::Optimizer> golden_optimizer(const nlohmann::json& golden,
                                                          const NamedTensors& parameters) {
  const nlohmann::json& given = golden.at("options");
  if (golden.at("optimizer") == "SGD")
    return std::make_unique<optim::SGD>(parameters,
                                        optim::SgdOptions{.lr = given.at("lr").get<double>(),
                                                          .momentum = given.value("momentum", 0.0),
                                                          .dampening = given.value("dampening", 0.0),
                                                          .weight_decay = given.value("weight_decay", 0.0),
                                                          .nesterov = given.value("nesterov", false)});
  optim::AdamOptions options{.lr = given.at("lr").get<double>(),
                             .weight_decay = given.value("weight_decay", 0.0)};
  if (given.contains("betas")) {
    options.beta1 = given["betas"].at(0).get<double>();
    options.beta2 = given["betas"].at(1).get<double>();
  }
  options.eps = given.value("eps", options.eps);
  return std::make_unique<optim::Adam>(parameters, options);
}

/// Copies the case's starting values into the parameters, trains, and compares every loss and the parameters
/// at the end. `parameters` are f64 and in any order.
inline void check_trajectory(const nlohmann::json& golden, NamedTensors parameters,
                             const std::function<Tensor(const Tensor& x)>& forward) {
  static const std::map<std::string, Tensor (*)(const Tensor&, const Tensor&)> losses{
      {"cross_entropy", cross_entropy}, {"mse", mse}, {"mae", mae}, {"bce_with_logits", bce_with_logits}};
  REQUIRE(parameters.size() == golden.at("start").size());
  for (auto& [name, parameter] : parameters) parameter.copy_(golden_tensor(golden.at("start").at(name), f64));

  const Tensor x = golden_tensor(golden.at("x"), f64), target = golden_tensor(golden.at("target"), f64);
  const auto optimizer = golden_optimizer(golden, parameters);
  std::vector<double> values;
  while (values.size() < golden.at("losses").at("values").size()) {
    optimizer->zero_grad();
    const Tensor loss = losses.at(golden.at("loss").get<std::string>())(forward(x), target);
    backward(loss);
    optimizer->step();
    values.push_back(loss.item());
  }
  REQUIRE(values.size() == 20);
  CHECK_CLOSE(values, golden_tensor(golden.at("losses"), f64).data<double>(), tol::trajectory64);
  for (const NamedTensor& parameter : parameters) {
    CAPTURE(parameter.first);
    CHECK_CLOSE(parameter.second, golden_tensor(golden.at("end").at(parameter.first), f64),
                tol::trajectory64);
  }
}

}  // namespace linnet::test
