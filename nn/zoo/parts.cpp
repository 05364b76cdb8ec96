// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "linnet/nn/nn.h"
#include "linnet/nn/zoo/parts_impl.h"

namespace linnet::nn::zoo {

std::int64_t scaled_channels(std::int64_t channels, double width) {
  const double exact = static_cast<double>(channels) * width;
  const auto nearest = static_cast<std::int64_t>(std::floor(exact / 8.0 + 0.5));
  const std::int64_t rounded = std::max<std::int64_t>(nearest, 1) * 8;
  return static_cast<double>(rounded) < 0.9 * exact ? rounded + 8 : rounded;
}

void add_convolution(Sequential& net, std::int64_t in, std::int64_t out, Conv2DOptions options,
                     Activation activation) {
  options.bias = false;
  options.weight_init = init::he_uniform;
  net.add(Conv2D(in, out, options));
  net.add(BatchNorm(out));
  if (activation == Activation::relu) net.add(ReLU());
  if (activation == Activation::relu6) net.add(ReLU6());
}

std::unique_ptr<Layer> inverted_residual(std::int64_t in, std::int64_t out,
                                         const InvertedResidualOptions& options) {
  auto block = std::make_unique<Sequential>();
  const std::int64_t wide = in * options.expansion;
  if (wide != in) add_convolution(*block, in, wide, {.kernel = 1}, Activation::relu6);
  add_convolution(*block, wide, wide,
                  {.kernel = options.kernel, .stride = options.stride, .padding = same, .groups = wide},
                  Activation::relu6);
  add_convolution(*block, wide, out, {.kernel = 1}, Activation::none);
  if (options.stride != 1 || in != out) return block;
  return std::make_unique<Residual>(std::move(block), nullptr);
}

void check_counts(const char* network, std::int64_t channels, std::int64_t classes) {
  check<ValueError>(channels >= 1 && classes >= 1, network, ": channels and classes must be at least 1, got ",
                    channels, " and ", classes, ".");
}

void check_width(const char* network, const char* option, double width) {
  check<ValueError>(std::isfinite(width) && width > 0.0 && width <= 64.0, network, ": ", option,
                    " must be above 0 and at most 64, got ", width, ".");
}

}  // namespace linnet::nn::zoo
