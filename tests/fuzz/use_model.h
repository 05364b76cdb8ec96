// SPDX-License-Identifier: Apache-2.0
#pragma once
// Any bytes through lnt_check; what passes is bound in an arena of exactly its size and run, with its golden
// cases, on the plain kernels and on the best. For the fuzzer, and for the tests that replay its corpus.

#include <cstdlib>
#include <cstring>
#include <memory>

#include "linnet/runtime/linnet_runtime.h"

namespace linnet::test {

struct Free {
  void operator()(void* p) const { std::free(p); }
};

/// Memory of exactly n bytes at the alignment that the runtime asks for, so that a byte too far is seen.
inline std::unique_ptr<std::uint8_t, Free> exact_memory(std::size_t n) {
  void* p = nullptr;
  if (posix_memalign(&p, LNT_FILE_ALIGN, n == 0 ? 1 : n) != 0) std::abort();
  return std::unique_ptr<std::uint8_t, Free>(static_cast<std::uint8_t*>(p));
}

inline void must(bool condition) {
  if (!condition) std::abort();
}

inline void run_model(const lnt_info& info) {
  const auto arena = exact_memory(info.arena_bytes);
  lnt_model model;
  lnt_view view;
  must(lnt_bind(&model, &info, arena.get(), info.arena_bytes) == LNT_OK);
  const lnt_isa isas[] = {LNT_SCALAR, model.isa};
  for (lnt_isa isa : isas) {
    must(lnt_set_isa(&model, isa) == LNT_OK);
    for (std::uint32_t i = 0; i < info.n_inputs; ++i) {
      must(lnt_input(&model, i, &view) == LNT_OK);
      std::memset(view.data, 0x3F, view.bytes);
    }
    const lnt_status status = lnt_run(&model);
    must(status == LNT_OK || status == LNT_E_INDEX);
    lnt_self_test_result golden;
    const lnt_status proof = lnt_self_test(&model, &golden);
    must(proof == LNT_E_INDEX || golden.cases == info.n_golden);
    must(proof == (info.n_golden == 0  ? LNT_E_NO_GOLD
                   : golden.failed > 0 ? LNT_E_SELF_TEST
                                       : LNT_OK) ||
         (proof == LNT_E_INDEX && golden.failed > 0));
  }
  for (std::uint32_t i = 0; i < info.n_outputs; ++i)
    must(lnt_output(&model, i, &view) == LNT_OK && std::strlen(view.name) <= info.file.len);
}

inline lnt_status use_model(const std::uint8_t* data, std::size_t size) {
  const auto file = exact_memory(size);
  if (size != 0) std::memcpy(file.get(), data, size);
  const lnt_limits limits = {1u << 20, 1u << 16, 1000, 1000, 1u << 22};
  lnt_info info;
  char text[64];
  const lnt_status status = lnt_check(file.get(), size, &limits, &info);
  if (status == LNT_OK) run_model(info);
  lnt_problem_text(&info.problem, text, sizeof text);
  return status;
}

}  // namespace linnet::test
