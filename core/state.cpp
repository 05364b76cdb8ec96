// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/state.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "linnet/core/error.h"
#include "linnet/core/tensor_impl.h"

namespace linnet {
namespace {

bool equal(const Tensor& a, const Tensor& b) {
  if (!a.defined() || !b.defined()) return a.defined() == b.defined();
  if (a.dtype() != b.dtype() || a.shape() != b.shape()) return false;
  const std::size_t bytes = static_cast<std::size_t>(a.size()) * size_of(a.dtype());
  return std::memcmp(readable<std::byte>(a), readable<std::byte>(b), bytes) == 0;
}

/// The value at `index` of the variant; StateError names both kinds.
template <std::size_t index, class Variant>
const auto& as(const StateValue& value, const Variant& variant, const char* wanted) {
  check<StateError>(variant.index() == index, "state: expected a value of kind ", wanted, ", got ",
                    value.kind(), ".");
  return std::get<index>(variant);
}

std::string describe(const Tensor& tensor) { return concat({tensor.shape(), " ", tensor.dtype()}); }

/// One line of the difference, or nothing when `value` can be copied into `target`.
std::string mismatch(const std::string& name, const Tensor& target, const StateValue* value) {
  if (!value) return concat({"\n  missing: ", name, " ", describe(target)});
  if (!value->is_tensor()) return concat({"\n  kind of ", name, ": expected tensor, got ", value->kind()});
  const Tensor& source = value->tensor();
  if (!source.defined()) return concat({"\n  undefined: ", name, " ", describe(target)});
  if (source.shape() != target.shape())
    return concat({"\n  shape of ", name, ": expected ", target.shape(), ", got ", source.shape()});
  if (source.dtype() != target.dtype())
    return concat({"\n  type of ", name, ": expected ", target.dtype(), ", got ", source.dtype()});
  return {};
}

std::string unexpected(const std::string& name, const StateValue& value) {
  const bool contents = value.is_tensor() && value.tensor().defined();
  return concat({"\n  unexpected: ", name, " ", contents ? describe(value.tensor()) : value.kind()});
}

}  // namespace

StateValue::StateValue(State value) : value_(std::make_shared<const State>(std::move(value))) {}

const char* StateValue::kind() const {
  static constexpr const char* kinds[] = {"tensor", "integer", "real", "text", "state"};
  return kinds[value_.index()];
}

const Tensor& StateValue::tensor() const { return as<0>(*this, value_, "tensor"); }
std::int64_t StateValue::integer() const { return as<1>(*this, value_, "integer"); }
double StateValue::real() const { return as<2>(*this, value_, "real"); }
const std::string& StateValue::text() const { return as<3>(*this, value_, "text"); }
const State& StateValue::state() const { return *as<4>(*this, value_, "state"); }

bool operator==(const StateValue& a, const StateValue& b) {
  if (a.value_.index() != b.value_.index()) return false;
  if (a.is_tensor()) return equal(a.tensor(), b.tensor());
  if (a.is_integer()) return a.integer() == b.integer();
  if (a.is_text()) return a.text() == b.text();
  if (a.is_state()) return a.state() == b.state();
  return std::bit_cast<std::uint64_t>(a.real()) == std::bit_cast<std::uint64_t>(b.real());
}

State::State(std::initializer_list<Entry> entries) {
  for (const Entry& entry : entries) set(entry.first, entry.second);
}

void State::set(const std::string& name, StateValue value) {
  check<StateError>(!has(name), "state: the name '", name, "' is there already.");
  entries_.emplace_back(name, std::move(value));
}

const StateValue* State::find(std::string_view name) const {
  const auto entry = std::ranges::find(entries_, name, &Entry::first);
  return entry == entries_.end() ? nullptr : &entry->second;
}

const StateValue& State::operator[](std::string_view name) const {
  const StateValue* value = find(name);
  if (value) return *value;
  std::string names;
  for (const Entry& entry : entries_) names += (names.empty() ? "" : ", ") + entry.first;
  fail<StateError>("state: there is no '", name, "'. It has: ", names.empty() ? "nothing" : names, ".");
}

void load_tensors(const char* what, const NamedTensors& targets, const State& source) {
  std::string difference;
  std::vector<std::string_view> known;
  for (const auto& [name, target] : targets) {
    difference += mismatch(name, target, source.find(name));
    known.push_back(name);
  }
  std::ranges::sort(known);
  for (const auto& [name, value] : source)
    if (!std::ranges::binary_search(known, name)) difference += unexpected(name, value);
  check<StateError>(difference.empty(), what, ": the state does not fit:", difference,
                    "\nWas it saved from another model?");
  for (auto [name, target] : targets) target.copy_(source.find(name)->tensor());
}

}  // namespace linnet
