// SPDX-License-Identifier: Apache-2.0
// The engine. Nodes wait in a heap ordered by sequence number. A consumer always has a larger number than
// its producers, so when a node reaches the top, all gradients it will ever get have arrived.
#include <algorithm>
#include <vector>

#include "linnet/autograd/autograd.h"
#include "linnet/autograd/tape.h"
#include "linnet/core/constraint.h"
#include "linnet/core/kernels/elementwise.h"
#include "linnet/core/kernels/reduce.h"
#include "linnet/core/profile_impl.h"

namespace linnet {

using tape::Edge;
using tape::Node;

bool owned(const Tensor& t) {
  return t.impl()->references.load(std::memory_order_acquire) == 1 && t.impl()->storage.unique();
}

namespace {

Node* node_of(const Ref<TapeNode>& node) { return static_cast<Node*>(node.get()); }

void gather(Tensor& sum, Tensor gradient) {
  if (!sum.defined()) {
    sum = std::move(gradient);
  } else if (owned(sum)) {
    kernels::accumulate(sum, gradient);
  } else {
    sum = kernels::binary(Op::add, sum, gradient);
  }
}

bool earlier(const Ref<TapeNode>& a, const Ref<TapeNode>& b) {
  return node_of(a)->sequence < node_of(b)->sequence;
}

}  // namespace

struct Engine {
  std::vector<Ref<TapeNode>> heap;
  std::vector<Ref<TensorImpl>> leaves;  // with a gradient in `incoming`
  bool keep_tape = false;

  void push(const Ref<TapeNode>& node) {
    if (node_of(node)->queued) return;
    node_of(node)->queued = true;
    heap.push_back(node);
    std::push_heap(heap.begin(), heap.end(), earlier);
  }

  Ref<TapeNode> pop() {
    std::pop_heap(heap.begin(), heap.end(), earlier);
    Ref<TapeNode> node = std::move(heap.back());
    heap.pop_back();
    node_of(node)->queued = false;
    return node;
  }

  void deliver(const Edge& edge, Tensor gradient) {
    if (edge.node) {
      gather(node_of(edge.node)->arrived, std::move(gradient));
      push(edge.node);
      return;
    }
    bool first = !edge.leaf->incoming;
    Tensor sum(std::move(edge.leaf->incoming));
    gather(sum, std::move(gradient));
    edge.leaf->incoming = Ref<TensorImpl>(sum.impl());
    if (first) leaves.push_back(edge.leaf);
  }

  void run() {
    NoGrad no_grad;
    while (!heap.empty()) {
      Ref<TapeNode> held = pop();
      Node& node = *node_of(held);
      check<AutogradError>(
          !node.released, "backward: the tape of ", node.name(),
          " was already used and freed. Run the forward pass again, or pass {.keep_tape = true}.");
      profile::RuleScope profiled;
      if (profile::on()) [[unlikely]]
        profiled.begin(node.profiled);
      Tensor dy = std::move(node.arrived);
      node.arrived = Tensor();
      Grads grads(node, *this);
      try {
        node.run_rule(dy, grads);
      } catch (AutogradError& error) {
        const std::string text = concat({node.name(), ": ", error.what()});
        if (!keep_tape) node.release();
        throw AutogradError(text);
      } catch (...) {  // the rule may have overwritten what it kept
        if (!keep_tape) node.release();
        throw;
      }
      if (!keep_tape) node.release();
    }
  }

  /// Moves what has arrived at the leaves into their grad(), which cannot fail for want of a fit.
  void commit() {
    for (const Ref<TensorImpl>& leaf : leaves) {
      Tensor gradient(std::move(leaf->incoming));
      if (leaf->constraint) {
        if (!owned(gradient)) gradient = gradient.clone();
        constrain_gradient(*leaf->constraint, gradient);
      }
      if (leaf->grad) {
        Tensor sum(leaf->grad);
        kernels::accumulate(sum, gradient);
        sum.impl()->storage->bump_version();
      } else {
        if (!owned(gradient)) gradient = gradient.clone();
        leaf->grad = Ref<TensorImpl>(gradient.impl());
      }
    }
    leaves.clear();
  }

  void abandon() noexcept {
    for (const Ref<TensorImpl>& leaf : leaves) leaf->incoming = Ref<TensorImpl>();
    leaves.clear();
    for (const Ref<TapeNode>& node : heap) {
      node_of(node)->arrived = Tensor();
      node_of(node)->queued = false;
    }
    heap.clear();
  }
};

bool Grads::wanted(int input) const {
  auto edges = node_.edges();
  return static_cast<std::size_t>(input) < edges.size() && edges[input].wanted();
}

bool Grads::last_use() const { return !engine_.keep_tape; }

void Grads::add(int input, Tensor gradient) {
  if (!wanted(input)) return;
  const Edge& edge = node_.edges()[input];
  if (gradient.shape() != edge.shape) {
    check<AutogradError>(gradient.shape() == node_.shape, "the rule gave a gradient of shape ",
                         gradient.shape(), " for input ", input, " of shape ", edge.shape, ".");
    gradient = kernels::sum_to(gradient, edge.shape);
  }
  check<AutogradError>(gradient.dtype() == node_.dtype, "the rule gave a gradient of type ", gradient.dtype(),
                       " for input ", input, " of type ", node_.dtype, ".");
  engine_.deliver(edge, std::move(gradient));
}

namespace {

Tensor first_gradient(const Tensor& loss, const Tensor& given) {
  check<ValueError>(loss.defined(), "backward: the loss is undefined. Compute it from the model's output.");
  check<AutogradError>(loss.requires_grad(),
                       "backward: the loss does not depend on a tensor that requires a gradient. "
                       "Was it computed under NoGrad, or from a detached tensor?");
  if (!given.defined()) {
    check<ShapeError>(loss.size() == 1, "backward: expected a loss with one element, got shape ",
                      loss.shape(), ". Reduce it with mean() or sum(), or pass {.gradient = ...}.");
    return Tensor::ones(loss.shape(), loss.dtype());
  }
  check<ShapeError>(given.shape() == loss.shape(), "backward: gradient has shape ", given.shape(),
                    ", the loss has ", loss.shape(), ".");
  check<DTypeError>(given.dtype() == loss.dtype(), "backward: gradient is ", given.dtype(), ", the loss is ",
                    loss.dtype(), ".");
  return given.clone();
}

}  // namespace

void backward(const Tensor& loss, const BackwardOptions& options) {
  const profile::Scope scope("backward");
  Tensor gradient = first_gradient(loss, options.gradient);
  thread_local Engine spare;  // keeps the capacity of its lists from step to step
  Engine engine = std::move(spare);
  engine.keep_tape = options.keep_tape;
  Edge start;
  start.node = loss.impl()->node;
  if (!start.node) start.leaf = Ref<TensorImpl>(loss.impl());
  try {
    engine.deliver(start, std::move(gradient));
    engine.run();
  } catch (...) {
    engine.abandon();
    throw;
  }
  engine.commit();
  spare = std::move(engine);
}

}  // namespace linnet
