// SPDX-License-Identifier: Apache-2.0
// Activations, normalisation and embedding against PyTorch: tests/golden/norm.json, made by
// scripts/golden/norm.py.
#include "golden/golden.h"

namespace linnet::test {
namespace {

using nlohmann::json;
using Input = GoldenInput;

Tensor run_batch_norm(const json& a, const Input& in) {
  Tensor mean = in("running_mean").clone(), variance = in("running_var").clone();
  const Tensor y = batch_norm(in("x"), mean, variance, in("weight"), in("bias"),
                              {.eps = a["eps"].get<double>(), .momentum = a["momentum"].get<double>()},
                              a["training"].get<bool>());
  const Tolerance tolerance = mean.dtype() == f64 ? tol::trajectory64 : tol::f32;
  CHECK_CLOSE(mean, golden_tensor(a["after"]["running_mean"], f64), tolerance);
  CHECK_CLOSE(variance, golden_tensor(a["after"]["running_var"], f64), tolerance);
  return y;
}

Tensor run_embedding(const json& a, const Input& in) {
  std::optional<std::int64_t> padding;
  if (a.contains("padding_idx")) padding = a["padding_idx"].get<std::int64_t>();
  return embedding(in("indices"), in("weight"), padding);
}

const GoldenRuns& norm_runs() {
  static const GoldenRuns all{
      {"relu", [](const json&, const Input& in) { return relu(in("x")); }},
      {"leaky_relu", [](const json&, const Input& in) { return leaky_relu(in("x"), 0.125); }},
      {"sigmoid", [](const json&, const Input& in) { return sigmoid(in("x")); }},
      {"tanh", [](const json&, const Input& in) { return tanh(in("x")); }},
      {"relu6", [](const json&, const Input& in) { return relu6(in("x")); }},
      {"hard_swish", [](const json&, const Input& in) { return hard_swish(in("x")); }},
      {"silu", [](const json&, const Input& in) { return silu(in("x")); }},
      {"gelu", [](const json&, const Input& in) { return gelu(in("x")); }},
      {"softplus", [](const json&, const Input& in) { return softplus(in("x")); }},
      {"elu", [](const json& a, const Input& in) { return elu(in("x"), a["alpha"].get<double>()); }},
      {"prelu", [](const json&, const Input& in) { return prelu(in("x"), in("weight")); }},
      {"batch_norm", run_batch_norm},
      {"group_norm",
       [](const json& a, const Input& in) {
         return group_norm(in("x"), a["groups"].get<std::int64_t>(), in("weight"), in("bias"));
       }},
      {"layer_norm",
       [](const json& a, const Input& in) {
         return layer_norm(in("x"), a["axes"].get<int>(), in("weight"), in("bias"));
       }},
      {"embedding", run_embedding},
  };
  return all;
}

TEST_CASE("activations, normalisation and embedding, with all gradients, agree with PyTorch") {
  check_golden_file("norm.json", norm_runs());
}

}  // namespace
}  // namespace linnet::test
