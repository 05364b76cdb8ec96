// SPDX-License-Identifier: Apache-2.0
#include "support/layer_catalog.h"

#include "support/fixtures.h"

namespace linnet::test {

Tensor call_layer(nn::Module& module, std::span<const Tensor> inputs) {
  return dynamic_cast<nn::Layer&>(module)(inputs[0]);
}

const std::vector<LayerCase>& layer_catalog() {
  static const std::vector<LayerCase> all = [] {
    std::vector<LayerCase> rows;
    add_basic_layers(rows);
    add_norm_layers(rows);
    add_conv_layers(rows);
    add_recurrent_layers(rows);
    return rows;
  }();
  return all;
}

std::string layer_class(const LayerCase& row) {
  return row.describe.substr(0, row.describe.find_first_of(" ,"));
}

std::vector<Tensor> layer_inputs(const LayerCase& row, std::int64_t batch, std::uint64_t seed) {
  std::vector<Tensor> all;
  for (const LayerInput& input : row.inputs) {
    const Shape shape = input.sample.inserted(0, batch);
    all.push_back(input.below ? random_labels(shape, seed, input.below) : random_tensor(shape, seed));
    seed += 1000;
  }
  return all;
}

}  // namespace linnet::test
