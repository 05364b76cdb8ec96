// SPDX-License-Identifier: Apache-2.0
// RNN, GRU, LSTM and Bidirectional, alone, in a stack, with mask and states.
#include "linnet/autograd/ops.h"
#include "support/layer_catalog.h"

namespace linnet::test {
namespace {

/// x, h (and c), mask in; output and final states out, one behind the other.
LayerCase with_states(LayerCase row, std::int64_t units, bool cell) {
  row.inputs.push_back({{units}});
  if (cell) row.inputs.push_back({{units}});
  row.inputs.push_back({.sample = {row.inputs[0].sample[0]}, .below = 2});
  row.call = [=](nn::Module& module, std::span<const Tensor> in) {
    const nn::RecurrentResult result = dynamic_cast<nn::Recurrent&>(module)(
        in[0], {.mask = in.back(), .h = in[1], .c = cell ? in[2] : Tensor()});
    std::vector<Tensor> all{flatten(result.output), result.h};
    if (cell) all.push_back(result.c);
    return concat(all, 1);
  };
  return row;
}

LayerCase bidirectional(const char* describe, std::int64_t parameters, nn::Merge merge, bool sequences) {
  return {.describe = describe, .parameters = parameters, .inputs = {{{4, 3}}}, .make = [=] {
            // braces: the layers draw their weights in this order
            return std::unique_ptr<nn::Module>(
                new nn::Bidirectional{nn::LSTM(3, 2, {.return_sequences = sequences}),
                                      nn::GRU(3, 2, {.return_sequences = sequences, .reverse = true}),
                                      {.merge = merge}});
          }};
}

}  // namespace

void add_recurrent_layers(std::vector<LayerCase>& rows) {
  using nn::RecurrentOptions, nn::RnnOptions;
  const RecurrentOptions last{}, all{.return_sequences = true}, back{.reverse = true},
      all_back{.return_sequences = true, .reverse = true};
  rows.push_back(layer_case<nn::RNN>("RNN 3 -> 17", 17 * 21, {5, 3}, 3, 17, RnnOptions{}));
  rows.push_back(layer_case<nn::RNN>("RNN 2 -> 3, sequences, reverse, relu", 18, {4, 2}, 2, 3,
                                     RnnOptions{.return_sequences = true, .reverse = true, .relu = true}));
  rows.push_back(layer_case<nn::GRU>("GRU 5 -> 1", 3 * 7 + 1, {2, 5}, 5, 1, last));
  rows.push_back(layer_case<nn::GRU>("GRU 3 -> 6, sequences", 18 * 10 + 6, {4, 3}, 3, 6, all));
  rows.push_back(layer_case<nn::LSTM>("LSTM 3 -> 5", 20 * 9, {6, 3}, 3, 5, last));
  rows.push_back(layer_case<nn::LSTM>("LSTM 1 -> 7, sequences", 28 * 9, {3, 1}, 1, 7, all));
  rows.push_back(layer_case<nn::LSTM>("LSTM 2 -> 1, reverse", 4 * 4, {2, 2}, 2, 1, back));
  rows.push_back(with_states(layer_case<nn::RNN>("RNN 2 -> 3", 18, {4, 2}, 2, 3, RnnOptions{}), 3, false));
  rows.push_back(with_states(
      layer_case<nn::GRU>("GRU 2 -> 3, sequences, reverse", 9 * 6 + 3, {4, 2}, 2, 3, all_back), 3, false));
  rows.push_back(with_states(layer_case<nn::LSTM>("LSTM 2 -> 3, sequences", 72, {4, 2}, 2, 3, all), 3, true));
  rows.push_back(with_states(layer_case<nn::LSTM>("LSTM 2 -> 3, reverse", 72, {4, 2}, 2, 3, back), 3, true));
  rows.push_back(bidirectional("Bidirectional, concat", 48 + 38, nn::Merge::concat, false));
  rows.push_back(bidirectional("Bidirectional, sum", 48 + 38, nn::Merge::sum, true));
  rows.push_back(
      {.describe = "Sequential of 3", .parameters = 16 * 8 + 9 * 8 + 3 + 8, .inputs = {{{4, 3}}}, .make = [] {
         return std::unique_ptr<nn::Module>(
             new nn::Sequential{nn::LSTM(3, 4, {.return_sequences = true}), nn::GRU(4, 3), nn::Dense(3, 2)});
       }});
}

}  // namespace linnet::test
