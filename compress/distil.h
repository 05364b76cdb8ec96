// SPDX-License-Identifier: Apache-2.0
#pragma once
// Distillation: a student learns from the targets and from what a teacher makes of every sample (Hinton,
// Vinyals, Dean: "Distilling the Knowledge in a Neural Network", 2015).
//
//   compress::Taught taught(digits, teacher);      // batches that bring the teacher's outputs along
//   train::Trainer trainer(student, adam, {.loss = compress::distil({.temperature = 4, .alpha = 0.7}),
//                                          .metrics = {accuracy}});
//   trainer.fit(taught, {.epochs = 5, .validate = held_out});     // validated on the targets alone
//
// The labels stay where they are, so metrics, sample weights and resuming work as without a teacher.

#include <concepts>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <string>

#include "linnet/data/dataset.h"
#include "linnet/nn/module.h"
#include "linnet/train/loss.h"

namespace linnet::compress {

struct DistilOptions {
  double temperature = 4.0;  ///< above 0: the higher, the more the smaller outputs of the teacher count
  double alpha = 0.5;        ///< in 0..1: the teacher's share; with 1, training needs no targets
  bool regression = false;   ///< outputs are numbers, not logits; there is no temperature then
  train::Loss hard = {};     ///< of the targets; undefined: nn::CrossEntropy, in regression nn::MSE
};

/// The loss of a batch with outputs v of a teacher (Batch::teacher), student's outputs z, targets y:
///
///   L = (1 - alpha) hard(z, y) + alpha T^2 KL(softmax(v / T) || softmax(z / T)),   mean over rows;
///   L = (1 - alpha) hard(z, y) + alpha mse(z, v)                                   in regression.
///
/// Sample weights weigh both parts. Without a teacher's outputs L is hard(z, y) in evaluation (where z needs
/// no gradient), and a ValueError in training unless alpha is 0. ShapeError when z and v differ in shape.
/// ValueError for options outside their range.
train::Loss distil(const DistilOptions& options = {});

struct TaughtOptions {
  /// Runs the teacher once, here, and keeps its outputs in memory, size() x outputs; else it runs for every
  /// batch. The bits are the same, and so is a resumed run.
  bool remember = false;
  std::int64_t batch = 256;  ///< of that one run
};

/// Another dataset, whose batches also bring what a teacher makes of them. Data changed at random go below
/// (the teacher sees what the student sees, and cannot be remembered) or above (it sees the original).
class Taught : public data::Dataset {
 public:
  /// The teacher is any module that maps a tensor to a tensor, a GraphModule of any checkpoint for example.
  /// It is put in eval mode and stays there. Dataset and teacher outlive this; a remembered teacher need not.
  /// ValueError for a batch below 1, and for remembering what changes at random.
  template <std::derived_from<nn::Module> Model>
  Taught(const data::Dataset& dataset, Model& teacher, TaughtOptions options = {})
      : Taught(
            dataset, teacher, [&teacher](const Tensor& x) { return teacher(x); }, options) {}
  Taught(const data::Dataset& dataset, nn::Module& teacher, std::function<Tensor(const Tensor&)> forward,
         TaughtOptions options);
  template <std::derived_from<nn::Module> Model>
  Taught(const data::Dataset&& dataset, Model& teacher, TaughtOptions options = {}) = delete;

  std::int64_t size() const override { return dataset_.size(); }
  data::Batch batch(std::span<const std::int64_t> indices) const override;
  data::Batch epoch_batch(std::span<const std::int64_t> indices, RandomKey epoch) const override;
  bool random() const override { return dataset_.random(); }
  /// Also of the teacher's weights, as they were when this was made.
  std::uint64_t content_hash() const override;
  /// A teacher uses all threads: preparing its batches beside training would gain nothing.
  bool in_memory() const override { return dataset_.in_memory(); }

 private:
  data::Batch taught(data::Batch batch, std::span<const std::int64_t> indices) const;
  Tensor outputs(const data::Batch& batch) const;
  void remember(std::int64_t batch_size);

  const data::Dataset& dataset_;
  std::function<Tensor(const Tensor&)> forward_;
  std::string weights_;                            ///< SHA-256 of the teacher's
  std::optional<data::TensorDataset> remembered_;  ///< the outputs as x
  mutable std::mutex asking_;  ///< batches may be asked for by several threads, the teacher is one module
};

}  // namespace linnet::compress
