// SPDX-License-Identifier: Apache-2.0
#ifndef LINNET_RUNTIME_SHAPES_H
#define LINNET_RUNTIME_SHAPES_H
/* What the verifier holds each op's tensors and parameters against: format_ops.h as functions. They see
   tensors whose rank, dims (each at least 1) and bytes (below 2^32) are in order, and give LNT_OK or what is
   wrong. Private. */

#include "linnet/runtime/runtime_impl.h"

/* One comparison: LNT_E_OP_SHAPE, or another status, when the two differ. */
lnt_status lnt_same(uint64_t expected, uint64_t actual, lnt_mismatch* mismatch);
lnt_status lnt_same_or(lnt_status status, uint64_t expected, uint64_t actual, lnt_mismatch* mismatch);
/* LNT_E_OP_PARAMS unless low <= value <= high. */
lnt_status lnt_within(uint64_t low, uint64_t value, uint64_t high, lnt_mismatch* mismatch);
/* Rank and dims are those of the other. */
lnt_status lnt_same_shape(const lnt_tensor* a, const lnt_tensor* b, lnt_mismatch* mismatch);
/* t is [n]. */
lnt_status lnt_is_vector(const lnt_tensor* t, uint64_t n, lnt_mismatch* mismatch);
/* All operands are f32. */
lnt_status lnt_all_floats(const lnt_operands* o, lnt_mismatch* mismatch);
/* A constant; and a bias, the input of that number if there is one, that is a constant [n]. */
lnt_status lnt_is_constant(const lnt_tensor* t, lnt_mismatch* mismatch);
lnt_status lnt_check_bias(const lnt_operands* o, uint32_t number, uint64_t n, lnt_mismatch* mismatch);
/* ACT at these parameters. */
lnt_status lnt_check_activation(const lnt_operands* o, uint32_t at, lnt_mismatch* mismatch);
/* t is [rows, columns]. */
lnt_status lnt_is_plane(const lnt_tensor* t, uint64_t rows, uint64_t columns, lnt_mismatch* mismatch);
/* The shapes alone, whatever the types; of convolutions with weight and bias constant. */
lnt_status lnt_dense_shapes(const lnt_operands* o, lnt_mismatch* mismatch);
lnt_status lnt_conv2d_shapes(const lnt_operands* o, lnt_mismatch* mismatch);
lnt_status lnt_pool2d_shapes(const lnt_operands* o, lnt_mismatch* mismatch);
lnt_status lnt_broadcast_shapes(const lnt_operands* o, lnt_mismatch* mismatch);
/* y of a recurrent op, with a row for c if `cells` is 1. */
lnt_status lnt_recurrent_result(const lnt_operands* o, int sequence, uint64_t units, uint64_t cells,
                                lnt_mismatch* mismatch);
lnt_status lnt_has_no_factors(const lnt_tensor* t, lnt_mismatch* mismatch);
/* An i8 of one scale and zero for all, without factors. */
lnt_status lnt_is_quantized(const lnt_tensor* t, lnt_mismatch* mismatch);
/* y, an i8 of one scale, has the scale and zero of x if it is one. */
lnt_status lnt_like(const lnt_tensor* x, const lnt_tensor* y, lnt_mismatch* mismatch);
/* What is not finite is no parameter. */
lnt_status lnt_check_finite(const lnt_operands* o, uint32_t at, lnt_mismatch* mismatch);

/* Leaves the function with what is wrong. */
#define LNT_TRY(expression)                    \
  do {                                         \
    const lnt_status lnt_tried = (expression); \
    if (lnt_tried != LNT_OK) return lnt_tried; \
  } while (0)

#define LNT_CHECK(name) lnt_status lnt_check_##name(const lnt_operands* o, lnt_mismatch* mismatch)
LNT_CHECK(unary);
LNT_CHECK(binary);
LNT_CHECK(dense);
LNT_CHECK(matmul);
LNT_CHECK(conv2d);
LNT_CHECK(conv_transpose2d);
LNT_CHECK(pool2d);
LNT_CHECK(upsample2d);
LNT_CHECK(recurrent);
LNT_CHECK(reduce);
LNT_CHECK(softmax);
LNT_CHECK(reshape);
LNT_CHECK(transpose);
LNT_CHECK(slice);
LNT_CHECK(concat);
LNT_CHECK(pad);
LNT_CHECK(batch_norm);
LNT_CHECK(group_norm);
LNT_CHECK(layer_norm);
LNT_CHECK(embedding);
LNT_CHECK(quantize);
LNT_CHECK(dequantize);
LNT_CHECK(i8_dense);
LNT_CHECK(i8_conv2d);
LNT_CHECK(i8_pool2d);
LNT_CHECK(i8_add);
LNT_CHECK(i8_factor); /* of LNT_I8_MUL and LNT_I8_REQUANTIZE */
LNT_CHECK(i8_lookup);
LNT_CHECK(i8_softmax);
LNT_CHECK(i8_recurrent);
LNT_CHECK(dense_dynamic);
LNT_CHECK(conv2d_dynamic);

uint64_t lnt_recurrent_scratch(const lnt_operands* o);
uint64_t lnt_i8_recurrent_scratch(const lnt_operands* o);
uint64_t lnt_dynamic_scratch(const lnt_operands* o);
uint32_t lnt_gates(uint32_t opcode);

#endif
