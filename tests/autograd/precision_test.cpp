// SPDX-License-Identifier: Apache-2.0
// f32 against f64: forward and backward of every op, on every instruction set, on random shapes. f64 gets the
// same values as f32. The bound per element is kUnits ULP * sqrt(terms of the sum) * (sum of absolute terms),
// where the sum of absolute terms is what the op gives for |inputs| and |dy|, plus |value|, |dy| and what the
// case names.
#include <cmath>
#include <map>

#include "linnet/autograd/autograd.h"
#include "linnet/core/kernels/reduce.h"
#include "op_cases.h"
#include "support/check_close.h"
#include "support/fixtures.h"

using namespace linnet;
using test::OpCase;
using test::OpExample;

namespace {

constexpr double kUnits = 4.0;
constexpr std::uint64_t kFewShapes = 10, kManyShapes = 1000;

Tensor converted(const Tensor& t, DType dtype) {
  Tensor copy = is_float(t.dtype()) ? t.detach().to(dtype) : t;
  if (copy.same_as(t) || copy.dtype() == t.dtype()) copy = t.clone();
  if (t.requires_grad()) copy.set_requires_grad(true);
  return copy;
}

Tensor absolute(const Tensor& t) {
  Tensor copy = t.clone();
  for (double& v : copy.mutable_data<double>()) v = std::abs(v);
  if (t.requires_grad()) copy.set_requires_grad(true);
  return copy;
}

struct Run {
  Tensor y;
  std::vector<Tensor> gradients;
};

Run run(const OpExample& example, std::vector<Tensor> inputs, bool absolute_dy = false) {
  manual_seed(11);
  Run result{example.call(inputs), {}};
  Tensor dy =
      test::random_tensor(result.y.shape(), 5, absolute_dy ? 0.5 : -1.0, 1.0, f32).to(result.y.dtype());
  backward(result.y, {.gradient = dy});
  for (const Tensor& input : inputs) result.gradients.push_back(input.grad());
  return result;
}

/// |reference| + |absolute run| + extra, element by element.
Tensor scale_of(const Tensor& reference, const Tensor& absolute_run, double extra) {
  Tensor scale = absolute_run.clone();
  auto a = reference.data<double>();
  auto out = scale.mutable_data<double>();
  for (std::size_t i = 0; i < a.size(); ++i) out[i] = std::abs(a[i]) + std::abs(out[i]) + extra;
  return scale;
}

void check_example(const OpCase& op_case, const OpExample& example, std::uint64_t seed) {
  CAPTURE(op_case.name);
  CAPTURE(seed);
  CAPTURE(name(active_isa()));
  std::vector<Tensor> singles, doubles, absolutes;
  for (const Tensor& input : example.inputs) {
    singles.push_back(converted(input, f32));
    doubles.push_back(converted(input, f64));
    absolutes.push_back(absolute(input));
  }
  Run single = run(example, singles), reference = run(example, doubles),
      magnitude = run(example, absolutes, true);
  test::Tolerance bound{1e-37, kUnits * tol::kUlp32 * std::sqrt(static_cast<double>(example.terms))};
  CHECK_CLOSE_TO_SCALE(single.y, reference.y, scale_of(reference.y, magnitude.y, example.scale), bound);
  for (std::size_t i = 0; i < singles.size(); ++i) {
    if (!reference.gradients[i].defined()) continue;
    CAPTURE(i);
    // |dy| is at most one; a broadcast input gathers one dy a repetition
    double extra =
        static_cast<double>(reference.y.size()) /
        static_cast<double>(std::max<std::int64_t>(1, std::min(reference.y.size(), doubles[i].size())));
    CHECK_CLOSE_TO_SCALE(single.gradients[i], reference.gradients[i],
                         scale_of(reference.gradients[i], magnitude.gradients[i], example.scale + extra),
                         bound);
  }
}

}  // namespace

namespace {

/// Examples of the seeds [first, end) of every case of every op; `end` is given the number of cases of its
/// op.
template <class End>
void check_seeds(std::uint64_t first, End end) {
  std::map<Op, std::uint64_t> cases;
  for (const OpCase& op_case : test::op_cases()) ++cases[op_case.op];
  for (Isa isa : available_isas()) {
    test::IsaScope scope(isa);
    for (const OpCase& op_case : test::op_cases()) {
      for (std::uint64_t seed = first; seed < end(cases[op_case.op]); ++seed) {
        Rng rng(seed, 1000 + static_cast<std::uint64_t>(op_case.op));
        check_example(op_case, op_case.example(rng), seed);
      }
    }
  }
}

}  // namespace

TEST_CASE("f32 agrees with f64 for every op, forward and backward, on every instruction set") {
  check_seeds(0, [](std::uint64_t) { return kFewShapes; });
}

TEST_SUITE("long") {
  TEST_CASE("f32 agrees with f64 for every op, forward and backward, on 1,000 shapes an op altogether") {
    check_seeds(kFewShapes, [](std::uint64_t cases) { return (kManyShapes + cases - 1) / cases; });
  }
}

TEST_CASE("the same bits for 1, 2 and 4 threads and on every set with fused multiply-add") {
  for (const OpCase& op_case : test::op_cases()) {
    CAPTURE(op_case.name);
    for (std::uint64_t seed = 0; seed < 8; ++seed) {
      Rng rng(seed, 2000 + static_cast<std::uint64_t>(op_case.op));
      OpExample example = op_case.example(rng);
      auto run_f32 = [&] {
        std::vector<Tensor> inputs;
        for (const Tensor& input : example.inputs) inputs.push_back(converted(input, f32));
        return run(example, inputs);
      };
      Run first = run_f32();
      for (Isa isa : available_isas()) {
        if (isa == Isa::sse2) continue;  // multiplies and adds: other roundings
        for (int threads : {1, 2, 4}) {
          test::IsaScope isa_scope(isa);
          test::ThreadScope thread_scope(threads);
          Run other = run_f32();
          CHECK_SAME_BITS(other.y, first.y);
          for (std::size_t i = 0; i < first.gradients.size(); ++i)
            if (first.gradients[i].defined()) CHECK_SAME_BITS(other.gradients[i], first.gradients[i]);
        }
      }
    }
  }
}
