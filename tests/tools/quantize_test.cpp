// SPDX-License-Identifier: Apache-2.0
// linnet quantize: what it makes is run by the integer engine.
#include <cmath>
#include <set>

#include "linnet/core/quantizer.h"
#include "linnet/linnet.h"
#include "tools/trained_shell.h"

namespace linnet::test {

TEST_CASE(
    "prune, cluster and quantize --qat, one after the other: zeros, shared values and integers are all "
    "there") {
  Trained shell;
  const auto pruned =
      figures(shell("prune a.ckpt --sparsity 0.8 --scope layer --epochs 1 --out b.ckpt" + kData));
  const auto shared = figures(shell("cluster b.ckpt --clusters 16 --epochs 1 --out c.ckpt" + kData));
  CHECK(shared["linnet_bytes"].get<int>() < pruned["linnet_bytes"].get<int>());
  const auto small = figures(
      shell("quantize c.ckpt --qat --epochs 1 --baseline a.ckpt --report r.svg --report r.json --out d.ckpt" +
            kData));
  CHECK(small["test_accuracy_before"] == pruned["test_accuracy_before"]);
  CHECK(small["test_accuracy"].get<double>() > 0.5);
  CHECK(text_of(shell.path("r.svg")).starts_with("<svg"));
  CHECK(nlohmann::json::parse(text_of(shell.path("r.json")))["variants"].size() == 2);

  // What is exported has the bytes and, run by the runtime, the accuracy that the command printed.
  CHECK(figures(shell("export d.ckpt --out d.linnet --json"))["file_bytes"] == small["linnet_bytes"]);
  const Outcome evaluated = shell("eval d.ckpt --data synthetic --json");
  CHECK(figures(evaluated)["test_accuracy"] == small["test_accuracy"]);
  CHECK(evaluated.err.find("quantized: evaluated as exported, by the integer engine\n") != std::string::npos);
  CHECK(figures(shell("eval d.linnet --data synthetic --json"))["test_accuracy"] == small["test_accuracy"]);

  const State model = io::load(shell.path("d.ckpt"))["model"];
  for (const std::string name : {"1.weight", "4.weight"}) {
    CAPTURE(name);
    const Tensor weight = model[name].tensor();
    CHECK(zeros(weight) >= static_cast<std::int64_t>(0.799 * static_cast<double>(weight.size())));
    CHECK(distinct(weight).size() <= 17);  // 16 and 0
    const Tensor range = model[name + "/range"].tensor();
    REQUIRE(range.size() == 1);  // one scale: 16 values stay 16 integers
    const Quantizer q = symmetric_quantizer(range.item(), 8);
    std::set<long> integers;
    for (const float value : weight.data<float>())
      integers.insert(std::clamp(std::lrint(value / q.scale), -127L, 127L));
    CHECK(integers.size() <= 17);
  }
  const std::string text = shell("inspect d.ckpt").out;
  CHECK(text.find("1.weight: 80.0 % held at 0, ") != std::string::npos);
  CHECK(
      text.find("compression: prune --sparsity 0.8 --scope layer; cluster --clusters 16; quantize --qat\n") !=
      std::string::npos);
  const auto shown = shell("inspect d.ckpt --json").json();
  CHECK(shown["shared_values"].get<int>() <= 16);
  CHECK(shown["quantized_weights"] == 2);
}

TEST_CASE(
    "every mode of linnet quantize leaves a checkpoint that evaluates and exports, smaller than float") {
  Trained shell;
  for (const std::string mode : {"static", "dynamic", "weight-int8", "weight-int4", "f16"}) {
    CAPTURE(mode);
    const auto small =
        figures(shell("quantize a.ckpt --mode " + mode + " --calibrate 128 --out b.ckpt" + kData));
    CHECK(small["linnet_bytes"].get<double>() < 0.6 * small["linnet_bytes_before"].get<double>());
    CHECK(small["test_accuracy"].get<double>() > small["test_accuracy_before"].get<double>() - 0.05);
    CHECK(figures(shell("eval b.ckpt --data synthetic --json"))["test_accuracy"] == small["test_accuracy"]);
    CHECK(shell("export b.ckpt --out b.linnet").code == 0);
  }
}

}  // namespace linnet::test
