// SPDX-License-Identifier: Apache-2.0
/* Shapes of convolution, pooling, resizing and recurrent layers. Sizes are u32; their products and sums are
   taken in u64, where two factors fit. */
#include "linnet/runtime/shapes.h"

/* Of a padded image and what moves in it: sums of two stay within 32 bits, which a size_t may have. */
enum { kLargest = 0x7FFFFFFF };

/* One axis of a window: in + pads >= reach, each pad below reach, out = (in + pads - reach) / stride + 1. */
static lnt_status check_window(const lnt_operands* o, uint32_t axis, uint32_t kernel, uint32_t stride,
                               uint32_t dilation, uint32_t in, uint32_t out, lnt_mismatch* mismatch) {
  const uint32_t before = lnt_param(o, LNT_AT_PADS + 2 * axis),
                 after = lnt_param(o, LNT_AT_PADS + 2 * axis + 1);
  LNT_TRY(lnt_within(1, kernel, kLargest, mismatch));
  LNT_TRY(lnt_within(1, stride, kLargest, mismatch));
  LNT_TRY(lnt_within(1, dilation, kLargest, mismatch));
  const uint64_t reach = ((uint64_t)kernel - 1) * dilation + 1;
  LNT_TRY(lnt_within(0, before, reach - 1, mismatch));
  LNT_TRY(lnt_within(0, after, reach - 1, mismatch));
  const uint64_t padded = (uint64_t)in + before + after;
  LNT_TRY(lnt_within(1, padded, kLargest, mismatch));
  LNT_TRY(lnt_within(1, reach, padded, mismatch));
  return lnt_same((padded - reach) / stride + 1, out, mismatch);
}

/* Images, and the other way round for a transposed convolution. */
static lnt_status check_images(const lnt_operands* o, lnt_mismatch* mismatch) {
  LNT_TRY(lnt_same(4, o->in[0].rank, mismatch));
  LNT_TRY(lnt_same(4, o->out[0].rank, mismatch));
  return lnt_same(o->in[0].dims[0], o->out[0].dims[0], mismatch);
}

/* x [N, H, W, C], weight [O, kh, kw, C/groups], bias [O] -> y [N, .., .., O] */
static lnt_status check_convolution(const lnt_operands* o, uint32_t groups, lnt_mismatch* mismatch) {
  const lnt_tensor *x = &o->in[0], *weight = &o->in[1], *y = &o->out[0];
  LNT_TRY(check_images(o, mismatch));
  LNT_TRY(lnt_is_constant(weight, mismatch));
  LNT_TRY(lnt_same(4, weight->rank, mismatch));
  LNT_TRY(lnt_within(1, groups, x->dims[3], mismatch));
  LNT_TRY(lnt_same_or(LNT_E_OP_PARAMS, 0, x->dims[3] % groups, mismatch));
  LNT_TRY(lnt_same_or(LNT_E_OP_PARAMS, 0, weight->dims[0] % groups, mismatch));
  LNT_TRY(lnt_same(x->dims[3] / groups, weight->dims[3], mismatch));
  LNT_TRY(lnt_same(weight->dims[0], y->dims[3], mismatch));
  return lnt_check_bias(o, 2, weight->dims[0], mismatch);
}

/* A blocked weight cannot have a block in two groups; depthwise weights have blocks of channels. */
static lnt_status check_layout(const lnt_operands* o, uint32_t groups, lnt_mismatch* mismatch) {
  const lnt_tensor* weight = &o->in[1];
  const int depthwise = groups == weight->dims[0] && weight->dims[3] == 1;
  if (weight->layout == LNT_PLAIN || groups == 1 || depthwise) return LNT_OK;
  return lnt_same_or(LNT_E_TENSOR_STORAGE, 0, weight->dims[0] / groups % LNT_BLOCK, mismatch);
}

lnt_status lnt_conv2d_shapes(const lnt_operands* o, lnt_mismatch* mismatch) {
  const lnt_tensor *x = &o->in[0], *weight = &o->in[1], *y = &o->out[0];
  const uint32_t groups = lnt_param(o, LNT_AT_CONV_GROUPS);
  LNT_TRY(check_convolution(o, groups, mismatch));
  LNT_TRY(check_layout(o, groups, mismatch));
  for (uint32_t axis = 0; axis < 2; ++axis)
    LNT_TRY(check_window(o, axis, weight->dims[1 + axis], lnt_param(o, LNT_AT_STRIDE + axis),
                         lnt_param(o, LNT_AT_DILATION + axis), x->dims[1 + axis], y->dims[1 + axis],
                         mismatch));
  return LNT_OK;
}

LNT_CHECK(conv2d) {
  LNT_TRY(lnt_all_floats(o, mismatch));
  LNT_TRY(lnt_conv2d_shapes(o, mismatch));
  return lnt_check_activation(o, LNT_AT_CONV_ACT, mismatch);
}

/* H' = (H - 1) stride + reach - pads + extra, extra < stride: then the window that leads back from y to x
   has exactly the size of x. */
LNT_CHECK(conv_transpose2d) {
  const lnt_tensor *x = &o->in[0], *weight = &o->in[1], *y = &o->out[0];
  LNT_TRY(lnt_all_floats(o, mismatch));
  LNT_TRY(check_convolution(o, lnt_param(o, LNT_AT_CONV_GROUPS + 2), mismatch));
  LNT_TRY(lnt_same_or(LNT_E_TENSOR_STORAGE, LNT_PLAIN, weight->layout, mismatch));
  for (uint32_t axis = 0; axis < 2; ++axis) {
    const uint32_t stride = lnt_param(o, LNT_AT_STRIDE + axis), extra = lnt_param(o, LNT_AT_EXTRA + axis);
    LNT_TRY(check_window(o, axis, weight->dims[1 + axis], stride, lnt_param(o, LNT_AT_DILATION + axis),
                         y->dims[1 + axis], x->dims[1 + axis], mismatch));
    LNT_TRY(lnt_within(0, extra, (uint64_t)stride - 1, mismatch));
    const uint64_t reach = ((uint64_t)weight->dims[1 + axis] - 1) * lnt_param(o, LNT_AT_DILATION + axis) + 1;
    const uint64_t padded = (uint64_t)y->dims[1 + axis] + lnt_param(o, LNT_AT_PADS + 2 * axis) +
                            lnt_param(o, LNT_AT_PADS + 2 * axis + 1);
    LNT_TRY(lnt_same((padded - reach) % stride, extra, mismatch));
  }
  return lnt_check_activation(o, LNT_AT_CONV_ACT + 2, mismatch);
}

lnt_status lnt_pool2d_shapes(const lnt_operands* o, lnt_mismatch* mismatch) {
  const lnt_tensor *x = &o->in[0], *y = &o->out[0];
  LNT_TRY(check_images(o, mismatch));
  for (uint32_t axis = 0; axis < 2; ++axis)
    LNT_TRY(check_window(o, axis, lnt_param(o, LNT_AT_POOL_KERNEL + axis),
                         lnt_param(o, LNT_AT_POOL_STRIDE + axis), 1, x->dims[1 + axis], y->dims[1 + axis],
                         mismatch));
  return lnt_same(x->dims[3], y->dims[3], mismatch);
}

LNT_CHECK(pool2d) {
  LNT_TRY(lnt_all_floats(o, mismatch));
  return lnt_pool2d_shapes(o, mismatch);
}

LNT_CHECK(upsample2d) {
  LNT_TRY(lnt_all_floats(o, mismatch));
  LNT_TRY(check_images(o, mismatch));
  LNT_TRY(lnt_within(LNT_NEAREST, lnt_param(o, 0), LNT_BILINEAR, mismatch));
  for (uint32_t axis = 1; axis < 3; ++axis) { /* products of sizes stay within 64 bits */
    LNT_TRY(lnt_within(1, o->in[0].dims[axis], 1u << 24, mismatch));
    LNT_TRY(lnt_within(1, o->out[0].dims[axis], 1u << 24, mismatch));
  }
  return lnt_same(o->in[0].dims[3], o->out[0].dims[3], mismatch);
}

uint32_t lnt_gates(uint32_t opcode) { return opcode == LNT_LSTM ? 4 : opcode == LNT_GRU ? 3 : 1; }

/* Gates of LNT_RNN_STEPS times and of the step at hand, then h and c. */
uint64_t lnt_recurrent_scratch(const lnt_operands* o) {
  const uint64_t units = o->in[2].dims[1], gates = lnt_gates(o->opcode) * units;
  return 4 * (gates * (LNT_RNN_STEPS + 1) + 2 * units);
}

static lnt_status check_recurrent_weights(const lnt_operands* o, lnt_mismatch* mismatch) {
  const lnt_tensor *x = &o->in[0], *weight_x = &o->in[1], *weight_h = &o->in[2];
  for (uint32_t i = 1; i < 4; ++i) LNT_TRY(lnt_is_constant(&o->in[i], mismatch));
  LNT_TRY(lnt_same(3, x->rank, mismatch));
  LNT_TRY(lnt_same(2, weight_x->rank, mismatch));
  LNT_TRY(lnt_same(2, weight_h->rank, mismatch));
  const uint64_t units = weight_h->dims[1], rows = lnt_gates(o->opcode) * units;
  LNT_TRY(lnt_same(rows, weight_h->dims[0], mismatch));
  LNT_TRY(lnt_same(rows, weight_x->dims[0], mismatch));
  LNT_TRY(lnt_same(x->dims[2], weight_x->dims[1], mismatch));
  LNT_TRY(lnt_same_or(LNT_E_TENSOR_STORAGE, weight_x->layout, weight_h->layout, mismatch));
  LNT_TRY(lnt_is_vector(&o->in[3], rows, mismatch));
  return o->opcode == LNT_GRU ? lnt_check_bias(o, 4, units, mismatch) : LNT_OK;
}

lnt_status lnt_is_plane(const lnt_tensor* t, uint64_t rows, uint64_t columns, lnt_mismatch* mismatch) {
  LNT_TRY(lnt_same(2, t->rank, mismatch));
  LNT_TRY(lnt_same(rows, t->dims[0], mismatch));
  return lnt_same(columns, t->dims[1], mismatch);
}

/* h, c and mask, behind the weights. */
static lnt_status check_recurrent_rest(const lnt_operands* o, uint32_t flags, lnt_mismatch* mismatch) {
  const lnt_tensor* x = &o->in[0];
  uint32_t at = o->opcode == LNT_GRU ? 5 : 4;
  const uint32_t states = (flags & LNT_RNN_STATE) == 0 ? 0 : o->opcode == LNT_LSTM ? 2 : 1;
  const uint32_t masks = (flags & LNT_RNN_MASKED) != 0 ? 1 : 0;
  LNT_TRY(lnt_same_or(LNT_E_OP_ARITY, at + states + masks, o->n_in, mismatch));
  for (uint32_t i = 0; i < o->n_in; ++i)
    if (i + masks < o->n_in || o->in[i].dtype != LNT_I32)
      LNT_TRY(lnt_same_or(LNT_E_OP_OPERAND, LNT_F32, o->in[i].dtype, mismatch));
  for (uint32_t i = 0; i < states; ++i, ++at)
    LNT_TRY(lnt_is_plane(&o->in[at], x->dims[0], o->in[2].dims[1], mismatch));
  return masks != 0 ? lnt_is_plane(&o->in[at], x->dims[0], x->dims[1], mismatch) : LNT_OK;
}

lnt_status lnt_recurrent_result(const lnt_operands* o, int sequence, uint64_t units, uint64_t cells,
                                lnt_mismatch* mismatch) {
  const lnt_tensor *x = &o->in[0], *y = &o->out[0];
  if (!sequence && cells == 0) return lnt_is_plane(y, x->dims[0], units, mismatch);
  LNT_TRY(lnt_same(3, y->rank, mismatch));
  LNT_TRY(lnt_same(x->dims[0], y->dims[0], mismatch));
  LNT_TRY(lnt_same((sequence ? (uint64_t)x->dims[1] : 1) + cells, y->dims[1], mismatch));
  return lnt_same(units, y->dims[2], mismatch);
}

LNT_CHECK(recurrent) {
  const uint32_t flags = lnt_param(o, 0);
  const uint32_t known = LNT_RNN_REVERSE | LNT_RNN_SEQUENCE | LNT_RNN_MASKED | LNT_RNN_STATE |
                         (o->opcode == LNT_LSTM ? LNT_RNN_CELL : 0) |
                         (o->opcode == LNT_RNN ? LNT_RNN_RELU : 0);
  LNT_TRY(lnt_same_or(LNT_E_OP_PARAMS, 0, flags & ~known, mismatch));
  LNT_TRY(check_recurrent_weights(o, mismatch));
  LNT_TRY(check_recurrent_rest(o, flags, mismatch));
  LNT_TRY(lnt_same_or(LNT_E_OP_OPERAND, LNT_F32, o->out[0].dtype, mismatch));
  return lnt_recurrent_result(o, (flags & LNT_RNN_SEQUENCE) != 0, o->in[2].dims[1],
                              (flags & LNT_RNN_CELL) != 0 ? 1 : 0, mismatch);
}
