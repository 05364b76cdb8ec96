// SPDX-License-Identifier: Apache-2.0
#include "linnet/optim/clip.h"

#include <limits>

#include "linnet/core/error.h"
#include "support/check_close.h"
#include "support/fixtures.h"

namespace linnet::test {
namespace {

Tensor with_grad(std::initializer_list<double> gradient, DType dtype = f32) {
  Tensor t = Tensor::zeros({static_cast<std::int64_t>(gradient.size())}, dtype);
  t.set_grad(Tensor::from(gradient, dtype));
  return t;
}

const double kNan = std::numeric_limits<double>::quiet_NaN(), kInf = std::numeric_limits<double>::infinity();

TEST_CASE("clip_grad_value_ limits every element and leaves the others") {
  for (const DType dtype : {f32, f64}) {
    const Tensor a = with_grad({-3, 0.5, 2}, dtype), b = with_grad({-0.25}, dtype),
                 untouched = Tensor::zeros({2}, dtype);
    optim::clip_grad_value_({{"a", a}, {"b", b}, {"c", untouched}}, 1.5);
    CHECK_CLOSE(a.grad(), Tensor::from({-1.5, 0.5, 1.5}), tol::exact);
    CHECK_CLOSE(b.grad(), Tensor::from({-0.25}), tol::exact);
    CHECK_FALSE(untouched.grad().defined());
  }
}

TEST_CASE("clip_grad_norm_ scales all gradients to one common norm and returns the norm before") {
  for (const DType dtype : {f32, f64}) {
    const Tensor a = with_grad({2, -4}, dtype), b = with_grad({4}, dtype);
    const NamedTensors p{{"a", a}, {"b", b}, {"c", Tensor::zeros({2}, dtype)}};
    CHECK(optim::clip_grad_norm_(p, 3.0) == 6.0);
    CHECK_CLOSE(a.grad(), Tensor::from({1, -2}), tol::exact);
    CHECK_CLOSE(b.grad(), Tensor::from({2}), tol::exact);
    CHECK(optim::clip_grad_norm_(p, 3.0) == 3.0);  // not larger than the limit: left alone
    CHECK_CLOSE(a.grad(), Tensor::from({1, -2}), tol::exact);
    CHECK(optim::clip_grad_norm_({}, 1.0) == 0.0);
  }
}

TEST_CASE("the norm does not overflow in f32") {
  const Tensor a = with_grad({3e30, 4e30});
  CHECK_CLOSE(optim::clip_grad_norm_({{"a", a}}, 5.0), 5e30, tol::f32);
  CHECK_CLOSE(a.grad(), Tensor::from({3, 4}), tol::f32);
}

TEST_CASE("a gradient that several parameters share is scaled once for each") {
  const Tensor a = Tensor::zeros({1}), b = Tensor::zeros({1}), gradient = Tensor::from({3});
  for (Tensor t : {a, b}) t.set_grad(gradient);
  optim::clip_grad_norm_({{"a", a}, {"b", b}}, 1.0);
  CHECK_SAME_BITS(a.grad(), b.grad());
  CHECK_CLOSE(a.grad(), Tensor::from({0.70710678118654752}), tol::f32);
}

TEST_CASE("clipping names the parameter whose gradient is not finite and changes none") {
  const Tensor a = with_grad({8});
  for (const double bad : {kNan, kInf, -kInf}) {
    const Tensor b = with_grad({1, bad});
    const NamedTensors p{{"fc1.weight", a}, {"fc2.bias", b}};
    const std::string text =
        ": the gradient of \"fc2.bias\" is not finite. Try a lower learning rate, and look for log or "
        "division of 0 in "
        "the loss.";
    CHECK_THROWS_TEXT(optim::clip_grad_norm_(p, 1.0), NumericError, "clip_grad_norm_" + text);
    CHECK_THROWS_TEXT(optim::clip_grad_value_(p, 1.0), NumericError, "clip_grad_value_" + text);
    CHECK_CLOSE(a.grad(), Tensor::from({8}), tol::exact);
  }
}

TEST_CASE("a limit that is no positive number is refused") {
  const NamedTensors p{{"a", with_grad({1})}};
  for (const double limit : {0.0, -1.0, kNan, kInf}) {
    const std::string text = " must be above 0, got " + concat({limit}) + ".";
    CHECK_THROWS_TEXT(optim::clip_grad_norm_(p, limit), ValueError, "clip_grad_norm_: max_norm" + text);
    CHECK_THROWS_TEXT(optim::clip_grad_value_(p, limit), ValueError, "clip_grad_value_: limit" + text);
  }
}

}  // namespace
}  // namespace linnet::test
