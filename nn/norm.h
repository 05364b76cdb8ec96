// SPDX-License-Identifier: Apache-2.0
#pragma once
// Normalising layers: y = (x - mean) / sqrt(variance + eps) weight + bias. Channels are the last axis.

#include "linnet/autograd/fused.h"
#include "linnet/nn/module.h"

namespace linnet::nn {

struct BatchNormOptions {
  double eps = 1e-5;
  double momentum = 0.1;  ///< running = (1 - momentum) running + momentum batch
  bool affine = true;     ///< weight and bias
  bool frozen = false;    ///< the running statistics also in training mode
};

/// Batch normalisation, behind Dense, convolutions and sequences alike: one mean and variance a channel.
///   Shapes: x [N, C], [N, T, C], [N, H, W, C], ...  ->  the same.
/// In training mode by the statistics of all axes but the last, dividing by their number n; running_mean and
/// running_var follow, the variance dividing by n - 1. In eval mode, and when frozen, by the running ones.
/// Precision does not depend on the size of the mean. A constant channel gives its bias. A single value
/// (batch 1 behind Dense) gives its bias too, moves running_mean, and leaves running_var, of which it says
/// nothing: train with more. ValueError for sizes below 1, eps not above 0, momentum outside [0, 1];
/// ShapeError for other channels, and in training for no values.
class BatchNorm : public Layer {
 public:
  explicit BatchNorm(std::int64_t channels, const BatchNormOptions& options = {});

  Tensor weight;        ///< [C], starts at 1; undefined without affine
  Tensor bias;          ///< [C], starts at 0; undefined without affine
  Tensor running_mean;  ///< [C], starts at 0
  Tensor running_var;   ///< [C], starts at 1

  /// Whether the running statistics stay as they are and are used also in training mode.
  bool frozen() const { return frozen_; }

  void members(Members& m) override;
  std::string describe() const override;
  Tensor forward(const Tensor& x) override;
  Tensor forward_relu(const Tensor& x) override;
  /// What an op that batch-norm is fused into needs of this layer.
  BatchNormInputs inputs();

 protected:
  void freeze_buffer(const Tensor& buffer, bool on) override;

 private:
  BatchNormParams params() const { return {.eps = eps_, .momentum = momentum_, .frozen = frozen_}; }

  double eps_, momentum_;
  bool frozen_;
};

/// Every BatchNorm in a module keeps its running statistics and uses them also in training mode; weight and
/// bias train on. For fine-tuning with few samples. Module::freeze() stops all of it.
void freeze_batch_norm(Module& module, bool on = true);

struct NormOptions {
  double eps = 1e-5;
  bool affine = true;  ///< weight and bias
};

/// Normalises each sample over its last axes, by itself: the same in training and eval mode.
///   Shapes: x [..., shape]  ->  the same; weight and bias have the shape.
/// ValueError for an empty shape, sizes below 1 or eps not above 0; ShapeError when x ends otherwise.
class LayerNorm : public Layer {
 public:
  explicit LayerNorm(const Shape& shape, const NormOptions& options = {});
  /// Over the last axis.
  explicit LayerNorm(std::int64_t size, const NormOptions& options = {}) : LayerNorm(Shape{size}, options) {}

  Tensor weight;  ///< starts at 1; undefined without affine
  Tensor bias;    ///< starts at 0; undefined without affine

  void members(Members& m) override;
  std::string describe() const override;
  Tensor forward(const Tensor& x) override;

 private:
  Shape shape_;
  double eps_;
};

/// Normalises each sample over all positions and channels / groups neighbouring channels.
///   Shapes: x [N, ..., C]  ->  the same.
/// ValueError unless groups divide the channels and eps is above 0; ShapeError for other channels.
class GroupNorm : public Layer {
 public:
  GroupNorm(std::int64_t groups, std::int64_t channels, const NormOptions& options = {});

  Tensor weight;  ///< [C], starts at 1; undefined without affine
  Tensor bias;    ///< [C], starts at 0; undefined without affine

  void members(Members& m) override;
  std::string describe() const override;
  Tensor forward(const Tensor& x) override;

 private:
  std::int64_t groups_, channels_;
  double eps_;
};

}  // namespace linnet::nn
