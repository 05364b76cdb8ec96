// SPDX-License-Identifier: Apache-2.0
#include "linnet/train/trainer.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "linnet/autograd/autograd.h"
#include "linnet/core/error.h"
#include "linnet/core/profile.h"
#include "linnet/optim/clip.h"
#include "linnet/train/run_impl.h"

namespace linnet::train {
namespace {

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

/// Training on padding without a word would be worse.
void check_no_mask(const data::Batch& batch) {
  if (!batch.mask.defined()) return;
  fail<ValueError>("Trainer: the dataset has a mask of shape ", batch.mask.shape(),
                   ", and the Trainer calls models with x alone. Write the loop, and call the layers with "
                   "{.mask = batch.mask}.");
}

/// The names of an EpochResult's figures.
std::vector<std::string> figure_names(const std::vector<Metric>& metrics) {
  std::vector<std::string> names{"loss"};
  for (const Metric& metric : metrics) names.push_back(metric.name);
  return names;
}

void check_schedule(const TrainerOptions& options) {
  if (!options.schedule.wants_figure()) return;
  check<ValueError>(options.schedule_per == Per::epoch, "Trainer: ", options.schedule.name(),
                    " watches the figures of epochs. Pass {.schedule_per = train::Per::epoch}.");
  const std::vector<std::string> names = figure_names(options.metrics);
  if (std::find(names.begin(), names.end(), options.watch) != names.end()) return;
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
  fail<ValueError>("Trainer: the schedule is to watch ", options.watch,
                   ", which is not measured. There are: ", all, ".");
}

}  // namespace

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
  check<ValueError>(options_.accumulate >= 1, "Trainer: accumulate must be at least 1, got ",
                    options_.accumulate, ".");
  check<ValueError>(options_.ema >= 0.0 && options_.ema < 1.0, "Trainer: ema must be in [0, 1), got ",
                    options_.ema, ". It is the decay of the average.");
  check_schedule(options_);
}

FitResult Trainer::fit(const data::Dataset& dataset, const FitOptions& options) {
  check<ValueError>(options.epochs >= 1, "fit: epochs must be at least 1, got ", options.epochs, ".");
  check<ValueError>(!ema_ || !ema_->swapped(),
                    "fit: the averages are in the model. Call ema()->swap() before training on.");
  ModeScope mode(model_, true);
  graph_ = {};  // the model may have changed since the last call
  Run run(dataset, options, options_);
  if (options_.resume) resume(run);
  if (options_.ema > 0.0 && !ema_) ema_.emplace(averaged(model_), optim::EmaOptions{.decay = options_.ema});
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
    if (run.gathered > 0) continue;  // what is saved is between two steps
    run.result.stopped = run.stop.requested();
    if (due || run.result.stopped) save(run);
    if (!run.result.stopped) continue;
    run.progress.say(concat({"stopped by a signal in epoch ", epoch, " after batch ", run.loader.position(),
                             options_.checkpoint.empty() ? "." : "; saved, go on with --resume."}));
    break;
  }
  run.result.seconds += seconds_since(start);
}

void Trainer::begin_step(const Run& run) const {
  const std::int64_t batches = run.loader.batches(), accumulate = options_.accumulate;
  const StepPlace place{.epoch = run.epoch(),
                        .step = run.loader.epoch() * ((batches + accumulate - 1) / accumulate) +
                                (run.loader.position() - 1) / accumulate};
  for (const StepCallback& callback : options_.step_callbacks) callback(place);
}

double Trainer::step(Run& run, const data::Batch& batch) {
  check_no_mask(batch);
  if (run.gathered == 0) begin_step(run);
  Tensor prediction = forward_(batch.x);
  Tensor loss = options_.loss(prediction, batch);
  double value = loss.item();
  if (!std::isfinite(value)) report_bad_loss(run, batch, value);
  add_gradient(run, batch, loss);
  if (run.gathered == 0) update();

  const profile::Scope scope("metrics");
  NoGrad no_grad;
  run.tally.add(batch, prediction, value);
  run.result.samples += batch.x.dim(0);
  return value;
}

/// The gradient of a large batch is that of its parts, weighted by their samples:
///   d(sum u l / sum u) = sum over parts (U_i d loss_i) / sum U_i,  U_i the sum of a part's u.
void Trainer::add_gradient(Run& run, const data::Batch& batch, const Tensor& loss) {
  if (run.gathered == 0) optimizer_.zero_grad();
  if (options_.accumulate == 1) return backward(loss);
  const double weight = weight_of(batch);
  backward(loss, {.gradient = Tensor::full(loss.shape(), weight, loss.dtype())});
  run.gathered_weight += weight;
  if (++run.gathered < options_.accumulate && run.loader.position() < run.loader.batches()) return;
  const double total = std::exchange(run.gathered_weight, 0.0);
  run.gathered = 0;
  if (total <= 0.0) return;  // samples that do not count: the gradients are 0
  for (const NamedTensor& parameter : parameters_)
    if (Tensor gradient = parameter.second.grad(); gradient.defined()) gradient.mul_(1.0 / total);
}

void Trainer::update() {
  if (options_.clip_value > 0.0) optim::clip_grad_value_(parameters_, options_.clip_value);
  if (options_.clip_norm > 0.0) optim::clip_grad_norm_(parameters_, options_.clip_norm);
  if (options_.schedule) optimizer_.set_lr_factor(options_.schedule.factor());
  optimizer_.step();
  if (options_.schedule && options_.schedule_per == Per::step) options_.schedule.step();
  if (ema_) ema_->update();
}

void Trainer::advance_schedule(const EpochResult& result) {
  if (!options_.schedule || options_.schedule_per != Per::epoch) return;
  if (!options_.schedule.wants_figure()) return options_.schedule.step();
  const Figures& figures = result.validation.empty() ? result.training : result.validation;
  for (const auto& [name, value] : figures)
    if (name == options_.watch) return options_.schedule.step(value);
}

void Trainer::finish_epoch(Run& run) {
  EpochResult result{.epoch = run.loader.epoch(),
                     .training = run.tally.figures(),
                     .validation = {},
                     .seconds = run.result.seconds};
  for (const EpochResult& earlier : run.result.epochs) result.seconds -= earlier.seconds;
  if (run.options.validate.dataset) result.validation = evaluate(*run.options.validate.dataset);
  advance_schedule(result);
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
  const optim::AverageScope averages(ema());
  NoGrad no_grad;
  Tally tally(options_.metrics);
  data::Loader loader(dataset, {.batch = batch});
  for (const data::Batch& some : loader) {
    check_no_mask(some);
    Tensor prediction = forward_(some.x);
    tally.add(some, prediction, options_.loss(prediction, some).item());
  }
  return tally.figures();
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
