// SPDX-License-Identifier: Apache-2.0
#pragma once
// The table of the active instruction set. Not for *_isa.cpp files.

#include <type_traits>

#include "linnet/core/error.h"
#include "linnet/core/isa.h"
#include "linnet/core/kernels/isa_table.h"

#define LINNET_SELECT_CASE(isa, family) \
  case Isa::isa:                        \
    return isa::family;
/// In namespace linnet::kernels: defines `family_kernels()`, the family's table for active_isa().
#define LINNET_SELECT_TABLE(Table, family)                       \
  inline const Table& family##_kernels() {                       \
    switch (active_isa()) {                                      \
      LINNET_ISAS(LINNET_SELECT_CASE, family)                    \
      default:                                                   \
        break;                                                   \
    }                                                            \
    ::linnet::assertion_failed("known isa", __FILE__, __LINE__); \
  }
/// Also `family_kernels<T>()`: that table for float, the plain scalar one for double.
#define LINNET_FLOAT_TABLE(Table, family, naive) \
  LINNET_SELECT_TABLE(Table<float>, family)      \
  template <class T>                             \
  const Table<T>& family##_kernels() {           \
    if constexpr (std::is_same_v<T, float>)      \
      return family##_kernels();                 \
    else                                         \
      return naive<T>();                         \
  }
