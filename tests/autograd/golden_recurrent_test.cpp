// SPDX-License-Identifier: Apache-2.0
// rnn, gru and lstm against PyTorch: tests/golden/recurrent.json.
#include "golden/golden.h"

namespace linnet::test {
namespace {

RecurrentParams params(const nlohmann::json& a, const GoldenInput& in) {
  return {.h = in("h"),
          .c = in("c"),
          .reverse = a["reverse"].get<bool>(),
          .sequence = a["sequence"].get<bool>(),
          .cell_row = a["cell_row"].get<bool>(),
          .relu = a["relu"].get<bool>()};
}

TEST_CASE("rnn, gru, lstm and all their gradients agree with PyTorch") {
  check_golden_file("recurrent.json",
                    {{"rnn",
                      [](const nlohmann::json& a, const GoldenInput& in) {
                        return rnn(in("x"), in("weight_x"), in("weight_h"), in("bias"), params(a, in));
                      }},
                     {"gru",
                      [](const nlohmann::json& a, const GoldenInput& in) {
                        return gru(in("x"), in("weight_x"), in("weight_h"), in("bias"), in("bias_h"),
                                   params(a, in));
                      }},
                     {"lstm", [](const nlohmann::json& a, const GoldenInput& in) {
                        return lstm(in("x"), in("weight_x"), in("weight_h"), in("bias"), params(a, in));
                      }}});
}

}  // namespace
}  // namespace linnet::test
