// SPDX-License-Identifier: Apache-2.0
// Fits y = x^2 on [-1, 1] with the installed library.   Expect: a mean squared error below 1e-3.
#include <cstdio>

#include "linnet/linnet.h"
using namespace linnet;

int main() {
  manual_seed(1);
  Tensor x = Tensor::uniform({256, 1}, -1.0, 1.0);
  Tensor y = square(x);

  nn::Sequential model{nn::Dense(1, 16), nn::Tanh(), nn::Dense(16, 1)};
  optim::Adam adam(model.parameters(), {.lr = 1e-2});
  double error = 0.0;
  for (int step = 0; step < 500; ++step) {
    Tensor loss = mse(model(x), y);
    adam.zero_grad();
    backward(loss);
    adam.step();
    error = loss.item();
  }
  std::printf("Linnet %s: mean squared error %.2e\n", LINNET_VERSION, error);
  return error < 1e-3 ? 0 : 1;
}
