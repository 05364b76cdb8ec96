// SPDX-License-Identifier: Apache-2.0
#include "linnet/train/trainer.h"

#include <chrono>
#include <cmath>
#include <optional>

#include "linnet/autograd/autograd.h"
#include "linnet/core/error.h"
#include "linnet/core/profile.h"
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

/// Training on padding without a word would be worse.
void check_no_mask(const data::Batch& batch) {
  if (!batch.mask.defined()) return;
  fail<ValueError>("Trainer: the dataset has a mask of shape ", batch.mask.shape(),
                   ", and the Trainer calls models with x alone. Write the loop, and call the layers with "
                   "{.mask = batch.mask}.");
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

/// What the samples of an epoch came to so far.
struct Trainer::Tally {
  explicit Tally(const std::vector<Metric>& given) {
    for (const Metric& metric : given) {
      names.push_back(metric.name);
      metrics.push_back(metric.make());
    }
  }
  std::vector<std::string> names;
  std::vector<std::unique_ptr<StreamingMetric>> metrics;
  double loss = 0.0, weight = 0.0;  ///< sums over samples

  void add(const data::Batch& batch, const Tensor& prediction, double mean_loss) {
    double batch_weight = static_cast<double>(batch.x.dim(0));
    if (batch.weights.defined()) {
      const Tensor weights = batch.weights.to(f64);
      batch_weight = 0.0;
      for (const double w : weights.data<double>()) batch_weight += w;
    }
    for (const auto& metric : metrics) metric->update(prediction, batch.y);
    loss += mean_loss * batch_weight;
    weight += batch_weight;
  }
  Figures figures() const {
    Figures all{{"loss", weight > 0.0 ? loss / weight : 0.0}};
    for (std::size_t i = 0; i < metrics.size(); ++i) all.emplace_back(names[i], metrics[i]->value());
    return all;
  }

  State state() const {
    State state{{"loss", loss}, {"weight", weight}};
    for (std::size_t i = 0; i < metrics.size(); ++i) state.set(std::to_string(i), metrics[i]->state());
    return state;
  }
  void load(const State& state) {
    for (std::size_t i = 0; i < metrics.size(); ++i) metrics[i]->load(state[std::to_string(i)].state());
    loss = state["loss"].real();
    weight = state["weight"].real();
  }
};

struct Trainer::Run {
  Run(const data::Dataset& dataset, const FitOptions& fit, const TrainerOptions& trainer)
      : options(fit),
        loader(dataset, {.batch = fit.batch, .shuffle = fit.shuffle}),
        tally(trainer.metrics),
        progress(trainer.show, fit.epochs, loader.batches(), loader.size()),
        stop(trainer.handle_signals) {}

  const FitOptions& options;
  data::Loader loader;
  Tally tally;
  Progress progress;
  StopSignal stop;
  FitResult result;
  Clock::time_point saved = Clock::now();
  graph::InputSpec sample;  ///< like one batch of x
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
  graph_ = {};  // the model may have changed since the last call
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
    run.sample = {.shape = batch.x.shape(), .dtype = batch.x.dtype()};
    double loss = step(run, batch);
    if (run.progress.due()) {
      Figures figures = run.tally.figures();
      figures[0].second = loss;
      run.progress.step(run.loader.position(), figures);
    }
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
  check_no_mask(batch);
  Tensor prediction = forward_(batch.x);
  Tensor loss = options_.loss(prediction, batch.y, batch.weights);
  double value = loss.item();
  if (!std::isfinite(value)) report_bad_loss(run, batch, value);
  optimizer_.zero_grad();
  backward(loss);
  if (options_.clip_value > 0.0) optim::clip_grad_value_(parameters_, options_.clip_value);
  if (options_.clip_norm > 0.0) optim::clip_grad_norm_(parameters_, options_.clip_norm);
  optimizer_.step();

  const profile::Scope scope("metrics");
  NoGrad no_grad;
  run.tally.add(batch, prediction, value);
  run.result.samples += batch.x.dim(0);
  return value;
}

void Trainer::finish_epoch(Run& run) {
  EpochResult result{.epoch = run.loader.epoch(),
                     .training = run.tally.figures(),
                     .validation = {},
                     .seconds = run.result.seconds};
  for (const EpochResult& earlier : run.result.epochs) result.seconds -= earlier.seconds;
  if (run.options.validate.dataset) result.validation = evaluate(*run.options.validate.dataset);
  Figures shown = result.training;
  for (const auto& figure : result.validation) shown.emplace_back("val_" + figure.first, figure.second);
  run.progress.end_epoch(shown);
  run.tally = Tally(options_.metrics);
  run.result.epochs.push_back(result);
  for (const Callback& callback : options_.callbacks)
    if (!callback(result)) run.result.stopped = run.loader.epoch() < run.options.epochs;
  run.finished = run.loader.epoch() == run.options.epochs;
  save(run);
  if (!options_.history.empty()) add_history(result);
  if (run.stop.requested() && !run.finished) run.result.stopped = true;
}

Figures Trainer::evaluate(const data::Dataset& dataset, std::int64_t batch) {
  const profile::Scope scope("evaluate");
  ModeScope mode(model_, false);
  NoGrad no_grad;
  Tally tally(options_.metrics);
  data::Loader loader(dataset, {.batch = batch});
  for (const data::Batch& some : loader) {
    check_no_mask(some);
    Tensor prediction = forward_(some.x);
    tally.add(some, prediction, options_.loss(prediction, some.y, some.weights).item());
  }
  return tally.figures();
}

State Trainer::state() {
  State state{{"model", model_.state()}, {"optimizer", optimizer_.state()}, {"rng", rng_state()}};
  if (!graph_.empty()) state.set("graph", graph_);
  state.set("about", options_.about);
  return state;
}

void Trainer::save(Run& run) {
  if (options_.checkpoint.empty()) return;
  const profile::Scope scope("checkpoint");
  if (graph_.empty()) {
    auto forward = [this](std::span<const Tensor> inputs) { return forward_(inputs[0]); };
    graph_ = graph::trace(model_, forward, std::span(&run.sample, 1)).state();
  }
  State whole = state();
  whole.set("loader", run.loader.state());
  whole.set("trainer", State{{"epochs", run.options.epochs}, {"sums", run.tally.state()}});
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
  Tally tally(options_.metrics);
  check<StateError>(sums.has("weight") && sums.size() == tally.metrics.size() + 2, "resume: ", newest->path,
                    " keeps other metrics than the ", tally.metrics.size(),
                    " of this run. Use the same metrics.");
  tally.load(sums);
  run.loader.load(saved["loader"]);
  load_both(model_, optimizer_, saved);
  set_rng_state(saved["rng"]);
  run.tally = std::move(tally);
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
