// SPDX-License-Identifier: Apache-2.0
// Times a frozen TorchScript file on libtorch, one thread. Usage: torch_latency FILE.pt SECONDS 1x784
#include <sstream>
#include <string>
#include <vector>

#include <ATen/Parallel.h>
#include <torch/script.h>

#include "latency.h"

namespace {

struct Network {
  torch::jit::Module module;
  std::vector<torch::jit::IValue> inputs;
};

void run(void* state) {
  auto* network = static_cast<Network*>(state);
  network->module.forward(network->inputs);
}

std::vector<std::int64_t> shape_of(const std::string& text) {
  std::vector<std::int64_t> shape;
  std::istringstream words(text);
  for (std::string word; std::getline(words, word, 'x');) shape.push_back(std::stoll(word));
  return shape;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: torch_latency FILE.pt SECONDS 1x784\n");
    return 2;
  }
  at::set_num_threads(1);
  at::set_num_interop_threads(1);
  const c10::InferenceMode inference;
  Network network{torch::jit::load(argv[1]), {}};
  torch::Tensor x = torch::empty(shape_of(argv[3]));
  bench_fill(x.data_ptr<float>(), static_cast<std::size_t>(x.numel()));
  network.inputs.emplace_back(x);
  bench_latency(run, &network, std::atof(argv[2]));
}
