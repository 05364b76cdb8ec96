// SPDX-License-Identifier: Apache-2.0
#include "linnet/nn/loss.h"

#include <cmath>
#include <limits>

#include "golden/golden.h"
#include "linnet/autograd/gradcheck.h"
#include "linnet/core/error.h"
#include "support/fixtures.h"

namespace linnet::test {
namespace {

using nlohmann::json;
using nn::CrossEntropy;

TEST_CASE("CrossEntropy with label smoothing and class weights agrees with PyTorch") {
  int cases = 0;
  for (const json& golden : golden_cases("ops.json")) {
    if (golden["op"] != "CrossEntropy") continue;
    for (const DType dtype : {f64, f32}) {
      CAPTURE(golden["name"].get<std::string>());
      check_golden_case(golden, dtype, [&](const auto& in) {
        const CrossEntropy loss({.label_smoothing = golden["attributes"]["label_smoothing"].get<double>(),
                                 .class_weights = in("weight")});
        return loss(in("logits"), in("target"));
      });
    }
    ++cases;
  }
  CHECK(cases == 18);
}

TEST_CASE("without options CrossEntropy is cross_entropy, and one weight for all changes nothing") {
  const Tensor logits = random_tensor({6, 4}, 1, -3, 3), labels = random_labels({6}, 2, 4);
  CHECK_SAME_BITS(CrossEntropy()(logits, labels), cross_entropy(logits, labels));
  const CrossEntropy weighted({.class_weights = Tensor::full({4}, 2.5)});
  CHECK_CLOSE(weighted(logits, labels), cross_entropy(logits, labels), tol::f32);
}

TEST_CASE("CrossEntropy takes labels of every integer type and passes gradcheck") {
  Tensor logits = random_tensor({2, 3, 4}, 1, -2, 2, f64).set_requires_grad(true);
  const CrossEntropy loss({.label_smoothing = 0.1, .class_weights = Tensor::from({1, 2, 0.5, 3})});
  const Tensor labels = random_labels({2, 3}, 2, 4);
  for (const DType dtype : {u8, i32, i64})
    CHECK_SAME_BITS(loss(logits, labels.to(dtype)), loss(logits, labels));
  const GradcheckResult result =
      gradcheck([&](const std::vector<Tensor>& in) { return loss(in[0], labels); }, {logits});
  CHECK_MESSAGE(result.ok, result.report);
}

TEST_CASE("a class of weight 0 does not count") {
  const CrossEntropy loss({.class_weights = Tensor::from({1, 0, 1})});
  const Tensor logits = Tensor::from({{1, 2, 3}, {9, -9, 0}});
  CHECK_CLOSE(loss(logits, Tensor::from({0, 1}, i64)),
              cross_entropy(Tensor::from({{1, 2, 3}}), Tensor::from({0}, i64)), tol::f32);
  CHECK_THROWS_TEXT(
      loss(logits, Tensor::from({1, 1}, i64)), ValueError,
      "CrossEntropy: all 2 labels of the batch have class weight 0. Use a small weight instead.");
}

TEST_CASE("options outside their range are refused") {
  for (const double smoothing : {-0.1, 1.0, std::numeric_limits<double>::quiet_NaN()})
    CHECK_THROWS_TEXT(CrossEntropy({.label_smoothing = smoothing}), ValueError,
                      "CrossEntropy: label_smoothing must be in [0, 1), got " + concat({smoothing}) + ".");
  CHECK_THROWS_TEXT(CrossEntropy({.class_weights = Tensor::ones({2, 2})}), ShapeError,
                    "CrossEntropy: class_weights must be a vector [C], got [2, 2].");
  CHECK_THROWS_TEXT(CrossEntropy({.class_weights = Tensor::from({1, -2})}), ValueError,
                    "CrossEntropy: class_weights must be finite and not negative, got -2.");
}

TEST_CASE("arguments that do not fit are refused") {
  const CrossEntropy loss({.label_smoothing = 0.1, .class_weights = Tensor::ones({3})});
  const Tensor logits = Tensor::ones({2, 3}), labels = Tensor::from({0, 1}, i64);
  CHECK_THROWS_TEXT(loss(logits.to(i32), labels), DTypeError,
                    "CrossEntropy: logits must be f32 or f64, got i32.");
  CHECK_THROWS_TEXT(loss(Tensor::ones({}), labels), ShapeError,
                    "CrossEntropy: logits need a last axis of classes and at least one row, got [].");
  CHECK_THROWS_TEXT(
      loss(logits, Tensor::from({0, 1, 2}, i64)), ShapeError,
      "CrossEntropy: target does not fit logits [2, 3]: expected [2], got [3]. Labels are integers [...], "
      "soft labels are [..., C].");
  CHECK_THROWS_TEXT(
      loss(logits, Tensor::ones({2})), ShapeError,
      "CrossEntropy: target does not fit logits [2, 3]: expected [2, 3], got [2]. Labels are integers "
      "[...], soft labels are [..., C].");
  CHECK_THROWS_TEXT(
      loss(logits, Tensor::ones({2, 3}, f64)), DTypeError,
      "CrossEntropy: soft labels must have the type of the logits: expected f32, got f64. Convert with "
      "to().");
  CHECK_THROWS_TEXT(loss(Tensor::ones({2, 4}), labels), ShapeError,
                    "CrossEntropy: class_weights do not fit logits [2, 4]: expected 4 weights, got 3.");
  CHECK_THROWS_TEXT(
      loss(logits, Tensor::from({0, 3}, i64)), ValueError,
      "CrossEntropy: label out of range: row 1 has label 3, there are 3 classes. Labels count from 0.");
}

}  // namespace
}  // namespace linnet::test
