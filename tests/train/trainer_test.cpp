// SPDX-License-Identifier: Apache-2.0
// The Trainer: what it reports, what it saves, and that a stopped and resumed run ends with the same bytes.
#include "linnet/train/trainer.h"

#include <cmath>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "linnet/autograd/ops.h"
#include "linnet/core/error.h"
#include "linnet/graph/graph_module.h"
#include "linnet/io/checkpoint.h"
#include "linnet/nn/nn.h"
#include "linnet/optim/optim.h"
#include "support/check_close.h"
#include "support/fixtures.h"

using namespace linnet;

namespace {

data::TensorDataset points(std::int64_t count = 70, std::uint64_t seed = 1) {
  Tensor x = test::random_tensor({count, 6}, seed), y = Tensor::empty({count}, i64);
  for (std::int64_t i = 0; i < count; ++i) {
    auto row = x.data<float>().subspan(i * 6, 6);
    y.mutable_data<std::int64_t>()[i] = row[0] + row[1] > 0 ? (row[2] > 0 ? 0 : 1) : 2;
  }
  return data::TensorDataset(x, y);
}

/// A small classifier with dropout, so that a resumed run has to restore the generator.
struct Classifier {
  nn::Sequential model{nn::Dense(6, 16), nn::ReLU(), nn::Dropout(0.3), nn::Dense(16, 3)};
  optim::Adam adam{model.parameters(), {.lr = 0.01}};

  train::Trainer trainer(train::TrainerOptions options) {
    options.loss = cross_entropy;
    options.metrics = {accuracy};
    options.show = train::Show::nothing;
    return train::Trainer(model, adam, std::move(options));
  }
};

Classifier fresh(std::uint64_t seed) {
  manual_seed(seed);
  return Classifier();
}

const train::FitOptions kFit{.epochs = 3, .batch = 16};

/// What a run leaves behind, without the clock.
State outcome(Classifier& run) {
  return {{"model", run.model.state()}, {"optimizer", run.adam.state()}, {"rng", rng_state()}};
}

}  // namespace

TEST_CASE("training lowers the loss and reports means over samples") {
  Classifier run = fresh(1);
  data::TensorDataset training = points(200), held_out = points(50, 2);
  train::FitResult result = run.trainer({}).fit(training, {.epochs = 30, .batch = 16, .validate = held_out});
  REQUIRE(result.epochs.size() == 30);
  CHECK(result.samples == 30 * 200);
  CHECK(result.epochs.back().epoch == 30);
  CHECK(result.epochs.back().training[0].second < 0.6 * result.epochs.front().training[0].second);
  CHECK(result.epochs.back().validation[1].first == "accuracy");
  CHECK(result.epochs.back().validation[1].second > 0.8);
  CHECK(run.model.training());
}

TEST_CASE(
    "an epoch with learning rate 0 changes no parameter, and its training loss is the evaluation loss, "
    "exactly") {
  manual_seed(7);
  nn::Sequential model{nn::Dense(6, 16), nn::BatchNorm(16), nn::ReLU(), nn::Residual(nn::Dense(16, 16)),
                       nn::Dropout(0.0), nn::Dense(16, 3)};
  model(points(200, 3).x());  // running statistics to freeze
  nn::freeze_batch_norm(model);
  const data::TensorDataset training = points();  // 70 samples: the last batch is smaller
  optim::SGD sgd(model.parameters(), {.lr = 0.0, .momentum = 0.9, .nesterov = true});
  optim::Adam adam(model.parameters(), {.lr = 0.0});
  for (optim::Optimizer* optimizer :
       {static_cast<optim::Optimizer*>(&sgd), static_cast<optim::Optimizer*>(&adam)}) {
    NamedTensors tensors = model.parameters();
    for (const NamedTensor& buffer : model.buffers()) tensors.push_back(buffer);
    std::vector<Tensor> before;
    for (const NamedTensor& named : tensors) before.push_back(named.second.clone());
    train::Trainer trainer(model, *optimizer,
                           {.loss = cross_entropy, .metrics = {accuracy}, .show = train::Show::nothing});
    const train::FitResult result = trainer.fit(training, {.epochs = 1, .batch = 16, .shuffle = false});
    for (std::size_t i = 0; i < before.size(); ++i) {
      CAPTURE(tensors[i].first);
      CHECK_SAME_BITS(tensors[i].second.detach(), before[i]);
    }
    const train::Figures evaluated = trainer.evaluate(training, 16);
    REQUIRE(result.epochs.size() == 1);
    CHECK(result.epochs[0].training[0].first == "loss");
    CHECK(result.epochs[0].training == evaluated);
  }
}

TEST_CASE("evaluate does not depend on the batch, nor on the mode, which it leaves alone") {
  Classifier run = fresh(2);
  data::TensorDataset held_out = points(53);
  train::Trainer trainer = run.trainer({});
  train::Figures whole = trainer.evaluate(held_out, 53), parts = trainer.evaluate(held_out, 7);
  CHECK(whole[1].second == doctest::Approx(parts[1].second).epsilon(1e-12));
  CHECK(whole[0].second == doctest::Approx(parts[0].second).epsilon(1e-6));
  CHECK(run.model.training());
}

TEST_CASE("half the epochs, a checkpoint, fresh objects and the rest give the same bytes as all in one run") {
  test::TemporaryFolder folder;
  data::TensorDataset training = points();
  Classifier straight = fresh(3);
  straight.trainer({}).fit(training, {.epochs = 4, .batch = 16});
  State expected = outcome(straight);

  Classifier first = fresh(3);
  first.trainer({.checkpoint = folder / "half.ckpt"}).fit(training, {.epochs = 2, .batch = 16});
  Classifier second = fresh(99);
  second.trainer({.checkpoint = folder / "half.ckpt", .resume = true})
      .fit(training, {.epochs = 4, .batch = 16});
  CHECK(outcome(second) == expected);
}

TEST_CASE("a signal in the middle of an epoch stops after the step; resuming gives the same bytes") {
  data::TensorDataset training = points();
  Classifier straight = fresh(4);
  train::FitResult whole = straight.trainer({}).fit(training, kFit);
  State expected = outcome(straight);
  for (int stop_after : {1, 3, 5, 7, 11, 14}) {
    test::TemporaryFolder folder;
    int steps = 0;
    auto interrupted_loss = [&](const Tensor& prediction, const Tensor& target) {
      if (++steps == stop_after) std::raise(SIGTERM);
      return cross_entropy(prediction, target);
    };
    Classifier first = fresh(4);
    train::Trainer trainer(first.model, first.adam,
                           {.loss = interrupted_loss,
                            .metrics = {accuracy},
                            .checkpoint = folder / "a.ckpt",
                            .show = train::Show::nothing});
    train::FitResult part = trainer.fit(training, kFit);
    CHECK(part.stopped);
    CHECK(steps == stop_after);

    Classifier second = fresh(77);
    train::FitResult rest =
        second.trainer({.checkpoint = folder / "a.ckpt", .resume = true}).fit(training, kFit);
    CHECK(outcome(second) == expected);
    CHECK(rest.epochs.back().training[0].second == whole.epochs.back().training[0].second);
  }
}

TEST_CASE("resuming a finished run does nothing, and without a checkpoint starts from the beginning") {
  test::TemporaryFolder folder;
  data::TensorDataset training = points();
  Classifier run = fresh(5);
  run.trainer({.checkpoint = folder / "a.ckpt", .resume = true}).fit(training, kFit);
  auto before = test::read_bytes(folder / "a.ckpt");
  Classifier again = fresh(6);
  train::FitResult result =
      again.trainer({.checkpoint = folder / "a.ckpt", .resume = true}).fit(training, kFit);
  CHECK(result.samples == 0);
  CHECK(test::read_bytes(folder / "a.ckpt") == before);
  CHECK(again.model.state() == run.model.state());
}

TEST_CASE("resuming falls back to the generation before a damaged checkpoint") {
  test::TemporaryFolder folder;
  data::TensorDataset training = points();
  Classifier straight = fresh(7);
  straight.trainer({.checkpoint = folder / "a.ckpt"}).fit(training, kFit);
  State expected = outcome(straight);
  auto bytes = test::read_bytes(folder / "a.ckpt");
  bytes[bytes.size() / 2] ^= 1;
  test::write_bytes(folder / "a.ckpt", bytes);
  Classifier second = fresh(8);
  train::FitResult result =
      second.trainer({.checkpoint = folder / "a.ckpt", .resume = true}).fit(training, kFit);
  CHECK(result.epochs.size() == 1);
  CHECK(outcome(second) == expected);
}

TEST_CASE("a checkpoint carries the graph, and what the run says about itself") {
  test::TemporaryFolder folder;
  data::TensorDataset training = points();
  Classifier run = fresh(9);
  run.trainer({.checkpoint = folder / "a.ckpt", .about = {{"recipe", "test"}}}).fit(training, kFit);
  State saved = io::load(folder / "a.ckpt");
  CHECK(saved["about"].state()["recipe"].text() == "test");
  graph::GraphModule loaded = graph::GraphModule::from(saved["graph"], saved["model"]);
  loaded.eval();
  run.model.eval();
  Tensor x = test::random_tensor({5, 6}, 3);
  CHECK_SAME_BITS(loaded(x).detach(), run.model(x).detach());
}

TEST_CASE("a resumed run on other data is refused before anything changes") {
  test::TemporaryFolder folder;
  data::TensorDataset training = points(), other = points(70, 5);
  Classifier run = fresh(10);
  run.trainer({.checkpoint = folder / "a.ckpt"}).fit(training, {.epochs = 1, .batch = 16});
  Classifier second = fresh(11);
  Tensor weight = second.model.parameters()[0].second.clone();
  CHECK_THROWS_AS(second.trainer({.checkpoint = folder / "a.ckpt", .resume = true}).fit(other, kFit),
                  StateError);
  CHECK_SAME_BITS(second.model.parameters()[0].second.detach(), weight);
}

TEST_CASE("a checkpoint of a run that says something else about itself is refused before anything changes") {
  test::TemporaryFolder folder;
  data::TensorDataset training = points();
  Classifier run = fresh(17);
  run.trainer({.checkpoint = folder / "a.ckpt", .about = {{"recipe", "one"}}}).fit(training, {.batch = 16});
  Classifier second = fresh(18);
  Tensor weight = second.model.parameters()[0].second.clone();
  CHECK_THROWS_TEXT(
      second.trainer({.checkpoint = folder / "a.ckpt", .resume = true, .about = {{"recipe", "two"}}})
          .fit(training, kFit),
      StateError,
      "resume: " + (folder / "a.ckpt") +
          " was saved by a run with recipe one, this one has two. Give another file name.");
  io::save(folder / "b.ckpt", {{"model", run.model.state()}});
  CHECK_THROWS_TEXT(second.trainer({.checkpoint = folder / "b.ckpt", .resume = true}).fit(training, kFit),
                    StateError,
                    "resume: " + (folder / "b.ckpt") +
                        " was not saved by a Trainer. Load its parts by hand, or give another file name.");
  CHECK_SAME_BITS(second.model.parameters()[0].second.detach(), weight);
}

TEST_CASE("a checkpoint or history that cannot be written ends the run with a SaveError") {
  test::TemporaryFolder folder;
  data::TensorDataset training = points();
  Classifier run = fresh(19);
  CHECK_THROWS_AS(run.trainer({.checkpoint = folder / "no/a.ckpt"}).fit(training, kFit), train::SaveError);
  CHECK_THROWS_TEXT(
      run.trainer({.history = folder / "no/h"}).fit(training, kFit), train::SaveError,
      "history: cannot write to " + (folder / "no/h") + ". Is the folder there and the disk not full?");
}

TEST_CASE("a loss that is not finite stops the run, names the batch and the culprit, and takes no step") {
  data::TensorDataset good = points();
  Tensor x = good.x().clone();
  x.mutable_data<float>()[6 * 40 + 2] = std::numeric_limits<float>::quiet_NaN();
  data::TensorDataset bad(x, good.y());
  test::TemporaryFolder folder;
  Classifier run = fresh(12);
  CHECK_THROWS_TEXT(
      run.trainer({.checkpoint = folder / "a.ckpt"}).fit(bad, {.epochs = 1, .batch = 16, .shuffle = false}),
      NumericError,
      "train: the loss is nan in epoch 1, batch 3: the input batch holds a value that is not finite. Lower "
      "the "
      "learning rate, clip gradients, or check the data. The step was not taken.");
  CHECK_FALSE(std::filesystem::exists(folder / "a.ckpt"));
  CHECK(run.adam.steps() == 2);

  Classifier broken = fresh(13);
  broken.model.parameters()[1].second.fill_(INFINITY);
  CHECK_THROWS_TEXT(broken.trainer({}).fit(good, {.epochs = 1, .batch = 16}), NumericError,
                    "train: the loss is nan in epoch 1, batch 1: parameter 0.bias is not finite. Lower the "
                    "learning rate, clip "
                    "gradients, or check the data. The step was not taken.");
}

TEST_CASE("a learning rate of zero leaves every parameter as it is") {
  data::TensorDataset training = points();
  Classifier run = fresh(14);
  run.adam.set_lr(0.0);
  std::vector<Tensor> before;
  for (const auto& [name, parameter] : run.model.parameters()) before.push_back(parameter.clone());
  run.trainer({}).fit(training, kFit);
  NamedTensors after = run.model.parameters();
  for (std::size_t i = 0; i < after.size(); ++i) CHECK_SAME_BITS(after[i].second.detach(), before[i]);
}

TEST_CASE("callbacks see every epoch and can stop; the history has a JSON line an epoch") {
  test::TemporaryFolder folder;
  data::TensorDataset training = points(), held_out = points(20, 6);
  Classifier run = fresh(15);
  std::vector<std::int64_t> seen;
  train::Callback callback = [&](const train::EpochResult& result) {
    seen.push_back(result.epoch);
    return result.epoch < 2;
  };
  train::FitResult result = run.trainer({.history = folder / "history.jsonl", .callbacks = {callback}})
                                .fit(training, {.epochs = 5, .batch = 16, .validate = held_out});
  CHECK(seen == std::vector<std::int64_t>{1, 2});
  CHECK(result.stopped);
  std::ifstream file(folder / "history.jsonl");
  std::vector<nlohmann::json> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(nlohmann::json::parse(line));
  REQUIRE(lines.size() == 2);
  CHECK(lines[1]["epoch"] == 2);
  CHECK(lines[1]["val_accuracy"].get<double>() == result.epochs[1].validation[1].second);
}

TEST_CASE("wrong options are explained") {
  Classifier run = fresh(16);
  CHECK_THROWS_TEXT(train::Trainer(run.model, run.adam, {}), ValueError,
                    "Trainer: no loss given. Pass for example {.loss = cross_entropy}.");
  CHECK_THROWS_TEXT(run.trainer({.resume = true}), ValueError,
                    "Trainer: resume needs the name of a checkpoint.");
  CHECK_THROWS_TEXT(
      run.trainer({.clip_norm = -1.0}), ValueError,
      "Trainer: clip_norm, clip_value and checkpoint_every must be finite and not negative, got -1.");
  data::TensorDataset training = points();
  CHECK_THROWS_TEXT(run.trainer({}).fit(training, {.epochs = 0}), ValueError,
                    "fit: epochs must be at least 1, got 0.");
}

TEST_CASE("a network over whole numbers trains, is saved with its graph, and goes on") {
  Tensor x = Tensor::empty({40, 5}, i64), y = Tensor::empty({40}, i64);
  Rng rng(3, 1);
  for (std::int64_t& word : x.mutable_data<std::int64_t>()) word = rng.below(9);
  for (std::int64_t i = 0; i < 40; ++i)
    y.mutable_data<std::int64_t>()[i] = x.data<std::int64_t>()[i * 5] > 4 ? 1 : 0;
  const data::TensorDataset sentences(x, y);
  test::TemporaryFolder folder;
  const auto run = [&](const std::string& file, std::initializer_list<std::int64_t> epochs) {
    State end;
    for (const std::int64_t last : epochs) {
      manual_seed(5);
      nn::Sequential model{nn::Embedding(9, 4), nn::LSTM(4, 6), nn::Dense(6, 2)};
      optim::Adam adam(model.parameters(), {.lr = 0.01});
      train::Trainer trainer(model, adam,
                             {.loss = cross_entropy,
                              .metrics = {accuracy},
                              .checkpoint = folder / file,
                              .resume = true,
                              .show = train::Show::nothing});
      trainer.fit(sentences, {.epochs = last, .batch = 8});
      const State saved = io::load(folder / file);
      graph::GraphModule copy = graph::GraphModule::from(saved["graph"], saved["model"]);
      CHECK_SAME_BITS(copy(x), model(x));
      end = State{{"model", model.state()}, {"optimizer", adam.state()}};
    }
    return end;
  };
  CHECK(run("parts.ckpt", {1, 3}) == run("whole.ckpt", {3}));
}

TEST_CASE("the graph that is saved is that of the model as it is now") {
  manual_seed(6);
  nn::Sequential model{nn::Dense(6, 4), nn::BatchNorm(4), nn::Dense(4, 3)};
  optim::SGD sgd(model.parameters(), {.lr = 0.01});
  test::TemporaryFolder folder;
  train::Trainer trainer(
      model, sgd, {.loss = cross_entropy, .checkpoint = folder / "a.ckpt", .show = train::Show::nothing});
  const data::TensorDataset training = points();
  trainer.fit(training, {.epochs = 1, .batch = 16});
  nn::freeze_batch_norm(model);
  trainer.fit(training, {.epochs = 1, .batch = 16});
  const State saved = io::load(folder / "a.ckpt");
  graph::GraphModule copy = graph::GraphModule::from(saved["graph"], saved["model"]);
  copy.train();
  model.train();
  CHECK_SAME_BITS(copy(training.x()), model(training.x()));  // frozen in training mode too
}

TEST_CASE("a mask that nobody would look at is refused") {
  struct Masked : data::TensorDataset {
    using TensorDataset::TensorDataset;
    data::Batch batch(std::span<const std::int64_t> indices) const override {
      data::Batch some = TensorDataset::batch(indices);
      some.mask = Tensor::ones({some.x.dim(0), 1});
      return some;
    }
  };
  Classifier run = fresh(1);
  const data::TensorDataset plain = points();
  const Masked masked(plain.x(), plain.y());
  const char* text =
      "Trainer: the dataset has a mask of shape [16, 1], and the Trainer calls models with x alone. Write "
      "the "
      "loop, and call the layers with {.mask = batch.mask}.";
  CHECK_THROWS_TEXT(run.trainer({}).fit(masked, {.epochs = 1, .batch = 16}), ValueError, text);
  CHECK_THROWS_TEXT(run.trainer({}).evaluate(masked, 16), ValueError, text);
}

TEST_CASE("accuracy counts rows for labels and soft labels") {
  Tensor prediction = Tensor::from({{0.1, 0.9}, {0.8, 0.2}, {0.3, 0.7}});
  CHECK(accuracy(prediction, Tensor::from({1, 0, 0}, i64)) == doctest::Approx(2.0 / 3.0));
  CHECK(accuracy(prediction, Tensor::from({{0, 1}, {0, 1}, {0, 1}})) == doctest::Approx(2.0 / 3.0));
  CHECK_THROWS_TEXT(accuracy(prediction, Tensor::from({1, 0}, i64)), ShapeError,
                    "accuracy: prediction [3, 2] needs labels of shape [3], got [2].");
}
