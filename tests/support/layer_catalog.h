// SPDX-License-Identifier: Apache-2.0
#pragma once
// Every layer in several configurations: one list for the checks of tests/nn/layers_test.cpp (a layer by
// itself) and tests/graph/layers_test.cpp (its GraphModule). tests/nn/layer_list_test.cpp fails, by name, for
// a class of nn/*.h that has no row here or no line in docs/layers.md.

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "linnet/nn/nn.h"

namespace linnet::test {

struct LayerInput {
  Shape sample;            ///< without the batch axis
  std::int64_t below = 0;  ///< 0: numbers in [-1, 1); else i64 whole numbers in [0, below), without gradient
};

/// The one result of a Layer of one input.
Tensor call_layer(nn::Module& module, std::span<const Tensor> inputs);

/// A row. Members after `make` are for layers that differ from most.
struct LayerCase {
  std::string describe;         ///< starts with the name of the class
  std::int64_t parameters = 0;  ///< numbers, not tensors
  std::vector<LayerInput> inputs;
  std::function<std::unique_ptr<nn::Module>()> make;  ///< a new one, with newly drawn weights

  /// In eval mode samples depend on each other too: softmax over axis 0.
  bool whole_batch = false;
  /// Training refuses smaller batches, or has no smooth derivative there: batch-norm after Dense.
  std::int64_t smallest_training_batch = 1;
  /// How to call what is not a Layer, or has several results: join them to one tensor with axis 0 the batch.
  std::function<Tensor(nn::Module&, std::span<const Tensor>)> call = call_layer;
};

/// The row of a layer made with these arguments.
template <class L, class... Arguments>
LayerCase layer_case(const char* describe, std::int64_t parameters, const Shape& sample,
                     Arguments... arguments) {
  return {.describe = describe, .parameters = parameters, .inputs = {{sample}}, .make = [=] {
            return std::make_unique<L>(arguments...);
          }};
}

const std::vector<LayerCase>& layer_catalog();

/// The class of a row.
std::string layer_class(const LayerCase& row);
/// Random inputs for a batch: f32, whole numbers as i64.
std::vector<Tensor> layer_inputs(const LayerCase& row, std::int64_t batch, std::uint64_t seed);

// One function a family, each in its own file.
void add_basic_layers(std::vector<LayerCase>& rows);
void add_norm_layers(std::vector<LayerCase>& rows);
void add_conv_layers(std::vector<LayerCase>& rows);
void add_recurrent_layers(std::vector<LayerCase>& rows);

}  // namespace linnet::test
