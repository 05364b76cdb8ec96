// SPDX-License-Identifier: Apache-2.0
// Activations beyond the basic ones, normalisation, embedding, dropout of channels and noise.
#include "support/layer_catalog.h"

namespace linnet::test {
namespace {

void add_activations(std::vector<LayerCase>& rows) {
  rows.insert(rows.end(),
              {layer_case<nn::ReLU6>("ReLU6", 0, {3, 7}), layer_case<nn::HardSwish>("HardSwish", 0, {21}),
               layer_case<nn::SiLU>("SiLU", 0, {5, 2, 3}), layer_case<nn::GELU>("GELU", 0, {19}),
               layer_case<nn::Softplus>("Softplus", 0, {17}), layer_case<nn::ELU>("ELU 1", 0, {4, 5}),
               layer_case<nn::ELU>("ELU 0.3", 0, {21}, 0.3), layer_case<nn::PReLU>("PReLU", 1, {4, 5}),
               layer_case<nn::PReLU>("PReLU of 5 channels", 5, {4, 3, 5}, 5)});
}

void add_norms(std::vector<LayerCase>& rows) {
  using Batch = nn::BatchNormOptions;
  using Norm = nn::NormOptions;
  rows.push_back(layer_case<nn::BatchNorm>("BatchNorm 19", 38, {19}, 19));
  rows.push_back(
      layer_case<nn::BatchNorm>("BatchNorm 3, no weight and bias", 0, {3}, 3, Batch{.affine = false}));
  for (std::size_t i = rows.size() - 2; i < rows.size(); ++i)
    rows[i].smallest_training_batch = 4;  // two values are always at -1 and 1: no derivative to speak of
  rows.insert(
      rows.end(),
      {layer_case<nn::BatchNorm>("BatchNorm 8", 16, {4, 5, 8}, 8),
       layer_case<nn::BatchNorm>("BatchNorm 5", 10, {11, 5}, 5),
       layer_case<nn::BatchNorm>("BatchNorm 6, frozen", 12, {6}, 6, Batch{.frozen = true}),
       layer_case<nn::LayerNorm>("LayerNorm [17]", 34, {17}, 17),
       layer_case<nn::LayerNorm>("LayerNorm [3, 5]", 30, {4, 3, 5}, Shape{3, 5}),
       layer_case<nn::LayerNorm>("LayerNorm [6], no weight and bias", 0, {4, 6}, 6, Norm{.affine = false}),
       layer_case<nn::GroupNorm>("GroupNorm 6, groups 2", 12, {3, 4, 6}, 2, 6),
       layer_case<nn::GroupNorm>("GroupNorm 8, groups 1, no weight and bias", 0, {7, 8}, 1, 8,
                                 Norm{.affine = false})});
}

}  // namespace

void add_norm_layers(std::vector<LayerCase>& rows) {
  add_activations(rows);
  add_norms(rows);
  rows.push_back({.describe = "Embedding 7 x 5", .parameters = 35, .inputs = {{{4}, 7}}, .make = [] {
                    return std::make_unique<nn::Embedding>(7, 5);
                  }});
  rows.push_back(
      {.describe = "Embedding 3 x 17, padding 1", .parameters = 51, .inputs = {{{2, 3}, 3}}, .make = [] {
         return std::make_unique<nn::Embedding>(3, 17, nn::EmbeddingOptions{.padding_idx = 1});
       }});
  rows.push_back(layer_case<nn::SpatialDropout1D>("SpatialDropout1D 0.5", 0, {6, 5}));
  rows.push_back(layer_case<nn::SpatialDropout2D>("SpatialDropout2D 0.2", 0, {3, 4, 9}, 0.2));
  rows.push_back(layer_case<nn::GaussianNoise>("GaussianNoise 0.1", 0, {6, 5}));
  rows.push_back(layer_case<nn::GaussianNoise>("GaussianNoise 2", 0, {17}, 2));
}

}  // namespace linnet::test
