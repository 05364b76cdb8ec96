// SPDX-License-Identifier: Apache-2.0
#pragma once
// Element types and the one place where a run-time type becomes a template argument.

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "linnet/core/error.h"

namespace linnet {

/// The values are stored in files: never renumber.
enum class DType : std::uint8_t { f32 = 0, f64 = 1, i8 = 2, u8 = 3, i32 = 4, i64 = 5 };

inline constexpr DType f32 = DType::f32;
inline constexpr DType f64 = DType::f64;
inline constexpr DType i8 = DType::i8;
inline constexpr DType u8 = DType::u8;
inline constexpr DType i32 = DType::i32;
inline constexpr DType i64 = DType::i64;

inline constexpr int kDTypes = 6;

constexpr std::size_t size_of(DType dtype) {
  constexpr std::size_t sizes[kDTypes] = {4, 8, 1, 1, 4, 8};
  return sizes[static_cast<int>(dtype)];
}

constexpr std::string_view name(DType dtype) {
  constexpr std::string_view names[kDTypes] = {"f32", "f64", "i8", "u8", "i32", "i64"};
  return names[static_cast<int>(dtype)];
}

constexpr bool is_float(DType dtype) { return dtype == f32 || dtype == f64; }

template <class T>
constexpr DType dtype_of() {
  using U = std::remove_const_t<T>;
  if constexpr (std::is_same_v<U, float>)
    return f32;
  else if constexpr (std::is_same_v<U, double>)
    return f64;
  else if constexpr (std::is_same_v<U, std::int8_t>)
    return i8;
  else if constexpr (std::is_same_v<U, std::uint8_t>)
    return u8;
  else if constexpr (std::is_same_v<U, std::int32_t>)
    return i32;
  else if constexpr (std::is_same_v<U, std::int64_t> || (std::is_integral_v<U> && sizeof(U) == 8))
    return i64;
  else
    static_assert(!sizeof(U), "not an element type of linnet");
}

/// dispatch(dtype, [&](auto zero) { using T = decltype(zero); ... }) runs the body for the matching C++ type.
template <class F>
decltype(auto) dispatch(DType dtype, F&& body) {
  switch (dtype) {
    case DType::f32:
      return body(float{});
    case DType::f64:
      return body(double{});
    case DType::i8:
      return body(std::int8_t{});
    case DType::u8:
      return body(std::uint8_t{});
    case DType::i32:
      return body(std::int32_t{});
    case DType::i64:
      break;
  }
  return body(std::int64_t{});
}

/// The same for the two types that are differentiable; anything else is the user's mistake.
template <class F>
decltype(auto) dispatch_float(std::string_view op, DType dtype, F&& body) {
  check<DTypeError>(is_float(dtype), op, ": expected f32 or f64, got ", dtype, ". Convert with to(f32).");
  if (dtype == f32) return body(float{});
  return body(double{});
}

}  // namespace linnet
