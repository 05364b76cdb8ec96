// SPDX-License-Identifier: Apache-2.0
#include "linnet/nn/embedding.h"

#include "linnet/autograd/autograd.h"
#include "linnet/autograd/ops.h"
#include "support/check_close.h"
#include "support/fixtures.h"

namespace linnet::test {
namespace {

TEST_CASE("Embedding returns rows of its table, for indices of any shape and type") {
  nn::Embedding layer(6, 3);
  for (const DType dtype : {i64, i32, u8}) {
    const Tensor y = layer(Tensor::from({5, 0, 5, 2}, {2, 2, 1}, dtype));
    REQUIRE(y.shape() == Shape{2, 2, 1, 3});
    CHECK_SAME_BITS(slice(y.view({4, 3}), 0, 0, 1), slice(layer.weight, 0, 5, 6).detach());
    CHECK_SAME_BITS(slice(y.view({4, 3}), 0, 3, 4), slice(layer.weight, 0, 2, 3).detach());
  }
}

TEST_CASE("the padding row starts at 0 and stays there, others train") {
  nn::Embedding layer(4, 2, {.padding_idx = 1});
  backward(sum(layer(Tensor::from({1, 3, 1, 3}, i64))));
  CHECK_CLOSE(slice(layer.weight, 0, 1, 2), Tensor::zeros({1, 2}), tol::exact);
  CHECK_CLOSE(layer.weight.grad(), Tensor::from({{0, 0}, {0, 0}, {0, 0}, {2, 2}}), tol::exact);
  CHECK(layer.describe() == "Embedding 4 x 2, padding 1");
}

TEST_CASE("Embedding refuses what does not fit and names itself") {
  nn::Embedding layer(6, 3);
  CHECK_THROWS_TEXT(
      layer(Tensor::from({5, 6}, i64)), ValueError,
      "embedding: index 6 at position 1 is outside 0..5. The table has 6 rows.  in Embedding 6 x 3");
  CHECK_THROWS_TEXT(nn::Embedding(0, 3), ValueError, "Embedding: sizes must be at least 1: count 0, size 3.");
  CHECK_THROWS_TEXT(nn::Embedding(4, 3, {.padding_idx = 4}), ValueError,
                    "Embedding: padding_idx 4 is outside 0..3.");
}

}  // namespace
}  // namespace linnet::test
