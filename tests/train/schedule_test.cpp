// SPDX-License-Identifier: Apache-2.0
// Schedules in the Trainer: what they count, and that they are saved and resumed with the run.
#include "linnet/optim/schedule.h"

#include "linnet/autograd/autograd.h"
#include "linnet/autograd/ops.h"
#include "linnet/io/checkpoint.h"
#include "linnet/nn/nn.h"
#include "linnet/optim/optim.h"
#include "linnet/train/trainer.h"
#include "support/check_close.h"
#include "support/fixtures.h"

using namespace linnet;

namespace {

/// Forty points, so 5 batches of 8 an epoch.
const data::TensorDataset& dots() {
  static const data::TensorDataset all(test::random_tensor({40, 4}, 1), test::random_labels({40}, 2, 3));
  return all;
}

struct Scheduled {
  nn::Sequential model{nn::Dense(4, 8), nn::ReLU(), nn::Dropout(0.2), nn::Dense(8, 3)};
  optim::Adam adam{model.parameters(), {.lr = 0.02}};

  train::Trainer trainer(train::TrainerOptions options) {
    options.loss = cross_entropy;
    options.metrics = {accuracy};
    options.show = train::Show::nothing;
    return train::Trainer(model, adam, std::move(options));
  }
  State outcome() const {
    return {{"model", model.state()}, {"optimizer", adam.state()}, {"rng", rng_state()}};
  }
};

Scheduled seeded(std::uint64_t seed) {
  manual_seed(seed);
  return Scheduled();
}

}  // namespace

TEST_CASE("a schedule of steps gives every step the rate that a loop by hand gives it") {
  Scheduled by_hand = seeded(1);
  optim::Schedule schedule = optim::one_cycle_lr({.steps = 15});
  data::Loader batches(dots(), {.batch = 8, .shuffle = true});
  for (int epoch = 0; epoch < 3; ++epoch)
    for (const auto& [x, y] : batches) {
      const Tensor loss = cross_entropy(by_hand.model(x), y);
      by_hand.adam.zero_grad();
      backward(loss);
      by_hand.adam.set_lr_factor(schedule.factor());
      by_hand.adam.step();
      schedule.step();
    }
  Scheduled run = seeded(1);
  train::Trainer trainer = run.trainer({.schedule = optim::one_cycle_lr({.steps = 15})});
  trainer.fit(dots(), {.epochs = 3, .batch = 8});
  CHECK(run.outcome() == by_hand.outcome());
  CHECK(trainer.schedule().count() == 15);
}

TEST_CASE("a schedule of epochs counts finished epochs, and goes on from one fit to the next") {
  Scheduled run = seeded(2);
  std::vector<double> seen;
  train::Trainer trainer = run.trainer({.callbacks = {[&](const train::EpochResult&) {
                                          seen.push_back(run.adam.lr_factor());
                                          return true;
                                        }},
                                        .schedule = optim::step_lr({.every = 2, .gamma = 0.5}),
                                        .schedule_per = train::Per::epoch});
  trainer.fit(dots(), {.epochs = 3, .batch = 8});
  trainer.fit(dots(), {.epochs = 2, .batch = 8});
  CHECK(seen == std::vector<double>{1.0, 1.0, 0.5, 0.5, 0.25});
  CHECK(run.adam.lr() == 0.02);
}

TEST_CASE("plateau_lr watches the named figure, of the validation data when there are some") {
  for (const bool validate : {false, true}) {
    Scheduled run = seeded(3);
    optim::Schedule expected = optim::plateau_lr({.factor = 0.5, .patience = 0, .maximize = true});
    train::Trainer trainer =
        run.trainer({.schedule = expected, .schedule_per = train::Per::epoch, .watch = "accuracy"});
    train::FitOptions options{.epochs = 8, .batch = 8};
    if (validate) options.validate = dots();
    const train::FitResult result = trainer.fit(dots(), options);
    for (const train::EpochResult& epoch : result.epochs)
      expected.step((validate ? epoch.validation : epoch.training)[1].second);
    CHECK(trainer.schedule().state() == expected.state());
  }
}

TEST_CASE("a run with a schedule that is stopped and resumed ends with the same bytes") {
  struct Case {
    optim::Schedule schedule;
    train::Per per;
  };
  const std::vector<Case> cases{
      {optim::cosine_lr({.steps = 20}), train::Per::step},
      {optim::sequence({optim::linear_lr({.steps = 3}), optim::exponential_lr()}, {3}), train::Per::step},
      {optim::plateau_lr({.factor = 0.5, .patience = 0, .threshold = 0.02}), train::Per::epoch}};
  for (const Case& c : cases) {
    CAPTURE(c.schedule.name());
    Scheduled straight = seeded(4);
    straight.trainer({.schedule = c.schedule, .schedule_per = c.per}).fit(dots(), {.epochs = 4, .batch = 8});
    const State whole = straight.outcome();
    test::TemporaryFolder folder;
    for (const std::int64_t epochs : {1, 3, 4}) {
      Scheduled part = seeded(4);
      part.trainer({.checkpoint = folder / "a.ckpt",
                    .resume = true,
                    .schedule = c.schedule,
                    .schedule_per = c.per})
          .fit(dots(), {.epochs = epochs, .batch = 8});
      if (epochs == 4) CHECK(part.outcome() == whole);
    }
  }
}

TEST_CASE(
    "a checkpoint that cannot be resumed, or counts something else, changes neither weights nor numbers") {
  test::TemporaryFolder folder;
  seeded(4)
      .trainer({.checkpoint = folder / "a.ckpt", .schedule = optim::step_lr()})
      .fit(dots(), {.epochs = 1, .batch = 8});
  State damaged;
  for (const auto& [name, value] : io::load(folder / "a.ckpt"))
    damaged.set(name, name == "rng" ? StateValue(State{{"seed", 1}, {"next_call", -1}}) : value);
  io::save(folder / "damaged.ckpt", damaged);

  Scheduled other = seeded(7);
  const Tensor weight = other.model.parameters()[0].second.clone();
  const State numbers = rng_state();
  const auto resume = [&](const std::string& file, train::Per per) {
    other
        .trainer(
            {.checkpoint = folder / file, .resume = true, .schedule = optim::step_lr(), .schedule_per = per})
        .fit(dots(), {.epochs = 2, .batch = 8});
  };
  CHECK_THROWS_AS(resume("damaged.ckpt", train::Per::step), StateError);
  CHECK_THROWS_TEXT(resume("a.ckpt", train::Per::epoch), StateError,
                    "resume: " + (folder / "a.ckpt") +
                        " counts steps by its schedule, this run epochs. Pass the same schedule_per.");
  CHECK_SAME_BITS(other.model.parameters()[0].second, weight);
  CHECK(rng_state() == numbers);
}

TEST_CASE("a checkpoint without a schedule is resumed with one; one with a schedule needs it, unchanged") {
  test::TemporaryFolder folder;
  Scheduled plain = seeded(5);
  plain.trainer({.checkpoint = folder / "a.ckpt"}).fit(dots(), {.epochs = 1, .batch = 8});
  Scheduled later = seeded(6);
  train::Trainer trainer =
      later.trainer({.checkpoint = folder / "a.ckpt", .resume = true, .schedule = optim::step_lr()});
  trainer.fit(dots(), {.epochs = 2, .batch = 8});
  CHECK(trainer.schedule().count() == 5);

  Scheduled other = seeded(7);
  const Tensor weight = other.model.parameters()[0].second.clone();
  CHECK_THROWS_TEXT(
      other.trainer({.checkpoint = folder / "a.ckpt", .resume = true}).fit(dots(), {.epochs = 3, .batch = 8}),
      StateError,
      "resume: " + (folder / "a.ckpt") +
          " was saved by a run with the schedule step_lr, this one has none. Pass the same "
          "schedule.");
  CHECK_THROWS_TEXT(
      other.trainer({.checkpoint = folder / "a.ckpt", .resume = true, .schedule = optim::cosine_lr()})
          .fit(dots(), {.epochs = 3, .batch = 8}),
      StateError,
      "Schedule: cannot load the state of step_lr into cosine_lr. Make the schedule that the state was saved "
      "from.");
  CHECK_SAME_BITS(other.model.parameters()[0].second.detach(), weight);
}

TEST_CASE("a plateau that has nothing to watch is refused") {
  Scheduled run = seeded(8);
  CHECK_THROWS_TEXT(run.trainer({.schedule = optim::plateau_lr()}), ValueError,
                    "Trainer: plateau_lr watches the figures of epochs. Pass {.schedule_per = "
                    "train::Per::epoch}.");
  CHECK_THROWS_TEXT(
      run.trainer({.schedule = optim::plateau_lr(), .schedule_per = train::Per::epoch, .watch = "f1"}),
      ValueError, "Trainer: the schedule is to watch f1, which is not measured. There are: loss, accuracy.");
}
