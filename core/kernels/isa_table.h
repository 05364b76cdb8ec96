// SPDX-License-Identifier: Apache-2.0
#pragma once
// How a kernel that exists once per instruction set is found.
//
// A file `<family>_isa.cpp` is compiled once per set with -DLINNET_ISA=<set> (core/CMakeLists.txt). It puts
// all it has into namespace linnet::kernels::<set> and fills one table of function pointers there. The
// family's `<family>_table.h` holds the struct and, by LINNET_DECLARE_TABLE, the names of all tables; a
// normal
// `.cpp` says LINNET_SELECT_TABLE (kernels/select.h) and calls through `<family>_kernels()`.
//
// Code of a set may include only <cstddef>, <cstdint>, intrinsics, vec*.h, core/math.h, *_table.h, *.def and
// *.inl: an inline function of anybody else could be kept by the linker for the whole program, compiled for a
// machine that is not there (scripts/check_kernel_symbols.py refuses that).

// The sets of this build (LINNET_ISAS in CMakeLists.txt), each as X(set, ...).
#if defined(LINNET_HAS_SSE2)
#define LINNET_IF_SSE2(X, ...) X(sse2, __VA_ARGS__)
#else
#define LINNET_IF_SSE2(X, ...)
#endif
#if defined(LINNET_HAS_AVX2)
#define LINNET_IF_AVX2(X, ...) X(avx2, __VA_ARGS__)
#else
#define LINNET_IF_AVX2(X, ...)
#endif
#if defined(LINNET_HAS_AVX512)
#define LINNET_IF_AVX512(X, ...) X(avx512, __VA_ARGS__)
#else
#define LINNET_IF_AVX512(X, ...)
#endif
#if defined(LINNET_HAS_WIDE)
#define LINNET_IF_WIDE(X, ...) X(wide, __VA_ARGS__)
#else
#define LINNET_IF_WIDE(X, ...)
#endif
#if defined(LINNET_HAS_NEON)
#define LINNET_IF_NEON(X, ...) X(neon, __VA_ARGS__)
#else
#define LINNET_IF_NEON(X, ...)
#endif
#define LINNET_ISAS(X, ...)        \
  LINNET_IF_SSE2(X, __VA_ARGS__)   \
  LINNET_IF_AVX2(X, __VA_ARGS__)   \
  LINNET_IF_AVX512(X, __VA_ARGS__) \
  LINNET_IF_WIDE(X, __VA_ARGS__)   \
  LINNET_IF_NEON(X, __VA_ARGS__)

#define LINNET_DECLARE_ONE_TABLE(isa, Table, family) \
  namespace isa {                                    \
  extern const Table family;                         \
  }
/// In namespace linnet::kernels: `extern const Table family` in the namespace of every set.
#define LINNET_DECLARE_TABLE(Table, family) LINNET_ISAS(LINNET_DECLARE_ONE_TABLE, Table, family)
