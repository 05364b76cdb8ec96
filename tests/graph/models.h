// SPDX-License-Identifier: Apache-2.0
#pragma once
// The models of these tests: both recipes of `linnet train`, and a user's own struct.

#include "linnet/autograd/ops.h"
#include "linnet/nn/nn.h"

namespace linnet::test {

inline nn::Sequential mlp_recipe() {
  return nn::Sequential{nn::Flatten(), nn::Dense(784, 128), nn::ReLU(), nn::Dropout(0.2), nn::Dense(128, 10)};
}

inline nn::Sequential cnn_recipe() {
  return nn::Sequential{nn::Conv2D(1, 32), nn::ReLU(),       nn::MaxPool2D(), nn::Conv2D(32, 64),
                        nn::ReLU(),        nn::MaxPool2D(),  nn::Flatten(),   nn::Dense(1600, 64),
                        nn::ReLU(),        nn::Dense(64, 10)};
}

/// A residual add, a dropout, a number, and a tensor of its own that is neither parameter nor buffer.
struct Residual : nn::Module {
  nn::Dense in{12, 16}, middle{16, 16}, out{16, 4};
  Tensor shift = Tensor::from({0.5, -0.25, 0.125, 1.0});
  Tensor scale = Tensor::full({4}, 1.5);  ///< a buffer

  void members(nn::Members& m) override {
    m.child("in", in);
    m.child("middle", middle);
    m.buffer("scale", scale);
    m.child("out", out);
  }
  Tensor operator()(const Tensor& x) {
    Tensor h = relu(in(flatten(x)));
    h = h + dropout(middle(h), 0.3, training());
    return 0.5 * (out(h) * scale + shift);
  }
};

/// A function of the inputs as a module without members.
struct Function : nn::Module {
  explicit Function(std::function<Tensor(const Tensor&)> f) : f_(std::move(f)) {}
  Tensor operator()(const Tensor& x) { return f_(x); }

 private:
  std::function<Tensor(const Tensor&)> f_;
};

}  // namespace linnet::test
