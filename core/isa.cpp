// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/isa.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>

#include "linnet/core/error.h"

namespace linnet {
namespace {

struct IsaNames {
  std::string_view name, title;
};
constexpr IsaNames kNames[] = {
    {"sse2", "SSE2"}, {"avx2", "AVX2"}, {"avx512", "AVX-512"}, {"neon", "NEON"}, {"wide", "wide AVX2"}};

/// What this build has and this processor can run, the best last.
std::vector<Isa> detect() {
  std::vector<Isa> found;
#if defined(__x86_64__)
  [[maybe_unused]] const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
#if defined(LINNET_HAS_WIDE)
  if (avx2) found.push_back(Isa::wide);
#endif
#if defined(LINNET_HAS_SSE2)
  found.push_back(Isa::sse2);
#endif
#if defined(LINNET_HAS_AVX2)
  if (avx2) found.push_back(Isa::avx2);
#endif
#if defined(LINNET_HAS_AVX512)
  if (avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
    found.push_back(Isa::avx512);
#endif
#if defined(LINNET_HAS_NEON)
  found.push_back(Isa::neon);
#endif
  check<ValueError>(!found.empty(),
                    "this program has no kernels for this processor. Build it with -DLINNET_ISAS= for all.");
  return found;
}

std::string available_names() {
  std::string names;
  for (Isa isa : available_isas()) names.append(names.empty() ? "" : ", ").append(name(isa));
  return names;
}

Isa find_isa(const char* asked_by, std::string_view wanted) {
  for (Isa isa : available_isas())
    if (name(isa) == wanted) return isa;
  fail<ValueError>(asked_by, ": '", wanted, "' is not available: this program and machine have ",
                   available_names(), ".");
}

/// The value of an environment variable, or an empty text.
std::string_view environment(const char* variable) {
  const char* value = std::getenv(variable);
  return value ? value : "";
}

std::atomic<Isa>& active() {
  static std::atomic<Isa> isa = [] {
    const std::string_view wanted = environment("LINNET_ISA");
    return wanted.empty() ? available_isas().back() : find_isa("LINNET_ISA", wanted);
  }();
  return isa;
}

#if defined(LINNET_BLAS)
constexpr bool kHasBlas = true;
#else
constexpr bool kHasBlas = false;
#endif

std::atomic<bool>& blas() {
  static std::atomic<bool> on = [] {
    const std::string_view wanted = environment("LINNET_MATMUL");
    check<ValueError>(wanted.empty() || wanted == "own" || (wanted == "blas" && kHasBlas), "LINNET_MATMUL: '",
                      wanted, "' is not available: this program has ", kHasBlas ? "own, blas." : "own.");
    return wanted == "blas";
  }();
  return on;
}

}  // namespace

std::string_view name(Isa isa) { return kNames[static_cast<int>(isa)].name; }

const std::vector<Isa>& available_isas() {
  static const std::vector<Isa> isas = detect();
  return isas;
}

Isa isa_from_name(std::string_view wanted) { return find_isa("instruction set", wanted); }

Isa active_isa() { return active().load(std::memory_order_relaxed); }

void set_active_isa(Isa isa) { active() = isa_from_name(name(isa)); }

bool matmul_uses_blas() { return blas().load(std::memory_order_relaxed); }

void set_matmul_uses_blas(bool on) {
  check<ValueError>(!on || kHasBlas,
                    "matmul: this program was built without BLAS. Configure with -DLINNET_BLAS=ON.");
  blas() = on;
}

std::string compute_description() {
  std::string text(kNames[static_cast<int>(active_isa())].title);
  return text + (matmul_uses_blas() ? ", BLAS matmul (no bit promises)" : ", own matmul");
}

}  // namespace linnet
