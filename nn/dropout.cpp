// SPDX-License-Identifier: Apache-2.0
#include "linnet/nn/dropout.h"

#include <cmath>

#include "linnet/autograd/ops.h"

namespace linnet::nn {
namespace {

double checked(const char* layer, double p, const char* what) {
  check<ValueError>(p >= 0.0 && p < 1.0, layer, ": p must be in [0, 1), got ", p, ". It is the share of ",
                    what, " that become 0.");
  return p;
}

Tensor drop_channels(const char* layer, const Tensor& x, int rank, double p, bool training) {
  check<ValueError>(x.defined(), layer, ": x is undefined.");
  check<ShapeError>(x.rank() == rank, layer, ": x must be ", rank == 3 ? "[N, T, C]" : "[N, H, W, C]",
                    ", got shape ", x.shape(), ".");
  return spatial_dropout(x, p, training);
}

}  // namespace

Dropout::Dropout(double p) : p_(checked("Dropout", p, "elements")) {}

std::string Dropout::describe() const { return concat({"Dropout ", p_}); }

Tensor Dropout::forward(const Tensor& x) { return dropout(x, p_, training()); }

SpatialDropout1D::SpatialDropout1D(double p) : p_(checked("SpatialDropout1D", p, "channels")) {}
std::string SpatialDropout1D::describe() const { return concat({"SpatialDropout1D ", p_}); }
Tensor SpatialDropout1D::forward(const Tensor& x) {
  return drop_channels("SpatialDropout1D", x, 3, p_, training());
}

SpatialDropout2D::SpatialDropout2D(double p) : p_(checked("SpatialDropout2D", p, "channels")) {}
std::string SpatialDropout2D::describe() const { return concat({"SpatialDropout2D ", p_}); }
Tensor SpatialDropout2D::forward(const Tensor& x) {
  return drop_channels("SpatialDropout2D", x, 4, p_, training());
}

GaussianNoise::GaussianNoise(double stddev) : stddev_(stddev) {
  check<ValueError>(std::isfinite(stddev) && stddev >= 0.0,
                    "GaussianNoise: stddev must be finite and not negative, got ", stddev, ".");
}
std::string GaussianNoise::describe() const { return concat({"GaussianNoise ", stddev_}); }
Tensor GaussianNoise::forward(const Tensor& x) { return gaussian_noise(x, stddev_, training()); }

}  // namespace linnet::nn
