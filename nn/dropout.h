// SPDX-License-Identifier: Apache-2.0
#pragma once
// Dropout and Gaussian noise: what is added in training against overfitting.

#include "linnet/nn/module.h"

namespace linnet::nn {

/// In training each element is 0 with probability p, else x / (1 - p), by one call number of the generator;
/// in eval x itself. Any shape. ValueError unless 0 <= p < 1.
class Dropout : public Layer {
 public:
  explicit Dropout(double p = 0.5);
  std::string describe() const override;
  Tensor forward(const Tensor& x) override;

 private:
  double p_;
};

/// Dropout of whole channels: what neighbouring positions of a feature map share, single elements would not
/// hide. In training each channel of a sample is 0 with probability p, else x / (1 - p); in eval x itself.
///   Shapes: SpatialDropout1D x [N, T, C], SpatialDropout2D x [N, H, W, C]  ->  the same.
/// ValueError unless 0 <= p < 1; ShapeError for another rank.
class SpatialDropout1D : public Layer {
 public:
  explicit SpatialDropout1D(double p = 0.5);
  std::string describe() const override;
  Tensor forward(const Tensor& x) override;

 private:
  double p_;
};

class SpatialDropout2D : public Layer {
 public:
  explicit SpatialDropout2D(double p = 0.5);
  std::string describe() const override;
  Tensor forward(const Tensor& x) override;

 private:
  double p_;
};

/// In training x + stddev n, n a normal number for each element, by one call number of the generator; in eval
/// x itself. Any shape. ValueError for a stddev that is negative or not finite.
class GaussianNoise : public Layer {
 public:
  explicit GaussianNoise(double stddev = 0.1);
  std::string describe() const override;
  Tensor forward(const Tensor& x) override;

 private:
  double stddev_;
};

}  // namespace linnet::nn
