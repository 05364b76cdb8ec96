// SPDX-License-Identifier: Apache-2.0
/* Which instruction sets the processor and its operating system have. Asked at every call: the runtime keeps
   no state, and lnt_bind is the one that asks. */
#include "linnet/runtime/runtime_impl.h"

#if defined(LNT_HAS_X86_SETS)

#include <cpuid.h>

typedef struct features {
  int avx2, avx512;
} features;

/* Bits of CPUID leaves 1 and 7, and of XCR0: the registers that the system keeps. */
static features read_features(void) {
  features f = {0, 0};
  uint32_t a, b, c, d, low, high;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0) return f;
  const int fma = (c >> 12 & 1) != 0, saved = (c >> 27 & 1) != 0, avx = (c >> 28 & 1) != 0;
  if (!fma || !saved || !avx || __get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return f;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  (void)high;
  f.avx2 = (low & 0x06) == 0x06 && (b >> 5 & 1) != 0;
  const int parts = (b >> 16 & 1) != 0 && (b >> 17 & 1) != 0 && (b >> 30 & 1) != 0 && (b >> 31 & 1) != 0;
  f.avx512 = f.avx2 && (low & 0xE6) == 0xE6 && parts; /* F, DQ, BW, VL */
  return f;
}

uint32_t lnt_isa_place(lnt_isa isa) { return isa <= LNT_AVX512 ? (uint32_t)isa : LNT_N_ISAS; }

int lnt_has_isa(lnt_isa isa) {
  if (isa == LNT_SCALAR) return 1;
  const features f = read_features();
  return isa == LNT_AVX2 ? f.avx2 : isa == LNT_AVX512 ? f.avx512 : 0;
}

lnt_isa lnt_best_isa(void) {
  const features f = read_features();
  return f.avx512 ? LNT_AVX512 : f.avx2 ? LNT_AVX2 : LNT_SCALAR;
}

#elif defined(LNT_HAS_ARM_SETS)

uint32_t lnt_isa_place(lnt_isa isa) { return isa == LNT_SCALAR ? 0 : isa == LNT_NEON ? 1 : LNT_N_ISAS; }
int lnt_has_isa(lnt_isa isa) { return lnt_isa_place(isa) < LNT_N_ISAS; }
lnt_isa lnt_best_isa(void) { return LNT_NEON; }

#else

uint32_t lnt_isa_place(lnt_isa isa) { return isa == LNT_SCALAR ? 0 : LNT_N_ISAS; }
int lnt_has_isa(lnt_isa isa) { return isa == LNT_SCALAR; }
lnt_isa lnt_best_isa(void) { return LNT_SCALAR; }

#endif
