// SPDX-License-Identifier: Apache-2.0
#pragma once
// Which channels of a graph are one: what has to stay or go together.
//
// Every place along an axis ("channel 5 of what conv1 gives") has a unit. The rule of an op says which units
// of its inputs and its result are the same: those that an add joins, a channel and the H W places that
// flatten makes of it, a channel, its batch-norm and the columns of the weights that read it. A unit that is
// tied to kFixed stays, whatever happens: it is an input or an output of the graph, a step of time, or an op
// has no rule for its going.

#include <vector>

#include "linnet/graph/graph.h"

namespace linnet::compress {

/// Sets of units (union-find).
class Units {
 public:
  static constexpr int kFixed = 0;

  int add();
  int root(int unit) const;
  void tie(int a, int b);  ///< the smaller root stays, so kFixed does
  bool fixed(int unit) const { return root(unit) == kFixed; }
  int size() const { return static_cast<int>(parent_.size()); }

 private:
  mutable std::vector<int> parent_{kFixed};
};

/// The unit of every place along an axis; empty: all fixed.
using Axis = std::vector<int>;

struct Channels {
  Units units;
  std::vector<std::vector<Axis>> of;  ///< [value][axis]
};

Channels channels_of(const graph::Graph& graph);

/// The op computes with a weight [out, ...] whose rows make the channels of its result.
bool has_output_rows(const graph::Node& node);
/// The parameter that is, or from which fake_quant makes, the weight of such a node; -1 when there is none.
int weight_of(const graph::Graph& graph, const graph::Node& node);

}  // namespace linnet::compress
