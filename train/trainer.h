// SPDX-License-Identifier: Apache-2.0
#pragma once
// Trainer: the training loop with what a long run on a board needs: progress, validation, history,
// checkpoints that survive a power cut, resuming in the middle of an epoch, a clean stop on SIGTERM.
//
//   train::Trainer trainer(model, adam, {.loss = cross_entropy, .metrics = {accuracy}, .checkpoint =
//   "mnist.ckpt"}); trainer.fit(digits, {.epochs = 5, .batch = 32, .validate = held_out});
//
// A run that is stopped and resumed ends with the same bytes as one that was not.

#include <concepts>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "linnet/core/error.h"
#include "linnet/core/state.h"
#include "linnet/data/dataset.h"
#include "linnet/data/loader.h"
#include "linnet/nn/module.h"
#include "linnet/optim/ema.h"
#include "linnet/optim/optimizer.h"
#include "linnet/optim/schedule.h"
#include "linnet/train/loss.h"
#include "linnet/train/metrics.h"
#include "linnet/train/progress.h"

namespace linnet::train {

/// A checkpoint or a line of the history could not be written in the middle of a run, as on a full disk. What
/// was saved before is unchanged.
struct SaveError : IoError {
  using IoError::IoError;
};

/// What an epoch (or an evaluation) came to: the loss, a mean over samples (by their weights where the
/// dataset has them), and the metrics, which count all samples alike.
struct EpochResult {
  std::int64_t epoch = 0;  ///< counts from 1
  Figures training;        ///< "loss", then the metrics
  Figures validation;      ///< the same on the validation data; empty without them
  double seconds = 0.0;
};

/// Called after every epoch; returns false to stop.
using Callback = std::function<bool(const EpochResult&)>;

/// Where a run stands when a step begins; the same after resuming.
struct StepPlace {
  std::int64_t epoch = 1;  ///< counts from 1
  std::int64_t step = 0;   ///< optimizer steps of this run before it
};
/// Called before every optimizer step, ahead of its first batch: for what changes a model on a schedule
/// (compress/), as a function of the place, so that resuming changes nothing.
using StepCallback = std::function<void(const StepPlace&)>;

/// What a schedule counts.
enum class Per { step, epoch };

struct TrainerOptions {
  Loss loss = {};  ///< required
  std::vector<Metric> metrics = {};
  std::string checkpoint = {};    ///< file; empty: none is written
  double checkpoint_every = 0.0;  ///< seconds between checkpoints; 0: one after every epoch
  bool resume = false;            ///< go on from the checkpoint (or the generation before it) if there is one
  std::string history = {};       ///< file to which a JSON line is added after every epoch
  double clip_norm = 0.0;         ///< limit of the global gradient norm; 0: none
  double clip_value = 0.0;        ///< limit of every gradient element; 0: none
  std::vector<Callback> callbacks = {};
  Show show = Show::automatic;
  bool handle_signals = true;  ///< SIGTERM and SIGINT finish the step, save, and end fit()
  State about = {};            ///< saved under "about": task, recipe, preprocessing; must agree when resuming
  /// Of the learning rate; goes on from one fit() to the next. Its last factor stays in the optimizer: call
  /// set_lr_factor(1) to train on without it.
  optim::Schedule schedule = {};
  Per schedule_per = Per::step;  ///< the schedule counts optimizer steps, or finished epochs (plateau_lr)
  std::string watch = "loss";  ///< figure that plateau_lr is given: of the validation data, else of training
  /// Batches whose gradients are added up for one step; the last step of an epoch takes what is left. Each
  /// counts by its samples (their weights), so the step is that of one large batch, but for batch-norm, whose
  /// statistics, and for class_weights, whose divisor is of the small ones. Steps and schedules count
  /// optimizer steps.
  std::int64_t accumulate = 1;
  /// Decay of an average of parameters and buffers (optim/ema.h, with its warm-up); 0: none. Evaluation uses
  /// the average, and it is the "model" of checkpoints, with the trained weights beside it.
  double ema = 0.0;
  std::vector<StepCallback> step_callbacks = {};
};

/// Refers to a dataset that outlives the call.
struct DatasetRef {
  DatasetRef() = default;
  DatasetRef(const data::Dataset& d) : dataset(&d) {}
  const data::Dataset* dataset = nullptr;
};

struct FitOptions {
  std::int64_t epochs = 1;
  std::int64_t batch = 32;
  bool shuffle = true;
  DatasetRef validate = {};
};

struct FitResult {
  std::vector<EpochResult> epochs = {};  ///< those that this call finished
  std::int64_t samples = 0;              ///< seen by this call
  double seconds = 0.0;                  ///< spent on training steps
  bool stopped = false;                  ///< by a signal or a callback, before the last epoch
};

class Trainer {
 public:
  /// Model and optimizer outlive the trainer. The model is anything derived from Module that maps a tensor to
  /// a tensor.
  template <std::derived_from<nn::Module> Model>
  Trainer(Model& model, optim::Optimizer& optimizer, TrainerOptions options)
      : Trainer(
            model, [&model](const Tensor& x) { return model(x); }, optimizer, std::move(options)) {}
  Trainer(nn::Module& model, std::function<Tensor(const Tensor&)> forward, optim::Optimizer& optimizer,
          TrainerOptions options);

  /// Trains. NumericError when the loss is not finite: it names epoch and batch and the first bad tensor; the
  /// step is not taken and the last checkpoint stays as it is. StateError or IoError when the checkpoint to
  /// resume from does not fit or cannot be used: nothing has changed then. SaveError when one cannot be
  /// written.
  FitResult fit(const data::Dataset& dataset, const FitOptions& options = {});

  /// Loss and metrics in eval mode; the mode is restored.
  Figures evaluate(const data::Dataset& dataset, std::int64_t batch = 256);

  /// What a checkpoint written now would hold, without the loader: model, optimizer, rng, schedule and ema
  /// (if there are), graph, about.
  State state();
  const optim::Schedule& schedule() const { return options_.schedule; }
  /// The average, from the first fit() on; nullptr without. After fit() the model holds the trained weights:
  /// ema()->swap() puts the average in.
  optim::EMA* ema() { return ema_ ? &*ema_ : nullptr; }

 private:
  struct Run;  // one call of fit()
  struct Tally;

  void train_epoch(Run& run);
  void begin_step(const Run& run) const;
  double step(Run& run, const data::Batch& batch);
  void add_gradient(Run& run, const data::Batch& batch, const Tensor& loss);
  void update();
  void finish_epoch(Run& run);
  void advance_schedule(const EpochResult& result);
  void save(Run& run);
  void resume(Run& run);
  void load(Run& run, const std::string& path, const State& saved);
  void add_history(const EpochResult& result) const;
  [[noreturn]] void report_bad_loss(const Run& run, const data::Batch& batch, double loss);

  nn::Module& model_;
  std::function<Tensor(const Tensor&)> forward_;
  optim::Optimizer& optimizer_;
  TrainerOptions options_;
  NamedTensors parameters_;
  std::optional<optim::EMA> ema_;
  State graph_;  ///< traced from the first batch that a checkpoint is written for
};

}  // namespace linnet::train
