// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/kernels/recurrent_table.h"
#include "linnet/core/kernels/vec_loop.h"

namespace linnet::kernels::LINNET_ISA {

#include "linnet/core/kernels/recurrent_steps.inl"

constinit const RecurrentKernels<float> recurrent = RecurrentSteps<float, F>::table();

}  // namespace linnet::kernels::LINNET_ISA
