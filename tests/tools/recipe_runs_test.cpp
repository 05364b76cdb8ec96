// SPDX-License-Identifier: Apache-2.0
// Every recipe on small made-up files of its data set: what is trained is evaluated and exported alike, and
// carries what its inputs were standardised by.
#include <cmath>
#include <filesystem>
#include <fstream>

#include "linnet/linnet.h"
#include "tools/shell.h"

using namespace linnet;
using namespace linnet::test;

namespace {

namespace fs = std::filesystem;

void write_cifar10(const std::string& folder, int count) {
  fs::create_directories(folder);
  for (const std::string part : {"train", "test"}) {
    Rng rng(part == "train" ? 1 : 2, 0);
    std::vector<std::uint8_t> bytes;
    for (int i = 0; i < count; ++i) {
      const auto label = static_cast<std::uint8_t>(rng.below(10));
      bytes.push_back(label);
      for (int at = 0; at < 3072; ++at)
        bytes.push_back(static_cast<std::uint8_t>(20 * label + rng.below(56)));
    }
    write_bytes(folder + "/cifar10_" + part + "_0.bin", bytes);
  }
}

void write_uci_har(const std::string& folder, int count) {
  fs::create_directories(folder);
  for (const std::string part : {"train", "test"}) {
    std::ofstream labels(folder + "/y_" + part + ".txt");
    for (int i = 0; i < count; ++i) labels << i % 6 + 1 << "\n";
    std::uint64_t stream = part == "train" ? 100 : 200;
    for (const std::string signal : {"body_acc_", "body_gyro_", "total_acc_"})
      for (const char axis : {'x', 'y', 'z'}) {
        Rng rng(stream++, 0);
        std::ofstream file(folder + "/" + signal + axis + "_" + part + ".txt");
        for (int i = 0; i < count; ++i) {
          for (int t = 0; t < 128; ++t) file << " " << 5.0 + (i % 6) * std::sin(0.3 * t) + 0.1 * rng.normal();
          file << "\n";
        }
      }
  }
}

void write_cmapss(const std::string& folder, int engines) {
  fs::create_directories(folder);
  Rng rng(7, 0);
  std::ofstream left(folder + "/RUL_FD001.txt");
  for (const std::string part : {"train", "test"}) {
    std::ofstream file(folder + "/" + part + "_FD001.txt");
    for (int engine = 1; engine <= engines; ++engine) {
      const int life = 60 + static_cast<int>(rng.below(20)),
                seen = part == "train" ? life : life - 10 * engine;
      for (int cycle = 1; cycle <= seen; ++cycle) {
        file << engine << " " << cycle << " 0 0 100";
        for (int s = 1; s <= 21; ++s) file << " " << 100 * s + 0.05 * (life - cycle) + 0.1 * rng.normal();
        file << "\n";
      }
      if (part == "test") left << life - seen << "\n";
    }
  }
}

struct Data : Shell {
  Data() {
    write_cifar10(path("data/cifar10"), 24);
    write_uci_har(path("data/timeseries/uci_har"), 24);
    write_cmapss(path("data/timeseries/cmapss"), 3);
  }
};

double figure(const Outcome& outcome, const std::string& name) {
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  return outcome.json()[name].get<double>();
}

/// A copy of a checkpoint that says something else about itself.
void rewrite_about(const Shell& shell, const std::string& from, const std::string& to, const State& about) {
  State changed;
  for (const auto& [name, value] : io::load(shell.path(from)))
    changed.set(name, name == "about" ? StateValue(about) : value);
  io::save(shell.path(to), changed);
}

}  // namespace

TEST_CASE(
    "each recipe trains on its data, and checkpoint and exported model have the figure of its last epoch") {
  Data shell;
  for (const std::string recipe :
       {"cifar10-cnn", "mobilenet-v1-025", "har-conv", "har-lstm", "har-gru", "cmapss-lstm"}) {
    CAPTURE(recipe);
    const std::string name = recipe == "cmapss-lstm" ? "test_rmse" : "test_accuracy";
    const double reached = figure(
        shell("train " + recipe + " --data data --epochs 1 --limit 16 --batch 8 --out a.ckpt --json"), name);
    CHECK(figure(shell("eval a.ckpt --data data --json"), name) == reached);
    REQUIRE(shell("export a.ckpt --out a.linnet").code == 0);
    CHECK_CLOSE(figure(shell("eval a.linnet --data data --json"), name), reached, (Tolerance{1e-4, 1e-4}));
    CHECK(shell("inspect a.linnet").out.find("recipe: " + recipe) != std::string::npos);
  }
}

TEST_CASE("a standardised recipe keeps the statistics of its training part, whatever the data are later") {
  Data shell;
  const std::string train = "train cmapss-lstm --data data --epochs 1 --batch 16 --json --out ";
  const double reached = figure(shell(train + "a.ckpt"), "test_rmse");
  const State about = io::load(shell.path("a.ckpt"))["about"].state();
  CHECK(about["preprocess"].text() == "standardise");
  const data::Cmapss training(shell.path("data"), data::Split::train);
  const auto scale = data::Standardiser::fit(training);
  CHECK_SAME_BITS(about["preprocessing"].state()["mean"].tensor(), Tensor::from(scale.mean()));
  CHECK_SAME_BITS(about["preprocessing"].state()["deviation"].tensor(), Tensor::from(scale.deviation()));
  REQUIRE(shell("export a.ckpt --out a.linnet").code == 0);
  fs::remove(shell.path("data/timeseries/cmapss/train_FD001.txt"));
  CHECK(figure(shell("eval a.ckpt --data data/timeseries --json"), "test_rmse") == reached);
  CHECK_CLOSE(figure(shell("eval a.linnet --data data/timeseries/cmapss --json"), "test_rmse"), reached,
              (Tolerance{1e-4, 1e-4}));
  // Of the first windows only, when only they are trained on.
  write_cmapss(shell.path("data/timeseries/cmapss"), 3);
  REQUIRE(shell(train + "b.ckpt --limit 16").code == 0);
  CHECK_SAME_BITS(io::load(shell.path("b.ckpt"))["about"].state()["preprocessing"].state()["mean"].tensor(),
                  Tensor::from(data::Standardiser::fit(data::Subset(training, 16)).mean()));
}

TEST_CASE(
    "fine-tuning keeps the statistics that the network's inputs were standardised by, whatever the recipe") {
  Data shell;
  const std::string train = "train cifar10-cnn --data data --epochs 1 --limit 16 --batch 8 --json --out ";
  REQUIRE(shell(train + "plain.ckpt").code == 0);
  const data::Standardiser scale({0.4, 0.5, 0.6}, {0.1, 0.2, 0.3});
  rewrite_about(
      shell, "plain.ckpt", "standardised.ckpt",
      {{"task", "classification"}, {"preprocess", "standardise"}, {"preprocessing", scale.state()}});
  const double reached = figure(shell(train + "tuned.ckpt --from standardised.ckpt"), "test_accuracy");
  CHECK(figure(shell("eval tuned.ckpt --data data --json"), "test_accuracy") == reached);
  CHECK(io::load(shell.path("tuned.ckpt"))["about"].state()["preprocess"].text() == "standardise");

  REQUIRE(shell("train har-conv --data data --epochs 1 --out har.ckpt").code == 0);
  rewrite_about(shell, "har.ckpt", "raw.ckpt", {{"task", "classification"}});
  check_refused(
      shell("train har-conv --data data --from raw.ckpt --out tuned.ckpt"),
      "linnet: train: har-conv standardises its data, raw.ckpt says nothing of what it was trained on. Use a "
      "file of such a recipe.\n");
}

TEST_CASE("augmented training gives the same weights with any number of threads, and over a stop and resume" *
          doctest::test_suite("long")) {
  Data shell;
  const std::string train = "train cifar10-cnn --data data --limit 16 --batch 8 --seed 5 --out ";
  REQUIRE(shell(train + "one.ckpt --epochs 2 --threads 1").code == 0);
  REQUIRE(shell(train + "four.ckpt --epochs 2 --threads 4").code == 0);
  CHECK(weights(shell, "four.ckpt") == weights(shell, "one.ckpt"));
  for (const std::string delay : {"0.05", "0.15"}) {
    for (const std::string file : {"cut.ckpt", "cut.ckpt.prev"}) fs::remove(shell.path(file));
    shell(train + "cut.ckpt --epochs 2", "timeout --preserve-status -s TERM " + delay);
    REQUIRE(shell(train + "cut.ckpt --epochs 2 --resume").code == 0);
    CHECK(weights(shell, "cut.ckpt") == weights(shell, "one.ckpt"));
  }
}

TEST_CASE("a recipe without its data says what is missing") {
  Data shell;
  check_refused(shell("train har-conv --data synthetic --out a.ckpt"),
                "linnet: data: there are no synthetic data for uci_har. Name the folder with the files.\n");
  fs::remove(shell.path("data/timeseries/uci_har/body_acc_y_test.txt"));
  check_refused(shell("train har-conv --data data --out a.ckpt"),
                "linnet: UciHar: no body_acc_y_test.txt or .txt.gz in ");
  std::ofstream(shell.path("data/timeseries/cmapss/test_FD001.txt")) << "1 1 nan\n";
  check_refused(shell("train cmapss-lstm --data data --out a.ckpt"),
                "line 1 has 3 cells, 26 names were given.\n");
}
