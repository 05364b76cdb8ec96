// SPDX-License-Identifier: Apache-2.0
#pragma once
// The tape's nodes. A node is the record of one op: its inputs as edges, its rule, and during backward the
// gradient that has arrived so far. A result owns its node, a node owns the nodes of its inputs, so dropping
// a result frees the part of the tape that nobody else needs. Nodes come from free lists that are reused
// every step. See docs/autograd.md.

#include <span>
#include <string_view>
#include <type_traits>

#include "linnet/core/op.h"
#include "linnet/core/tensor.h"
#include "linnet/core/tensor_impl.h"

namespace linnet {

class Grads;

namespace tape {

/// Where the gradient of one input goes: to the node that made it, to a leaf, or nowhere.
struct Edge {
  Ref<TapeNode> node;
  Ref<TensorImpl> leaf;
  Shape shape;
  bool wanted() const { return node || leaf; }
};

class Node : public TapeNode {
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

  std::span<Edge> edges() { return {edges_, static_cast<std::size_t>(count_)}; }
  std::string_view name() const { return op == Op::custom ? custom_name : linnet::name(op); }

  virtual void run_rule(const Tensor& dy, Grads& grads) = 0;
  /// Drops the rule with everything it saved, and the edges.
  void release() noexcept;
  void destroy() noexcept final;

 protected:
  ~Node() = default;
  virtual void drop_rule() noexcept = 0;
  virtual void free_memory() noexcept = 0;

 private:
  friend void connect(Node& node, Op op, std::string_view custom, const Tensor& y,
                      std::span<const Tensor> inputs);
  Edge* edges_ = inline_;
  int count_ = 0;
  Edge inline_[kInlineEdges];
};

template <class Rule>
class RuleNode final : public Node {
 public:
  explicit RuleNode(Rule rule) : rule_(new (bytes_) Rule(std::move(rule))) {}
  void run_rule(const Tensor& dy, Grads& grads) override { (*rule_)(dy, grads); }

 private:
  void drop_rule() noexcept override {
    if (rule_) rule_->~Rule();
    rule_ = nullptr;
  }
  void free_memory() noexcept override {
    this->~RuleNode();
    free_object(this, sizeof *this);
  }
  alignas(Rule) std::byte bytes_[sizeof(Rule)];
  Rule* rule_;
};

/// Fills in the edges and makes y the result of the node.
void connect(Node& node, Op op, std::string_view custom, const Tensor& y, std::span<const Tensor> inputs);

template <class Rule>
void attach(Op op, std::string_view custom, const Tensor& y, std::span<const Tensor> inputs, Rule&& rule) {
  using Held = RuleNode<std::remove_cvref_t<Rule>>;
  auto* node = new (allocate_object(sizeof(Held))) Held(std::forward<Rule>(rule));
  connect(*node, op, custom, y, inputs);
}

}  // namespace tape
}  // namespace linnet
