// SPDX-License-Identifier: Apache-2.0
// Batch-norm in evaluation, and arithmetic with a constant a channel, are y = scale x + shift.
#include <algorithm>
#include <cmath>

#include "linnet/deploy/passes/affine.h"
#include "linnet/deploy/passes/passes.h"

namespace linnet::deploy {
namespace {

using graph::Node;
using graph::Value;

/// Beyond this many standard deviations, x scale + shift would lose digits that (x - mean) scale keeps.
constexpr double kFarMean = 16.0;

struct BatchNorm {
  Affine affine;
  bool far = false;  ///< some mean is far from 0
};

std::vector<double> numbers_of(const Draft& draft, int value) {
  const auto values = draft.values()[value].contents.data<float>();
  return {values.begin(), values.end()};
}

/// scale = weight / sqrt(variance + eps), shift = bias - mean scale.
BatchNorm read_batch_norm(const Draft& draft, const Node& node) {
  const std::vector<double> mean = numbers_of(draft, node.inputs[1]),
                            variance = numbers_of(draft, node.inputs[2]);
  const double eps = node.attributes["eps"].real();
  const bool weighted = node.inputs.size() > 3;
  BatchNorm norm;
  norm.affine.scale = weighted ? numbers_of(draft, node.inputs[3]) : std::vector(mean.size(), 1.0);
  norm.affine.shift = weighted ? numbers_of(draft, node.inputs[4]) : std::vector(mean.size(), 0.0);
  for (std::size_t c = 0; c < mean.size(); ++c) {
    const double deviation = std::sqrt(variance[c] + eps);
    norm.affine.scale[c] /= deviation;
    norm.affine.shift[c] -= mean[c] * norm.affine.scale[c];
    norm.far = norm.far || std::fabs(mean[c]) > kFarMean * deviation;
  }
  return norm;
}

/// [C], [1, ..., 1, C] or one number; the result must be of the size of x.
bool is_per_channel(const Draft& draft, int constant, int x, int y) {
  const Value& value = draft.values()[constant];
  if (!draft.is_constant(constant) || draft.is_constant(x) || value.dtype != f32) return false;
  if (draft.values()[x].sizes != draft.values()[y].sizes || value.contents.size() == 0) return false;
  return value.sizes.empty() || value.contents.size() == value.sizes.back();
}

bool read_affine(const Draft& draft, const Node& node, int& x, Affine& affine) {
  const bool subtracts = node.op == Op::sub, divides = node.op == Op::div;
  if (node.op != Op::mul && node.op != Op::add && !subtracts && !divides) return false;
  const bool second = is_per_channel(draft, node.inputs[1], node.inputs[0], node.output);
  if (!second && (divides || !is_per_channel(draft, node.inputs[0], node.inputs[1], node.output)))
    return false;
  x = node.inputs[second ? 0 : 1];
  const std::vector<double> c = numbers_of(draft, node.inputs[second ? 1 : 0]);
  affine.scale.assign(c.size(), subtracts && !second ? -1.0 : 1.0);
  affine.shift.assign(c.size(), 0.0);
  for (std::size_t i = 0; i < c.size(); ++i) {
    if (node.op == Op::mul) affine.scale[i] = c[i];
    if (divides) affine.scale[i] = 1.0 / c[i];
    if (node.op == Op::add || subtracts) affine.shift[i] = subtracts && second ? -c[i] : c[i];
  }
  return true;
}

}  // namespace

int fold_batch_norm(Draft& draft) {
  int changes = 0;
  for (std::size_t i = 0; i < draft.nodes().size(); ++i) {
    const Node node = draft.nodes()[i];
    if (node.op != Op::batch_norm || node.attributes.has("activation")) continue;
    const bool constant = std::all_of(node.inputs.begin() + 1, node.inputs.end(),
                                      [&](int input) { return draft.is_constant(input); });
    if (!draft.is_live(i) || !constant || draft.values()[node.output].dtype != f32) continue;
    const BatchNorm norm = read_batch_norm(draft, node);
    const int x = node.inputs[0];
    changes += fold_into_writer(draft, i, x, norm.affine) ||
               (!norm.far && fold_into_reader(draft, i, x, norm.affine));
  }
  return changes;
}

int fold_scale_and_shift(Draft& draft) {
  int changes = 0;
  for (std::size_t i = 0; i < draft.nodes().size(); ++i) {
    const Node node = draft.nodes()[i];
    Affine affine;
    int x = -1;
    if (!draft.is_live(i) || !read_affine(draft, node, x, affine)) continue;
    // A shift goes forward only in a batch-norm, which knows how large it is beside the deviation.
    const bool folded =
        fold_into_writer(draft, i, x, affine) || (!affine.shifts() && fold_into_reader(draft, i, x, affine));
    changes += folded;
  }
  return changes;
}

}  // namespace linnet::deploy
