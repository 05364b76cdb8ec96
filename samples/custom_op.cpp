// SPDX-License-Identifier: Apache-2.0
// An op of one's own: the Huber-like smooth absolute value s(x) = sqrt(x^2 + 1) - 1 with derivative x /
// sqrt(x^2 + 1), written as one function that computes and records, proved by gradcheck, and used in a
// training step.
//
//   custom_op
//
// Expect: "gradcheck passed" and a loss that falls below a quarter of its first value.
#include <cmath>
#include <cstdio>

#include "linnet/linnet.h"

using namespace linnet;

namespace {

/// Any shape, f32 or f64. The result is kept for backward: x / sqrt(x^2 + 1) needs x and y.
template <class T>
Tensor smooth_abs_of(const Tensor& x) {
  Tensor y = Tensor::empty(x.shape(), x.dtype());
  auto in = x.data<T>();
  auto out = y.mutable_data<T>();
  for (std::size_t i = 0; i < in.size(); ++i) out[i] = std::sqrt(in[i] * in[i] + T{1}) - T{1};

  return record("smooth_abs", y, {x},
                [x = saved(x, needed_by(x)), y = saved(y, needed_by(x))](const Tensor& dy, Grads& grad) {
                  Tensor dx = Tensor::empty(dy.shape(), dy.dtype());
                  auto result = dx.mutable_data<T>();
                  auto d = dy.data<T>(), argument = (*x).template data<T>(), value = (*y).template data<T>();
                  for (std::size_t i = 0; i < d.size(); ++i)
                    result[i] = d[i] * argument[i] / (value[i] + T{1});
                  grad.add(0, dx);
                });
}

Tensor smooth_abs(const Tensor& x) {
  return x.dtype() == f64 ? smooth_abs_of<double>(x) : smooth_abs_of<float>(x);
}

bool passes_gradcheck() {
  manual_seed(1);
  Tensor x = Tensor::randn({3, 5}, f64).set_requires_grad(true);
  GradcheckResult result = gradcheck([](const std::vector<Tensor>& in) { return smooth_abs(in[0]); }, {x});
  std::puts(result ? "gradcheck passed" : result.report.c_str());
  return result.ok;
}

/// Fits a line to 200 points with one wild outlier, which this loss bears.
bool trains() {
  manual_seed(2);
  Tensor x = Tensor::randn({200, 1}), target = x * 3.0 + 1.0;
  target.mutable_data<float>()[0] = 50.0f;
  nn::Dense line(1, 1);
  optim::Adam adam(line.parameters(), {.lr = 0.05});
  double first = 0.0, last = 0.0;
  for (int step = 0; step < 300; ++step) {
    Tensor loss = mean(smooth_abs(line(x) - target));
    adam.zero_grad();
    backward(loss);
    adam.step();
    last = loss.item();
    if (step == 0) first = last;
  }
  std::printf("loss %.4f -> %.4f\n", first, last);
  return last < first / 4.0;
}

}  // namespace

int main() {
  try {
    return passes_gradcheck() && trains() ? 0 : 1;
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
}
