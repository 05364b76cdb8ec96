// SPDX-License-Identifier: Apache-2.0
// Writes one of the networks, with new weights, as a .linnet file. Usage: write_network mlp|cnn|...
// FILE.linnet
#include <cstdio>

#include "linnet/deploy/deploy.h"
#include "networks.h"

int main(int argc, char** argv) try {
  if (argc != 3) {
    std::fprintf(stderr, "usage: write_network mlp|cnn|lstm|mobilenet FILE.linnet\n");
    return 2;
  }
  linnet::manual_seed(1);
  bench::Network network = bench::network(argv[1]);
  const linnet::deploy::Report report = linnet::deploy::write(
      linnet::graph::trace(network.model, network.sample.inserted(0, 1)), network.model.state(), argv[2]);
  std::printf("lower_bound_bytes %lld\nops %d\n", static_cast<long long>(report.lower_bound), report.ops);
} catch (const linnet::Error& error) {
  std::fprintf(stderr, "write_network: %s\n", error.what());
  return 1;
}
