// SPDX-License-Identifier: Apache-2.0
#include "linnet/deploy/passes/affine.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "linnet/autograd/recorder.h"
#include "linnet/core/quantizer.h"

namespace linnet::deploy {
namespace {

using graph::Node;
using graph::Sizes;

/// A weight [O, ..., C / groups] and a bias [O] that may be absent, as numbers to change.
struct Weights {
  std::vector<double> weight, bias;
  std::int64_t rows = 0;   ///< O
  std::int64_t inner = 0;  ///< C / groups
  std::int64_t groups = 1;
  int quantizer = -1;  ///< the fake_quant that rounds the weight, which is then read rounded
  int bits = 8;
  std::vector<double> range;  ///< of the quantizer: one for all rows, or one a row

  std::int64_t row_size() const { return static_cast<std::int64_t>(weight.size()) / rows; }
};

std::vector<double> numbers_of(const Tensor& tensor) {
  const auto values = tensor.data<float>();
  return {values.begin(), values.end()};
}

bool is_f32_constant(const Draft& draft, int value) {
  return draft.is_constant(value) && draft.values()[value].dtype == f32;
}

/// The symmetric fake_quant that makes a weight of constants for one reader; -1 when it is none.
int quantizer_of(const Draft& draft, int weight) {
  const int place = draft.readers(weight) == 1 ? draft.writer(weight) : -1;
  if (place < 0 || draft.nodes()[place].op != Op::fake_quant) return -1;
  const Node& node = draft.nodes()[place];
  const bool symmetric = node.inputs.size() == 2 && node.attributes["symmetric"].integer() != 0;
  return symmetric && is_f32_constant(draft, node.inputs[0]) && is_f32_constant(draft, node.inputs[1]) ? place
                                                                                                       : -1;
}

/// False unless it is a dense or convolution with constant f32 weights, perhaps rounded by a fake_quant.
bool read_weights(const Draft& draft, const Node& node, Weights& w) {
  const bool weighted = node.op == Op::dense || node.op == Op::conv2d || node.op == Op::conv_transpose2d;
  if (!weighted) return false;
  for (std::size_t i = 2; i < node.inputs.size(); ++i)
    if (!is_f32_constant(draft, node.inputs[i])) return false;
  Tensor weight;
  if (is_f32_constant(draft, node.inputs[1])) {
    weight = draft.values()[node.inputs[1]].contents;
  } else {
    w.quantizer = quantizer_of(draft, node.inputs[1]);
    if (w.quantizer < 0) return false;
    const Node& by = draft.nodes()[w.quantizer];
    const std::vector<Tensor> inputs{draft.values()[by.inputs[0]].contents,
                                     draft.values()[by.inputs[1]].contents};
    weight = apply_op(by.op, {.inputs = inputs, .attributes = by.attributes});
    w.range = numbers_of(inputs[1]);
    w.bits = static_cast<int>(by.attributes["bits"].integer());
  }
  if (weight.size() == 0) return false;
  w.weight = numbers_of(weight);
  if (node.inputs.size() > 2) w.bias = numbers_of(draft.values()[node.inputs[2]].contents);
  w.rows = weight.dim(0);
  w.inner = weight.dim(-1);
  w.groups = node.op == Op::dense ? 1 : node.attributes["groups"].integer();
  return true;
}

bool all_finite(const std::vector<double>& numbers) {
  return std::all_of(numbers.begin(), numbers.end(),
                     [](double number) { return std::isfinite(static_cast<float>(number)); });
}

Tensor as_tensor(const std::vector<double>& numbers, const Shape& shape) {
  std::vector<float> rounded(numbers.size());
  std::transform(numbers.begin(), numbers.end(), rounded.begin(),
                 [](double number) { return static_cast<float>(number); });
  return Tensor::from(rounded, shape);
}

/// Rows times factors. Behind a quantizer the integers stay, and its range is multiplied: only so do pruned,
/// shared and trained integers survive.
void multiply_rows(Weights& w, const std::vector<double>& factors) {
  const std::int64_t row_size = w.row_size();
  const bool alike = std::all_of(factors.begin(), factors.end(),
                                 [&](double factor) { return std::fabs(factor) == std::fabs(factors[0]); });
  if (w.range.size() == 1 && !alike) w.range.assign(static_cast<std::size_t>(w.rows), w.range[0]);
  const std::vector<double> before = w.range;
  for (std::size_t i = 0; i < w.range.size(); ++i)
    w.range[i] = static_cast<double>(static_cast<float>(w.range[i] * std::fabs(factors[i])));
  for (std::int64_t o = 0; o < w.rows; ++o) {
    const std::size_t place = w.range.size() > 1 ? static_cast<std::size_t>(o) : 0;
    for (std::int64_t k = 0; k < row_size; ++k) {
      double& weight = w.weight[o * row_size + k];
      if (w.quantizer < 0) {
        weight *= factors[o];
        continue;
      }
      const double from = static_cast<double>(symmetric_quantizer(before[place], w.bits).scale),
                   to = static_cast<double>(symmetric_quantizer(w.range[place], w.bits).scale);
      weight = std::nearbyint(weight / from) * (factors[o] < 0.0 ? -to : to);
    }
  }
}

/// So few numbers that the file may hold their places in a table.
bool shares_values(const std::vector<double>& weight) {
  std::set<double> values;
  for (const double number : weight)
    if (values.insert(number).second && values.size() > 256) return false;
  return true;
}

/// False when a weight would not be finite, or when a large one that shares its values would share them no
/// more: it is worth more small than folded.
bool write_weights(Draft& draft, std::size_t place, const Weights& w, const std::vector<double>& before) {
  if (w.quantizer < 0 && before.size() >= 1024 && shares_values(before) && !shares_values(w.weight))
    return false;
  if (!all_finite(w.weight) || !all_finite(w.bias) || !all_finite(w.range)) return false;
  const Node node = draft.nodes()[place];
  const Shape shape(draft.values()[node.inputs[1]].sizes);
  const int weight = draft.add_constant(as_tensor(w.weight, shape));
  std::vector<int> inputs{node.inputs[0], weight};
  if (w.quantizer >= 0) {
    inputs[1] = node.inputs[1];
    const int range = draft.add_constant(as_tensor(w.range, {static_cast<std::int64_t>(w.range.size())}));
    draft.set_inputs(static_cast<std::size_t>(w.quantizer), {weight, range});
  }
  if (!w.bias.empty()) inputs.push_back(draft.add_constant(as_tensor(w.bias, {w.rows})));
  draft.set_inputs(place, std::move(inputs));
  return true;
}

bool has_padding(const Draft& draft, const Node& node) {
  if (node.op == Op::dense) return false;
  if (node.op == Op::conv_transpose2d) return true;  // its borders see fewer weights
  const State& a = node.attributes;
  if (a["padding"].text() == "same") {
    const Sizes& weight = draft.values()[node.inputs[1]].sizes;
    return weight[1] != 1 || weight[2] != 1;
  }
  const auto pads = integers(a, "pads");
  return std::any_of(pads.begin(), pads.end(), [](std::int64_t pad) { return pad != 0; });
}

}  // namespace

bool Affine::shifts() const {
  return std::any_of(shift.begin(), shift.end(), [](double number) { return number != 0.0; });
}

int writer_past_reshapes(const Draft& draft, int value) {
  while (draft.readers(value) == 1) {
    const int writer = draft.writer(value);
    if (writer < 0 || draft.nodes()[writer].op != Op::reshape) return writer;
    value = draft.nodes()[writer].inputs[0];
  }
  return -1;
}

bool fold_into_writer(Draft& draft, std::size_t node, int x, const Affine& affine) {
  const int place = writer_past_reshapes(draft, x);
  Weights w;
  if (place < 0 || draft.nodes()[place].attributes.has("activation")) return false;
  if (!read_weights(draft, draft.nodes()[place], w)) return false;
  const auto channels = static_cast<std::int64_t>(affine.scale.size());
  if (w.rows % channels != 0) return false;
  if (w.bias.empty() && affine.shifts()) w.bias.assign(static_cast<std::size_t>(w.rows), 0.0);
  const std::vector<double> before = w.weight;
  std::vector<double> factors;
  for (std::int64_t o = 0; o < w.rows; ++o) factors.push_back(affine.scale[o % channels]);
  multiply_rows(w, factors);
  for (std::int64_t o = 0; o < w.rows && !w.bias.empty(); ++o)
    w.bias[o] = factors[o] * w.bias[o] + affine.shift[o % channels];
  if (!write_weights(draft, static_cast<std::size_t>(place), w, before)) return false;
  draft.replace(draft.nodes()[node].output, x);
  return true;
}

bool fold_into_reader(Draft& draft, std::size_t node, int x, const Affine& affine) {
  int value = draft.nodes()[node].output, place = draft.only_reader(value);
  while (place >= 0 && draft.nodes()[place].op == Op::reshape) {
    value = draft.nodes()[place].output;
    place = draft.only_reader(value);
  }
  Weights w;
  if (place < 0 || !read_weights(draft, draft.nodes()[place], w)) return false;
  const Node reader = draft.nodes()[place];
  const auto channels = static_cast<std::int64_t>(affine.scale.size());
  if (w.quantizer >= 0) return false;  // a factor for each input would make other integers
  if (reader.inputs[0] != value || w.inner * w.groups % channels != 0) return false;
  if (affine.shifts() && has_padding(draft, reader)) return false;
  if (w.bias.empty() && affine.shifts()) w.bias.assign(static_cast<std::size_t>(w.rows), 0.0);
  const std::vector<double> before = w.weight;
  const std::int64_t row_size = w.row_size();
  for (std::int64_t o = 0; o < w.rows; ++o) {
    const std::int64_t first = o / (w.rows / w.groups) * w.inner;  // channel of x that its group begins with
    for (std::int64_t k = 0; k < row_size; ++k) {
      double& weight = w.weight[o * row_size + k];
      const std::int64_t channel = (first + k % w.inner) % channels;
      if (!w.bias.empty()) w.bias[o] += weight * affine.shift[channel];
      weight *= affine.scale[channel];
    }
  }
  if (!write_weights(draft, static_cast<std::size_t>(place), w, before)) return false;
  draft.replace(draft.nodes()[node].output, x);
  return true;
}

}  // namespace linnet::deploy
