// SPDX-License-Identifier: Apache-2.0
// linnet prune, cluster, distil and report, and what all four commands refuse.
#include <csignal>
#include <filesystem>
#include <set>

#include "linnet/core/constraint.h"
#include "linnet/linnet.h"
#include "tools/trained_shell.h"

namespace linnet::test {

TEST_CASE("what linnet prune and cluster make keeps its zeros and shared values, and says what it cost") {
  Trained shell;
  const auto pruned =
      figures(shell("prune a.ckpt --sparsity 0.8 --scope layer --epochs 1 --out b.ckpt" + kData));
  for (const char* key :
       {"test_accuracy_before", "test_accuracy", "difference", "difference_standard_error", "sparsity",
        "parameters", "macs", "linnet_bytes", "linnet_bytes_before", "latency_us"})
    CHECK_MESSAGE(pruned.contains(key), key);
  CHECK(pruned["sparsity"].get<double>() == doctest::Approx(0.8).epsilon(0.001));
  CHECK(pruned["difference"].get<double>() == doctest::Approx(pruned["test_accuracy"].get<double>() -
                                                              pruned["test_accuracy_before"].get<double>()));
  CHECK(figures(shell("eval b.ckpt --data synthetic --json"))["test_accuracy"] == pruned["test_accuracy"]);
  REQUIRE(shell("export b.ckpt --out b.linnet").code == 0);
  CHECK(pruned["linnet_bytes"] == std::filesystem::file_size(shell.path("b.linnet")));

  const auto shared =
      figures(shell("cluster b.ckpt --clusters 16 --epochs 1 --baseline a.ckpt --report r.svg "
                    "--report r.json --out c.ckpt" +
                    kData));
  CHECK(shared["test_accuracy_before"] == pruned["test_accuracy_before"]);
  CHECK(text_of(shell.path("r.svg")).starts_with("<svg"));
  CHECK(nlohmann::json::parse(text_of(shell.path("r.json")))["variants"].size() == 2);
  const State model = io::load(shell.path("c.ckpt"))["model"];
  for (const std::string name : {"1.weight", "4.weight"}) {
    CAPTURE(name);
    const Tensor weight = model[name].tensor();
    CHECK(zeros(weight) >= static_cast<std::int64_t>(0.799 * static_cast<double>(weight.size())));
    CHECK(distinct(weight).size() <= 17);  // 16 and 0
  }
  const std::string text = shell("inspect c.ckpt").out;
  CHECK(text.find("1.weight: 80.0 % held at 0, ") != std::string::npos);
  CHECK(text.find("compression: prune --sparsity 0.8 --scope layer; cluster --clusters 16\n") !=
        std::string::npos);
}

TEST_CASE("linnet prune --structured leaves a smaller network that is trained on and exported") {
  Shell shell;
  REQUIRE(shell("train mnist-cnn --data synthetic --limit 256 --epochs 1 --out a.ckpt").code == 0);
  const auto small =
      figures(shell("prune a.ckpt --structured --sparsity 0.5 --epochs 1 --limit 128 --data synthetic --out "
                    "b.ckpt --json"));
  CHECK(small["macs"].get<double>() < 0.55 * small["macs_before"].get<double>());
  CHECK(small["parameters"].get<int>() < 121'930 / 2);
  CHECK(figures(shell("eval b.ckpt --data synthetic --json"))["test_accuracy"] == small["test_accuracy"]);
  CHECK(shell("inspect b.ckpt --json").json()["macs"] == small["macs"]);
}

TEST_CASE("--sparsity 0 trains the float network on in the same way, for a fair comparison") {
  Trained shell;
  const auto more = figures(shell("prune a.ckpt --sparsity 0 --epochs 1 --out b.ckpt" + kData));
  CHECK(more["sparsity"] == 0.0);
  CHECK(more["linnet_bytes"].get<int>() <
        more["linnet_bytes_before"].get<int>() + 64);  // it says what was done
  CHECK(weights(shell, "b.ckpt") != weights(shell, "a.ckpt"));
}

TEST_CASE(
    "a polynomial schedule ends at its sparsity, with any number of threads, and over a stop and resume" *
    doctest::test_suite("long")) {
  Trained shell;
  const std::string run =
      "prune a.ckpt --sparsity 0.9 --schedule polynomial --frequency 4 --epochs 3 " + kData;
  CHECK(figures(shell(run + "--threads 1 --out one.ckpt"))["sparsity"].get<double>() ==
        doctest::Approx(0.9).epsilon(0.001));
  for (const std::string delay : {"0.15", "0.3", "0.6", "1.2"}) {  // until it is stopped after its first save
    const Outcome cut = shell(run + "--out cut.ckpt", "timeout --preserve-status -s TERM " + delay);
    CHECK((cut.code == 0 || cut.code == 128 + SIGTERM));
    if (shell.exists("cut.ckpt")) break;
  }
  REQUIRE(shell(run + "--out cut.ckpt --threads 2 --resume").code == 0);
  CHECK(weights(shell, "cut.ckpt") == weights(shell, "one.ckpt"));
  check_refused(
      shell("prune a.ckpt --sparsity 0.8 --epochs 3 --resume --out cut.ckpt" + kData),
      "linnet: resume: cut.ckpt was saved by a run with compression prune --sparsity 0.9 --schedule "
      "polynomial");
}

TEST_CASE("linnet distil trains a student of another recipe from a teacher") {
  Trained shell;
  const auto student = figures(shell("distil a.ckpt --student mnist-cnn --epochs 1 --out b.ckpt" + kData));
  CHECK(student["parameters"] == 121'930);
  CHECK(student["test_accuracy"].get<double>() > 0.3);
  CHECK(shell("inspect b.ckpt").out.find("compression: distil a.ckpt --temperature 4 --alpha 0.5\n") !=
        std::string::npos);
  check_refused(shell("distil a.ckpt --student har-conv --out c.ckpt" + kData),
                "linnet: distil: har-conv is for uci_har, the teacher a.ckpt for mnist. Take a student of "
                "the same data.\n");
  check_refused(shell("distil a.ckpt --student nothing --out c.ckpt" + kData),
                "unknown recipe nothing. There are: ");
}

TEST_CASE("--max-drop fails after the report and the checkpoint are written") {
  Trained shell;
  const Outcome lost =
      shell("prune a.ckpt --sparsity 0.99 --max-drop 0.5 --report r.json --out b.ckpt" + kData);
  CHECK(lost.code == 1);
  CHECK(lost.json()["test_accuracy"].get<double>() < 0.9 * lost.json()["test_accuracy_before"].get<double>());
  CHECK(lost.err.find(
            "points of accuracy are lost, --max-drop allows 0.5. Train longer (--epochs), or compress "
            "less.\n") != std::string::npos);
  CHECK(shell.exists("r.json"));
  CHECK(shell("eval b.ckpt --data synthetic").code == 0);
  CHECK(shell("prune a.ckpt --sparsity 0.99 --max-drop 100 --out b.ckpt" + kData).code == 0);
}

TEST_CASE(
    "compression that cannot work is refused with one line and exit code 2, and leaves nothing behind") {
  Trained shell;
  const auto refused = [&](const std::string& command, const std::string& text) {
    CAPTURE(command);
    check_refused(shell(command + kData + "--out new.ckpt"), text);
  };
  refused("prune a.ckpt",
          "prune: nothing says how much is to go. Give --sparsity, --threshold or --n-of-m.\n");
  refused("prune a.ckpt --sparsity 1", "--sparsity: expected a number of 0 or more, below 1, got 1.");
  refused("prune a.ckpt --sparsity 0.5 --threshold 0.1", "--sparsity excludes --threshold.");
  refused("prune a.ckpt --n-of-m 4",
          "prune: --n-of-m takes two numbers such as 2:4, the first smaller, got 4.\n");
  refused("prune a.ckpt --n-of-m 4:2",
          "prune: --n-of-m takes two numbers such as 2:4, the first smaller, got 4:2.\n");
  refused("prune a.ckpt --sparsity 0.5 --block 4x1", "prune: --block takes 1xN, such as 1x4, got 4x1.\n");
  refused("prune a.ckpt --structured --threshold 0.1", "--structured");
  refused("prune a.ckpt --sparsity 0.5 --schedule polynomial",
          "prune: --schedule polynomial prunes while training. Give --epochs, too.\n");
  refused("prune a.ckpt --sparsity 0.5 --layers 'conv.*'", "nothing matches \"conv.*\"");
  refused("prune a.ckpt --sparsity 0.5 --epochs 1 --schedule polynomial --initial-sparsity 0.6",
          "prune: --initial-sparsity 0.6 is above --sparsity 0.5. Weights that went do not come back.\n");
  refused("prune a.ckpt --sparsity 0.5 --frequency 5", "--frequency requires --schedule.");
  refused("prune a.ckpt --sparsity 0.5 --lr 0.1",
          "prune: --lr is about training, and nothing is trained. Give --epochs too, or leave it out.\n");
  refused(
      "cluster a.ckpt --clusters 4 --resume",
      "cluster: --resume is about training, and nothing is trained. Give --epochs too, or leave it out.\n");
  refused("quantize a.ckpt --batch 8",
          "quantize: --batch is about training, and nothing is trained. Give --qat too, or leave it out.\n");
  refused("quantize a.ckpt --mode f16 --sensitive 1",
          "quantize: --mode f16 rounds every parameter. Leave out --keep-float and --sensitive.\n");
  refused("prune missing.ckpt --sparsity 0.5", "missing.ckpt: cannot be read. Is the name right?\n");
  refused("cluster a.ckpt", "--clusters is required.");
  refused("cluster a.ckpt --clusters 1", "--clusters");
  refused("cluster a.ckpt --clusters 16 --start best", "--start");
  refused("quantize a.ckpt --mode int2", "--mode");
  refused("quantize a.ckpt --mode f16 --qat",
          "quantize: there is no --qat for f16: halves need none. Leave it out.\n");
  refused("quantize a.ckpt --qat --sensitive 2", "excludes --");
  refused("quantize a.ckpt --qat --calibrate 64", "excludes --");
  refused("quantize a.ckpt --epochs 2", "quantize: --epochs is for --qat. Give both or neither.\n");
  refused("quantize a.ckpt --max-drop -1", "--max-drop: expected a number of 0 or more, got -1.");
  refused("distil a.ckpt --student mnist-mlp --alpha 2", "--alpha");
  refused("prune a.ckpt --sparsity 0.5 --report a.ckpt", "prune: a.ckpt would be written over itself.");
  refused("prune a.ckpt --sparsity 0.5 --report new.ckpt", "prune: new.ckpt would be written over itself.");
  refused("prune a.ckpt --sparsity 0.5 --report no/r.svg", "prune: the folder of no/r.svg does not exist.");
  check_refused(shell("prune a.ckpt --sparsity 0.5 --out a.ckpt" + kData),
                "linnet: prune: a.ckpt would be written over itself. Give another name.\n");
  CHECK_FALSE(shell.exists("new.ckpt"));
}

TEST_CASE("linnet report puts checkpoints side by side") {
  Shell shell;
  for (const std::string name : {"a", "b"})
    REQUIRE(shell("train mnist-mlp --data synthetic --limit 640 --epochs 1 --out " + name + ".ckpt --seed " +
                  std::to_string(name[0]))
                .code == 0);
  const nlohmann::json table = shell("report a.ckpt b.ckpt --data synthetic --report r.svg --json").json();
  REQUIRE(table["variants"].size() == 2);
  CHECK(table["variants"][1]["name"] == "b");
  REQUIRE(shell("export b.ckpt --out b.linnet").code == 0);
  CHECK(table["variants"][1]["bytes"] == std::filesystem::file_size(shell.path("b.linnet")));
  CHECK(table["variants"][1]["accuracy"] ==
        shell("eval b.ckpt --data synthetic --json").json()["test_accuracy"]);
  CHECK(text_of(shell.path("r.svg")).find(">b</text>") != std::string::npos);
  CHECK(shell("report a.ckpt b.ckpt --data synthetic").out.starts_with("model  "));

  nn::Sequential other{nn::Flatten(), nn::Dense(12, 10)};
  io::save(shell.path("other.ckpt"),
           {{"model", other.state()}, {"graph", graph::trace(other, {1, 2, 2, 3}).state()}});
  check_refused(
      shell("report a.ckpt other.ckpt --data synthetic"),
      "linnet: report: other.ckpt takes samples of shape [2, 2, 3], a.ckpt of [28, 28, 1]. Report on "
      "models of the same data.\n");
  check_refused(shell("report a.ckpt --data synthetic --report a.ckpt"),
                "linnet: report: a.ckpt would be written over itself. Give another name.\n");
}

TEST_CASE("linnet inspect shows zeros that are held and values that are shared") {
  Shell shell;
  nn::Sequential model{nn::Dense(4, 3)};
  const Tensor weight = model.parameters()[0].second;
  Tensor mask = Tensor::ones({3, 4}, u8), groups = Tensor::zeros({3, 4}, u8);
  for (int i = 0; i < 6; ++i) mask.mutable_data<std::uint8_t>()[i] = 0;
  for (int i = 6; i < 12; ++i) groups.mutable_data<std::uint8_t>()[i] = static_cast<std::uint8_t>(i % 2);
  set_constraint(weight, {mask, groups});
  io::save(shell.path("a.ckpt"), {{"model", model.state()}, {"graph", graph::trace(model, {1, 4}).state()}});
  CHECK(shell("inspect a.ckpt").out.find("0.weight: 50.0 % held at 0, 2 shared values\n") !=
        std::string::npos);
  const nlohmann::json shown = shell("inspect a.ckpt --json").json();
  CHECK(shown["masked_parameters"] == 6);
  CHECK(shown["shared_values"] == 2);
  CHECK(shown["nonzero_parameters"] == 6);  // the biases are 0
  CHECK(shown["quantized_weights"] == 0);
}

}  // namespace linnet::test
