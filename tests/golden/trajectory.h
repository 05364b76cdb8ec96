// SPDX-License-Identifier: Apache-2.0
#pragma once
// Repeats a run of tests/golden/trajectories.json: the same start, data, loss and optimizer.

#include <functional>
#include <map>
#include <memory>

#include "golden/golden.h"
#include "linnet/optim/optim.h"

namespace linnet::test {

/// The members that the options of Adam, AdamW and NAdam share.
template <class Options>
Options golden_moments(const nlohmann::json& given, Options options) {
  if (given.contains("betas")) {
    options.beta1 = given["betas"].at(0).get<double>();
    options.beta2 = given["betas"].at(1).get<double>();
  }
  options.eps = given.value("eps", options.eps);
  return options;
}

inline std::vector<optim::ParameterGroup> golden_groups(const nlohmann::json& golden) {
  std::vector<optim::ParameterGroup> groups;
  if (!golden.contains("groups")) return groups;
  for (const nlohmann::json& given : golden["groups"]) {
    optim::ParameterGroup group{.pattern = given.at("pattern").get<std::string>(),
                                .frozen = given.value("frozen", false)};
    if (given.contains("lr")) group.lr = given["lr"].get<double>();
    if (given.contains("weight_decay")) group.weight_decay = given["weight_decay"].get<double>();
    groups.push_back(group);
  }
  return groups;
}

template <class Optimizer, class Options>
std::unique_ptr<optim::Optimizer> golden_make(const nlohmann::json& golden, const NamedTensors& parameters,
                                              Options options) {
  const nlohmann::json& given = golden.at("options");
  options.lr = given.at("lr").get<double>();
  options.weight_decay = given.value("weight_decay", options.weight_decay);
  options.groups = golden_groups(golden);
  return std::make_unique<Optimizer>(parameters, options);
}

/// The optimizer of a case, by PyTorch's names.
inline std::unique_ptr<optim::Optimizer> golden_optimizer(const nlohmann::json& golden,
                                                          const NamedTensors& parameters) {
  using namespace optim;
  const nlohmann::json& o = golden.at("options");
  const auto kind = golden.at("optimizer").get<std::string>();
  if (kind == "SGD")
    return golden_make<SGD>(golden, parameters,
                            SgdOptions{.momentum = o.value("momentum", 0.0),
                                       .dampening = o.value("dampening", 0.0),
                                       .nesterov = o.value("nesterov", false)});
  if (kind == "Adam")
    return golden_make<Adam>(golden, parameters,
                             golden_moments(o, AdamOptions{.amsgrad = o.value("amsgrad", false)}));
  if (kind == "AdamW")
    return golden_make<AdamW>(golden, parameters,
                              golden_moments(o, AdamWOptions{.amsgrad = o.value("amsgrad", false)}));
  if (kind == "NAdam")
    return golden_make<NAdam>(
        golden, parameters,
        golden_moments(o, NAdamOptions{.momentum_decay = o.value("momentum_decay", 4e-3)}));
  if (kind == "RMSprop")
    return golden_make<RMSprop>(golden, parameters,
                                RMSpropOptions{.alpha = o.value("alpha", 0.99),
                                               .eps = o.value("eps", 1e-8),
                                               .momentum = o.value("momentum", 0.0),
                                               .centered = o.value("centered", false)});
  REQUIRE(kind == "Adagrad");
  return golden_make<Adagrad>(golden, parameters,
                              AdagradOptions{.lr_decay = o.value("lr_decay", 0.0),
                                             .eps = o.value("eps", 1e-10),
                                             .initial = o.value("initial_accumulator_value", 0.0)});
}

/// Copies the case's starting values into the parameters, trains, and compares every loss and the parameters
/// at the end. `parameters` are f64 and in any order. A case with "gamma" has an exponential schedule.
inline void check_trajectory(const nlohmann::json& golden, NamedTensors parameters,
                             const std::function<Tensor(const Tensor& x)>& forward, std::size_t steps = 20) {
  static const std::map<std::string, Tensor (*)(const Tensor&, const Tensor&)> losses{
      {"cross_entropy", cross_entropy}, {"mse", mse}, {"mae", mae}, {"bce_with_logits", bce_with_logits}};
  REQUIRE(parameters.size() == golden.at("start").size());
  for (auto& [name, parameter] : parameters) parameter.copy_(golden_tensor(golden.at("start").at(name), f64));

  const Tensor x = golden_tensor(golden.at("x"), f64), target = golden_tensor(golden.at("target"), f64);
  const auto optimizer = golden_optimizer(golden, parameters);
  optim::Schedule schedule = optim::exponential_lr({.gamma = golden.value("gamma", 1.0)});
  std::vector<double> values;
  while (values.size() < golden.at("losses").at("values").size()) {
    optimizer->zero_grad();
    const Tensor loss = losses.at(golden.at("loss").get<std::string>())(forward(x), target);
    backward(loss);
    optimizer->set_lr_factor(schedule.factor());
    optimizer->step();
    schedule.step();
    values.push_back(loss.item());
  }
  REQUIRE(values.size() == steps);
  CHECK_CLOSE(values, golden_tensor(golden.at("losses"), f64).data<double>(), tol::trajectory64);
  for (const NamedTensor& parameter : parameters) {
    CAPTURE(parameter.first);
    CHECK_CLOSE(parameter.second, golden_tensor(golden.at("end").at(parameter.first), f64),
                tol::trajectory64);
  }
}

}  // namespace linnet::test
