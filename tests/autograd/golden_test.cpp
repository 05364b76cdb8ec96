// SPDX-License-Identifier: Apache-2.0
// Ops against PyTorch: tests/golden/ops.json, made by scripts/golden/basic.py. Other families have a file
// golden_<family>_test.cpp.
#include "golden/golden.h"

namespace linnet::test {
namespace {

using nlohmann::json;
using Input = GoldenInput;

Pool2DParams pool_params(const json& a) {
  return {.kernel = golden_pair(a["kernel"]),
          .stride = golden_pair(a["stride"]),
          .padding = golden_padding(a["padding"])};
}

const GoldenRuns& basic_runs() {
  static const GoldenRuns all{
      {"dense", [](const json&, const Input& in) { return dense(in("x"), in("weight"), in("bias")); }},
      {"conv2d",
       [](const json& a, const Input& in) {
         return conv2d(in("x"), in("weight"), in("bias"),
                       {.stride = golden_pair(a["stride"]),
                        .dilation = golden_pair(a["dilation"]),
                        .padding = golden_padding(a["padding"]),
                        .groups = a["groups"].get<std::int64_t>()});
       }},
      {"max_pool2d", [](const json& a, const Input& in) { return max_pool2d(in("x"), pool_params(a)); }},
      {"avg_pool2d", [](const json& a, const Input& in) { return avg_pool2d(in("x"), pool_params(a)); }},
      {"softmax", [](const json& a, const Input& in) { return softmax(in("x"), a["axis"].get<int>()); }},
      {"log_softmax",
       [](const json& a, const Input& in) { return log_softmax(in("x"), a["axis"].get<int>()); }},
      {"cross_entropy",
       [](const json&, const Input& in) { return cross_entropy(in("logits"), in("target")); }},
      {"mse", [](const json&, const Input& in) { return mse(in("prediction"), in("target")); }},
      {"mae", [](const json&, const Input& in) { return mae(in("prediction"), in("target")); }},
      {"bce_with_logits",
       [](const json&, const Input& in) { return bce_with_logits(in("logits"), in("target")); }},
  };
  return all;
}

TEST_CASE("ops and all their gradients agree with PyTorch") {
  check_golden_file("ops.json", basic_runs(), {"CrossEntropy"});  // a composition: tests/nn/loss_test.cpp
}

TEST_CASE("a golden case notices a wrong attribute") {
  for (json golden : golden_cases("ops.json"))
    if (golden["name"] == "conv same, stride 2, even size") {
      const Tensor x = golden_tensor(golden["inputs"]["x"], f64),
                   weight = golden_tensor(golden["inputs"]["weight"], f64),
                   bias = golden_tensor(golden["inputs"]["bias"], f64), y = golden_tensor(golden["y"], f64);
      // PyTorch's own symmetric padding gives the same size but other values: what `same` must not be.
      const Tensor symmetric = conv2d(x, weight, bias, {.stride = 2, .padding = 1});
      REQUIRE(symmetric.shape() == y.shape());
      CHECK_FALSE(difference(symmetric, y, tol::trajectory64).empty());
      return;
    }
  FAIL("the case is gone");
}

}  // namespace
}  // namespace linnet::test
