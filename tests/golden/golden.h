// SPDX-License-Identifier: Apache-2.0
#pragma once
// Reads the numbers that scripts/make_golden.py wrote, one file a family.

#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "linnet/autograd/autograd.h"
#include "linnet/autograd/ops.h"
#include "linnet/core/tensor.h"
#include "support/check_close.h"

namespace linnet::test {

/// The cases of tests/golden/<file>.
inline nlohmann::json golden_cases(const std::string& file) {
  std::ifstream in(std::string(LINNET_SOURCE_DIR) + "/tests/golden/" + file);
  return nlohmann::json::parse(in).at("cases");
}

inline Tensor golden_tensor(const nlohmann::json& json, DType dtype) {
  const auto sizes = json.at("shape").get<std::vector<std::int64_t>>();
  const Shape shape{std::span<const std::int64_t>(sizes)};
  if (json.contains("labels")) return Tensor::from(json["labels"].get<std::vector<std::int64_t>>(), shape);
  const bool given = json.contains("over_1024");
  auto values = json.at(given ? "over_1024" : "values").get<std::vector<double>>();
  if (given)
    for (double& value : values) value /= 1024.0;
  return Tensor::from(values, shape).to(dtype);
}

inline Pair golden_pair(const nlohmann::json& json) {
  return {json.at(0).get<std::int64_t>(), json.at(1).get<std::int64_t>()};
}

inline Padding golden_padding(const nlohmann::json& json) {
  if (json == "same") return Padding::same_size();
  const auto sides = json.get<std::vector<std::int64_t>>();
  return {sides.at(0), sides.at(1), sides.at(2), sides.at(3)};
}

/// Runs one case in one type: y and, through backward with the case's dy, every gradient. `run`
/// is given the inputs by name; one that is not in the case is undefined.
template <class Run>
void check_golden_case(const nlohmann::json& golden, DType dtype, Run&& run) {
  // Printed with 11 digits. Sums here have fewer than 256 terms, of size below 4.
  const Tolerance tolerance = dtype == f64 ? tol::trajectory64 : tol::f32_accumulated(16 * 256);
  std::vector<std::pair<std::string, Tensor>> inputs;
  for (const auto& [name, values] : golden.at("inputs").items()) {
    inputs.emplace_back(name, golden_tensor(values, dtype));
    if (golden.at("gradients").contains(name)) inputs.back().second.set_requires_grad(true);
  }
  const auto input = [&](const std::string& name) {
    for (const auto& [key, tensor] : inputs)
      if (key == name) return tensor;
    return Tensor();
  };

  const Tensor y = run(input);
  CHECK_CLOSE(y, golden_tensor(golden.at("y"), f64), tolerance);
  backward(y, {.gradient = golden_tensor(golden.at("dy"), dtype)});
  for (const auto& gradient : golden.at("gradients").items()) {
    CAPTURE(gradient.key());
    const Tensor actual = input(gradient.key()).grad();
    REQUIRE(actual.defined());
    CHECK_CLOSE(actual, golden_tensor(gradient.value(), f64), tolerance);
  }
}

using GoldenInput = std::function<Tensor(const std::string& name)>;
/// How to run the cases of an op: tensor results only, inputs by name.
using GoldenRuns =
    std::map<std::string, std::function<Tensor(const nlohmann::json& attributes, const GoldenInput& in)>>;

/// Every case of tests/golden/<file> in f64 and f32. Fails for an op without a run, and for a run without a
/// case. Cases of the ops in `elsewhere` belong to another test.
inline void check_golden_file(const std::string& file, const GoldenRuns& runs,
                              const std::set<std::string>& elsewhere = {}) {
  std::set<std::string> seen;
  for (const nlohmann::json& golden : golden_cases(file)) {
    const auto op = golden["op"].get<std::string>();
    if (elsewhere.count(op)) continue;
    REQUIRE_MESSAGE(runs.count(op) == 1, file, " has an op that this test cannot run: ", op);
    seen.insert(op);
    for (const DType dtype : {f64, f32}) {
      const auto name = golden["name"].get<std::string>() + (dtype == f64 ? " in f64" : " in f32");
      CAPTURE(name);
      check_golden_case(golden, dtype,
                        [&](const GoldenInput& in) { return runs.at(op)(golden["attributes"], in); });
    }
  }
  for (const auto& run : runs) CHECK_MESSAGE(seen.count(run.first) == 1, "no golden case for ", run.first);
}

}  // namespace linnet::test
