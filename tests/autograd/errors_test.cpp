// SPDX-License-Identifier: Apache-2.0
// Every mistake with an op gets one message with the numbers and the next step.
#include "linnet/autograd/ops.h"
#include "linnet/autograd/recorder.h"
#include "linnet/core/error.h"
#include "support/check_close.h"
#include "support/fixtures.h"

using namespace linnet;

namespace {
Tensor ones(const Shape& shape, DType dtype = f32) { return Tensor::ones(shape, dtype); }
}  // namespace

TEST_CASE("elementwise ops explain undefined tensors, types and shapes") {
  CHECK_THROWS_TEXT(relu(Tensor()), ValueError, "relu: x is undefined.");
  CHECK_THROWS_TEXT(exp(ones({2}, i64)), DTypeError,
                    "exp: x must be f32 or f64, got i64. Convert with to(f32).");
  CHECK_THROWS_TEXT(ones({2}) + ones({2}, f64), DTypeError,
                    "add: a is f32 but b is f64. Convert one with to().");
  CHECK_THROWS_TEXT(
      ones({2, 3}) * ones({4}), ShapeError,
      "mul: shapes do not broadcast: [2, 3] and [4]. Sizes must be equal or 1, counted from the last axis.");
  CHECK_THROWS_TEXT(Tensor() + 1.0, ValueError, "arithmetic: the tensor beside the number is undefined.");
}

TEST_CASE("products explain ranks and sizes") {
  CHECK_THROWS_TEXT(matmul(ones({32, 784}), ones({128, 784})), ShapeError,
                    "matmul: inner sizes differ: [32, 784] x [128, 784]. Transpose one argument?");
  CHECK_THROWS_TEXT(matmul(ones({3}), ones({3, 2})), ShapeError,
                    "matmul: a must have 2 axes, got shape [3].");
  CHECK_THROWS_TEXT(dense(ones({2, 28, 28, 1}), ones({10, 784})), ShapeError,
                    "dense: the last axis of x must have 784 elements: x [2, 28, 28, 1], weight [10, 784]. "
                    "Flatten the input "
                    "first?");
  CHECK_THROWS_TEXT(dense(ones({2, 3}), ones({4, 3}), ones({3})), ShapeError,
                    "dense: bias must have shape [4], got [3].");
  CHECK_THROWS_TEXT(dense(Tensor::full({}, 1.0), ones({4, 3})), ShapeError,
                    "dense: x must have at least one axis, got shape [].");
}

TEST_CASE("convolution and pooling explain channels, groups and windows") {
  Tensor x = ones({1, 5, 5, 3});
  CHECK_THROWS_TEXT(conv2d(x, ones({8, 3, 3, 4})), ShapeError,
                    "conv2d: x [1, 5, 5, 3] has 3 channels, weight [8, 3, 3, 4] with 1 group(s) expects 4. "
                    "Images are [N, H, W, "
                    "C], weights [O, kh, kw, C/groups].");
  CHECK_THROWS_TEXT(conv2d(x, ones({8, 3, 3, 1}), {}, {.groups = 2}), ValueError,
                    "conv2d: groups must divide 3 input and 8 output channels, got 2.");
  CHECK_THROWS_TEXT(conv2d(x, ones({8, 3, 3, 3}), ones({7})), ShapeError,
                    "conv2d: bias must have shape [8], got [7].");
  CHECK_THROWS_TEXT(conv2d(ones({5, 5, 3}), ones({8, 3, 3, 3})), ShapeError,
                    "conv2d: x must have 4 axes, got shape [5, 5, 3].");
  CHECK_THROWS_AS(conv2d(x, ones({8, 7, 7, 3})), ShapeError);
  CHECK_THROWS_AS(conv2d(x, ones({8, 3, 3, 3}), {}, {.stride = 0}), ValueError);
  CHECK_THROWS_AS(max_pool2d(x, {.kernel = 6}), ShapeError);
  CHECK_THROWS_TEXT(avg_pool2d(ones({5, 5})), ShapeError,
                    "avg_pool2d: x must have 4 axes, got shape [5, 5].");
}

TEST_CASE("reductions and softmax explain axes and empty tensors") {
  CHECK_THROWS_TEXT(sum(ones({2, 3}), 2), ShapeError, "sum: axis 2 is outside a tensor of rank 2.");
  CHECK_THROWS_TEXT(sum(ones({2, 3}), {1, -1}), ShapeError, "sum: axis 1 is named twice.");
  CHECK_THROWS_TEXT(mean(ones({0, 3})), ShapeError, "mean: no elements to average in shape [0, 3].");
  CHECK_THROWS_TEXT(max(ones({0})), ShapeError, "max: no elements to compare in shape [0].");
  CHECK_THROWS_TEXT(softmax(ones({2}), 1), ShapeError, "softmax: axis 1 is outside a tensor of rank 1.");
  CHECK_THROWS_TEXT(argmax(ones({2, 0})), ShapeError, "argmax: axis 1 of shape [2, 0] has no elements.");
}

TEST_CASE("losses explain labels and shapes before anything is computed") {
  Tensor logits = ones({3, 10});
  CHECK_THROWS_TEXT(cross_entropy(logits, Tensor::from({1, 10, 2}, i64)), ValueError,
                    "cross_entropy: label 10 at position 1 is outside 0..9. The logits have 10 classes.");
  CHECK_THROWS_TEXT(cross_entropy(logits, Tensor::from({1, 2, -1}, i32)), ValueError,
                    "cross_entropy: label -1 at position 2 is outside 0..9. The logits have 10 classes.");
  CHECK_THROWS_TEXT(cross_entropy(logits, Tensor::from({1, 2}, i64)), ShapeError,
                    "cross_entropy: logits [3, 10] need labels of shape [3], got [2].");
  CHECK_THROWS_TEXT(
      cross_entropy(logits, ones({3})), ShapeError,
      "cross_entropy: soft labels must have the shape of the logits [3, 10], got [3]. Integer labels need an "
      "integer type: to(i64).");
  CHECK_THROWS_TEXT(cross_entropy(logits, Tensor::from({1, 2, 3}, i8)), DTypeError,
                    "cross_entropy: labels must be i64, i32 or u8, got i8. Convert with to(i64).");
  CHECK_THROWS_TEXT(cross_entropy(logits, Tensor()), ValueError, "cross_entropy: target is undefined.");
  CHECK_THROWS_TEXT(cross_entropy(Tensor::full({}, 1.0), Tensor::full({}, 0, i64)), ShapeError,
                    "cross_entropy: logits must be [..., classes], got shape [].");
  CHECK_THROWS_TEXT(mse(ones({3, 1}), ones({3})), ShapeError,
                    "mse: prediction [3, 1] and target [3] must have the same shape. Reshape one of them.");
  CHECK_THROWS_TEXT(mae(ones({0}), ones({0})), ShapeError, "mae: no elements in shape [0].");
}

TEST_CASE("moving elements explains what does not fit") {
  Tensor x = ones({2, 6});
  CHECK_THROWS_TEXT(x.reshape({5, -1}), ShapeError,
                    "reshape: [2, 6] has 12 elements, which do not divide by 5.");
  CHECK_THROWS_TEXT(x.reshape({-1, -1}), ShapeError, "reshape: only one size may be -1.");
  CHECK_THROWS_TEXT(x.reshape({5, 2}), ShapeError, "reshape: [2, 6] has 12 elements, [5, 2] has 10.");
  CHECK_THROWS_TEXT(transpose(x, {0}), ShapeError, "transpose: the order has 1 axes, x has shape [2, 6].");
  CHECK_THROWS_TEXT(transpose(x, {0, 0}), ShapeError, "transpose: axis 0 is named twice.");
  CHECK_THROWS_TEXT(slice(x, 1, 7, 8), ShapeError, "slice: 7..8 is outside axis 1 of [2, 6].");
  CHECK_THROWS_TEXT(slice(x, 1, 0, 2, 0), ValueError, "slice: step must be at least 1, got 0.");
  CHECK_THROWS_TEXT(concat({x, ones({2, 5, 1})}, 1), ShapeError,
                    "concat: shapes differ outside axis 1: [2, 6] and [2, 5, 1].");
  CHECK_THROWS_TEXT(concat(std::vector<Tensor>{}, 0), ValueError, "concat: no tensors given.");
  CHECK_THROWS_TEXT(pad(x, {{1, 1}}), ShapeError, "pad: expected 2 pairs for shape [2, 6], got 1.");
  CHECK_THROWS_TEXT(pad(x, {{1, 1}, {-1, 0}}), ValueError, "pad: widths must not be negative, got -1 and 0.");
  CHECK_THROWS_TEXT(flatten(Tensor::full({}, 1.0)), ShapeError,
                    "flatten: x must have a batch axis, got shape [].");
}

TEST_CASE("dropout refuses probabilities outside [0, 1) without drawing numbers") {
  manual_seed(1);
  CHECK_THROWS_TEXT(dropout(ones({2}), 1.0, true), ValueError, "dropout: p must be in [0, 1), got 1.");
  CHECK(rng_state()["next_call"].integer() == 0);
}

TEST_CASE("a user's op cannot be replayed, and damaged attributes are refused") {
  std::vector<Tensor> inputs{ones({1, 4, 4, 1})};
  CHECK_THROWS_TEXT(apply_op(Op::custom, {inputs, {}}), GraphError,
                    "apply_op: an op of the user cannot be run from a graph.");
  State pads{{"kernel", Tensor::from({2, 2}, i64)}, {"stride", Tensor::from({2}, i64)}};
  CHECK_THROWS_TEXT(apply_op(Op::max_pool2d, {inputs, pads}), StateError,
                    "attribute stride: expected two integers, got 1.");
}
