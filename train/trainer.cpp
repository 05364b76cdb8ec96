// SPDX-License-Identifier: Apache-2.0
#include "linnet/train/trainer.h"

#include <chrono>
#include <cmath>
#include <optional>

#include "linnet/autograd/autograd.h"
#include "linnet/core/error.h"
#include "linnet/core/random.h"
#include "linnet/graph/trace.h"
#include "linnet/io/checkpoint.h"
#include "linnet/optim/clip.h"
#include "linnet/train/stop_signal.h"

namespace linnet::train {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

bool all_finite(const Tensor& t) {
  if (!t.defined() || !is_float(t.dtype())) return true;
  return dispatch_float("train", t.dtype(), [&](auto zero) {
    for (auto value : t.data<decltype(zero)>())
      if (!std::isfinite(value)) return false;
    return true;
  });
}

/// Puts the mode of a model back.
class ModeScope {
 public:
  ModeScope(nn::Module& model, bool training) : model_(model), before_(model.training()) {
    model.train(training);
  }
  ~ModeScope() { model_.train(before_); }
  ModeScope(const ModeScope&) = delete;

 private:
  nn::Module& model_;
  bool before_;
};

/// Model and optimizer, or neither when one refuses.
void load_both(nn::Module& model, optim::Optimizer& optimizer, const State& saved) {
  State before;
  for (const auto& [name, value] : model.state()) before.set(name, value.tensor().clone());
  model.load(saved["model"]);
  try {
    optimizer.load(saved["optimizer"]);
  } catch (...) {
    model.load(before);
    throw;
  }
}

/// A run goes on only from a checkpoint that says the same about itself.
void check_about(const std::string& path, const State& saved, const State& ours) {
  if (!saved.has("about")) return;
  const State& theirs = saved["about"];
  for (const auto& [name, value] : ours) {
    const StateValue* other = theirs.find(name);
    if (!other || !other->is_text() || !value.is_text()) continue;
    check<StateError>(other->text() == value.text(), "resume: ", path, " was saved by a run with ", name, " ",
                      other->text(), ", this one has ", value.text(), ". Give another file name.");
  }
}

}  // namespace

/// Sums over the samples of an epoch: the loss, then each metric.
struct Trainer::Sums {
  explicit Sums(std::size_t figures) : values(figures, 0.0) {}
  std::vector<double> values;
  std::int64_t samples = 0;

  void add(std::size_t i, double mean, std::int64_t count) { values[i] += mean * static_cast<double>(count); }
  Figures means(const std::vector<Metric>& metrics) const {
    double n = static_cast<double>(std::max<std::int64_t>(samples, 1));
    Figures figures{{"loss", values[0] / n}};
    for (std::size_t i = 0; i < metrics.size(); ++i) figures.emplace_back(metrics[i].name, values[i + 1] / n);
    return figures;
  }
};

struct Trainer::Run {
  Run(const data::Dataset& dataset, const FitOptions& fit, const TrainerOptions& trainer)
      : options(fit),
        loader(dataset, {.batch = fit.batch, .shuffle = fit.shuffle}),
        sums(trainer.metrics.size() + 1),
        progress(trainer.show, fit.epochs, loader.batches(), loader.size()),
        stop(trainer.handle_signals) {}

  const FitOptions& options;
  data::Loader loader;
  Sums sums;
  Progress progress;
  StopSignal stop;
  FitResult result;
  Clock::time_point saved = Clock::now();
  Shape sample;  ///< of one batch of x
  bool finished = false;

  std::int64_t epoch() const { return loader.epoch() + 1; }
};

Trainer::Trainer(nn::Module& model, std::function<Tensor(const Tensor&)> forward, optim::Optimizer& optimizer,
                 TrainerOptions options)
    : model_(model),
      forward_(std::move(forward)),
      optimizer_(optimizer),
      options_(std::move(options)),
      parameters_(model.parameters()) {
  check<ValueError>(static_cast<bool>(options_.loss),
                    "Trainer: no loss given. Pass for example {.loss = cross_entropy}.");
  for (double limit : {options_.clip_norm, options_.clip_value, options_.checkpoint_every})
    check<ValueError>(
        std::isfinite(limit) && limit >= 0.0,
        "Trainer: clip_norm, clip_value and checkpoint_every must be finite and not negative, got ", limit,
        ".");
  check<ValueError>(!options_.resume || !options_.checkpoint.empty(),
                    "Trainer: resume needs the name of a checkpoint.");
}

FitResult Trainer::fit(const data::Dataset& dataset, const FitOptions& options) {
  check<ValueError>(options.epochs >= 1, "fit: epochs must be at least 1, got ", options.epochs, ".");
  ModeScope mode(model_, true);
  Run run(dataset, options, options_);
  if (options_.resume) resume(run);
  while (run.loader.epoch() < options.epochs && !run.result.stopped && !run.finished) {
    train_epoch(run);
    if (!run.result.stopped) finish_epoch(run);
  }
  return std::move(run.result);
}

void Trainer::train_epoch(Run& run) {
  Clock::time_point start = Clock::now();
  std::int64_t epoch = run.epoch();
  run.progress.begin_epoch(epoch, run.loader.position());
  for (const data::Batch& batch : run.loader) {
    run.sample = batch.x.shape();
    double loss = step(run, batch);
    Figures figures = run.sums.means(options_.metrics);
    figures[0].second = loss;
    run.progress.step(run.loader.position(), figures);
    bool due = options_.checkpoint_every > 0.0 && seconds_since(run.saved) >= options_.checkpoint_every;
    run.result.stopped = run.stop.requested();
    if (due || run.result.stopped) save(run);
    if (!run.result.stopped) continue;
    run.progress.say(concat({"stopped by a signal in epoch ", epoch, " after batch ", run.loader.position(),
                             options_.checkpoint.empty() ? "." : "; saved, go on with --resume."}));
    break;
  }
  run.result.seconds += seconds_since(start);
}

double Trainer::step(Run& run, const data::Batch& batch) {
  Tensor prediction = forward_(batch.x);
  Tensor loss = options_.loss(prediction, batch.y);
  double value = loss.item();
  if (!std::isfinite(value)) report_bad_loss(run, batch, value);
  optimizer_.zero_grad();
  backward(loss);
  if (options_.clip_value > 0.0) optim::clip_grad_value_(parameters_, options_.clip_value);
  if (options_.clip_norm > 0.0) optim::clip_grad_norm_(parameters_, options_.clip_norm);
  optimizer_.step();

  std::int64_t rows = batch.x.dim(0);
  run.sums.add(0, value, rows);
  NoGrad no_grad;
  for (std::size_t i = 0; i < options_.metrics.size(); ++i)
    run.sums.add(i + 1, options_.metrics[i].function(prediction, batch.y), rows);
  run.sums.samples += rows;
  run.result.samples += rows;
  return value;
}

void Trainer::finish_epoch(Run& run) {
  EpochResult result{.epoch = run.loader.epoch(),
                     .training = run.sums.means(options_.metrics),
                     .validation = {},
                     .seconds = run.result.seconds};
  for (const EpochResult& earlier : run.result.epochs) result.seconds -= earlier.seconds;
  if (run.options.validate.dataset) result.validation = evaluate(*run.options.validate.dataset);
  Figures shown = result.training;
  for (const auto& figure : result.validation) shown.emplace_back("val_" + figure.first, figure.second);
  run.progress.end_epoch(shown);
  run.sums = Sums(options_.metrics.size() + 1);
  run.result.epochs.push_back(result);
  for (const Callback& callback : options_.callbacks)
    if (!callback(result)) run.result.stopped = run.loader.epoch() < run.options.epochs;
  run.finished = run.loader.epoch() == run.options.epochs;
  save(run);
  if (!options_.history.empty()) add_history(result);
  if (run.stop.requested() && !run.finished) run.result.stopped = true;
}

Figures Trainer::evaluate(const data::Dataset& dataset, std::int64_t batch) {
  ModeScope mode(model_, false);
  NoGrad no_grad;
  Sums sums(options_.metrics.size() + 1);
  data::Loader loader(dataset, {.batch = batch});
  for (const auto& [x, y] : loader) {
    Tensor prediction = forward_(x);
    sums.add(0, options_.loss(prediction, y).item(), x.dim(0));
    for (std::size_t i = 0; i < options_.metrics.size(); ++i)
      sums.add(i + 1, options_.metrics[i].function(prediction, y), x.dim(0));
    sums.samples += x.dim(0);
  }
  return sums.means(options_.metrics);
}

State Trainer::state() {
  State state{{"model", model_.state()}, {"optimizer", optimizer_.state()}, {"rng", rng_state()}};
  if (!graph_.empty()) state.set("graph", graph_);
  state.set("about", options_.about);
  return state;
}

void Trainer::save(Run& run) {
  if (options_.checkpoint.empty()) return;
  if (graph_.empty()) {
    auto forward = [this](std::span<const Tensor> inputs) { return forward_(inputs[0]); };
    graph::InputSpec input{run.sample};
    graph_ = graph::trace(model_, forward, std::span(&input, 1)).state();
  }
  State whole = state();
  whole.set("loader", run.loader.state());
  State sums{{"samples", run.sums.samples}};
  for (std::size_t i = 0; i < run.sums.values.size(); ++i) sums.set(std::to_string(i), run.sums.values[i]);
  whole.set("trainer", State{{"epochs", run.options.epochs}, {"sums", sums}});
  try {
    io::save(options_.checkpoint, whole);
  } catch (const IoError& error) {
    throw SaveError(error.what());
  }
  run.saved = Clock::now();
}

void Trainer::resume(Run& run) {
  std::optional<io::Loaded> newest = io::load_newest(options_.checkpoint);
  if (!newest) {
    run.progress.say("no checkpoint " + options_.checkpoint + " yet: starting from the beginning.");
    return;
  }
  if (!newest->note.empty()) run.progress.say(newest->note);
  const State& saved = newest->state;
  check<StateError>(saved.has("trainer"), "resume: ", newest->path,
                    " was not saved by a Trainer. Load its parts by hand, or give another file name.");
  check_about(newest->path, saved, options_.about);
  const State& sums = saved["trainer"].state()["sums"];
  check<StateError>(sums.size() == run.sums.values.size() + 1, "resume: the checkpoint keeps ",
                    sums.size() - 1, " figures, this run has ", run.sums.values.size(),
                    ". Use the same metrics.");
  run.loader.load(saved["loader"]);
  load_both(model_, optimizer_, saved);
  set_rng_state(saved["rng"]);
  run.sums.samples = sums["samples"].integer();
  for (std::size_t i = 0; i < run.sums.values.size(); ++i)
    run.sums.values[i] = sums[std::to_string(i)].real();
  if (saved.has("graph")) graph_ = saved["graph"].state();
  run.progress.say(concat(
      {"resuming from ", newest->path, ": epoch ", run.epoch(), ", batch ", run.loader.position(), "."}));
}

void Trainer::report_bad_loss(const Run& run, const data::Batch& batch, double loss) {
  std::string culprit = "all inputs and parameters are finite";
  if (!all_finite(batch.x))
    culprit = "the input batch holds a value that is not finite";
  else if (!all_finite(batch.y))
    culprit = "the target batch holds a value that is not finite";
  else
    for (const auto& [name, tensor] : parameters_)
      if (!all_finite(tensor)) {
        culprit = "parameter " + name + " is not finite";
        break;
      }
  fail<NumericError>("train: the loss is ", loss, " in epoch ", run.epoch(), ", batch ",
                     run.loader.position(), ": ", culprit,
                     ". Lower the learning rate, clip gradients, or check the data. The step was not taken.");
}

}  // namespace linnet::train
