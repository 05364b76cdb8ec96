// SPDX-License-Identifier: Apache-2.0
#pragma once
// Which instruction set the kernels use: the best one of the machine, or the one LINNET_ISA names.

#include <string>
#include <string_view>
#include <vector>

namespace linnet {

/// `wide` stands in for avx512 on machines without it: 16 lanes made of pairs of AVX2 vectors. It is slow,
/// for tests only, and there when built with `wide` among LINNET_ISAS (and never chosen unless asked for).
enum class Isa { sse2, avx2, avx512, neon, wide };

std::string_view name(Isa isa);
/// Those that this program contains and this machine can run, the best one last.
const std::vector<Isa>& available_isas();
/// ValueError, listing the available ones, for any other name.
Isa isa_from_name(std::string_view wanted);
/// The one in use. ValueError at first use when LINNET_ISA names none that is available.
Isa active_isa();
/// For tests and benchmarks; ValueError unless available.
void set_active_isa(Isa isa);
/// True when f32 products go through OpenBLAS (LINNET_MATMUL=blas): the bit promises are then off. ValueError
/// at first use when LINNET_MATMUL is neither own nor blas, or is blas in a build without it.
bool matmul_uses_blas();
void set_matmul_uses_blas(bool on);  ///< for tests and benchmarks
/// "AVX2, own matmul" or the like, for the tools.
std::string compute_description();

}  // namespace linnet
