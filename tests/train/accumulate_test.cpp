// SPDX-License-Identifier: Apache-2.0
// Gradient accumulation and the average of weights in the Trainer.
#include <csignal>

#include "linnet/autograd/autograd.h"
#include "linnet/autograd/ops.h"
#include "linnet/graph/graph_module.h"
#include "linnet/io/checkpoint.h"
#include "linnet/nn/nn.h"
#include "linnet/optim/optim.h"
#include "linnet/train/trainer.h"
#include "support/check_close.h"
#include "support/fixtures.h"

using namespace linnet;

namespace {

/// 45 samples: batches of 4 leave one at the end.
const data::TensorDataset& samples_of(bool weighted) {
  static const Tensor x = test::random_tensor({45, 5}, 1), y = test::random_labels({45}, 2, 3),
                      weights = test::random_tensor({45}, 3, 0.0, 2.0);
  static const data::TensorDataset plain(x, y), with_weights(x, y, {.weights = weights});
  return weighted ? with_weights : plain;
}

struct Learner {
  nn::Sequential model{nn::Dense(5, 8), nn::Tanh(), nn::Dense(8, 3)};
  optim::SGD sgd{model.parameters(), {.lr = 0.5, .momentum = 0.9}};

  train::FitResult fit(const data::Dataset& dataset, std::int64_t batch, train::TrainerOptions options,
                       std::int64_t epochs = 2) {
    if (!options.loss) options.loss = nn::CrossEntropy();
    options.show = train::Show::nothing;
    train::Trainer trainer(model, sgd, std::move(options));
    return trainer.fit(dataset, {.epochs = epochs, .batch = batch});
  }
};

Learner learner(std::uint64_t seed) {
  manual_seed(seed);
  return Learner();
}

/// With batch-norm, so that there are buffers to average.
struct Averaged {
  nn::Sequential model{nn::Dense(5, 8), nn::BatchNorm(8), nn::ReLU(), nn::Dropout(0.2), nn::Dense(8, 3)};
  optim::AdamW adamw{model.parameters(), {.lr = 0.02}};

  train::Trainer trainer(train::TrainerOptions options) {
    options.loss = cross_entropy;
    options.metrics = {accuracy};
    options.show = train::Show::nothing;
    return train::Trainer(model, adamw, std::move(options));
  }
};

Averaged averaged_from(std::uint64_t seed) {
  manual_seed(seed);
  return Averaged();
}

State copied(const State& state) {
  State copy;
  for (const auto& [name, value] : state) copy.set(name, value.tensor().clone());
  return copy;
}

}  // namespace

TEST_CASE("accumulated batches are the large batch, also a last smaller one and samples with weights") {
  for (const bool weighted : {false, true}) {
    CAPTURE(weighted);
    Learner whole = learner(1);
    whole.fit(samples_of(weighted), 12, {});  // 12, 12, 12, 9
    Learner parts = learner(1);
    parts.fit(samples_of(weighted), 4, {.accumulate = 3});  // 4 + 4 + 4, ..., 4 + 4 + 1
    CHECK(parts.sgd.steps() == 8);
    CHECK(whole.sgd.steps() == 8);
    // Sums over 45 samples, twice, with momentum.
    for (std::size_t i = 0; i < whole.model.parameters().size(); ++i)
      CHECK_CLOSE(parts.model.parameters()[i].second, whole.model.parameters()[i].second,
                  tol::f32_accumulated(2 * 45));
  }
}

TEST_CASE("clipping and schedules see accumulated steps") {
  Learner whole = learner(2);
  whole.fit(samples_of(false), 15,
            {.clip_norm = 0.1, .schedule = optim::step_lr({.every = 2, .gamma = 0.5})});
  Learner parts = learner(2);
  parts.fit(samples_of(false), 5,
            {.clip_norm = 0.1, .schedule = optim::step_lr({.every = 2, .gamma = 0.5}), .accumulate = 3});
  CHECK(parts.sgd.lr_factor() == whole.sgd.lr_factor());
  for (std::size_t i = 0; i < whole.model.parameters().size(); ++i)
    CHECK_CLOSE(parts.model.parameters()[i].second, whole.model.parameters()[i].second,
                tol::f32_accumulated(2 * 45));
}

TEST_CASE("step callbacks hear every step before it is taken, by places that a resumed run goes on with") {
  const test::TemporaryFolder folder;
  std::vector<std::pair<std::int64_t, std::int64_t>> places;
  train::TrainerOptions options{
      .checkpoint = folder / "run.ckpt",
      .resume = true,
      .accumulate = 3,
      .step_callbacks = {[&places](const train::StepPlace& at) { places.emplace_back(at.epoch, at.step); }}};
  Learner begun = learner(1), resumed = learner(2);
  begun.fit(samples_of(false), 4, options, 1);
  resumed.fit(samples_of(false), 4, options, 2);
  CHECK(places == std::vector<std::pair<std::int64_t, std::int64_t>>{
                      {1, 0}, {1, 1}, {1, 2}, {1, 3}, {2, 4}, {2, 5}, {2, 6}, {2, 7}});
}

TEST_CASE("a signal between accumulated batches stops after their step; resuming gives the same bytes") {
  const optim::Schedule schedule = optim::cosine_lr({.steps = 6});
  Learner straight = learner(3);
  straight.fit(samples_of(false), 4, {.schedule = schedule, .accumulate = 5, .ema = 0.9});
  for (const int stop_after : {1, 5, 7, 12, 13}) {
    test::TemporaryFolder folder;
    int batches = 0;
    const auto interrupted = [&](const Tensor& prediction, const Tensor& target) {
      if (++batches == stop_after) std::raise(SIGTERM);
      return cross_entropy(prediction, target);
    };
    Learner first = learner(3);
    CHECK(first
              .fit(samples_of(false), 4,
                   {.loss = interrupted,
                    .checkpoint = folder / "a.ckpt",
                    .schedule = schedule,
                    .accumulate = 5,
                    .ema = 0.9})
              .stopped);
    // Steps end after batches 5, 10 and 12 of each epoch.
    CHECK(batches == (stop_after <= 5 ? 5 : stop_after <= 10 ? 10 : stop_after == 12 ? 12 : 17));
    Learner second = learner(9);
    second.fit(
        samples_of(false), 4,
        {.checkpoint = folder / "a.ckpt", .resume = true, .schedule = schedule, .accumulate = 5, .ema = 0.9});
    CHECK(second.model.state() == straight.model.state());
    CHECK(second.sgd.state() == straight.sgd.state());
  }
}

TEST_CASE("evaluation and the checkpoint use the average, which leaves the training as it is") {
  test::TemporaryFolder folder;
  Averaged plain = averaged_from(4);
  plain.trainer({}).fit(samples_of(false), {.epochs = 3, .batch = 8});
  Averaged run = averaged_from(4);
  train::Trainer trainer = run.trainer({.checkpoint = folder / "a.ckpt", .ema = 0.9});
  const train::FitResult result =
      trainer.fit(samples_of(false), {.epochs = 3, .batch = 8, .validate = samples_of(false)});
  CHECK(run.model.state() == plain.model.state());
  CHECK(trainer.ema()->updates() == 18);
  CHECK(trainer.evaluate(samples_of(false)) == result.epochs.back().validation);

  const State saved = io::load(folder / "a.ckpt");
  graph::GraphModule model = graph::GraphModule::from(saved["graph"], saved["model"]);
  model.eval();
  trainer.ema()->swap();
  run.model.eval();
  const Tensor x = samples_of(false).x();
  CHECK_SAME_BITS(model(x).detach(), run.model(x).detach());
  CHECK(saved["model"].state() == run.model.state());
  CHECK_FALSE(run.model.state() == plain.model.state());
  CHECK(trainer.evaluate(samples_of(false)) == result.epochs.back().validation);
}

TEST_CASE(
    "training on while the averages are in the model is refused; an evaluation that fails puts them back") {
  struct Unreadable final : data::TensorDataset {
    using TensorDataset::TensorDataset;
    data::Batch batch(std::span<const std::int64_t>) const override { fail<IoError>("unreadable"); }
  };
  Averaged run = averaged_from(4);
  train::Trainer trainer = run.trainer({.ema = 0.9});
  trainer.fit(samples_of(false), {.epochs = 1, .batch = 8});
  State trained;
  for (const auto& [name, value] : run.model.state()) trained.set(name, value.tensor().clone());
  CHECK_THROWS_AS(trainer.evaluate(Unreadable(samples_of(false).x(), samples_of(false).y())), IoError);
  CHECK(run.model.state() == trained);
  trainer.ema()->swap();
  const std::int64_t steps = run.adamw.steps();
  CHECK_THROWS_TEXT(trainer.fit(samples_of(false), {.epochs = 1, .batch = 8}), ValueError,
                    "fit: the averages are in the model. Call ema()->swap() before training on.");
  CHECK(run.adamw.steps() == steps);
  trainer.ema()->swap();
  CHECK(run.model.state() == trained);
  trainer.fit(samples_of(false), {.epochs = 1, .batch = 8});
  CHECK(run.adamw.steps() == 2 * steps);
}

TEST_CASE("a run with an average that is stopped and resumed ends with the same bytes") {
  test::TemporaryFolder folder;
  Averaged straight = averaged_from(5);
  straight.trainer({.checkpoint = folder / "whole.ckpt", .ema = 0.95})
      .fit(samples_of(false), {.epochs = 4, .batch = 8});
  for (const std::int64_t epochs : {1, 2, 4}) {
    Averaged part = averaged_from(epochs == 1 ? 5 : 77);
    part.trainer({.checkpoint = folder / "parts.ckpt", .resume = true, .ema = 0.95})
        .fit(samples_of(false), {.epochs = epochs, .batch = 8});
    if (epochs == 4) CHECK(part.model.state() == straight.model.state());
  }
  const State whole = io::load(folder / "whole.ckpt"), parts = io::load(folder / "parts.ckpt");
  for (const char* part : {"model", "ema", "optimizer", "rng"})
    CHECK(whole[part].state() == parts[part].state());
}

TEST_CASE("a checkpoint without an average is resumed with one; one with an average needs it") {
  test::TemporaryFolder folder;
  Averaged plain = averaged_from(6);
  plain.trainer({.checkpoint = folder / "a.ckpt"}).fit(samples_of(false), {.epochs = 1, .batch = 8});
  Averaged later = averaged_from(7);
  train::Trainer trainer = later.trainer({.checkpoint = folder / "a.ckpt", .resume = true, .ema = 0.9});
  trainer.fit(samples_of(false), {.epochs = 2, .batch = 8});
  CHECK(trainer.ema()->updates() == 6);
  Averaged other = averaged_from(8);
  const State before = copied(other.model.state());
  CHECK_THROWS_TEXT(
      other.trainer({.checkpoint = folder / "a.ckpt", .resume = true})
          .fit(samples_of(false), {.epochs = 3, .batch = 8}),
      StateError,
      "resume: " + (folder / "a.ckpt") +
          " was saved by a run with an average of its weights, this one has none. Pass the same "
          "ema.");
  CHECK(other.model.state() == before);
}

TEST_CASE("accumulate and ema outside their range are refused") {
  Averaged run = averaged_from(9);
  CHECK_THROWS_TEXT(run.trainer({.accumulate = 0}), ValueError,
                    "Trainer: accumulate must be at least 1, got 0.");
  CHECK_THROWS_TEXT(run.trainer({.ema = 1.0}), ValueError,
                    "Trainer: ema must be in [0, 1), got 1. It is the decay of the average.");
}
