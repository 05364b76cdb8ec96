// SPDX-License-Identifier: Apache-2.0
#pragma once
// record(): how an op tells the tape what it did. An op computes its result and returns
//
//   return record(Op::matmul, y, {a, b},
//                 [a = saved(a, needed_by(b)), b = saved(b, needed_by(a))](const Tensor& dy, Grads& grad) {
//     if (grad.wanted(0)) grad.add(0, dy b^T);
//     if (grad.wanted(1)) grad.add(1, a^T dy);
//   });
//
// The rule runs at most once, in backward(). The engine, not the rule, sums gradients of broadcast inputs,
// accumulates, and checks shapes. Rules run with NoGrad: there are no second derivatives.
// An op that takes more than tensors passes a function that returns its attributes as a State; it is called
// only while a module is being traced. A user's own op passes a name instead of an Op.

#include <cstddef>
#include <functional>
#include <initializer_list>
#include <memory>
#include <new>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "linnet/autograd/autograd.h"
#include "linnet/core/op.h"
#include "linnet/core/profile.h"
#include "linnet/core/state.h"
#include "linnet/core/tensor.h"

namespace linnet {

/// The tensors an op was given; keeps nothing alive, so it is only for passing on.
class Inputs {
 public:
  Inputs(std::initializer_list<Tensor> tensors) : tensors_(tensors.begin(), tensors.size()) {}
  Inputs(std::span<const Tensor> tensors) : tensors_(tensors) {}
  Inputs(const std::vector<Tensor>& tensors) : tensors_(tensors) {}
  std::span<const Tensor> span() const { return tensors_; }

 private:
  std::span<const Tensor> tensors_;
};

/// A tensor kept for backward: contents without history, and the version they had.
class Saved {
 public:
  Saved() = default;
  explicit Saved(const Tensor& t);
  /// The tensor; undefined when it was not needed. AutogradError when its contents have changed since.
  const Tensor& operator*() const;

 private:
  Tensor tensor_;
  std::uint32_t version_ = 0;
};

struct TapeNode;
void retain(TapeNode* node) noexcept;
void release(TapeNode* node) noexcept;

/// An input kept for backward or, when the rule of the op that made it has a member `Tensor result() const`
/// and `bool repeats() const` says so, computed again from what that op keeps itself: a net of convolutions
/// and batch-norm then keeps one tensor a layer instead of two.
class SavedInput {
 public:
  SavedInput() = default;
  explicit SavedInput(const Tensor& t);
  /// The tensor; undefined when it was not needed. AutogradError as above.
  Tensor operator*() const;

 private:
  Saved kept_;
  Ref<TapeNode> maker_;
};

/// True when the tape is on and a gradient will flow to t.
bool needed_by(const Tensor& t);
/// Keeps t for backward if `when`; nothing otherwise.
inline Saved saved(const Tensor& t, bool when = true) { return when ? Saved(t) : Saved(); }
inline SavedInput saved_input(const Tensor& t, bool when) { return when ? SavedInput(t) : SavedInput(); }

/// Computes the attributes of an op, for the recorder.
using AttributesOf = std::function<State()>;

namespace tape {
bool wants_gradient(std::span<const Tensor> inputs);
void notify_recorder(Op op, std::string_view custom, const Tensor& y, std::span<const Tensor> inputs,
                     const std::function<State()>* attributes);
bool recording();

/// What the tape keeps of the type of a rule.
struct RuleType {
  std::size_t bytes;
  void (*move)(void* rule, void* to);
  void (*run)(void* rule, const Tensor& dy, Grads& grad);
  void (*drop)(void* rule) noexcept;
  bool (*repeats)(const void* rule);
  Tensor (*result)(const void* rule);
};
template <class Rule>
bool repeats(const void* rule) {
  if constexpr (requires(const Rule& r) { r.repeats(); }) return static_cast<const Rule*>(rule)->repeats();
  return false;
}
template <class Rule>
Tensor result(const void* rule) {
  if constexpr (requires(const Rule& r) { r.result(); }) return static_cast<const Rule*>(rule)->result();
  return {};
}
template <class Rule>
inline constexpr RuleType rule_type{
    sizeof(Rule),
    [](void* rule, void* to) { new (to) Rule(std::move(*static_cast<Rule*>(rule))); },
    [](void* rule, const Tensor& dy, Grads& grad) { (*static_cast<Rule*>(rule))(dy, grad); },
    [](void* rule) noexcept { static_cast<Rule*>(rule)->~Rule(); },
    repeats<Rule>,
    result<Rule>};

/// Makes y the result of a new node of the tape, which takes over *rule.
void attach(Op op, std::string_view custom, const Tensor& y, std::span<const Tensor> inputs,
            const RuleType& type, void* rule);
template <class Rule>
void attach(Op op, std::string_view custom, const Tensor& y, std::span<const Tensor> inputs, Rule&& rule) {
  using Held = std::remove_cvref_t<Rule>;
  static_assert(alignof(Held) <= alignof(std::max_align_t));
  Held held(std::forward<Rule>(rule));
  attach(op, custom, y, inputs, rule_type<Held>, &held);
}
}  // namespace tape

namespace tape {
/// Tells the profiler, while it is on, that y = op(inputs) has been computed and is on the tape.
void profile_forward(Op op, std::string_view custom, const Tensor& y, std::span<const Tensor> inputs);

template <class Rule>
void finish(Op op, std::string_view custom, const Tensor& y, std::span<const Tensor> inputs, Rule&& rule) {
  if (wants_gradient(inputs)) attach(op, custom, y, inputs, std::forward<Rule>(rule));
  if (profile::on()) [[unlikely]]
    profile_forward(op, custom, y, inputs);
}
}  // namespace tape

template <class Attributes, class Rule>
Tensor record(Op op, Tensor y, const Inputs& inputs, Attributes&& attributes, Rule&& rule) {
  if (tape::recording()) {
    std::function<State()> call = std::ref(attributes);
    tape::notify_recorder(op, {}, y, inputs.span(), &call);
  }
  tape::finish(op, {}, y, inputs.span(), std::forward<Rule>(rule));
  return y;
}

template <class Rule>
Tensor record(Op op, Tensor y, const Inputs& inputs, Rule&& rule) {
  if (tape::recording()) tape::notify_recorder(op, {}, y, inputs.span(), nullptr);
  tape::finish(op, {}, y, inputs.span(), std::forward<Rule>(rule));
  return y;
}

/// An op of the user. `name` must outlive the tape (a string literal).
template <class Rule>
Tensor record(std::string_view name, Tensor y, const Inputs& inputs, Rule&& rule) {
  if (tape::recording()) tape::notify_recorder(Op::custom, name, y, inputs.span(), nullptr);
  tape::finish(Op::custom, name, y, inputs.span(), std::forward<Rule>(rule));
  return y;
}

}  // namespace linnet
