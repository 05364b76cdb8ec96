// SPDX-License-Identifier: Apache-2.0
#pragma once
// The tape's nodes. A node is the record of one op: its inputs as edges, its rule, and during backward the
// gradient that has arrived so far. A result owns its node, a node owns the nodes of its inputs, so dropping
// a result frees the part of the tape that nobody else needs. Nodes come from free lists that are reused
// every step. See docs/autograd.md.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "linnet/autograd/record.h"
#include "linnet/core/op.h"
#include "linnet/core/tensor.h"
#include "linnet/core/tensor_impl.h"

namespace linnet {

namespace tape {

/// Where the gradient of one input goes: to the node that made it, to a leaf, or nowhere.
struct Edge {
  Ref<TapeNode> node;
  Ref<TensorImpl> leaf;
  Shape shape;
  bool wanted() const { return node || leaf; }
};

/// The rule, whose type only record() knew, lies behind the node in the same block.
class alignas(std::max_align_t) Node final : public TapeNode {
 public:
  static constexpr int kInlineEdges = 3;

  Op op = Op::custom;
  std::string_view custom_name;
  std::uint64_t sequence = 0;  ///< grows with every record: a consumer's is larger than its producers'
  Shape shape;                 ///< of the result
  DType dtype = f32;
  Tensor arrived;  ///< gradient gathered during backward
  bool queued = false;
  bool released = false;
  std::int32_t profiled = -1;  ///< what profile::end_forward() gave

  std::span<Edge> edges() { return {edges_, static_cast<std::size_t>(count_)}; }
  std::string_view name() const { return op == Op::custom ? custom_name : linnet::name(op); }

  void run_rule(const Tensor& dy, Grads& grads) { rule_type_.run(rule(), dy, grads); }
  /// The result of the op, computed again: possible while the rule is there and says so.
  bool repeats() { return !released && rule_type_.repeats(rule()); }
  Tensor result() { return rule_type_.result(rule()); }
  /// Drops the rule with everything it saved, and the edges.
  void release() noexcept;
  void destroy() noexcept override;

 private:
  friend void attach(Op op, std::string_view custom, const Tensor& y, std::span<const Tensor> inputs,
                     const RuleType& type, void* rule);
  explicit Node(const RuleType& type) : rule_type_(type) {}
  ~Node() = default;
  void connect(std::span<const Tensor> inputs);
  void* rule() { return this + 1; }

  const RuleType& rule_type_;
  Edge* edges_ = inline_;
  int count_ = 0;
  Edge inline_[kInlineEdges];
};

}  // namespace tape
}  // namespace linnet
