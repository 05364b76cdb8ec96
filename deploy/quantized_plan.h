// SPDX-License-Identifier: Apache-2.0
#pragma once
// Which values of a graph are integers on the board. A fake_quant of activations says that its result is,
// with scale and zero of its range; what only moves integers, or takes the largest or the mean of some, keeps
// them. An op between such values is an integer op; everything else runs in f32. Private to deploy.

#include <functional>
#include <optional>
#include <vector>

#include "linnet/core/quantizer.h"
#include "linnet/deploy/program_writer.h"

namespace linnet::deploy {

enum class Role {
  real,     ///< in f32
  inner,    ///< part of the integer op of a node behind it
  moves,    ///< from integers to integers of the same scale and zero
  rounds,   ///< a fake_quant of activations
  dynamic,  ///< dense or conv2d of integers whose range is that of each sample
};

struct QuantizedNode {
  Role role = Role::real;
  const graph::Node* core = nullptr;   ///< of `rounds`: the node whose result an integer op gives rounded
  const graph::Node* clamp = nullptr;  ///< of `rounds`: the activation between, which only limits
};

class QuantizedPlan {
 public:
  /// `of` must outlive the plan; `contents` gives those of a constant value. GraphError for a fake_quant that
  /// the runtime has no op for.
  QuantizedPlan(const LoweredGraph& of, const std::vector<const graph::Node*>& needed,
                std::function<Tensor(int)> contents);

  const QuantizedNode& at(const graph::Node& node) const { return nodes_[node.output]; }
  /// nullptr for a value that is f32.
  const Quantizer* grid(int value) const;
  const graph::Node* writer(int value) const;
  /// The symmetric fake_quant of a constant that makes the value; nullptr when none does.
  const graph::Node* rounded_weight(int value) const;

 private:
  void plan(const graph::Node& node);
  void plan_rounding(const graph::Node& node);
  void plan_dynamic(const graph::Node& node);
  bool moves(const graph::Node& node) const;
  /// avg_pool2d, or the mean of rows and columns or, of a sequence, of the steps.
  bool is_average(const graph::Node& node) const;
  bool has_integer_op(const graph::Node& node, const Quantizer& y) const;
  bool is_integer_product(const graph::Node& node) const;
  bool is_integer_recurrent(const graph::Node& node, const Quantizer& y) const;
  bool is_lookup(const graph::Node& node) const;
  bool reads_only_integers(const graph::Node& node) const;
  /// The value's writer, when nobody else reads the value.
  const graph::Node* own_writer(int value) const;
  /// What computes a value that is then reshaped, if nobody else reads any of it.
  const graph::Node* past_reshapes(int value, std::vector<const graph::Node*>& reshapes) const;

  const LoweredGraph& of_;
  std::function<Tensor(int)> contents_;
  std::vector<int> readers_;                    ///< by value
  std::vector<QuantizedNode> nodes_;            ///< by the value that the node writes
  std::vector<std::optional<Quantizer>> grid_;  ///< by value
};

}  // namespace linnet::deploy
