/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LINNET_RUNTIME_INT8_H
#define LINNET_RUNTIME_INT8_H
/* From the operands of an op to the arguments of reference.h. Private. */

#include "linnet/runtime/kernels.h"
#include "linnet/runtime/reference.h"

static inline lnt_multiplier lnt_param_factor(const lnt_operands* o, uint32_t at) {
  const lnt_multiplier factor = {(int32_t)lnt_param(o, at), (int32_t)lnt_param(o, at + 1)};
  return factor;
}

/* Where the result goes; low and high are at these parameters. */
static inline lnt_i8_range lnt_param_range(const lnt_operands* o, uint32_t at) {
  const lnt_i8_range range = {lnt_zero(&o->out[0]), (int8_t)lnt_param(o, at), (int8_t)lnt_param(o, at + 1)};
  return range;
}

/* QUANT and the counts in it keep factors at multiples of 4. */
static inline lnt_factors lnt_read_factors(const lnt_tensor* weight) {
  const lnt_factors factors = {(const lnt_multiplier*)(const void*)lnt_factors_at(weight),
                               lnt_scales(weight) == 1 ? 0 : 1};
  return factors;
}

/* The work of one sample, as far as it is not of its result. */
lnt_i8_conv_work lnt_i8_conv_of(const lnt_operands* o, int32_t x_zero);

#endif
