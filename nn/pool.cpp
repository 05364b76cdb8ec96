// SPDX-License-Identifier: Apache-2.0
#include "linnet/nn/pool.h"

namespace linnet::nn {

namespace {

const Pool2DOptions& checked(const char* layer, const Pool2DOptions& options) {
  check_window(layer, options.kernel, options.stride.value_or(options.kernel), 1, options.padding);
  return options;
}

std::string describe_pool(const char* layer, const Pool2DOptions& options) {
  std::string text = concat({layer, " ", describe(options.kernel)});
  if (options.stride && *options.stride != options.kernel) text += ", stride " + describe(*options.stride);
  if (options.padding != valid) text += ", padding " + describe(options.padding);
  return text;
}

}  // namespace

MaxPool2D::MaxPool2D(const Pool2DOptions& options) : options_(checked("MaxPool2D", options)) {}
std::string MaxPool2D::describe() const { return describe_pool("MaxPool2D", options_); }
Tensor MaxPool2D::forward(const Tensor& x) { return max_pool2d(x, options_); }

AvgPool2D::AvgPool2D(const Pool2DOptions& options) : options_(checked("AvgPool2D", options)) {}
std::string AvgPool2D::describe() const { return describe_pool("AvgPool2D", options_); }
Tensor AvgPool2D::forward(const Tensor& x) { return avg_pool2d(x, options_); }

}  // namespace linnet::nn
