// SPDX-License-Identifier: Apache-2.0
// The linnet command as a stranger uses it: figures, exit codes, messages, and what is left on disk.
#include <csignal>
#include <filesystem>

#include "deploy/board.h"
#include "linnet/io/npy.h"
#include "linnet/io/sha256.h"
#include "linnet/linnet.h"
#include "tools/shell.h"

using namespace linnet;
using namespace linnet::test;

TEST_CASE("train, eval, export, run and inspect work together and print the documented figures") {
  Shell shell;
  Outcome trained = shell(kQuick + "--out a.ckpt --history h.jsonl");
  REQUIRE(trained.code == 0);
  for (const char* key :
       {"test_accuracy", "epochs", "train_seconds", "samples_per_second", "peak_rss_bytes", "parameters"})
    CHECK_MESSAGE(trained.json().contains(key), key);
  CHECK(trained.json()["parameters"] == 101770);
  CHECK(trained.json()["test_accuracy"].get<double>() > 0.5);
  CHECK(shell.exists("h.jsonl"));

  Outcome evaluated = shell("eval a.ckpt --data synthetic --json");
  REQUIRE(evaluated.code == 0);
  CHECK(evaluated.json()["test_accuracy"] == trained.json()["test_accuracy"]);
  CHECK(evaluated.json()["file_bytes"] == std::filesystem::file_size(shell.path("a.ckpt")));

  Outcome exported = shell("export a.ckpt --format linnet --out a.linnet --json");
  REQUIRE(exported.code == 0);
  CHECK(exported.json()["ops"].get<int>() >= 3);
  CHECK(shell("eval a.linnet --data synthetic --json").json()["test_accuracy"] ==
        trained.json()["test_accuracy"]);
  const auto share = train::Estimate::of_share(trained.json()["test_accuracy"].get<double>(), 2000);
  CHECK(shell("eval a.linnet --data synthetic").out.starts_with("test_accuracy: " + share.text() + "\n"));

  io::write_npy(shell.path("x.npy"), test::random_tensor({28, 28, 1}, 3, 0.0, 1.0));
  Outcome run = shell("run a.linnet --input x.npy --out y.npy --repeat 20 --json");
  REQUIRE(run.code == 0);
  CHECK(run.json()["output"].size() == 10);
  CHECK(run.json()["latency_us_p99"].get<double>() >= run.json()["latency_us_median"].get<double>());
  CHECK(io::read_npy(shell.path("y.npy")).shape() == Shape{1, 10});

  nlohmann::json checkpoint = shell("inspect a.ckpt --json").json(),
                 model = shell("inspect a.linnet --json").json();
  CHECK(checkpoint["kind"] == "checkpoint");
  CHECK(checkpoint["macs"] == 101632);
  CHECK(model["weights_sha256"] == checkpoint["weights_sha256"]);
  CHECK(model["writer"] == "linnet " LINNET_VERSION);
  const std::vector<std::uint8_t> bytes = test::read_bytes(shell.path("a.ckpt"));
  CHECK(model["checkpoint_sha256"] == io::sha256(std::as_bytes(std::span(bytes))));
  CHECK(model["golden_cases"] == 8);
  CHECK(model["golden_failed"] == 0);
  CHECK(shell("inspect a.linnet").out.find("golden cases: 8 of 8 right\n") != std::string::npos);
  CHECK(shell("info --json").json().contains("simd"));
}

TEST_CASE("the output of linnet run agrees with the training side within 1e-5 of its largest element") {
  for (const std::string recipe : {"mnist-mlp", "mnist-cnn"}) {
    CAPTURE(recipe);
    Shell shell;
    REQUIRE(shell("train " + recipe + " --data synthetic --limit 256 --epochs 1 --out a.ckpt").code == 0);
    REQUIRE(shell("export a.ckpt --out a.linnet --ops-file ops.cfg").code == 0);
    REQUIRE(shell("export a.ckpt --out plain.linnet --layout plain").code == 0);
    CHECK(shell.exists("ops.cfg"));
    State saved = io::load(shell.path("a.ckpt"));
    graph::GraphModule model = graph::GraphModule::from(saved["graph"], saved["model"]);
    model.eval();
    NoGrad no_grad;
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
      Tensor x = test::random_tensor({28, 28, 1}, seed, 0.0, 1.0);
      io::write_npy(shell.path("x.npy"), x);
      Tensor expected = model(x.view({1, 28, 28, 1}));
      double largest = max(abs(expected)).item();
      for (const std::string file : {"a.linnet", "plain.linnet"}) {
        REQUIRE(shell("run " + file + " --input x.npy --out y.npy").code == 0);
        CHECK_CLOSE(io::read_npy(shell.path("y.npy")), expected, (test::Tolerance{1e-5 * largest, 0.0}));
      }
    }
    Outcome both[] = {shell("eval a.ckpt --data synthetic --json"),
                      shell("eval a.linnet --data synthetic --json")};
    CHECK(both[0].json()["test_accuracy"] == both[1].json()["test_accuracy"]);
    CHECK(shell("inspect a.linnet --json").json()["kind"] == "linnet");
  }
}

TEST_CASE("an export whose outputs are not those of training is refused and leaves nothing on disk") {
  Shell shell;
  nn::Sequential model{nn::Dense(4, 1), nn::BatchNorm(1)};  // training adds 1e7 and takes it away again
  for (const auto& [name, tensor] : model.parameters())
    if (name == "0.bias") Tensor(tensor).fill_(1e7);
  for (const auto& [name, tensor] : model.buffers())
    if (name == "1.running_mean") Tensor(tensor).fill_(1e7);
  io::save(shell.path("a.ckpt"), {{"model", model.state()}, {"graph", graph::trace(model, {1, 4}).state()}});
  check_refused(shell("export a.ckpt --out a.linnet"),
                " of 8 golden cases fail: the outputs of the runtime differ ", 1);
  CHECK_FALSE(shell.exists("a.linnet"));
  CHECK(shell("export a.ckpt --golden-cases 0 --out a.linnet").code == 0);
  CHECK(shell("inspect a.linnet --json").json()["golden_cases"] == 0);
  check_refused(shell("export a.ckpt --golden-cases 3 --out b.linnet"),
                "linnet: deploy: golden_cases must be 0 or 8 to 1024, got 3.\n");
}

TEST_CASE("linnet inspect fails on a file whose golden cases fail, and shows it all the same") {
  Shell shell;
  nn::Sequential model{nn::Dense(4, 2)};
  std::vector<std::uint8_t> file =
      deploy::build(graph::trace(model, {1, 4}), model.state(), {.page_aligned = true}).bytes;
  test::section_of(file, LNT_SECTION_GOLD).back() ^= 0x40;
  test::reseal(file, LNT_SECTION_GOLD);
  test::write_bytes(shell.path("a.linnet"), file);
  const Outcome outcome = shell("inspect a.linnet --json");
  CHECK(outcome.code == 1);
  CHECK(outcome.json()["golden_failed"] == 1);
  CHECK(outcome.err.find("linnet: a.linnet: 1 of 8 golden cases fail on this machine.") != std::string::npos);
}

TEST_CASE("linnet export --page-aligned puts the weights at a page") {
  Shell shell;
  nn::Sequential model{nn::Dense(4, 2)};
  io::save(shell.path("a.ckpt"), {{"model", model.state()}, {"graph", graph::trace(model, {1, 4}).state()}});
  REQUIRE(shell("export a.ckpt --page-aligned --out a.linnet").code == 0);
  std::vector<std::uint8_t> file = test::read_bytes(shell.path("a.linnet"));
  CHECK((test::section_of(file, LNT_SECTION_DATA).data() - file.data()) % LNT_PAGE_ALIGN == 0);
  CHECK(shell("inspect a.linnet").code == 0);
}

TEST_CASE("linnet eval works on the checkpoint of the public example, which says nothing about its task") {
  Shell shell;
  manual_seed(42);
  nn::Sequential model{nn::Flatten(), nn::Dense(784, 128), nn::ReLU(), nn::Dropout(0.2), nn::Dense(128, 10)};
  optim::Adam adam(model.parameters(), {.lr = 1e-3});
  data::SyntheticDigits digits(data::Split::test);
  data::Loader batches(digits, {.batch = 32, .shuffle = true});
  io::save(shell.path("mnist.ckpt"), {{"model", model.state()},
                                      {"optimizer", adam.state()},
                                      {"loader", batches.state()},
                                      {"rng", rng_state()},
                                      {"graph", graph::trace(model, {1, 28, 28, 1}).state()}});
  Outcome evaluated = shell("eval mnist.ckpt --data synthetic --json");
  REQUIRE(evaluated.code == 0);
  train::Trainer trainer(model, adam, {.loss = cross_entropy, .metrics = {accuracy}});
  CHECK(evaluated.json()["test_accuracy"].get<double>() == trainer.evaluate(digits)[1].second);
}

TEST_CASE("the same seed gives the same weights with 1, 2 and 4 threads and on other instruction sets" *
          doctest::test_suite("long")) {
  for (const std::string recipe : {"mnist-mlp", "mnist-cnn"}) {
    Shell shell;
    std::string train = "train " + recipe + " --data synthetic --limit 96 --epochs 1 --seed 5 --out ";
    REQUIRE(shell(train + "one.ckpt --threads 1").code == 0);
    std::string expected = weights(shell, "one.ckpt");
    for (const std::string threads : {"2", "4"}) {
      REQUIRE(shell(train + "n.ckpt --threads " + threads).code == 0);
      CHECK(weights(shell, "n.ckpt") == expected);
    }
    for (Isa isa : available_isas()) {
      if (isa == Isa::sse2) continue;  // no fused multiply-add: outside the promise
      REQUIRE(shell(train + "isa.ckpt", "LINNET_ISA=" + std::string(name(isa))).code == 0);
      CHECK(weights(shell, "isa.ckpt") == expected);
    }
    REQUIRE(
        shell("train " + recipe + " --data synthetic --limit 96 --epochs 1 --seed 6 --out other.ckpt").code ==
        0);
    CHECK(weights(shell, "other.ckpt") != expected);
  }
}

TEST_CASE("a run that gets SIGTERM at any moment goes on with --resume to the same weights") {
  Shell shell;
  std::string train = "train mnist-mlp --data synthetic --limit 6400 --epochs 2 --seed 5 ";
  REQUIRE(shell(train + "--out straight.ckpt").code == 0);
  std::string expected = weights(shell, "straight.ckpt");
  for (const std::string delay : {"0.15", "0.3", "0.45"}) {
    std::filesystem::remove(shell.path("cut.ckpt"));
    std::filesystem::remove(shell.path("cut.ckpt.prev"));
    Outcome cut = shell(train + "--out cut.ckpt", "timeout --preserve-status -s TERM " + delay);
    CHECK((cut.code == 0 || cut.code == 128 + SIGTERM));  // stopped cleanly, or before training had begun
    Outcome resumed = shell(train + "--out cut.ckpt --resume");
    REQUIRE(resumed.code == 0);
    CHECK(weights(shell, "cut.ckpt") == expected);
  }
  auto before = test::read_bytes(shell.path("cut.ckpt"));
  CHECK(shell(train + "--out cut.ckpt --resume").code == 0);  // finished: nothing to do
  CHECK(test::read_bytes(shell.path("cut.ckpt")) == before);
}

TEST_CASE("wrong usage is refused with one line and exit code 2, and nothing is left on disk") {
  Shell shell;
  check_refused(shell("train mnist-mpl --data synthetic --out a.ckpt"),
                "linnet: train: unknown recipe mnist-mpl. There are: mnist-mlp, mnist-cnn, cifar10-cnn, "
                "mobilenet-v1-025, har-lstm, har-gru, har-conv, cmapss-lstm.\n");
  check_refused(shell("train mnist-mlp --data synthetic --out a.ckpt --epoch 3"), "--epoch");
  check_refused(shell("train mnist-mlp --data synthetic --out a.ckpt --epochs 0"), "--epochs");
  check_refused(shell("train mnist-mlp --data synthetic --out a.ckpt --lr nan"), "lr");
  check_refused(shell("train mnist-mlp --data synthetic --out a.ckpt --optimizer adamm"),
                "linnet: make_optimizer: unknown optimizer adamm. There are: sgd, adam, adamw, amsgrad, "
                "nadam, rmsprop, "
                "adagrad, lion.\n");
  check_refused(shell("train mnist-mlp --data synthetic --out no/such/folder/a.ckpt"),
                "linnet: train: the folder of no/such/folder/a.ckpt does not exist. Create it first.\n");
  check_refused(shell("train mnist-mlp --data nowhere --out a.ckpt"), "nowhere");
  check_refused(shell("predict a.ckpt"), "linnet: ");
  check_refused(shell(""), "linnet: A subcommand is required. See linnet --help.\n");
  check_refused(shell("export a.ckpt --format tflite --out a"),
                "linnet: export: format tflite is not available. There is: linnet.\n");
  check_refused(shell("info", "LINNET_ISA=mmx"), "mmx");
  CHECK(shell.files().empty());
  CHECK(shell("--help").code == 0);
  CHECK(shell("train --help").code == 0);
}

TEST_CASE("damaged and foreign files are refused by name and stay as they are") {
  Shell shell;
  REQUIRE(shell(kQuick + "--out a.ckpt").code == 0);
  REQUIRE(shell("export a.ckpt --out a.linnet").code == 0);
  for (const std::string name : {"a.ckpt", "a.linnet"}) {
    auto good = test::read_bytes(shell.path(name));
    auto flipped = good, cut = good;
    flipped[flipped.size() / 3] ^= 4;
    cut.resize(cut.size() / 2);
    for (const auto& bad : {flipped, cut, std::vector<std::uint8_t>{}, std::vector<std::uint8_t>(100, 'x')}) {
      test::write_bytes(shell.path("bad"), bad);
      for (const std::string command :
           {"eval bad --data synthetic", "inspect bad", "export bad --out out.linnet"})
        check_refused(shell(command), "bad");
      CHECK(test::read_bytes(shell.path("bad")) == bad);
      CHECK_FALSE(shell.exists("out.linnet"));
    }
  }
  check_refused(shell("eval missing.ckpt --data synthetic"),
                "linnet: missing.ckpt: cannot be read. Is the name right?\n");
  check_refused(shell("run a.linnet --input missing.npy"), "missing.npy");
  test::write_bytes(shell.path("x.png"), {1, 2, 3});
  check_refused(shell("run a.linnet --input x.png"), "x.png: ");
  io::write_npy(shell.path("small.npy"), Tensor::zeros({3}));
  check_refused(shell("run a.linnet --input small.npy"),
                "linnet: run: the model takes one sample of shape [28, 28, 1], small.npy holds [3].\n");
}
