// SPDX-License-Identifier: Apache-2.0
#pragma once
// Every network of nn/zoo: one list for the checks of tests/nn, tests/graph and tests/deploy.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "linnet/nn/nn.h"

namespace linnet::test {

struct ZooCase {
  std::string name;
  Shape sample;                 ///< of one input
  std::int64_t parameters = 0;  ///< trained numbers
  std::int64_t statistics = 0;  ///< numbers of running means and variances
  std::int64_t macs = 0;        ///< multiply-accumulates for one sample
  std::function<std::unique_ptr<nn::Layer>()> make;
  bool full_size = false;  ///< as published for 224x224: counted, not trained, not exported by every test
};

/// Figures are those of docs/zoo.md, which names their sources.
const std::vector<ZooCase>& zoo_catalog();

/// Random inputs for a batch.
Tensor zoo_input(const ZooCase& row, std::int64_t batch, std::uint64_t seed);
/// One step of plain SGD on four random samples, in training mode. Returns the loss before it.
double train_zoo_step(nn::Layer& model, const ZooCase& row);

}  // namespace linnet::test
