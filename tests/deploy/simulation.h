// SPDX-License-Identifier: Apache-2.0
#pragma once
// Graphs that simulate integers by fake_quant, as quantization makes them, written down as functions.

#include <cmath>
#include <functional>
#include <vector>

#include "linnet/autograd/autograd.h"
#include "linnet/autograd/ops.h"
#include "linnet/core/quantizer.h"
#include "linnet/graph/trace.h"
#include "support/fixtures.h"

namespace linnet::test {

/// Rounds values and weights. While it observes it only looks at the ranges of values, by order of the calls.
class Rounding {
 public:
  Tensor value(const Tensor& x) { return rounded(x, {}); }
  Tensor value_in(const Tensor& x, double low, double high) { return rounded(x, {low, high}); }
  /// Symmetric, a range for each row, or one for all.
  Tensor weight(const Tensor& w, int bits = 8, bool rows = true) const {
    if (!w.defined() || observing_) return w;
    const std::int64_t channels = rows ? w.dim(0) : 1, size = w.size() / channels;
    std::vector<float> largest(static_cast<std::size_t>(channels), 0.0f);
    for (std::int64_t i = 0; i < w.size(); ++i)
      largest[i / size] = std::fmax(largest[i / size], std::fabs(w.data<float>()[i]));
    Tensor range = Tensor::from(largest);
    return fake_quant(w, range, {.bits = bits, .symmetric = true, .frozen = true}, false);
  }
  bool observing() const { return observing_; }
  /// Before each call of the function.
  void begin(bool observe) {
    observing_ = observe;
    next_ = 0;
  }
  /// Of the last value.
  Quantizer last() const {
    const auto r = ranges_[next_ - 1].data<float>();
    return range_quantizer(static_cast<double>(r[0]), static_cast<double>(r[1]), 8);
  }

 private:
  Tensor rounded(const Tensor& x, std::vector<double> fixed) {
    if (next_ == ranges_.size()) ranges_.push_back(Tensor::zeros({2}));
    Tensor& range = ranges_[next_++];
    auto r = range.mutable_data<float>();
    for (std::size_t i = 0; i < fixed.size(); ++i) r[i] = static_cast<float>(fixed[i]);
    if (observing_ && fixed.empty())
      for (float v : x.data<float>()) {
        r[0] = std::fmin(r[0], v);
        r[1] = std::fmax(r[1], v);
      }
    if (observing_) return x;
    Tensor fresh = Tensor::from({static_cast<double>(r[0]), static_cast<double>(r[1])});
    return fake_quant(x, fresh, {.frozen = true}, false);
  }

  bool observing_ = false;
  std::size_t next_ = 0;
  std::vector<Tensor> ranges_;
};

using Simulated = std::function<Tensor(Rounding&, const Tensor&)>;

/// A function with the ranges that it has on eight inputs, and its graph.
class Simulation {
 public:
  Simulation(Simulated f, const Shape& input) : f_(std::move(f)), input_(input) {
    const NoGrad no_grad;
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {
      rounding_.begin(true);
      f_(rounding_, random_tensor(input, seed));
    }
  }
  Tensor operator()(const Tensor& x) {
    const NoGrad no_grad;
    rounding_.begin(false);
    return f_(rounding_, x);
  }
  graph::Graph graph() {
    struct AsModule : nn::Module {
      explicit AsModule(Simulation& s) : simulation(s) {}
      Tensor operator()(const Tensor& x) {
        simulation.rounding_.begin(false);
        return simulation.f_(simulation.rounding_, x);
      }
      Simulation& simulation;
    } module(*this);
    return graph::trace(module, input_);
  }
  const Shape& input() const { return input_; }
  /// Of the output, after a call.
  double step() const { return static_cast<double>(rounding_.last().scale); }

 private:
  Simulated f_;
  Shape input_;
  Rounding rounding_;
};

}  // namespace linnet::test
