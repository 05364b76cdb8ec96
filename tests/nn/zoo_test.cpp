// SPDX-License-Identifier: Apache-2.0
#include "linnet/autograd/autograd.h"
#include "linnet/autograd/ops.h"
#include "linnet/nn/zoo/mobilenet.h"
#include "linnet/optim/optim.h"
#include "support/check_close.h"
#include "support/fixtures.h"

using namespace linnet;

// 4,231,976: the trainable parameters that Keras' MobileNet (alpha 1, 1000 classes) reports; its 21,888
// others are the running statistics.
TEST_CASE("MobileNetV1 has the published number of parameters") {
  nn::Sequential net = nn::zoo::mobilenet_v1();
  CHECK(net.parameter_count() == 4'231'976);
  std::int64_t statistics = 0;
  for (const NamedTensor& buffer : net.buffers()) statistics += buffer.second.size();
  CHECK(statistics == 21'888);
}

TEST_CASE("a quarter of MobileNetV1 learns a batch by heart") {
  manual_seed(1);
  nn::Sequential net = nn::zoo::mobilenet_v1({.width = 0.25, .classes = 3});
  optim::Adam adam(net.parameters(), {.lr = 1e-3});
  const Tensor x = test::random_tensor({6, 32, 32, 3}, 1), y = test::random_labels({6}, 2, 3);
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

TEST_CASE("MobileNetV1 refuses options that make no sense") {
  CHECK_THROWS_TEXT(nn::zoo::mobilenet_v1({.width = 0.0}), ValueError,
                    "mobilenet_v1: width must be above 0 and at most 64, got 0.");
  CHECK_THROWS_TEXT(nn::zoo::mobilenet_v1({.channels = 0}), ValueError,
                    "mobilenet_v1: channels and classes must be at least 1, got 0 and 1000.");
}
