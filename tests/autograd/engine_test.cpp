// SPDX-License-Identifier: Apache-2.0
// What the tape and the engine promise.
#include <cmath>

#include "linnet/autograd/autograd.h"
#include "linnet/autograd/ops.h"
#include "linnet/autograd/record.h"
#include "support/check_close.h"
#include "support/fixtures.h"

using namespace linnet;

namespace {
Tensor leaf(std::initializer_list<double> values, DType dtype = f32) {
  return Tensor::from(values, dtype).set_requires_grad(true);
}
}  // namespace

TEST_CASE("gradients of a product of sums are those of calculus") {
  Tensor a = leaf({1, 2, 3}), b = leaf({4, 5, 6});
  backward(sum(a * b + a));
  CHECK_CLOSE(a.grad(), Tensor::from({5, 6, 7}), tol::exact);
  CHECK_CLOSE(b.grad(), Tensor::from({1, 2, 3}), tol::exact);
}

TEST_CASE("a tensor used several times gathers every contribution") {
  Tensor x = leaf({3});
  backward(x * x * x);
  CHECK(x.grad().item() == 27.0);
}

TEST_CASE("a second backward adds to the gradient that is there") {
  Tensor x = leaf({1, 2});
  backward(sum(square(x)));
  backward(sum(square(x)));
  CHECK_CLOSE(x.grad(), Tensor::from({4, 8}), tol::exact);
}

TEST_CASE("leaves that receive the same gradient do not share it") {
  Tensor a = leaf({1, 2}), b = leaf({3, 4});
  backward(sum(a + b));
  Tensor ga = a.grad(), gb = b.grad();
  ga.mul_(10.0);
  CHECK_CLOSE(gb, Tensor::ones({2}), tol::exact);
}

TEST_CASE("a loss that is itself a leaf gets gradient one") {
  Tensor x = leaf({3});
  backward(x);
  CHECK(x.grad().item() == 1.0);
}

TEST_CASE("broadcast inputs receive gradients in their own shape") {
  Tensor row = leaf({1, 2, 3}), scalar = Tensor::full({}, 2.0).set_requires_grad(true);
  Tensor x = Tensor::ones({4, 3});
  backward(sum((x + row) * scalar));
  CHECK_CLOSE(row.grad(), Tensor::full({3}, 8.0), tol::exact);
  CHECK(scalar.grad().shape() == Shape{});
  CHECK(scalar.grad().item() == 36.0);
}

TEST_CASE("chains of 200,000 steps neither recurse in backward nor when they are dropped unused") {
  Tensor x = leaf({1});
  {
    Tensor y = x;
    for (int i = 0; i < 200000; ++i) y = y + x;
    backward(y);
    CHECK(x.grad().item() == 200001.0);
  }
  Tensor unused = x;
  for (int i = 0; i < 200000; ++i) unused = neg(unused);
  unused = Tensor();
}

TEST_CASE("NoGrad keeps nothing and nests") {
  Tensor x = leaf({2});
  {
    NoGrad outer;
    CHECK_FALSE(grad_enabled());
    { NoGrad inner; }
    CHECK_FALSE(grad_enabled());
    CHECK_FALSE(square(x).requires_grad());
  }
  CHECK(grad_enabled());
  CHECK(square(x).requires_grad());
}

TEST_CASE("detach cuts the tape") {
  Tensor x = leaf({3});
  backward(x * x.detach());
  CHECK(x.grad().item() == 3.0);
}

TEST_CASE("backward through a changed saved tensor throws, names the op and changes no gradient") {
  Tensor a = leaf({1, 2}), b = leaf({3, 4});
  Tensor loss = sum(a * b) + sum(a);
  b.mul_(2.0);
  CHECK_THROWS_TEXT(
      backward(loss), AutogradError,
      "mul: a tensor of shape [2] that backward needs was changed in place after the forward pass. Change a "
      "clone() instead.");
  CHECK_FALSE(a.grad().defined());
  CHECK_FALSE(b.grad().defined());
  Tensor c = leaf({1});
  backward(square(c));  // the engine is usable again
  CHECK(c.grad().item() == 2.0);
}

TEST_CASE("the result of a taped op cannot be changed in place, which its gradient would not know of") {
  Tensor y = leaf({1, 2}) + 1.0;
  const std::string rest =
      ": this tensor is the result of an op, and its gradient would not know of the change. Use an op "
      "instead, or "
      "change a clone().";
  CHECK_THROWS_TEXT(y.mul_(2.0), AutogradError, "mul_" + rest);
  CHECK_THROWS_TEXT(y.mutable_data<float>(), AutogradError, "mutable_data" + rest);
  NoGrad no_grad;
  Tensor z = y + 1.0;
  z.mul_(2.0);
  CHECK_CLOSE(z, Tensor::from({6, 8}), tol::exact);
}

TEST_CASE("a failed backward leaves gradients that were there as they were") {
  Tensor a = leaf({1, 2}), b = leaf({3, 4});
  backward(sum(a));
  Tensor loss = sum(a * b) + sum(a);
  b.fill_(0.0);
  CHECK_THROWS_AS(backward(loss), AutogradError);
  CHECK_CLOSE(a.grad(), Tensor::ones({2}), tol::exact);
}

TEST_CASE("a change that backward does not look at is allowed") {
  Tensor a = leaf({1, 2}), b = leaf({3, 4});
  Tensor y = a + b;
  b.mul_(2.0);
  backward(sum(y));
  CHECK_CLOSE(a.grad(), Tensor::ones({2}), tol::exact);
}

TEST_CASE("the tape is freed by backward unless it is kept") {
  Tensor x = leaf({3});
  Tensor y = square(x), kept = square(x);
  backward(y);
  CHECK_THROWS_TEXT(
      backward(y), AutogradError,
      "backward: the tape of square was already used and freed. Run the forward pass again, or pass "
      "{.keep_tape = true}.");
  backward(kept, {.keep_tape = true});
  backward(kept);
  CHECK(x.grad().item() == 18.0);
}

TEST_CASE("memory kept for backward is returned while backward runs") {
  Tensor x = Tensor::ones({1000}).set_requires_grad(true);
  std::int64_t before = memory_stats().live_bytes;
  Tensor y = x;
  for (int i = 0; i < 10; ++i) y = exp(y * 0.1);
  Tensor loss = sum(y);
  y = Tensor();
  CHECK(memory_stats().live_bytes - before >= 10 * 4000);
  backward(loss);
  x.set_grad({});
  CHECK(memory_stats().live_bytes - before < 4000);
}

TEST_CASE("after the first step the tape takes nothing from the system") {
  Tensor w = test::random_tensor({64, 64}, 1).set_requires_grad(true), x = test::random_tensor({32, 64}, 2);
  auto step = [&] {
    backward(mean(square(relu(matmul(x, w)))));
    w.set_grad({});
  };
  for (int i = 0; i < 3; ++i) step();
  std::int64_t before = memory_stats().system_allocations;
  for (int i = 0; i < 10; ++i) step();
  CHECK(memory_stats().system_allocations == before);
}

TEST_CASE("backward explains what is wrong with a loss") {
  Tensor x = leaf({1, 2});
  CHECK_THROWS_TEXT(backward(Tensor()), ValueError,
                    "backward: the loss is undefined. Compute it from the model's output.");
  CHECK_THROWS_TEXT(
      backward(square(x)), ShapeError,
      "backward: expected a loss with one element, got shape [2]. Reduce it with mean() or sum(), or pass "
      "{.gradient = ...}.");
  CHECK_THROWS_TEXT(backward(Tensor::ones({1})), AutogradError,
                    "backward: the loss does not depend on a tensor that requires a gradient. Was it "
                    "computed under NoGrad, "
                    "or from a detached tensor?");
  CHECK_THROWS_TEXT(backward(square(x), {.gradient = Tensor::ones({3})}), ShapeError,
                    "backward: gradient has shape [3], the loss has [2].");
  CHECK_THROWS_TEXT(backward(square(x), {.gradient = Tensor::ones({2}, f64)}), DTypeError,
                    "backward: gradient is f64, the loss is f32.");
}

TEST_CASE("a rule whose gradient has the wrong shape or type is named") {
  Tensor x = leaf({1, 2});
  auto op = [](const Tensor& in, Tensor gradient) {
    return record("odd", in.clone(), {in}, [gradient](const Tensor&, Grads& grad) { grad.add(0, gradient); });
  };
  CHECK_THROWS_TEXT(backward(sum(op(x, Tensor::ones({3})))), AutogradError,
                    "odd: the rule gave a gradient of shape [3] for input 0 of shape [2].");
  CHECK_THROWS_TEXT(backward(sum(op(x, Tensor::ones({2}, f64)))), AutogradError,
                    "odd: the rule gave a gradient of type f64 for input 0 of type f32.");
}

TEST_CASE("dropout repeats its mask in backward and takes one call number") {
  manual_seed(1);
  Tensor x = Tensor::ones({1000}).set_requires_grad(true);
  Tensor y = dropout(x, 0.25, true);
  backward(sum(y));
  CHECK_SAME_BITS(x.grad(), y.detach());
  CHECK(rng_state()["next_call"].integer() == 1);
  CHECK(dropout(x, 0.25, false).same_as(x));
  CHECK(rng_state()["next_call"].integer() == 1);
}
