// SPDX-License-Identifier: Apache-2.0
#include "linnet/autograd/tape.h"

#include <vector>

#include "linnet/autograd/autograd.h"
#include "linnet/autograd/record.h"
#include "linnet/autograd/recorder.h"

namespace linnet {
namespace {

thread_local bool tape_on = true;
thread_local Recorder* recorder = nullptr;
std::atomic<std::uint64_t> next_sequence{1};

bool has_gradient(const Tensor& t) { return t.defined() && t.requires_grad(); }

}  // namespace

namespace tape {

void attach(Op op, std::string_view custom, const Tensor& y, std::span<const Tensor> inputs,
            const RuleType& type, void* rule) {
  Node* node = new (allocate_object(sizeof(Node) + type.bytes)) Node(type);
  type.move(rule, node->rule());
  node->op = op;
  node->custom_name = custom;
  node->sequence = next_sequence.fetch_add(1, std::memory_order_relaxed);
  node->shape = y.shape();
  node->dtype = y.dtype();
  node->connect(inputs);
  y.impl()->node = Ref<TapeNode>(node);
}

void Node::connect(std::span<const Tensor> inputs) {
  if (inputs.size() > kInlineEdges) {
    auto* memory = static_cast<Edge*>(allocate_object(inputs.size() * sizeof(Edge)));
    edges_ = memory;
    for (std::size_t i = 0; i < inputs.size(); ++i) new (memory + i) Edge();
  }
  count_ = static_cast<int>(inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Tensor& input = inputs[i];
    if (!has_gradient(input)) continue;
    Edge& edge = edges_[i];
    edge.shape = input.shape();
    edge.node = input.impl()->node;
    if (!edge.node) edge.leaf = Ref<TensorImpl>(input.impl());
  }
}

void Node::release() noexcept {
  if (!released) rule_type_.drop(rule());
  released = true;
  for (Edge& edge : edges()) edge = Edge();
}

// Dropping a node drops the nodes of its inputs; a long chain would recurse once a step. Nodes that die while
// another is being taken apart wait in a list instead.
void Node::destroy() noexcept {
  thread_local std::vector<Node*> waiting;
  thread_local bool busy = false;
  waiting.push_back(this);
  if (busy) return;
  busy = true;
  while (!waiting.empty()) {
    Node* node = waiting.back();
    waiting.pop_back();
    node->release();
    node->arrived = Tensor();
    if (node->edges_ != node->inline_) {
      for (Edge& edge : node->edges()) edge.~Edge();
      free_object(node->edges_, static_cast<std::size_t>(node->count_) * sizeof(Edge));
      node->edges_ = node->inline_;
      node->count_ = 0;
    }
    const std::size_t bytes = sizeof(Node) + node->rule_type_.bytes;
    node->~Node();
    free_object(node, bytes);
  }
  busy = false;
}

bool recording() { return recorder != nullptr; }

bool wants_gradient(std::span<const Tensor> inputs) {
  if (!tape_on) return false;
  for (const Tensor& input : inputs)
    if (has_gradient(input)) return true;
  return false;
}

void notify_recorder(Op op, std::string_view custom, const Tensor& y, std::span<const Tensor> inputs,
                     const std::function<State()>* attributes) {
  recorder->on_op(op, custom, y, inputs, attributes ? (*attributes)() : State());
}

}  // namespace tape

Saved::Saved(const Tensor& t)
    : tensor_(make_tensor(t.impl()->storage, t.impl()->offset, t.shape(), t.dtype())),
      version_(t.impl()->storage->version()) {}

const Tensor& Saved::operator*() const {
  check<AutogradError>(
      !tensor_.defined() || tensor_.impl()->storage->version() == version_, "a tensor of shape ",
      tensor_.defined() ? tensor_.shape() : Shape(),
      " that backward needs was changed in place after the forward pass. Change a clone() instead.");
  return tensor_;
}

void retain(TapeNode* node) noexcept { node->references.fetch_add(1, std::memory_order_relaxed); }
void release(TapeNode* node) noexcept {
  if (node->references.fetch_sub(1, std::memory_order_acq_rel) == 1) node->destroy();
}

SavedInput::SavedInput(const Tensor& t) {
  const Ref<TapeNode>& maker = t.impl()->node;
  // Contents that were changed through a view of them could not be computed again.
  const bool unchanged = t.impl()->storage->version() == 0;
  if (maker && unchanged && static_cast<tape::Node*>(maker.get())->repeats())
    maker_ = maker;
  else
    kept_ = Saved(t);
}

Tensor SavedInput::operator*() const {
  if (!maker_) return *kept_;
  tape::Node& maker = *static_cast<tape::Node*>(maker_.get());
  check<AutogradError>(
      !maker.released, "the tape of ", maker.name(),
      " was already used and freed. Run the forward pass again, or pass {.keep_tape = true}.");
  return maker.result();
}

bool needed_by(const Tensor& t) { return tape_on && has_gradient(t); }

NoGrad::NoGrad() : before_(tape_on) { tape_on = false; }
NoGrad::~NoGrad() { tape_on = before_; }
bool grad_enabled() { return tape_on; }

Recording::Recording(Recorder& r) : before_(recorder) { recorder = &r; }
Recording::~Recording() { recorder = before_; }

}  // namespace linnet
