// SPDX-License-Identifier: Apache-2.0
#include "linnet/compress/distil.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "linnet/autograd/autograd.h"
#include "linnet/autograd/ops.h"
#include "linnet/core/error.h"
#include "linnet/io/sha256.h"
#include "linnet/nn/loss.h"

namespace linnet::compress {
namespace {

/// The part of the loss that looks at the teacher.
Tensor soft_part(const DistilOptions& options, const Tensor& z, const data::Batch& batch) {
  check<ShapeError>(z.shape() == batch.teacher.shape(),
                    "distil: student and teacher differ in outputs: ", z.shape(), " and ",
                    batch.teacher.shape(), ". Give the student the teacher's last layer.");
  const Tensor v = batch.teacher.to(z.dtype());
  if (options.regression) return nn::MSE()(z, v, batch.weights);
  const double t = options.temperature;
  const Tensor softened = softmax(v * (1.0 / t));
  return nn::KLDiv()(log_softmax(z * (1.0 / t)), softened, batch.weights) * (t * t);
}

Tensor distil_loss(const DistilOptions& options, const Tensor& z, const data::Batch& batch) {
  if (options.alpha == 0.0 || (!batch.teacher.defined() && !z.requires_grad())) return options.hard(z, batch);
  check<ValueError>(
      batch.teacher.defined(),
      "distil: the batch brings no outputs of a teacher. Train on compress::Taught(dataset, teacher).");
  const Tensor soft = soft_part(options, z, batch);
  if (options.alpha == 1.0) return soft;
  return options.hard(z, batch) * (1.0 - options.alpha) + soft * options.alpha;
}

}  // namespace

train::Loss distil(const DistilOptions& options) {
  check<ValueError>(options.temperature > 0.0 && std::isfinite(options.temperature),
                    "distil: temperature must be finite and above 0, got ", options.temperature, ".");
  check<ValueError>(options.alpha >= 0.0 && options.alpha <= 1.0, "distil: alpha must be in 0..1, got ",
                    options.alpha, ".");
  DistilOptions own = options;
  if (!own.hard) own.hard = own.regression ? train::Loss(nn::MSE()) : train::Loss(nn::CrossEntropy());
  return [own](const Tensor& prediction, const data::Batch& batch) {
    return distil_loss(own, prediction, batch);
  };
}

Taught::Taught(const data::Dataset& dataset, nn::Module& teacher,
               std::function<Tensor(const Tensor&)> forward, TaughtOptions options)
    : dataset_(dataset), weights_(io::weights_sha256(teacher.state())) {
  check<ValueError>(options.batch >= 1, "Taught: batch must be at least 1, got ", options.batch, ".");
  check<ValueError>(!options.remember || !dataset.random(),
                    "Taught: the dataset changes its samples at random, so the teacher's outputs cannot be "
                    "remembered. Put the changes above: Transformed(Taught(dataset, teacher), ...).");
  forward_ = [&teacher, forward = std::move(forward)](const Tensor& x) {
    if (teacher.training()) teacher.eval();
    return forward(x);
  };
  teacher.eval();
  if (options.remember) remember(options.batch);
}

void Taught::remember(std::int64_t batch_size) {
  std::vector<Tensor> parts;
  data::over_batches(
      dataset_, [&](const data::Batch& batch) { parts.push_back(outputs(batch).detach()); }, batch_size);
  const NoGrad no_grad;
  if (!parts.empty()) remembered_.emplace(concat(parts, 0), Tensor());
  forward_ = nullptr;
}

Tensor Taught::outputs(const data::Batch& batch) const {
  check<ValueError>(!batch.mask.defined(),
                    "Taught: the dataset has a mask, and teachers are called with x alone.");
  const std::lock_guard guard(asking_);
  NoGrad no_grad;
  return forward_(batch.x);
}

data::Batch Taught::taught(data::Batch batch, std::span<const std::int64_t> indices) const {
  batch.teacher = remembered_ ? remembered_->batch(indices).x : outputs(batch).detach();
  return batch;
}

data::Batch Taught::batch(std::span<const std::int64_t> indices) const {
  return taught(dataset_.batch(indices), indices);
}

data::Batch Taught::epoch_batch(std::span<const std::int64_t> indices, RandomKey epoch) const {
  return taught(dataset_.epoch_batch(indices, epoch), indices);
}

std::uint64_t Taught::content_hash() const {
  const std::string both = std::to_string(dataset_.content_hash()) + weights_;
  return std::stoull(io::sha256(std::as_bytes(std::span(both))).substr(0, 16), nullptr, 16);
}

}  // namespace linnet::compress
