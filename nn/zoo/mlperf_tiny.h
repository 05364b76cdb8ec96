// SPDX-License-Identifier: Apache-2.0
#pragma once
// The reference networks of MLPerf Tiny (Banbury et al.: "MLPerf Tiny Benchmark", 2021; code: mlcommons/tiny,
// benchmark/training) that are not MobileNets, layer by layer: convolutions keep the bias that batch-norm
// makes superfluous, batch-norm has Keras' eps of 1e-3. The softmax at the end of the classifiers is left
// out: they return logits.

#include <cstdint>

#include "linnet/nn/sequential.h"

namespace linnet::nn::zoo {

struct ResNet8Options {
  std::int64_t filters = 16;  ///< of the first stack; the next have twice and four times as many
  std::int64_t channels = 3;  ///< of the images
  std::int64_t classes = 10;
};

/// ResNet-8 for CIFAR-10: a convolution and three residual stacks of two (He et al.: "Deep Residual Learning
/// for Image Recognition", 2016). The straight path of the second and third stack is a strided 1x1
/// convolution without batch-norm.
///   Shapes: x [N, H, W, channels], 32x32 in the benchmark  ->  logits [N, classes].
/// ValueError for counts below 1.
Sequential resnet8(const ResNet8Options& options = {});

struct DsCnnOptions {
  std::int64_t height = 49, width = 10;  ///< frames and coefficients; fix the pooling at the end
  std::int64_t channels = 1;
  std::int64_t filters = 64;
  std::int64_t classes = 12;
};

/// DS-CNN for keyword spotting (Zhang et al.: "Hello Edge: Keyword Spotting on Microcontrollers", 2017): a
/// strided 10x4 convolution and four depthwise separable ones. As in the benchmark the average pooling covers
/// floor(height / 2) x floor(width / 2) places and leaves out the last of an odd number.
///   Shapes: x [N, height, width, channels]  ->  logits [N, classes].
/// ValueError for counts below 1, height or width below 4.
Sequential ds_cnn(const DsCnnOptions& options = {});

struct DenseAutoencoderOptions {
  std::int64_t inputs = 640;  ///< 5 frames of 128 mel bands in the benchmark
  std::int64_t hidden = 128;
  std::int64_t code = 8;
};

/// The autoencoder of the ToyADMOS anomaly detection task (Koizumi et al., DCASE 2020 task 2 baseline):
/// inputs - 4 x hidden - code - 4 x hidden - inputs, with batch-norm and ReLU after all but the last. Train
/// it to give back x with mse; the error on new samples is the anomaly score.
///   Shapes: x [N, inputs]  ->  [N, inputs]. ValueError for sizes below 1.
Sequential dense_autoencoder(const DenseAutoencoderOptions& options = {});

}  // namespace linnet::nn::zoo
