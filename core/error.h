// SPDX-License-Identifier: Apache-2.0
#pragma once
// Errors of the training side. Every message reads
//   op: what is wrong: the numbers. What to try.   in net.fc1 (Dense 784 -> 128)
// where the part after the sentence is the module path, added while the exception travels outwards.
// Checks come before any change, so a call that throws has changed nothing.

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>

namespace linnet {

class Shape;
enum class DType : std::uint8_t;

class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message) : std::runtime_error(message), text_(message) {}
  const char* what() const noexcept override { return text_.c_str(); }

  /// Names the module that was running: "in net.fc1 (Dense 784 -> 128)". Only the first call counts:
  /// it comes from the innermost module.
  void set_module(const std::string& module);

 private:
  std::string text_;
  bool has_module_ = false;
};

/// Sizes, ranks or axes do not fit.
struct ShapeError : Error {
  using Error::Error;
};
/// An element type is not the one that is needed.
struct DTypeError : Error {
  using Error::Error;
};
/// An argument, option or label is outside its range.
struct ValueError : Error {
  using Error::Error;
};
/// A State does not fit the object that loads it.
struct StateError : Error {
  using Error::Error;
};
/// A file cannot be read or written, or is damaged.
struct IoError : Error {
  using Error::Error;
};
/// A loss, gradient or input is not finite.
struct NumericError : Error {
  using Error::Error;
};
/// The tape was used against its rules: a second backward, a changed saved tensor, item() while tracing.
struct AutogradError : Error {
  using Error::Error;
};
/// A module cannot be traced, or a Graph cannot be run.
struct GraphError : Error {
  using Error::Error;
};

/// One piece of a message. Constructed only on the failing path.
class Piece {
 public:
  Piece(const char* text) : text_(text) {}
  Piece(std::string_view text) : text_(text) {}
  Piece(const std::string& text) : text_(text) {}
  Piece(char c) : text_(1, c) {}
  Piece(bool value) : text_(value ? "true" : "false") {}
  Piece(std::integral auto value) : text_(std::to_string(value)) {}
  Piece(double value);
  Piece(const Shape& shape);
  Piece(DType dtype);
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

std::string concat(std::initializer_list<Piece> pieces);

template <class E, class... Parts>
[[noreturn, gnu::cold, gnu::noinline]] void fail(const Parts&... parts) {
  throw E(concat({Piece(parts)...}));
}

/// check<ShapeError>(a == b, "op: sizes differ: ", a, " and ", b, ".")
template <class E, class... Parts>
inline void check(bool ok, const Parts&... parts) {
  if (!ok) [[unlikely]]
    fail<E>(parts...);
}

[[noreturn, gnu::cold]] void assertion_failed(const char* expression, const char* file, int line);

}  // namespace linnet

/// For broken invariants of ours, never for wrong user input.
#define LINNET_ASSERT(expression) \
  ((expression) ? void() : ::linnet::assertion_failed(#expression, __FILE__, __LINE__))
