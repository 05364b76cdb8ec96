// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the networks of the zoo are built from. Private to nn/zoo.

#include <cstdint>
#include <memory>

#include "linnet/nn/conv2d.h"
#include "linnet/nn/sequential.h"

namespace linnet::nn::zoo {

enum class Activation { none, relu, relu6 };

/// channels width as a multiple of 8, at least 8, rounded to the nearest but down by at most a tenth.
std::int64_t scaled_channels(std::int64_t channels, double width);

/// Adds a convolution without bias, batch-norm and the activation. Weights start He uniform.
void add_convolution(Sequential& net, std::int64_t in, std::int64_t out, Conv2DOptions options,
                     Activation activation);

struct InvertedResidualOptions {
  std::int64_t kernel = 3, stride = 1;
  std::int64_t expansion = 6;  ///< 1: without the convolution that widens
};
/// 1x1 to expansion in channels, depthwise, 1x1 to out channels without an activation; x is added where the
/// shapes agree (Sandler et al. 2018, figure 4). ReLU6, padding same.
std::unique_ptr<Layer> inverted_residual(std::int64_t in, std::int64_t out,
                                         const InvertedResidualOptions& options);

/// ValueErrors naming the network.
void check_counts(const char* network, std::int64_t channels, std::int64_t classes);
void check_width(const char* network, const char* option, double width);

}  // namespace linnet::nn::zoo
