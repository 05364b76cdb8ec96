// SPDX-License-Identifier: Apache-2.0
#pragma once
// Which instruction set the kernels use: the best one of the machine, or the one LINNET_ISA names.

#include <string>
#include <string_view>
#include <vector>

namespace linnet {

enum class Isa { sse2, avx2, avx512, neon };

std::string_view name(Isa isa);
/// Those that this program contains and this machine can run, worst first.
const std::vector<Isa>& available_isas();
/// The one in use. ValueError at first use when LINNET_ISA names none that is available.
Isa active_isa();
/// For tests and benchmarks; ValueError unless available.
void set_active_isa(Isa isa);
/// True when f32 products go through OpenBLAS (LINNET_MATMUL=blas): the bit promises are then off.
bool matmul_uses_blas();
/// "AVX2, own matmul" or the like, for the tools.
std::string compute_description();

}  // namespace linnet
