// SPDX-License-Identifier: Apache-2.0
// Sample weights, extreme logits and mistakes, for every loss.
#include <cmath>
#include <functional>
#include <limits>

#include "linnet/autograd/autograd.h"
#include "linnet/autograd/gradcheck.h"
#include "linnet/autograd/ops.h"
#include "linnet/autograd/weighted_loss.h"
#include "linnet/core/error.h"
#include "linnet/core/storage.h"
#include "linnet/nn/loss.h"
#include "support/check_close.h"
#include "support/fixtures.h"

namespace linnet::test {
namespace {

using WeightedLoss = std::function<Tensor(const Tensor&, const Tensor&, const Tensor&)>;

struct ObjectCase {
  std::string name;
  WeightedLoss loss;
  Tensor target;  ///< for a prediction [6, 4]
};

std::vector<ObjectCase> object_cases() {
  const Tensor labels = random_labels({6}, 2, 4), yes_no = random_labels({6, 4}, 3, 2),
               values = random_tensor({6, 4}, 4);
  const Tensor class_weights = Tensor::from({1, 2, 0.5, 3});
  return {{"CrossEntropy", nn::CrossEntropy(), labels},
          {"CrossEntropy with options",
           nn::CrossEntropy({.label_smoothing = 0.1, .class_weights = class_weights}), labels},
          {"BCEWithLogits", nn::BCEWithLogits(), yes_no},
          {"BCEWithLogits with options",
           nn::BCEWithLogits({.label_smoothing = 0.1, .pos_weight = class_weights}), yes_no},
          {"FocalLoss of labels", nn::FocalLoss({.gamma = 1.5, .class_weights = class_weights}), labels},
          {"FocalLoss", nn::FocalLoss({.alpha = 0.25}), yes_no.to(f32)},
          {"Huber", nn::Huber({.delta = 0.5}), values},
          {"MSE", nn::MSE(), values},
          {"MAE", nn::MAE(), values},
          {"Hinge", nn::Hinge(), yes_no},
          {"KLDiv", nn::KLDiv(), softmax(values)},
          {"CosineLoss", nn::CosineLoss(), values}};
}

Tensor as(const Tensor& target, DType dtype) { return is_float(target.dtype()) ? target.to(dtype) : target; }

Tensor gradient_of(const std::function<Tensor(const Tensor&)>& loss, const Tensor& at) {
  Tensor x = at.clone().set_requires_grad(true);
  backward(loss(x));
  return x.grad();
}

TEST_CASE("a loss that is dropped without backward gives its memory back, and NaN is never hidden") {
  const Tensor z = random_tensor({6, 4}, 1);
  for (const ObjectCase& c : object_cases()) {
    CAPTURE(c.name);
    Tensor x = z.clone().set_requires_grad(true);
    c.loss(x, c.target, {});
    const std::int64_t before = memory_stats().live_bytes;
    c.loss(x, c.target, {});
    CHECK(memory_stats().live_bytes == before);
    x.mutable_data<float>()[5] = std::numeric_limits<float>::quiet_NaN();
    CHECK(std::isnan(c.loss(x, c.target, {}).item()));
  }
  const Tensor probabilities = softmax(z), log_probabilities = log_softmax(z);
  Tensor wrong = probabilities.clone();
  for (const float value : {std::numeric_limits<float>::quiet_NaN(), -0.25f}) {
    wrong.mutable_data<float>()[3] = value;
    CHECK(std::isnan(kl_div(log_probabilities, wrong).item()));
  }
  wrong.mutable_data<float>()[3] = std::numeric_limits<float>::quiet_NaN();
  CHECK(std::isnan(cosine_loss(wrong, z).item()));
}

TEST_CASE("a batch without elements is refused, with weights too") {
  const Tensor none = Tensor::zeros({0, 1}), weights = Tensor::zeros({0});
  CHECK_THROWS_TEXT(nn::MSE()(none, none, weights), ShapeError,
                    "MSE: no elements in shape [0, 1]. Leave empty batches out.");
  CHECK_THROWS_TEXT(nn::FocalLoss()(none, none, weights), ShapeError,
                    "FocalLoss: no elements in shape [0, 1]. Leave empty batches out.");
}

TEST_CASE("equal sample weights change nothing, whatever their size") {
  const Tensor z = random_tensor({6, 4}, 1, -2, 2);
  for (const ObjectCase& c : object_cases()) {
    CAPTURE(c.name);
    for (const double weight : {1.0, 0.125, 40.0})
      CHECK_CLOSE(c.loss(z, c.target, Tensor::full({6}, weight)), c.loss(z, c.target, {}), tol::f32);
  }
}

TEST_CASE("a sample of weight 0 is not there, and one of weight 2 is there twice") {
  const Tensor z = random_tensor({6, 4}, 1, -2, 2, f64), weights = Tensor::from({1, 0, 2, 1, 0, 1}, f64);
  const auto kept = [](const Tensor& t) {  // samples 0, 2, 2, 3, 5
    return concat({slice(t, 0, 0, 1), slice(t, 0, 2, 3), slice(t, 0, 2, 4), slice(t, 0, 5, 6)}, 0);
  };
  for (const ObjectCase& c : object_cases()) {
    CAPTURE(c.name);
    const Tensor t = as(c.target, f64);
    const Tensor chosen = is_float(t.dtype()) ? kept(t) : kept(t.to(f64)).to(t.dtype());
    CHECK_CLOSE(c.loss(z, t, weights), c.loss(kept(z), chosen, {}), tol::f64);
  }
}

TEST_CASE("a batch of weights 0 has loss 0 and no gradient") {
  const Tensor z = random_tensor({6, 4}, 1, -2, 2), none = Tensor::zeros({6});
  for (const ObjectCase& c : object_cases()) {
    CAPTURE(c.name);
    const auto loss = [&](const Tensor& x) { return c.loss(x, c.target, none); };
    CHECK(loss(z).item() == 0.0);
    CHECK_CLOSE(gradient_of(loss, z), Tensor::zeros({6, 4}), tol::exact);
  }
}

TEST_CASE("weighted losses pass gradcheck") {
  Tensor z = random_tensor({6, 4}, 1, 1.1, 2, f64).set_requires_grad(true);
  const Tensor weights = random_tensor({6}, 5, 0.1, 2);
  for (const ObjectCase& c : object_cases()) {
    const GradcheckResult result = gradcheck(
        [&](const std::vector<Tensor>& in) { return c.loss(in[0], as(c.target, f64), weights); }, {z});
    CHECK_MESSAGE(result.ok, c.name, ": ", result.report);
  }
}

TEST_CASE("sample weights may cover the steps of sequences") {
  const Tensor z = random_tensor({2, 3, 4}, 1, -2, 2), y = random_labels({2, 3}, 2, 4);
  const Tensor weights = Tensor::from({{1, 1, 0}, {1, 0, 0}});
  const Tensor expected = nn::CrossEntropy()(z.reshape({6, 4}), y.view({6}), weights.view({6}));
  CHECK_CLOSE(nn::CrossEntropy()(z, y, weights), expected, tol::f32);
  CHECK_CLOSE(nn::MSE()(z, Tensor::zeros({2, 3, 4}), weights),
              nn::MSE()(z.reshape({6, 4}), Tensor::zeros({6, 4}), weights.view({6})), tol::f32);
  const Tensor t = softmax(random_tensor({2, 3, 4}, 3));
  CHECK_CLOSE(nn::KLDiv()(z, t, weights), nn::KLDiv()(z.reshape({6, 4}), t.view({6, 4}), weights.view({6})),
              tol::f32);
  CHECK_CLOSE(nn::CosineLoss()(z, t, weights),
              nn::CosineLoss()(z.reshape({6, 4}), t.view({6, 4}), weights.view({6})), tol::f32);
}

TEST_CASE("losses and gradients are finite for logits of +-1e4") {
  const Tensor z = Tensor::from({{1e4, -1e4}, {-1e4, 1e4}, {1e4, 1e4}, {-1e4, -1e4}, {1e4, 0}, {-1e4, 0}});
  const Tensor labels = Tensor::from({0, 0, 1, 1, 1, 0}, i64);
  const Tensor soft = Tensor::from({{1, 0}, {0.5, 0.5}, {0, 1}, {1, 0}, {0.25, 0.75}, {0, 1}});
  const Tensor weights = Tensor::from({1, 2, 0.5, 1, 3, 1}), two = Tensor::from({1, 3});
  using Call = std::function<Tensor(const Tensor&)>;
  const std::vector<std::pair<std::string, Call>> calls{
      {"cross_entropy", [&](const Tensor& x) { return cross_entropy(x, labels.to(i64)); }},
      {"cross_entropy of soft labels", [&](const Tensor& x) { return cross_entropy(x, soft.to(x.dtype())); }},
      {"bce_with_logits", [&](const Tensor& x) { return bce_with_logits(x, soft.to(x.dtype())); }},
      {"hinge", [&](const Tensor& x) { return hinge(x, soft.to(i64)); }},
      {"focal", [&](const Tensor& x) { return focal(x, soft.to(x.dtype())); }},
      {"focal of labels", [&](const Tensor& x) { return focal(x, labels); }},
      {"focal, gamma 0.5",
       [&](const Tensor& x) { return nn::FocalLoss({.gamma = 0.5})(x, labels, weights); }},
      {"focal, gamma 0", [&](const Tensor& x) { return nn::FocalLoss({.gamma = 0})(x, soft.to(x.dtype())); }},
      {"kl_div", [&](const Tensor& x) { return kl_div(log_softmax(x), soft.to(x.dtype())); }},
      {"CrossEntropy",
       [&](const Tensor& x) {
         return nn::CrossEntropy({.label_smoothing = 0.1, .class_weights = two})(x, labels, weights);
       }},
      {"BCEWithLogits",
       [&](const Tensor& x) {
         return nn::BCEWithLogits({.label_smoothing = 0.1, .pos_weight = two})(x, soft, weights);
       }},
      {"huber", [&](const Tensor& x) { return huber(x, soft.to(x.dtype())); }},
      {"cosine_loss", [&](const Tensor& x) { return cosine_loss(x, soft.to(x.dtype())); }}};
  for (const auto& call : calls)
    for (const DType dtype : {f32, f64})
      for (const Isa isa : available_isas()) {
        const IsaScope scope(isa);
        CAPTURE(call.first);
        CAPTURE(name(dtype));
        CHECK(std::isfinite(call.second(z.to(dtype)).item()));
        const Tensor gradient = gradient_of(call.second, z.to(dtype)).to(f64);
        for (const double g : gradient.data<double>()) CHECK(std::isfinite(g));
      }
}

TEST_CASE("the objects without options are the plain functions") {
  const Tensor z = random_tensor({5, 3}, 1, -2, 2), t = random_tensor({5, 3}, 2, 0, 1);
  CHECK_SAME_BITS(nn::Huber()(z, t), huber(z, t));
  CHECK_SAME_BITS(nn::BCEWithLogits()(z, t), bce_with_logits(z, t));
  CHECK_SAME_BITS(nn::FocalLoss()(z, t), focal(z, t));
  CHECK_SAME_BITS(nn::FocalLoss()(z, random_labels({5}, 3, 3)), focal(z, random_labels({5}, 3, 3)));
  CHECK_SAME_BITS(nn::MSE()(z, t), mse(z, t));
  CHECK_SAME_BITS(nn::MAE()(z, t), mae(z, t));
  CHECK_SAME_BITS(nn::KLDiv()(z, t), kl_div(z, t));
  CHECK_SAME_BITS(nn::CosineLoss()(z, t), cosine_loss(z, t));
  CHECK_CLOSE(nn::FocalLoss({.gamma = 0})(z, t), bce_with_logits(z, t), tol::f32);
  CHECK_CLOSE(nn::FocalLoss({.gamma = 0})(z, random_labels({5}, 3, 3)),
              cross_entropy(z, random_labels({5}, 3, 3)), tol::f32);
}

TEST_CASE("a training step with every option of CrossEntropy asks the system for no memory") {
  const nn::CrossEntropy loss({.label_smoothing = 0.1, .class_weights = Tensor::ones({10})});
  const Tensor z = random_tensor({32, 10}, 1), y = random_labels({32}, 2, 10), u = Tensor::ones({32});
  const auto step = [&] { gradient_of([&](const Tensor& x) { return loss(x, y, u); }, z); };
  step();
  const auto reserved = memory_stats().reserved_bytes;
  for (int i = 0; i < 10; ++i) step();
  CHECK(memory_stats().reserved_bytes == reserved);
}

TEST_CASE("wrong sample weights are explained") {
  const Tensor z = Tensor::ones({3, 4}), t = Tensor::zeros({3, 4});
  const nn::MSE loss;
  CHECK_THROWS_TEXT(loss(z, t, Tensor::ones({4})), ShapeError,
                    "MSE: sample_weights [4] do not fit the terms [3, 4]. Give one weight a sample: [3].");
  CHECK_THROWS_TEXT(loss(z, t, Tensor::from({1, -1, 1})), ValueError,
                    "MSE: sample_weights must be finite and not negative, got -1.");
  CHECK_THROWS_TEXT(
      nn::CrossEntropy()(z, Tensor::from({0, 1, 2}, i64), Tensor::ones({3, 4})), ShapeError,
      "CrossEntropy: sample_weights [3, 4] do not fit the terms [3]. Give one weight a sample: [3].");
  CHECK_THROWS_TEXT(nn::KLDiv()(z, t, Tensor::ones({3, 4})), ShapeError,
                    "KLDiv: sample_weights [3, 4] do not fit the terms [3]. Give one weight a sample: [3].");
  CHECK_THROWS_TEXT(
      nn::CosineLoss()(z, t, Tensor::ones({4})), ShapeError,
      "CosineLoss: sample_weights [4] do not fit the terms [3]. Give one weight a sample: [3].");
  CHECK_THROWS_TEXT(nn::CosineLoss()(Tensor::full({}, 1.0), Tensor::full({}, 1.0), Tensor::ones({1})),
                    ShapeError,
                    "CosineLoss: sample_weights [1] do not fit the terms []. Give one weight a sample: [1].");
}

TEST_CASE("options outside their range are refused by every object") {
  CHECK_THROWS_TEXT(nn::Huber({.delta = 0}), ValueError, "Huber: delta must be finite and above 0, got 0.");
  CHECK_THROWS_TEXT(nn::FocalLoss({.gamma = -1}), ValueError,
                    "FocalLoss: gamma must be finite and not negative, got -1.");
  CHECK_THROWS_TEXT(nn::FocalLoss({.alpha = 1.5}), ValueError, "FocalLoss: alpha must be in 0..1, got 1.5.");
  CHECK_THROWS_TEXT(nn::FocalLoss({.class_weights = Tensor::from({1, -2})}), ValueError,
                    "FocalLoss: class_weights must be finite and not negative, got -2.");
  CHECK_THROWS_TEXT(nn::BCEWithLogits({.label_smoothing = 1}), ValueError,
                    "BCEWithLogits: label_smoothing must be in [0, 1), got 1.");
  CHECK_THROWS_TEXT(nn::BCEWithLogits({.pos_weight = Tensor::from({1, 0})}), ValueError,
                    "BCEWithLogits: pos_weight must be finite and above 0, got 0.");
  CHECK_THROWS_TEXT(nn::BCEWithLogits({.pos_weight = Tensor::ones({2, 2})}), ShapeError,
                    "BCEWithLogits: pos_weight must be a vector [C], got [2, 2].");
}

TEST_CASE("arguments that fit no loss object are refused") {
  const Tensor z = Tensor::ones({2, 3}), labels = Tensor::from({0, 1}, i64);
  CHECK_THROWS_TEXT(nn::FocalLoss({.alpha = 0.25})(z, labels), ValueError,
                    "FocalLoss: alpha weighs yes against no, the target has labels. Use class_weights.");
  CHECK_THROWS_TEXT(nn::FocalLoss({.class_weights = Tensor::ones({3})})(z, z), ValueError,
                    "FocalLoss: class_weights need integer labels, the target is f32. Use alpha.");
  CHECK_THROWS_TEXT(nn::FocalLoss({.class_weights = Tensor::ones({2})})(z, labels), ShapeError,
                    "FocalLoss: class_weights do not fit logits [2, 3]: expected 3 weights, got 2.");
  CHECK_THROWS_TEXT(nn::FocalLoss()(z, z.to(f64)), DTypeError,
                    "FocalLoss: the target is f64, the logits are f32. Convert one with to().");
  CHECK_THROWS_TEXT(nn::BCEWithLogits()(z, labels), ShapeError,
                    "BCEWithLogits: target does not fit logits [2, 3]: got [2].");
  CHECK_THROWS_TEXT(nn::BCEWithLogits()(labels, labels), DTypeError,
                    "BCEWithLogits: logits must be f32 or f64, got i64.");
  CHECK_THROWS_TEXT(nn::BCEWithLogits({.pos_weight = Tensor::ones({2})})(z, z), ShapeError,
                    "BCEWithLogits: pos_weight has 2 weights, which do not fit logits [2, 3].");
}

TEST_CASE("plain losses explain labels, shapes and parameters") {
  const Tensor z = Tensor::ones({2, 3});
  CHECK_THROWS_TEXT(focal(z, Tensor::from({0, 3}, i64)), ValueError,
                    "focal: label 3 at position 1 is outside 0..2. The logits have 3 classes.");
  CHECK_THROWS_TEXT(focal(z, Tensor::from({0, 1, 2}, i64)), ShapeError,
                    "focal: logits [2, 3] need labels of shape [2], got [3].");
  CHECK_THROWS_TEXT(focal(z, Tensor::from({0, 1}, i8)), DTypeError,
                    "focal: labels must be i64, i32 or u8, got i8. Convert with to(i64).");
  CHECK_THROWS_TEXT(focal(z, Tensor()), ValueError, "focal: target is undefined.");
  CHECK_THROWS_TEXT(hinge(z, Tensor::full({2, 3}, 2, i64)), ValueError,
                    "hinge: target 2 at position 0 is not a label. Labels are -1 and 1, or 0 and 1.");
  CHECK_THROWS_TEXT(kl_div(Tensor::full({}, 1.0), Tensor::full({}, 1.0)), ShapeError,
                    "kl_div: expected distributions along a last axis, got shape [].");
  CHECK_THROWS_TEXT(cosine_loss(Tensor::full({}, 1.0), Tensor::full({}, 1.0)), ShapeError,
                    "cosine_loss: expected vectors along a last axis, got shape [].");
  CHECK_THROWS_TEXT(
      huber(z, Tensor::ones({3, 2})), ShapeError,
      "huber: prediction [2, 3] and target [3, 2] must have the same shape. Reshape one of them.");
  CHECK_THROWS_TEXT(weighted_loss(Op::huber, z, z, {}, 0.0), ValueError,
                    "huber: delta must be finite and above 0, got 0.");
  CHECK_THROWS_TEXT(weighted_loss(Op::focal, z, z, {}, -1.0), ValueError,
                    "focal: gamma must be finite and not negative, got -1.");
  CHECK_THROWS_TEXT(weighted_loss(Op::mse, z, z, Tensor::ones({2}), 0.0), ShapeError,
                    "mse: expected one weight for each term [2, 3], got [2].");
  CHECK_THROWS_TEXT(weighted_loss(Op::kl_div, z, z, z, 0.0), ShapeError,
                    "kl_div: expected one weight for each term [2], got [2, 3].");
  CHECK_THROWS_TEXT(weighted_loss(Op::cosine_loss, z, z, z, 0.0), ShapeError,
                    "cosine_loss: expected one weight for each term [2], got [2, 3].");
  CHECK_THROWS_TEXT(weighted_loss(Op::relu, z, z, {}, 0.0), ValueError,
                    "weighted_loss: relu is not a loss with weights.");
}

}  // namespace
}  // namespace linnet::test
