// SPDX-License-Identifier: Apache-2.0
#pragma once
// Unstructured pruning: single weights become 0 and stay 0 while the model trains on.
//
//   compress::prune(model, {.sparsity = 0.8});
//   trainer.fit(digits, {.epochs = 1});              // the masks hold
//
// or little by little, in a run that may stop and resume:
//
//   const compress::Pruner pruner(model, compress::polynomial_decay(0.0, 0.8, 0, 1500));
//   train::Trainer trainer(model, adam, {.loss = cross_entropy, .step_callbacks = {pruner}});
//
// Masks are constraints (core/constraint.h): in the model's state and checkpoints, kept by every optimizer.
// They only grow: what is pruned once stays pruned, and counts first towards the next share. The file of a
// pruned model is smaller, the model is no faster (compress/structured.h makes one that is).

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "linnet/compress/scope.h"
#include "linnet/nn/module.h"
#include "linnet/train/trainer.h"

namespace linnet::compress {

/// What goes or stays together, along the last axis of a weight, which is that of the inputs.
struct Structure {
  std::int64_t block = 1;         ///< neighbours that go together, by the mean of their magnitudes
  std::int64_t keep = 0, of = 0;  ///< n_of_m
};
/// Of every m neighbours the n largest stay, however small the others: n_of_m(2, 4). Of a shorter rest at the
/// end of an axis at most n stay.
constexpr Structure n_of_m(std::int64_t n, std::int64_t m) { return {.block = 1, .keep = n, .of = m}; }
/// 1 x width.
constexpr Structure blocks(std::int64_t width) { return {.block = width}; }

struct PruneOptions {
  double sparsity = 0.0;                 ///< share of weights that are 0, in [0, 1)
  std::optional<double> threshold = {};  ///< instead: those below it go
  /// Whether all parameters have this sparsity together, or each. A small last layer that has to give as much
  /// as the others costs most: docs/compression.md.
  Scope scope = Scope::global;
  Structure structure = {};          ///< n_of_m takes neither sparsity nor threshold
  std::string pattern = "*weight*";  ///< of parameters (core/name_pattern.h); those of one axis stay
};

/// Masks the weights with the smallest magnitudes, of equal ones the first: round(sparsity n) of n, but one
/// of each parameter stays when the scope is the layer. ValueError for options out of range or together that
/// exclude each other, when nothing matches, and for weights that are not finite; nothing has changed then.
void prune(nn::Module& module, const PruneOptions& options);

/// The sparsity of a step, as the TensorFlow Model Optimization toolkit has it (Zhu, Gupta: "To prune, or not
/// to prune", 2017):
///   to + (from - to) (1 - p)^power,  p = (step - begin) / (end - begin) within 0 .. 1,
/// set at steps begin, begin + frequency, ... up to end. Steps count from 0, and each is set before it is
/// taken.
struct PruningSchedule {
  double from = 0.0, to = 0.5;
  std::int64_t begin = 0;
  std::int64_t end = -1;  ///< -1: there is none, and no decay
  std::int64_t frequency = 100;
  double power = 3.0;

  bool due(std::int64_t step) const;
  double sparsity(std::int64_t step) const;
};
PruningSchedule constant_sparsity(double sparsity, std::int64_t begin, std::int64_t end = -1,
                                  std::int64_t frequency = 100);
PruningSchedule polynomial_decay(double from, double to, std::int64_t begin, std::int64_t end,
                                 std::int64_t frequency = 100, double power = 3.0);

/// Prunes on a schedule: a step callback of the Trainer, or called by hand before each step. A function of
/// the step and of the model, so a resumed run goes on as if it had not stopped.
class Pruner {
 public:
  /// `module` outlives it. ValueError for a schedule out of range, and as prune(). The sparsity of the
  /// options is not used; they give neither a threshold nor n_of_m.
  Pruner(nn::Module& module, const PruningSchedule& schedule, const PruneOptions& options = {});
  void operator()(std::int64_t step) const;
  void operator()(const train::StepPlace& place) const { (*this)(place.step); }

 private:
  nn::Module* module_;
  PruningSchedule schedule_;
  PruneOptions options_;
};

/// Takes masks and shared values (compress/cluster.h) away as constraints: every number stays as it is until
/// something trains it. For saving and exporting. Masks do not go alone: zeros would join the group of a
/// value.
void make_permanent(nn::Module& module);

struct LayerSparsity {
  std::string name;
  std::int64_t elements = 0, zeros = 0;
  bool masked = false;
  double share() const { return elements ? static_cast<double>(zeros) / static_cast<double>(elements) : 0.0; }
};

struct SparsityReport {
  std::vector<LayerSparsity> layers;
  LayerSparsity total;
  std::string str() const;  ///< a line a layer and one for all
};

/// Counts the zeros of the parameters that prune() would look at. ValueError when nothing matches.
SparsityReport sparsity(const nn::Module& module, const std::string& pattern = "*weight*");

}  // namespace linnet::compress
