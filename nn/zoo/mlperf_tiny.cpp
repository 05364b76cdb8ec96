// SPDX-License-Identifier: Apache-2.0
#include "linnet/nn/zoo/mlperf_tiny.h"

#include "linnet/nn/nn.h"
#include "linnet/nn/zoo/parts_impl.h"

namespace linnet::nn::zoo {
namespace {

BatchNorm keras_batch_norm(std::int64_t channels) { return BatchNorm(channels, {.eps = 1e-3}); }

/// With bias; weights start He normal, as in the reference.
Conv2D convolution(std::int64_t in, std::int64_t out, const Pair& kernel, const Pair& stride,
                   std::int64_t groups = 1) {
  return Conv2D(in, out,
                {.kernel = kernel,
                 .stride = stride,
                 .padding = same,
                 .groups = groups,
                 .weight_init = init::he_normal});
}

void add_normalised(Sequential& net, Conv2D layer) {
  const std::int64_t channels = layer.weight.dim(0);
  net.add(std::move(layer));
  net.add(keras_batch_norm(channels));
  net.add(ReLU());
}

/// Two convolutions beside the straight path, which is a convolution too where the image is halved.
Residual residual_stack(std::int64_t in, std::int64_t out, std::int64_t stride) {
  auto inner = std::make_unique<Sequential>();
  add_normalised(*inner, convolution(in, out, 3, stride));
  inner->add(convolution(out, out, 3, 1));
  inner->add(keras_batch_norm(out));
  std::unique_ptr<Layer> projection;
  if (stride != 1) projection = std::make_unique<Conv2D>(convolution(in, out, 1, stride));
  return Residual(std::move(inner), std::move(projection));
}

}  // namespace

Sequential resnet8(const ResNet8Options& options) {
  check_counts("resnet8", options.channels, options.classes);
  check<ValueError>(options.filters >= 1, "resnet8: filters must be at least 1, got ", options.filters, ".");
  Sequential net;
  std::int64_t in = options.filters;
  add_normalised(net, convolution(options.channels, in, 3, 1));
  for (const std::int64_t out : {in, 2 * in, 4 * in}) {
    net.add(residual_stack(in, out, out == in ? 1 : 2));
    net.add(ReLU());
    in = out;
  }
  net.add(GlobalAvgPool2D());
  net.add(Dense(in, options.classes, {.weight_init = init::he_normal}));
  return net;
}

Sequential ds_cnn(const DsCnnOptions& options) {
  check_counts("ds_cnn", options.channels, options.classes);
  check<ValueError>(options.height >= 4 && options.width >= 4 && options.filters >= 1,
                    "ds_cnn: height and width must be at least 4 and filters 1, got ", options.height, ", ",
                    options.width, " and ", options.filters, ".");
  const std::int64_t filters = options.filters;
  Sequential net;
  add_normalised(net, convolution(options.channels, filters, {10, 4}, 2));
  net.add(Dropout(0.2));
  for (int block = 0; block < 4; ++block) {
    add_normalised(net, convolution(filters, filters, 3, 1, filters));
    add_normalised(net, convolution(filters, filters, 1, 1));
  }
  net.add(Dropout(0.4));
  net.add(AvgPool2D({.kernel = {options.height / 2, options.width / 2}}));
  net.add(Flatten());
  net.add(Dense(filters, options.classes));
  return net;
}

Sequential dense_autoencoder(const DenseAutoencoderOptions& options) {
  check<ValueError>(options.inputs >= 1 && options.hidden >= 1 && options.code >= 1,
                    "dense_autoencoder: sizes must be at least 1, got ", options.inputs, ", ", options.hidden,
                    " and ", options.code, ".");
  const std::int64_t hidden = options.hidden;
  Sequential net;
  std::int64_t in = options.inputs;
  for (const std::int64_t out :
       {hidden, hidden, hidden, hidden, options.code, hidden, hidden, hidden, hidden}) {
    net.add(Dense(in, out, {.weight_init = init::he_uniform}));
    net.add(keras_batch_norm(out));
    net.add(ReLU());
    in = out;
  }
  net.add(Dense(in, options.inputs));
  return net;
}

}  // namespace linnet::nn::zoo
