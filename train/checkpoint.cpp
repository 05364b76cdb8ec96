// SPDX-License-Identifier: Apache-2.0
// What the Trainer saves, and how it goes on from that.
#include <optional>

#include "linnet/core/error.h"
#include "linnet/core/profile.h"
#include "linnet/core/random.h"
#include "linnet/io/checkpoint.h"
#include "linnet/train/run_impl.h"

namespace linnet::train {
namespace {

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

std::string counted_by(const TrainerOptions& options) {
  return options.schedule_per == Per::step ? "steps" : "epochs";
}

/// The schedule of this run, where that of the saved run was.
optim::Schedule resumed_schedule(const std::string& path, const State& saved, optim::Schedule schedule,
                                 const std::string& counted) {
  const StateValue* state = saved.find("schedule");
  if (!state) return schedule;
  check<StateError>(static_cast<bool>(schedule), "resume: ", path, " was saved by a run with the schedule ",
                    state->state()["schedule"].text(), ", this one has none. Pass the same schedule.");
  schedule.load(state->state());
  const StateValue* counts = saved.find("schedule_per");  // newer than schedules
  check<StateError>(!counts || counts->text() == counted, "resume: ", path, " counts ",
                    counts ? counts->text() : "", " by its schedule, this run ", counted,
                    ". Pass the same schedule_per.");
  return schedule;
}

}  // namespace

State Trainer::state() {
  const optim::AverageScope averages(ema());  // with them swapped in, the EMA's state is the trained weights
  State state{{"model", model_.state()}, {"optimizer", optimizer_.state()}, {"rng", rng_state()}};
  if (options_.schedule) {
    state.set("schedule", options_.schedule.state());
    state.set("schedule_per", counted_by(options_));
  }
  if (ema_) state.set("ema", ema_->state());
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
  load(run, newest->path, newest->state);
  run.progress.say(concat(
      {"resuming from ", newest->path, ": epoch ", run.epoch(), ", batch ", run.loader.position(), "."}));
}

void Trainer::load(Run& run, const std::string& path, const State& saved) {
  check<StateError>(saved.has("trainer"), "resume: ", path,
                    " was not saved by a Trainer. Load its parts by hand, or give another file name.");
  check_about(path, saved, options_.about);
  const State& sums = saved["trainer"].state()["sums"];
  Tally tally(options_.metrics);
  check<StateError>(sums.has("weight") && sums.size() == tally.metrics.size() + 2, "resume: ", path,
                    " keeps other metrics than the ", tally.metrics.size(),
                    " of this run. Use the same metrics.");
  tally.load(sums);
  optim::Schedule schedule = resumed_schedule(path, saved, options_.schedule, counted_by(options_));
  const bool averaging = options_.ema > 0.0, averages_saved = saved.has("ema");
  check<StateError>(
      averaging || !averages_saved, "resume: ", path,
      " was saved by a run with an average of its weights, this one has none. Pass the same ema.");
  std::optional<optim::EMA> averages;
  if (averaging && averages_saved) {
    averages.emplace(averaged(model_), optim::EmaOptions{.decay = options_.ema});
    averages->load(saved["ema"].state());
  }
  const State graph = saved.has("graph") ? saved["graph"].state() : State();
  run.loader.load(saved["loader"]);
  const State numbers = rng_state();
  set_rng_state(saved["rng"]);
  try {
    load_both(model_, optimizer_, saved);
  } catch (...) {
    set_rng_state(numbers);
    throw;
  }
  if (schedule && !saved.has("schedule"))
    run.progress.say(path + " has no schedule: " + schedule.name() + " starts at its beginning.");
  options_.schedule = std::move(schedule);
  if (averages && averages->swapped()) averages->swap();
  ema_ = std::move(averages);
  run.tally = std::move(tally);
  graph_ = graph;
}

}  // namespace linnet::train
