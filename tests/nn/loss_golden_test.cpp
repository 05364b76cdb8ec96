// SPDX-License-Identifier: Apache-2.0
// Losses and loss objects against PyTorch: tests/golden/loss.json, made by scripts/golden/loss.py.
#include <functional>
#include <map>
#include <set>

#include "golden/golden.h"
#include "linnet/nn/loss.h"
#include "linnet/optim/optim.h"

namespace linnet::test {
namespace {

using nlohmann::json;
using Input = std::function<Tensor(const std::string&)>;
using Run = std::function<Tensor(const json& attributes, const Input& in)>;

/// A plain function of (prediction or logits, target).
Run plain(Tensor (*loss)(const Tensor&, const Tensor&)) {
  return [=](const json&, const Input& in) {
    return loss(in("prediction").defined() ? in("prediction") : in("logits"), in("target"));
  };
}

nn::FocalLossOptions focal_options(const json& a, const Input& in) {
  nn::FocalLossOptions options{.gamma = a["gamma"].get<double>(), .class_weights = in("weight")};
  if (a.contains("alpha")) options.alpha = a["alpha"].get<double>();
  return options;
}

const std::map<std::string, Run>& runs() {
  static const std::map<std::string, Run> all{
      {"huber", plain(huber)},
      {"hinge", plain(hinge)},
      {"kl_div", plain(kl_div)},
      {"cosine_loss", plain(cosine_loss)},
      {"focal", plain(focal)},
      {"MSE",
       [](const json&, const Input& in) {
         return nn::MSE()(in("prediction"), in("target"), in("sample_weights"));
       }},
      {"MAE",
       [](const json&, const Input& in) {
         return nn::MAE()(in("prediction"), in("target"), in("sample_weights"));
       }},
      {"KLDiv",
       [](const json&, const Input& in) {
         return nn::KLDiv()(in("prediction"), in("target"), in("sample_weights"));
       }},
      {"CosineLoss",
       [](const json&, const Input& in) {
         return nn::CosineLoss()(in("prediction"), in("target"), in("sample_weights"));
       }},
      {"Huber",
       [](const json& a, const Input& in) {
         return nn::Huber({.delta = a["delta"].get<double>()})(in("prediction"), in("target"),
                                                               in("sample_weights"));
       }},
      {"CrossEntropy",
       [](const json& a, const Input& in) {
         return nn::CrossEntropy(
             {.label_smoothing = a["label_smoothing"].get<double>(), .class_weights = in("weight")})(
             in("logits"), in("target"), in("sample_weights"));
       }},
      {"BCEWithLogits",
       [](const json& a, const Input& in) {
         return nn::BCEWithLogits(
             {.label_smoothing = a["label_smoothing"].get<double>(), .pos_weight = in("weight")})(
             in("logits"), in("target"), in("sample_weights"));
       }},
      {"FocalLoss",
       [](const json& a, const Input& in) {
         return nn::FocalLoss(focal_options(a, in))(in("logits"), in("target"), in("sample_weights"));
       }},
  };
  return all;
}

TEST_CASE("losses, loss objects and their gradients agree with PyTorch") {
  std::set<std::string> seen;
  for (const json& golden : golden_cases("loss.json")) {
    const auto op = golden["op"].get<std::string>();
    if (op == "trajectory") continue;
    REQUIRE_MESSAGE(runs().count(op) == 1, "loss.json has a loss that this test cannot run: ", op);
    seen.insert(op);
    for (const DType dtype : {f64, f32}) {
      const auto name = golden["name"].get<std::string>() + (dtype == f64 ? " in f64" : " in f32");
      CAPTURE(name);
      check_golden_case(golden, dtype,
                        [&](const Input& in) { return runs().at(op)(golden["attributes"], in); });
    }
  }
  for (const auto& run : runs()) CHECK_MESSAGE(seen.count(run.first) == 1, "no golden case for ", run.first);
}

TEST_CASE("twenty steps with every new loss follow PyTorch to 1e-9") {
  const std::map<std::string, Tensor (*)(const Tensor&, const Tensor&)> losses{
      {"huber", huber},
      {"hinge", hinge},
      {"focal", focal},
      {"focal of labels", focal},
      {"kl_div", [](const Tensor& z, const Tensor& t) { return kl_div(log_softmax(z), t); }},
      {"cosine_loss", cosine_loss}};
  std::size_t trained = 0;
  for (const json& golden : golden_cases("loss.json")) {
    if (golden["op"] != "trajectory") continue;
    CAPTURE(golden["name"].get<std::string>());
    const Tensor x = golden_tensor(golden["x"], f64), target = golden_tensor(golden["target"], f64);
    Tensor weight = golden_tensor(golden["start"], f64).clone().set_requires_grad(true);
    optim::SGD sgd({{"weight", weight}}, {.lr = 0.125, .momentum = 0.5});
    std::vector<double> values;
    for (int step = 0; step < 20; ++step) {
      sgd.zero_grad();
      const Tensor loss = losses.at(golden["name"].get<std::string>())(dense(x, weight), target);
      backward(loss);
      sgd.step();
      values.push_back(loss.item());
    }
    CHECK_CLOSE(values, golden_tensor(golden["losses"], f64).data<double>(), tol::trajectory64);
    CHECK_CLOSE(weight.detach(), golden_tensor(golden["end"], f64), tol::trajectory64);
    ++trained;
  }
  CHECK(trained == losses.size());
}

}  // namespace
}  // namespace linnet::test
