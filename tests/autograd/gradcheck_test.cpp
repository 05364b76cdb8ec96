// SPDX-License-Identifier: Apache-2.0
// Every op against central differences in f64, by enumeration; and the test of that test.
#include "linnet/autograd/gradcheck.h"

#include <set>

#include "linnet/autograd/ops.h"
#include "linnet/autograd/record.h"
#include "linnet/core/kernels/elementwise.h"
#include "op_cases.h"
#include "support/check_close.h"
#include "support/fixtures.h"

using namespace linnet;
using test::OpCase;
using test::OpExample;

namespace {

std::vector<std::string> ops_without_case(const std::vector<OpCase>& cases) {
  std::set<Op> seen;
  for (const OpCase& op_case : cases) seen.insert(op_case.op);
  std::vector<std::string> missing;
  for (int i = 0; i < kOps; ++i)
    if (!seen.count(static_cast<Op>(i))) missing.emplace_back(name(static_cast<Op>(i)));
  return missing;
}

/// Of the first input, weighted so that each element has its own.
Tensor gradient_of(const std::function<Tensor(const std::vector<Tensor>&)>& call,
                   const std::vector<Tensor>& inputs) {
  Tensor x = inputs[0].clone().set_requires_grad(true);
  const Tensor y = call({x});
  backward(sum(y * test::random_tensor(y.shape(), 1, -1.0, 1.0, f64)));
  return x.grad();
}

/// square with the derivative 3x, to see that the suite would notice.
Tensor square_with_wrong_gradient(const Tensor& x) {
  return record("wrong square", kernels::unary(Op::square, x), {x},
                [x = saved(x, needed_by(x))](const Tensor& dy, Grads& grad) {
                  grad.add(0, kernels::binary(Op::mul, dy, kernels::scale(*x, 3.0)));
                });
}

}  // namespace

TEST_CASE("every op has a case") {
  for (const std::string& op : ops_without_case(test::op_cases())) FAIL_CHECK("no case for op ", op);
}

TEST_CASE("an op without a case is named") {
  std::vector<OpCase> cases = test::op_cases();
  std::erase_if(cases, [](const OpCase& c) { return c.op == Op::tanh; });
  CHECK(ops_without_case(cases) == std::vector<std::string>{"tanh"});
}

TEST_CASE("gradients equal central differences for every op") {
  for (const OpCase& op_case : test::op_cases()) {
    for (std::uint64_t seed = 0; seed < 12; ++seed) {
      Rng rng(seed, static_cast<std::uint64_t>(op_case.op));
      OpExample example = op_case.example(rng);
      GradcheckResult result = gradcheck(example.slope ? example.slope : example.call, example.inputs,
                                         {.step = 1e-5, .absolute = 1e-8, .relative = 1e-6});
      CHECK_MESSAGE(result.ok, op_case.name, ", seed ", seed, ": ", result.report);
      if (!example.slope) continue;
      INFO(op_case.name, ", seed ", seed);
      CHECK_CLOSE(gradient_of(example.call, example.inputs), gradient_of(example.slope, example.inputs),
                  (test::Tolerance{}));
    }
  }
}

TEST_CASE("a wrong derivative fails gradcheck and is described") {
  Tensor x = Tensor::from({1.0, 2.0}, f64).set_requires_grad(true);
  GradcheckResult result =
      gradcheck([](const std::vector<Tensor>& in) { return square_with_wrong_gradient(in[0]); }, {x});
  CHECK_FALSE(result);
  CHECK(result.report.find("gradcheck: input 0, element ") == 0);
  CHECK(result.worst > 1e4);
}

TEST_CASE("a gradient that never arrives fails gradcheck") {
  Tensor x = Tensor::from({1.0, 2.0}, f64).set_requires_grad(true);
  auto forgets = [](const std::vector<Tensor>& in) {
    return record("forgetful", in[0].clone(), {in[0]}, [](const Tensor&, Grads&) {});
  };
  CHECK_FALSE(gradcheck(forgets, {x}));
}

TEST_CASE("gradcheck leaves contents, gradients and the generator as they were") {
  manual_seed(3);
  Tensor x = test::random_tensor({3, 4}, 1, -1, 1, f64).set_requires_grad(true);
  Tensor before = x.clone(), gradient = Tensor::ones({3, 4}, f64);
  x.set_grad(gradient);
  State generator = rng_state();
  auto function = [](const std::vector<Tensor>& in) { return dropout(in[0], 0.5, true); };
  CHECK(gradcheck(function, {x}).ok);
  CHECK_SAME_BITS(x, before);
  CHECK(x.grad().same_as(gradient));
  CHECK(rng_state() == generator);
}

TEST_CASE("gradcheck refuses f32 inputs") {
  Tensor x = Tensor::ones({2}).set_requires_grad(true);
  CHECK_THROWS_TEXT(gradcheck([](const std::vector<Tensor>& in) { return exp(in[0]); }, {x}), DTypeError,
                    "gradcheck: inputs must be f64, got f32. Differences in f32 are too coarse.");
}
