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

#if defined(__x86_64__) && defined(LINNET_WIDE)
#define LINNET_ISAS(X, ...) \
  X(sse2, __VA_ARGS__) X(avx2, __VA_ARGS__) X(avx512, __VA_ARGS__) X(wide, __VA_ARGS__)
#elif defined(__x86_64__)
#define LINNET_ISAS(X, ...) X(sse2, __VA_ARGS__) X(avx2, __VA_ARGS__) X(avx512, __VA_ARGS__)
#elif defined(__aarch64__)
#define LINNET_ISAS(X, ...) X(neon, __VA_ARGS__)
#else
#error "linnet's kernels know x86-64 and aarch64"
#endif

#define LINNET_DECLARE_ONE_TABLE(isa, Table, family) \
  namespace isa {                                    \
  extern const Table family;                         \
  }
/// In namespace linnet::kernels: `extern const Table family` in the namespace of every set.
#define LINNET_DECLARE_TABLE(Table, family) LINNET_ISAS(LINNET_DECLARE_ONE_TABLE, Table, family)
