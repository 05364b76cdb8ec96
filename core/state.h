// SPDX-License-Identifier: Apache-2.0
#pragma once
// State: what an object is made of, as an ordered map from names to values. Everything that can be saved
// has exactly two functions, `State state() const` and `void load(const State&)`; io stores a State.

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "linnet/core/tensor.h"

namespace linnet {

class State;

/// Tensor | int64 | double | string | State. Reading as another kind throws StateError.
class StateValue {
 public:
  StateValue(Tensor value) : value_(std::move(value)) {}
  StateValue(std::int64_t value) : value_(value) {}
  StateValue(int value) : value_(std::int64_t{value}) {}
  StateValue(double value) : value_(value) {}
  StateValue(std::string value) : value_(std::move(value)) {}
  StateValue(const char* value) : value_(std::string(value)) {}
  StateValue(State value);

  bool is_tensor() const { return value_.index() == 0; }
  bool is_integer() const { return value_.index() == 1; }
  bool is_real() const { return value_.index() == 2; }
  bool is_text() const { return value_.index() == 3; }
  bool is_state() const { return value_.index() == 4; }
  const char* kind() const;  ///< "tensor", "integer", "real", "text", "state"

  const Tensor& tensor() const;
  std::int64_t integer() const;
  double real() const;
  const std::string& text() const;
  const State& state() const;
  operator const State&() const { return state(); }

  /// Same kind and equal contents; tensors by type, shape and bytes.
  friend bool operator==(const StateValue& a, const StateValue& b);

 private:
  std::variant<Tensor, std::int64_t, double, std::string, std::shared_ptr<const State>> value_;
};

class State {
 public:
  using Entry = std::pair<std::string, StateValue>;

  State() = default;
  State(std::initializer_list<Entry> entries);  ///< StateError on a repeated name

  /// Adds at the end; StateError when the name is there already.
  void set(const std::string& name, StateValue value);
  bool has(std::string_view name) const { return find(name) != nullptr; }
  const StateValue* find(std::string_view name) const;  ///< nullptr when absent
  /// StateError that lists the names that are there.
  const StateValue& operator[](std::string_view name) const;

  std::size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  std::vector<Entry>::const_iterator begin() const { return entries_.begin(); }
  std::vector<Entry>::const_iterator end() const { return entries_.end(); }

  friend bool operator==(const State& a, const State& b) { return a.entries_ == b.entries_; }

 private:
  std::vector<Entry> entries_;
};

using NamedTensor = std::pair<std::string, Tensor>;
using NamedTensors = std::vector<NamedTensor>;

/// Copies the tensors of `source` into `targets` by name: all or nothing. Missing, unexpected and misshaped
/// names are collected into one StateError that prints the whole difference; `what` starts its text.
void load_tensors(const char* what, const NamedTensors& targets, const State& source);

}  // namespace linnet
