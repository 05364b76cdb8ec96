// SPDX-License-Identifier: Apache-2.0
// The linnet command among things that are not the files it hopes for: folders, pipes, full disks, other
// people's checkpoints, pictures of another shape, and kills at any moment.
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "linnet/io/npy.h"
#include "linnet/linnet.h"
#include "tools/shell.h"

using namespace linnet;
using namespace linnet::test;

namespace {

const std::string kSmall = "train mnist-mlp --data synthetic --limit 64 --epochs 1 --seed 5 ";

/// A shell with a trained a.ckpt and a.linnet.
struct Exported : Shell {
  Exported() {
    REQUIRE((*this)(kSmall + "--out a.ckpt").code == 0);
    REQUIRE((*this)("export a.ckpt --out a.linnet").code == 0);
  }
};

void make_pipe(const std::string& path) { REQUIRE(mkfifo(path.c_str(), 0600) == 0); }

}  // namespace

TEST_CASE("a place where nothing can be written is refused before the work") {
  Exported shell;
  std::filesystem::create_directory(shell.path("folder"));
  make_pipe(shell.path("pipe"));
  for (const std::string command : {"train mnist-mlp --data synthetic --out ", "export a.ckpt --out ",
                                    "run a.linnet --input none.npy --out "}) {
    const std::string op = command.substr(0, command.find(' '));
    check_refused(shell(command + "folder"),
                  "linnet: " + op + ": folder is a folder. Give the name of a file.\n");
    check_refused(shell(command + "pipe"),
                  "linnet: " + op + ": pipe is not a regular file. Give another name.\n");
    check_refused(shell(command + "no/x"),
                  "linnet: " + op + ": the folder of no/x does not exist. Create it first.\n");
  }
  check_refused(shell(kSmall + "--out ''"), "linnet: train: the name of the file to write is empty.\n");
  check_refused(shell(kSmall + "--out b.ckpt --history folder"),
                "linnet: train: folder is a folder. Give the name of a file.\n");
  if (geteuid() == 0) {
    MESSAGE("skipped: a folder that cannot be written to (root may write everywhere)");
  } else {
    std::filesystem::create_directory(shell.path("closed"));
    std::filesystem::permissions(shell.path("closed"), std::filesystem::perms::owner_read);
    check_refused(shell(kSmall + "--out closed/b.ckpt"),
                  "linnet: train: the folder of closed/b.ckpt cannot be written to. Choose another.\n");
  }
  CHECK_FALSE(shell.exists("b.ckpt"));
}

TEST_CASE("a result does not overwrite what it is made from") {
  Exported shell;
  auto checkpoint = read_bytes(shell.path("a.ckpt")), model = read_bytes(shell.path("a.linnet"));
  std::filesystem::create_hard_link(shell.path("a.ckpt"), shell.path("other_name"));
  const std::string reason = " would be written over itself. Give another name.\n";
  check_refused(shell("export a.ckpt --out a.ckpt"), "linnet: export: a.ckpt" + reason);
  check_refused(shell("export a.ckpt --out other_name"), "linnet: export: other_name" + reason);
  check_refused(shell("run a.linnet --input x.npy --out ./a.linnet"), "linnet: run: ./a.linnet" + reason);
  check_refused(shell("run a.linnet --input x.npy --out x.npy"), "linnet: run: x.npy" + reason);
  check_refused(shell(kSmall + "--out b.ckpt --history b.ckpt"), "linnet: train: b.ckpt" + reason);
  CHECK(read_bytes(shell.path("a.ckpt")) == checkpoint);
  CHECK(read_bytes(shell.path("a.linnet")) == model);
}

TEST_CASE("a full disk is a failed run, also one under standard output, and leaves no half-written file") {
  Exported shell;
  auto before = shell.files();
  // A limit on the size of files stands in for the disk; the signal that comes with it is not wanted.
  const std::string full = "trap '' XFSZ; ulimit -f 64;";
  check_refused(shell(kSmall + "--out b.ckpt", full),
                "linnet: io::save: b.ckpt: writing failed: File too large", 1);
  check_refused(shell("export a.ckpt --out b.linnet", full), "linnet: export: b.linnet: writing failed", 1);
  CHECK(shell.files() == before);
  Outcome lost = shell("info --json >/dev/full #");
  CHECK(lost.code == 1);
}

TEST_CASE("a pipe or a folder in the place of a file is refused instead of waited for") {
  Exported shell;
  std::filesystem::create_directory(shell.path("folder.png"));
  make_pipe(shell.path("pipe.png"));
  make_pipe(shell.path("pipe.npy"));
  for (const std::string name : {"folder.png", "pipe.png"}) {
    for (const std::string command : {"eval ", "inspect ", "export --out b.linnet ", "run --input x.npy "})
      check_refused(shell(command + name), name + ": not a regular file.\n");
    check_refused(shell("run a.linnet --input " + name), name + ": not a regular file.\n");
  }
  check_refused(shell("run a.linnet --input pipe.npy"), "pipe.npy: not a regular file.\n");
  check_refused(shell("inspect ''"), "linnet: : cannot be read. Is the name right?\n");
}

TEST_CASE("an input of another shape is refused even when it has as many elements") {
  Exported shell;
  for (const Shape& good : {Shape{28, 28}, Shape{1, 28, 28, 1}, Shape{784}}) {
    io::write_npy(shell.path("x.npy"), Tensor::zeros(good));
    CHECK(shell("run a.linnet --input x.npy").code == 0);
  }
  io::write_npy(shell.path("x.npy"), Tensor::zeros({14, 56}));
  check_refused(shell("run a.linnet --input x.npy"),
                "linnet: run: the model takes one sample of shape [28, 28, 1], x.npy holds [14, 56].\n");
  check_refused(shell("run a.linnet --input x.txt"), "linnet: run: x.txt is neither .npy nor .png.\n");
}

TEST_CASE("numbers that are none are refused with what was expected") {
  Shell shell;
  const std::string train = "train mnist-mlp --data synthetic --out a.ckpt ";
  for (const std::string option : {"--epochs", "--batch", "--limit"})
    for (const std::string value : {"0", "-1", "1.5", "1e3", "x"})
      check_refused(shell(train + option + " " + value),
                    option + ": expected a whole number above 0, got " + value + ". See linnet --help.\n");
  for (const std::string option : {"--lr", "--checkpoint-every"})
    for (const std::string value : {"0", "nan", "1e999", "-2"})
      check_refused(shell(train + option + " " + value),
                    option + ": expected a number above 0, got " + value + ". See linnet --help.\n");
  check_refused(shell("info --seed -1"), "--seed: expected a whole number, 0 or more, got -1.");
  check_refused(shell("info --threads 0"), "--threads: ");
  CHECK(shell.files().empty());
}

TEST_CASE("resuming from a foreign checkpoint is refused and leaves it as it is") {
  Exported shell;
  auto before = read_bytes(shell.path("a.ckpt"));
  check_refused(
      shell("train mnist-cnn --data synthetic --limit 64 --out a.ckpt --resume"),
      "linnet: resume: a.ckpt was saved by a run with recipe mnist-mlp, this one has mnist-cnn. Give "
      "another file name.\n");
  check_refused(shell(kSmall + "--out a.ckpt --resume --optimizer sgd"),
                "linnet: SGD: cannot load the state of Adam.");
  check_refused(shell("train mnist-mlp --data synthetic --limit 32 --out a.ckpt --resume"),
                "linnet: Loader: the data changed: 64 samples when saved, 32 now.");
  CHECK(read_bytes(shell.path("a.ckpt")) == before);
  check_refused(shell(kSmall + "--out a.linnet --resume"),
                "linnet: io::load: a.linnet: not a Linnet checkpoint");
  nn::Sequential own{nn::Dense(784, 10)};
  io::save(shell.path("own.ckpt"), {{"model", own.state()}});
  check_refused(
      shell(kSmall + "--out own.ckpt --resume"),
      "linnet: resume: own.ckpt was not saved by a Trainer. Load its parts by hand, or give another "
      "file name.\n");
  check_refused(shell("eval own.ckpt --data synthetic"),
                "linnet: own.ckpt: this checkpoint carries no graph.");
}

TEST_CASE("data folders that hold no data are named") {
  Exported shell;
  std::filesystem::create_directories(shell.path("data/mnist"));
  check_refused(shell("eval a.ckpt --data data"), "linnet: Mnist: no t10k-images-idx3-ubyte or ");
  check_refused(shell("eval a.ckpt --data nowhere"), "linnet: find_folder: nowhere: no such folder.\n");
  check_refused(shell("eval a.ckpt", "env -u LINNET_DATA"), "linnet: find_folder: no data set 'mnist' in ");
  std::ofstream(shell.path("data/mnist/t10k-images-idx3-ubyte.gz")) << "\x1f\x8b\x08";
  check_refused(shell("eval a.ckpt --data data/mnist"), "t10k-images-idx3-ubyte.gz");

  nn::Sequential model{nn::Flatten(), nn::Dense(784, 10)};
  io::save(shell.path("own.ckpt"), {{"model", model.state()},
                                    {"graph", graph::trace(model, {1, 28, 28, 1}).state()},
                                    {"about", State{{"dataset", "letters"}}}});
  check_refused(
      shell("eval own.ckpt --data synthetic"),
      "linnet: data: the data set letters is not known here. There are: mnist, cifar10, uci_har, cmapss.\n");
}

TEST_CASE("a model of flat samples is evaluated on images") {
  Shell shell;
  nn::Sequential model{nn::Dense(784, 10)};
  graph::Graph graph = graph::trace(model, {1, 784});
  io::save(shell.path("flat.ckpt"), {{"model", model.state()}, {"graph", graph.state()}});
  deploy::write(graph, model.state(), shell.path("flat.linnet"));
  Outcome checkpoint = shell("eval flat.ckpt --data synthetic --json");
  REQUIRE(checkpoint.code == 0);
  CHECK(shell("eval flat.linnet --data synthetic --json").json()["test_accuracy"] ==
        checkpoint.json()["test_accuracy"]);
}

TEST_CASE("a run that is killed while it saves again and again goes on to the same weights") {
  Shell shell;
  const std::string train = "train mnist-mlp --data synthetic --limit 6400 --epochs 2 --seed 5 ";
  REQUIRE(shell(train + "--out straight.ckpt").code == 0);
  for (const std::string delay : {"0.2", "0.4", "0.6", "0.9"}) {
    // Killed or finished, whichever comes first on this machine: what is on disk must be whole.
    shell(train + "--out cut.ckpt --resume --checkpoint-every 0.01", "timeout -s KILL " + delay);
    if (shell.exists("cut.ckpt")) CHECK(shell("inspect cut.ckpt").code == 0);
  }
  REQUIRE(shell(train + "--out cut.ckpt --resume").code == 0);
  CHECK(weights(shell, "cut.ckpt") == weights(shell, "straight.ckpt"));
  for (const std::string& name : shell.files()) CHECK(name.find(".tmp") == std::string::npos);
}
