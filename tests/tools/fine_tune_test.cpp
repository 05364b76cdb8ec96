// SPDX-License-Identifier: Apache-2.0
// linnet train --from: a network learns other classes.
#include <algorithm>

#include "linnet/linnet.h"
#include "tools/shell.h"

namespace linnet::test {
namespace {

const std::string kFirst = "train mnist-cnn --data synthetic --limit 2000 --epochs 1 --seed 5 --classes 0-4 ";
const std::string kTuned =
    "train mnist-cnn --data synthetic --from first.ckpt --freeze '*' --new-head --classes 5-9 --per-class 20 "
    "--batch 10 --epochs 8 --lr 0.01 --seed 5 --json ";

TEST_CASE("a network for digits 0-4 gets a new head for 5-9; what is frozen stays byte for byte") {
  Shell shell;
  const Outcome first = shell(kFirst + "--out first.ckpt --json");
  REQUIRE(first.code == 0);
  CHECK(first.json()["parameters"] == 121'605);  // 325 fewer than for 10 classes
  CHECK(first.json()["test_accuracy"].get<double>() > 0.8);
  const Outcome tuned = shell(kTuned + "--out tuned.ckpt");
  REQUIRE(tuned.code == 0);
  CHECK(tuned.json()["test_accuracy"].get<double>() > 0.6);

  const State before = io::load(shell.path("first.ckpt"))["model"],
              after = io::load(shell.path("tuned.ckpt"))["model"];
  REQUIRE(after.size() == before.size());
  for (const auto& entry : after) {
    const auto& name = entry.first;
    const auto& value = entry.second;
    CAPTURE(name);
    CHECK((value == before[name]) == !name.starts_with("9."));
  }

  // The file knows its classes, and so does what is exported.
  const double reached = tuned.json()["test_accuracy"].get<double>();
  CHECK(shell("eval tuned.ckpt --data synthetic --json").json()["test_accuracy"].get<double>() == reached);
  REQUIRE(shell("export tuned.ckpt --out tuned.linnet").code == 0);
  CHECK(shell("eval tuned.linnet --data synthetic --json").json()["test_accuracy"].get<double>() == reached);
  CHECK(shell("inspect tuned.linnet").out.find("classes: 5-9\n") != std::string::npos);
  const std::string about = shell("inspect tuned.ckpt").out;
  for (const std::string line : {"classes: 5-9\n", "from: first.ckpt\n", "frozen: *\n"})
    CHECK(about.find(line) != std::string::npos);
}

TEST_CASE("--from without a new head trains the same network on, but for what is frozen") {
  Shell shell;
  REQUIRE(shell(kFirst + "--out first.ckpt").code == 0);
  REQUIRE(
      shell("train mnist-cnn --data synthetic --from first.ckpt --freeze '0.*' --freeze '3.*' --classes 0-4 "
            "--limit 64 --epochs 1 --out on.ckpt")
          .code == 0);
  const State before = io::load(shell.path("first.ckpt"))["model"],
              after = io::load(shell.path("on.ckpt"))["model"];
  for (const auto& entry : after) {
    const auto& name = entry.first;
    const auto& value = entry.second;
    CAPTURE(name);
    CHECK((value == before[name]) == (name.starts_with("0.") || name.starts_with("3.")));
  }
}

TEST_CASE("a fine-tuning run that is stopped goes on with --resume to the same weights" *
          doctest::test_suite("long")) {
  Shell shell;
  REQUIRE(shell(kFirst + "--out first.ckpt").code == 0);
  REQUIRE(shell(kTuned + "--out straight.ckpt").code == 0);
  std::string half = kTuned;
  half.replace(half.find("--epochs 8"), 10, "--epochs 3");
  REQUIRE(shell(half + "--out cut.ckpt").code == 0);
  CHECK(weights(shell, "cut.ckpt") != weights(shell, "straight.ckpt"));
  REQUIRE(shell(kTuned + "--out cut.ckpt --resume").code == 0);
  CHECK(weights(shell, "cut.ckpt") == weights(shell, "straight.ckpt"));
  // Another choice of what is trained, or of the data, is another run.
  std::string other = kTuned + "--out cut.ckpt --resume";
  other.replace(other.find("'*'"), 3, "'0.*'");
  CHECK(shell(other).code == 2);
  other = kTuned + "--out cut.ckpt --resume";
  other.replace(other.find("5-9"), 3, "4-8");
  check_refused(shell(other), "classes 5-9, this one has 4-8");
}

TEST_CASE(
    "fine-tuning that cannot work is refused with one line and exit code 2, and leaves nothing behind") {
  Shell shell;
  REQUIRE(shell(kFirst + "--out first.ckpt").code == 0);
  const std::string from = "train mnist-cnn --data synthetic --out a.ckpt --from first.ckpt ";
  check_refused(
      shell(from),
      "linnet: train: first.ckpt has 5 outputs, the data have 10 classes. Use --new-head to replace "
      "its last layer.\n");
  check_refused(shell(from + "--classes 5-9 --freeze 'backbone.*'"),
                "linnet: freeze: nothing matches \"backbone.*\". There are: 0.weight, 0.bias, 3.weight");
  check_refused(
      shell(from + "--classes 5-9 --freeze '*'"),
      "linnet: train: --freeze leaves nothing to train. Freeze less, or add --new-head: a new head is "
      "never frozen.\n");
  check_refused(shell("train mnist-cnn --data synthetic --out a.ckpt --freeze '*'"), "--from");
  check_refused(shell("train mnist-cnn --data synthetic --out a.ckpt --new-head"), "--from");
  check_refused(shell("train mnist-cnn --data synthetic --out first.ckpt --from first.ckpt --new-head"),
                "linnet: train: first.ckpt would be written over itself. Give another name.\n");
  check_refused(shell(from + "--classes 5-"), "expected class numbers such as 0-4 or 1,3,5-9, got 5-");
  check_refused(shell(from + "--classes 9-5"), "expected class numbers such as 0-4 or 1,3,5-9, got 9-5");
  check_refused(shell(from + "--classes 8-12"),
                "linnet: OfClasses: class 10 has 0 of 1 samples; the labels go from 0 to 9.\n");
  check_refused(shell(from + "--classes 5-9 --per-class 100000"),
                "linnet: OfClasses: class 5 has 1200 of 100000 samples; the labels go from 0 to 9.\n");
  check_refused(
      shell(from + "--classes 5-9"),
      "linnet: train: first.ckpt was trained on classes 0-4, not on classes 5-9. Use the same --classes, or "
      "--new-head to replace its last layer.\n");
  check_refused(shell(from + "--new-head --history first.ckpt"),
                "linnet: train: first.ckpt would be written over itself. Give another name.\n");
  std::filesystem::copy(shell.path("first.ckpt"), shell.path("a.ckpt.prev"));
  check_refused(shell("train mnist-cnn --data synthetic --out a.ckpt --from a.ckpt.prev --new-head"),
                "linnet: train: a.ckpt.prev would be written over itself. Give another name.\n");
  CHECK_FALSE(shell.exists("a.ckpt"));
}

TEST_CASE("--from takes no damaged file, none without a graph, and none for another input") {
  Shell shell;
  REQUIRE(shell(kFirst + "--out first.ckpt").code == 0);
  auto bytes = read_bytes(shell.path("first.ckpt"));
  bytes[bytes.size() / 2] ^= 1;
  write_bytes(shell.path("bad.ckpt"), bytes);
  io::save(shell.path("plain.ckpt"), {{"n", 1}});
  nn::Sequential other{nn::Flatten(), nn::Dense(12, 10)};
  io::save(shell.path("other.ckpt"),
           {{"model", other.state()}, {"graph", graph::trace(other, {1, 2, 2, 3}).state()}});
  const std::string train = "train mnist-cnn --data synthetic --out a.ckpt --new-head --from ";
  check_refused(shell(train + "bad.ckpt"), "bad.ckpt");
  check_refused(shell(train + "missing.ckpt"), "linnet: missing.ckpt: cannot be read. Is the name right?\n");
  check_refused(shell(train + "plain.ckpt"), "plain.ckpt: this checkpoint carries no graph.");
  check_refused(
      shell(train + "other.ckpt"),
      "linnet: train: other.ckpt takes samples of shape [2, 2, 3], those of the data are [28, 28, 1]. "
      "Use a recipe with the data it was trained on.\n");
  CHECK_FALSE(shell.exists("a.ckpt"));
}

}  // namespace
}  // namespace linnet::test
