// SPDX-License-Identifier: Apache-2.0
#pragma once
// Blocks of other layers: residual add, concatenated branches, squeeze-excite, channel shuffle.
//
//   nn::Residual{nn::Sequential{nn::Conv2D(16, 32, {.padding = nn::same}), nn::ReLU()},
//                nn::Conv2D(16, 32, {.kernel = 1})}
//   nn::Concat{nn::Conv2D(16, 8, {.kernel = 1}), nn::Conv2D(16, 24, {.padding = nn::same})}

#include <concepts>
#include <memory>
#include <utility>

#include "linnet/nn/dense.h"
#include "linnet/nn/sequential.h"

namespace linnet::nn {

/// y = inner(x) + x, or inner(x) + projection(x) where the shapes differ.
///   Shapes: those of inner, which must equal those of x or of its projection: ShapeError otherwise.
class Residual : public Layer {
 public:
  /// Layers are moved in. Write braces, as for Sequential: in parentheses the order of making them, and with
  /// it their random weights, is open.
  template <std::derived_from<Layer> Inner>
  explicit Residual(Inner&& inner) : Residual(std::make_unique<Inner>(std::move(inner)), nullptr) {}
  template <std::derived_from<Layer> Inner, std::derived_from<Layer> Projection>
  Residual(Inner&& inner, Projection&& projection)
      : Residual(std::make_unique<Inner>(std::move(inner)),
                 std::make_unique<Projection>(std::move(projection))) {}
  /// ValueError without an inner layer; the projection may be null.
  Residual(std::unique_ptr<Layer> inner, std::unique_ptr<Layer> projection);

  void members(Members& m) override;  ///< "inner", "projection"
  std::string describe() const override;
  Tensor forward(const Tensor& x) override;

 private:
  std::unique_ptr<Layer> inner_, projection_;
};

/// All layers see x; their results are joined along the channels (the last axis). Named as in Sequential. A
/// branch that is an empty Sequential passes x on.
///   Shapes: [..., C0], [..., C1], ...  ->  [..., C0 + C1 + ...]; ShapeError when they differ elsewhere.
class Concat : public Sequential {
 public:
  using Sequential::Sequential;
  std::string describe() const override;
  /// ValueError without layers.
  Tensor forward(const Tensor& x) override;
};

struct SqueezeExciteOptions {
  std::int64_t squeezed = 0;  ///< width of the bottleneck; 0: a quarter of the channels, at least 1
};

/// Scales each channel by what all places of the map say about it (Hu 2018):
///   y = x sigmoid(expand(relu(squeeze(mean of x over its places)))).
///   Shapes: x [N, ..., C], with at least one axis between  ->  the same. ValueError for sizes below 1.
class SqueezeExcite : public Layer {
 public:
  explicit SqueezeExcite(std::int64_t channels, const SqueezeExciteOptions& options = {});

  Dense squeeze;  ///< C -> squeezed
  Dense expand;   ///< squeezed -> C

  void members(Members& m) override;
  std::string describe() const override;
  Tensor forward(const Tensor& x) override;
};

/// Mixes the channels of `groups` groups, between grouped convolutions (channel_shuffle in autograd/ops.h).
///   Shapes: x [N, ..., C]  ->  the same; C divisible by the groups. ValueError for groups below 1.
class ChannelShuffle : public Layer {
 public:
  explicit ChannelShuffle(std::int64_t groups);
  std::string describe() const override;
  Tensor forward(const Tensor& x) override;

 private:
  std::int64_t groups_;
};

}  // namespace linnet::nn
