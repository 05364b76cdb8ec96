// SPDX-License-Identifier: Apache-2.0
#include "linnet/nn/pool1d.h"

#include "linnet/nn/sequence_impl.h"

namespace linnet::nn {

namespace {

const Pool1DOptions& checked(const char* layer, const Pool1DOptions& options) {
  check_window(layer, options.kernel, options.stride.value_or(options.kernel), 1, options.padding);
  return options;
}

std::string describe_pool(const char* layer, const Pool1DOptions& options) {
  std::string text = concat({layer, " ", options.kernel});
  if (options.stride && *options.stride != options.kernel) text += concat({", stride ", *options.stride});
  if (options.padding.sides != valid) text += ", padding " + describe(options.padding);
  return text;
}

Pool2DParams of_one_row(const Pool1DOptions& options) {
  return {.kernel = {1, options.kernel},
          .stride = Pair(1, options.stride.value_or(options.kernel)),
          .padding = options.padding.sides};
}

}  // namespace

MaxPool1D::MaxPool1D(const Pool1DOptions& options) : options_(checked("MaxPool1D", options)) {}
std::string MaxPool1D::describe() const { return describe_pool("MaxPool1D", options_); }
Tensor MaxPool1D::forward(const Tensor& x) {
  return as_sequence(max_pool2d(as_image("MaxPool1D", x), of_one_row(options_)));
}

AvgPool1D::AvgPool1D(const Pool1DOptions& options) : options_(checked("AvgPool1D", options)) {}
std::string AvgPool1D::describe() const { return describe_pool("AvgPool1D", options_); }
Tensor AvgPool1D::forward(const Tensor& x) {
  return as_sequence(avg_pool2d(as_image("AvgPool1D", x), of_one_row(options_)));
}

}  // namespace linnet::nn
