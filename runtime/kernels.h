// SPDX-License-Identifier: Apache-2.0
#ifndef LINNET_RUNTIME_KERNELS_H
#define LINNET_RUNTIME_KERNELS_H
/* The kernels: what runs an op, one for each instruction set or, where elements only move, one for all.
   Private. */

#include "linnet/runtime/runtime_impl.h"

#define LNT_DECLARE_KERNEL(name, isa) void lnt_run_##name##_##isa(const lnt_operands* o);
LNT_ISAS(LNT_DECLARE_KERNEL, unary)
LNT_ISAS(LNT_DECLARE_KERNEL, binary)
LNT_ISAS(LNT_DECLARE_KERNEL, batch_norm)
LNT_ISAS(LNT_DECLARE_KERNEL, dense)
LNT_ISAS(LNT_DECLARE_KERNEL, matmul)
LNT_ISAS(LNT_DECLARE_KERNEL, conv2d)
LNT_ISAS(LNT_DECLARE_KERNEL, pool2d)
LNT_ISAS(LNT_DECLARE_KERNEL, reduce)
LNT_ISAS(LNT_DECLARE_KERNEL, softmax)
LNT_ISAS(LNT_DECLARE_KERNEL, group_norm)
LNT_ISAS(LNT_DECLARE_KERNEL, layer_norm)
LNT_ISAS(LNT_DECLARE_KERNEL, recurrent)
LNT_ISAS(LNT_DECLARE_KERNEL, conv_transpose2d)
LNT_ISAS(LNT_DECLARE_KERNEL, upsample2d)
void lnt_run_reshape(const lnt_operands* o);
void lnt_run_transpose(const lnt_operands* o);
void lnt_run_slice(const lnt_operands* o);
void lnt_run_concat(const lnt_operands* o);
void lnt_run_pad(const lnt_operands* o);
void lnt_run_embedding(const lnt_operands* o);
void lnt_run_quantize(const lnt_operands* o);
void lnt_run_dequantize(const lnt_operands* o);
void lnt_run_i8_dense(const lnt_operands* o);
void lnt_run_i8_conv2d(const lnt_operands* o);
void lnt_run_i8_pool2d(const lnt_operands* o);
void lnt_run_i8_binary(const lnt_operands* o);
void lnt_run_i8_requantize(const lnt_operands* o);
void lnt_run_i8_lookup(const lnt_operands* o);
void lnt_run_i8_softmax(const lnt_operands* o);
void lnt_run_i8_recurrent(const lnt_operands* o);
void lnt_run_dense_dynamic(const lnt_operands* o);
void lnt_run_conv2d_dynamic(const lnt_operands* o);

/* Of a convolution: h w c of x, of y, o kh kw of the weight, groups, strides, dilations, top, left. */
#define LNT_CONV_SIZES(o)                                                                               \
  (o)->in[0].dims[1], (o)->in[0].dims[2], (o)->in[0].dims[3], (o)->out[0].dims[1], (o)->out[0].dims[2], \
      (o)->in[1].dims[0], (o)->in[1].dims[1], (o)->in[1].dims[2], lnt_param(o, LNT_AT_CONV_GROUPS),     \
      lnt_param(o, LNT_AT_STRIDE), lnt_param(o, LNT_AT_STRIDE + 1), lnt_param(o, LNT_AT_DILATION),      \
      lnt_param(o, LNT_AT_DILATION + 1), lnt_param(o, LNT_AT_PADS), lnt_param(o, LNT_AT_PADS + 2)

/* Halves to even; x within 32 bits. */
int32_t lnt_round_even(double x);
/* clamp(round(x / scale) + zero), halves to even; of NaN the zero. */
int8_t lnt_quantize(float x, float scale, int32_t zero);

#endif
