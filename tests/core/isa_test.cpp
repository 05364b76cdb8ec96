// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/isa.h"

#include <algorithm>
#include <string>

#include "linnet/core/error.h"
#include "support/check_close.h"
#include "support/fixtures.h"

using namespace linnet;

namespace {
std::string available() {
  std::string names;
  for (Isa isa : available_isas()) names += (names.empty() ? "" : ", ") + std::string(name(isa));
  return names;
}

#if defined(__x86_64__)
constexpr Isa kBaseline = Isa::sse2;
#else
constexpr Isa kBaseline = Isa::neon;
#endif
}  // namespace

TEST_CASE("the baseline of the architecture is available unless the build is for one set alone") {
  CHECK((std::ranges::count(available_isas(), kBaseline) == 1 || available_isas().size() == 1));
}

TEST_CASE("each available instruction set can be forced and is found by its name") {
  for (Isa isa : available_isas()) {
    const test::IsaScope scope(isa);
    CHECK(active_isa() == isa);
    CHECK(isa_from_name(name(isa)) == isa);
  }
}

TEST_CASE("an instruction set that is not there is refused with a list of those that are") {
  CHECK_THROWS_TEXT(
      isa_from_name("mmx"), ValueError,
      "instruction set: 'mmx' is not available: this program and machine have " + available() + ".");
#if defined(__x86_64__)
  const Isa before = active_isa();
  CHECK_THROWS_TEXT(
      set_active_isa(Isa::neon), ValueError,
      "instruction set: 'neon' is not available: this program and machine have " + available() + ".");
  CHECK(active_isa() == before);
#endif
}

TEST_CASE("own process: the default is the best set" * doctest::skip()) {
  CHECK(active_isa() == available_isas().back());
  CHECK_FALSE(matmul_uses_blas());
}
TEST_CASE("own process: LINNET_ISA names the first set" * doctest::skip()) {
  CHECK(active_isa() == available_isas().front());
}
TEST_CASE("own process: LINNET_ISA is unknown" * doctest::skip()) {
  CHECK_THROWS_TEXT(active_isa(), ValueError,
                    "LINNET_ISA: 'mmx' is not available: this program and machine have " + available() + ".");
}

TEST_CASE("LINNET_ISA chooses the instruction set") {
  const std::string first(name(available_isas().front()));
  CHECK_PASSES_IN_OWN_PROCESS("own process: the default is the best set", "LINNET_ISA= LINNET_MATMUL=");
  CHECK_PASSES_IN_OWN_PROCESS("own process: LINNET_ISA names the first set", "LINNET_ISA=" + first);
  CHECK_PASSES_IN_OWN_PROCESS("own process: LINNET_ISA is unknown", "LINNET_ISA=mmx");
}

TEST_CASE("own process: LINNET_MATMUL is blas" * doctest::skip()) {
  CHECK(matmul_uses_blas());
  CHECK(compute_description().ends_with(", BLAS matmul (no bit promises)"));
}
TEST_CASE("own process: LINNET_MATMUL is unknown" * doctest::skip()) {
  CHECK_THROWS_AS(matmul_uses_blas(), ValueError);
}

TEST_CASE("LINNET_MATMUL chooses the matrix product") {
  CHECK_PASSES_IN_OWN_PROCESS("own process: LINNET_MATMUL is unknown", "LINNET_MATMUL=mkl");
  bool has_blas = true;
  try {
    set_matmul_uses_blas(true);
    set_matmul_uses_blas(false);
  } catch (const ValueError& error) {
    has_blas = false;
    CHECK(std::string(error.what()) ==
          "matmul: this program was built without BLAS. Configure with -DLINNET_BLAS=ON.");
  }
  CHECK(test::run_in_own_process("own process: LINNET_MATMUL is blas", "LINNET_MATMUL=blas").passed ==
        has_blas);
}

TEST_CASE("the description names the instruction set and the matrix product") {
  if (matmul_uses_blas()) return;
  const bool baseline = std::ranges::count(available_isas(), kBaseline) == 1;
  const test::IsaScope scope(baseline ? kBaseline : active_isa());
  const std::string title = active_isa() == Isa::sse2   ? "SSE2"
                            : active_isa() == Isa::avx2 ? "AVX2"
                            : active_isa() == Isa::neon ? "NEON"
                                                        : "AVX-512";
  CHECK(compute_description() == title + ", own matmul");
}
