// SPDX-License-Identifier: Apache-2.0
#include "linnet/nn/flatten.h"

#include "support/check_close.h"

namespace linnet::test {
namespace {

TEST_CASE("Flatten keeps the batch and the order of the rest") {
  const Tensor x = Tensor::arange(24).reshape({2, 3, 2, 2});
  CHECK_SAME_BITS(nn::Flatten()(x), Tensor::arange(24).reshape({2, 12}));
  CHECK(nn::Flatten()(Tensor::ones({7})).shape() == Shape{7, 1});
}

}  // namespace
}  // namespace linnet::test
