// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "linnet/autograd/autograd.h"
#include "linnet/autograd/ops.h"
#include "linnet/optim/optim.h"
#include "support/check_close.h"
#include "support/fixtures.h"
#include "support/zoo_catalog.h"

namespace linnet::test {
namespace {

namespace zoo = nn::zoo;

TEST_CASE("every zoo model has the parameters and running statistics of docs/zoo.md") {
  for (const ZooCase& row : zoo_catalog()) {
    CAPTURE(row.name);
    const std::unique_ptr<nn::Layer> model = row.make();
    CHECK(model->parameter_count() == row.parameters);
    std::int64_t statistics = 0;
    for (const NamedTensor& buffer : model->buffers()) statistics += buffer.second.size();
    CHECK(statistics == row.statistics);
  }
}

TEST_CASE("every zoo model trains a step: the loss is finite and every product and convolution changes") {
  for (const ZooCase& row : zoo_catalog()) {
    if (row.full_size) continue;
    CAPTURE(row.name);
    manual_seed(1);
    const std::unique_ptr<nn::Layer> model = row.make();
    NamedTensors before;
    for (const auto& [name, parameter] : model->parameters()) before.emplace_back(name, parameter.clone());
    CHECK(std::isfinite(train_zoo_step(*model, row)));
    const NamedTensors after = model->parameters();
    for (std::size_t i = 0; i < after.size(); ++i) {
      // The next batch-norm takes out again what shifts or scales a channel: such gradients may be 0.
      if (after[i].second.rank() < 2) continue;
      CAPTURE(after[i].first);
      CHECK_FALSE(bit_difference(after[i].second, before[i].second).empty());
    }
  }
}

// 4,231,976 and more: what Keras, torchvision and tensorflow/tpu count in the forms that are not in the
// catalog.
TEST_CASE("wider and deeper forms have the published numbers of parameters") {
  CHECK(zoo::mobilenet_v1({.width = 0.75}).parameter_count() == 2'585'560);
  CHECK(zoo::mobilenet_v2({.width = 1.4}).parameter_count() == 6'108'776);
  CHECK(zoo::shufflenet_v2({.width = 1.5}).parameter_count() == 3'503'624);
  CHECK(zoo::shufflenet_v2({.width = 2.0}).parameter_count() == 7'393'996);
  CHECK(zoo::efficientnet_lite({.depth = 1.1}).parameter_count() == 5'416'680);
  CHECK(zoo::efficientnet_lite({.width = 1.1, .depth = 1.2}).parameter_count() == 6'092'072);
  CHECK(zoo::efficientnet_lite({.width = 1.2, .depth = 1.4}).parameter_count() == 8'197'096);
  CHECK(zoo::efficientnet_lite({.width = 1.4, .depth = 1.8}).parameter_count() == 13'006'568);
}

TEST_CASE("a quarter of MobileNetV1 learns a batch by heart") {
  manual_seed(1);
  nn::Sequential net = zoo::mobilenet_v1({.width = 0.25, .classes = 3});
  optim::Adam adam(net.parameters(), {.lr = 1e-3});
  const Tensor x = random_tensor({6, 32, 32, 3}, 1), y = random_labels({6}, 2, 3);
  double first = 0.0, last = 0.0;
  for (int step = 0; step < 12; ++step) {
    const Tensor loss = cross_entropy(net(x), y);
    adam.zero_grad();
    backward(loss);
    adam.step();
    last = loss.item();
    if (step == 0) first = last;
  }
  CHECK(last < first / 4);
}

TEST_CASE("with a first stride of 1 the images shrink once less") {
  const Tensor x = random_tensor({2, 17, 17, 3}, 1);
  nn::Sequential v1 = zoo::mobilenet_v1({.width = 0.25, .classes = 4, .first_stride = 1});
  nn::Sequential v2 = zoo::mobilenet_v2({.width = 0.35, .classes = 4, .first_stride = 1});
  CHECK(v1[0](x).shape() == Shape{2, 17, 17, 8});
  CHECK(v2[0](x).shape() == Shape{2, 17, 17, 16});
  CHECK(v1(x).shape() == Shape{2, 4});
  CHECK(v2(x).shape() == Shape{2, 4});
}

TEST_CASE("DS-CNN leaves out the last of 25 rows, as the benchmark does") {
  nn::Sequential net = zoo::ds_cnn();
  net.eval();
  CHECK(net[net.size() - 3].describe() == "AvgPool2D 24x5");
  CHECK(net(random_tensor({2, 49, 10, 1}, 1)).shape() == Shape{2, 12});
}

TEST_CASE("zoo models refuse options that make no sense") {
  CHECK_THROWS_TEXT(zoo::mobilenet_v1({.width = 0.0}), ValueError,
                    "mobilenet_v1: width must be above 0 and at most 64, got 0.");
  CHECK_THROWS_TEXT(zoo::mobilenet_v1({.channels = 0}), ValueError,
                    "mobilenet_v1: channels and classes must be at least 1, got 0 and 1000.");
  CHECK_THROWS_TEXT(zoo::mobilenet_v2({.first_stride = 3}), ValueError,
                    "mobilenet_v2: first_stride must be 1 or 2, got 3.");
  CHECK_THROWS_TEXT(zoo::efficientnet_lite({.depth = -1.0}), ValueError,
                    "efficientnet_lite: depth must be above 0 and at most 64, got -1.");
  CHECK_THROWS_TEXT(zoo::shufflenet_v2({.width = 0.75}), ValueError,
                    "shufflenet_v2: width must be 0.5, 1, 1.5 or 2, got 0.75.");
  CHECK_THROWS_TEXT(zoo::resnet8({.filters = 0}), ValueError, "resnet8: filters must be at least 1, got 0.");
  CHECK_THROWS_TEXT(zoo::ds_cnn({.height = 1}), ValueError,
                    "ds_cnn: height and width must be at least 4 and filters 1, got 1, 10 and 64.");
  CHECK_THROWS_TEXT(zoo::dense_autoencoder({.code = 0}), ValueError,
                    "dense_autoencoder: sizes must be at least 1, got 640, 128 and 0.");
  CHECK_THROWS_AS(zoo::stacked_lstm({.units = 0}), ValueError);
}

}  // namespace
}  // namespace linnet::test
