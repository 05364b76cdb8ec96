// SPDX-License-Identifier: Apache-2.0
/* Types, scales and shapes of the ops on quantized tensors. */
#include "linnet/runtime/packed.h"
#include "linnet/runtime/reference.h"
#include "linnet/runtime/shapes.h"

static lnt_status is_type(const lnt_tensor* t, uint32_t dtype, lnt_mismatch* mismatch) {
  return lnt_same_or(LNT_E_OP_OPERAND, dtype, t->dtype, mismatch);
}

/* y has the scale 2^-bits and this zero. */
static lnt_status has_scale(const lnt_tensor* y, uint32_t bits, int32_t zero, lnt_mismatch* mismatch) {
  LNT_TRY(lnt_is_quantized(y, mismatch));
  LNT_TRY(lnt_same_or(LNT_E_OP_QUANT, (uint32_t)zero, lnt_u32(y->entry), mismatch));
  return lnt_same_or(LNT_E_OP_QUANT, (127 - bits) << 23, lnt_u32(y->entry + LNT_AT_QUANT_SCALES), mismatch);
}

static lnt_status is_weight(const lnt_tensor* t, lnt_mismatch* mismatch) {
  LNT_TRY(lnt_is_constant(t, mismatch));
  LNT_TRY(is_type(t, LNT_I8, mismatch));
  LNT_TRY(lnt_same_or(LNT_E_QUANT_ENTRY, 1, t->entry != NULL, mismatch));
  return lnt_same_or(LNT_E_QUANT_ZERO, 0, lnt_u32(t->entry), mismatch);
}

static lnt_status is_constant_of(const lnt_tensor* t, uint32_t dtype, uint64_t n, lnt_mismatch* mismatch) {
  LNT_TRY(lnt_is_constant(t, mismatch));
  LNT_TRY(is_type(t, dtype, mismatch));
  return lnt_is_vector(t, n, mismatch);
}

/* Two parameters that are i32 in -128..127. */
static lnt_status check_range(const lnt_operands* o, uint32_t at, lnt_mismatch* mismatch) {
  const uint32_t low = lnt_param(o, at) + 128u, high = lnt_param(o, at + 1) + 128u;
  LNT_TRY(lnt_within(0, high, 255, mismatch));
  return lnt_within(0, low, high, mismatch);
}

static lnt_status check_factor(const lnt_operands* o, uint32_t at, lnt_mismatch* mismatch) {
  mismatch->expected = 1u << 30;
  mismatch->actual = lnt_param(o, at);
  return lnt_is_factor(o->params + 4 * (size_t)at) ? LNT_OK : LNT_E_QUANT_FACTOR;
}

/* No weight is -128, and the sums of products cannot leave 32 bits. `sums` of the rows hold bias - zero times
   the sum of the row, with no bias unless `biased`; null: there are none, and the zero is that of x. */
static lnt_status check_products(const lnt_operands* o, uint32_t weight, const lnt_tensor* x,
                                 const uint8_t* sums, int biased, lnt_mismatch* mismatch) {
  const lnt_packed p = lnt_open(&o->in[weight], (const uint8_t*)o->in_data[weight]);
  const uint64_t rows = p.elements / p.terms;
  const int64_t zero = sums != NULL ? lnt_zero(x) : 0;
  lnt_walk w = {0, 0, 0, 0, 0};
  int there = lnt_next(&p, &w);
  for (uint64_t row = 0, end = p.terms; row < rows; ++row, end += p.terms) {
    int64_t sum = 0;
    for (; there && w.place < end; there = lnt_next(&p, &w)) {
      LNT_TRY(lnt_same_or(LNT_E_WEIGHT, 0, w.bits == 128, mismatch));
      sum += lnt_signed(w.bits);
    }
    const int64_t bias = sums != NULL ? (int32_t)lnt_u32(sums + 4 * (size_t)row) + zero * sum : 0;
    mismatch->expected = biased ? 66311 : 0; /* terms that fit without a bias */
    mismatch->actual = biased || bias == 0 ? p.terms : (uint64_t)bias;
    if (!lnt_i8_fits(p.terms, bias) || (!biased && bias != 0)) return LNT_E_SUMS;
  }
  return LNT_OK;
}

LNT_CHECK(quantize) {
  LNT_TRY(is_type(&o->in[0], LNT_F32, mismatch));
  LNT_TRY(lnt_is_quantized(&o->out[0], mismatch));
  return lnt_same_shape(&o->in[0], &o->out[0], mismatch);
}

LNT_CHECK(dequantize) {
  LNT_TRY(lnt_is_quantized(&o->in[0], mismatch));
  LNT_TRY(is_type(&o->out[0], LNT_F32, mismatch));
  return lnt_same_shape(&o->in[0], &o->out[0], mismatch);
}

/* x, weight and sums of a layer, whose shapes are right. */
static lnt_status check_layer(const lnt_operands* o, lnt_mismatch* mismatch) {
  LNT_TRY(lnt_is_quantized(&o->in[0], mismatch));
  LNT_TRY(is_weight(&o->in[1], mismatch));
  LNT_TRY(is_type(&o->in[2], LNT_I32, mismatch));
  LNT_TRY(lnt_is_quantized(&o->out[0], mismatch));
  return check_products(o, 1, &o->in[0], (const uint8_t*)o->in_data[2], 1, mismatch);
}

LNT_CHECK(i8_dense) {
  LNT_TRY(lnt_dense_shapes(o, mismatch));
  LNT_TRY(check_range(o, 0, mismatch));
  return check_layer(o, mismatch);
}

LNT_CHECK(i8_conv2d) {
  LNT_TRY(lnt_conv2d_shapes(o, mismatch));
  LNT_TRY(check_range(o, LNT_AT_I8_CONV_RANGE, mismatch));
  return check_layer(o, mismatch);
}

/* The sum over a window stays within 32 bits. */
LNT_CHECK(i8_pool2d) {
  LNT_TRY(lnt_pool2d_shapes(o, mismatch));
  LNT_TRY(is_type(&o->out[0], LNT_I8, mismatch));
  LNT_TRY(lnt_like(&o->in[0], &o->out[0], mismatch));
  uint64_t places = 1; /* below 2^62 */
  for (uint32_t axis = 0; axis < 2; ++axis) {
    const uint32_t kernel = lnt_param(o, LNT_AT_POOL_KERNEL + axis), size = o->in[0].dims[1 + axis];
    places *= kernel < size ? kernel : size;
  }
  return lnt_within(1, places, (1u << 23) - 1, mismatch);
}

static lnt_status all_quantized(const lnt_operands* o, lnt_mismatch* mismatch) {
  for (uint32_t i = 0; i < o->n_in; ++i) LNT_TRY(lnt_is_quantized(&o->in[i], mismatch));
  return lnt_is_quantized(&o->out[0], mismatch);
}

LNT_CHECK(i8_add) {
  LNT_TRY(all_quantized(o, mismatch));
  for (uint32_t at = 0; at < LNT_AT_I8_ADD_RANGE; at += 2) LNT_TRY(check_factor(o, at, mismatch));
  LNT_TRY(check_range(o, LNT_AT_I8_ADD_RANGE, mismatch));
  return lnt_broadcast_shapes(o, mismatch);
}

LNT_CHECK(i8_factor) {
  LNT_TRY(all_quantized(o, mismatch));
  LNT_TRY(check_factor(o, 0, mismatch));
  LNT_TRY(check_range(o, LNT_AT_I8_FACTOR_RANGE, mismatch));
  return o->n_in == 2 ? lnt_broadcast_shapes(o, mismatch) : lnt_same_shape(&o->in[0], &o->out[0], mismatch);
}

LNT_CHECK(i8_lookup) {
  LNT_TRY(lnt_is_quantized(&o->in[0], mismatch));
  LNT_TRY(is_constant_of(&o->in[1], LNT_I8, 256, mismatch));
  LNT_TRY(lnt_same_or(LNT_E_QUANT_ENTRY, 0, o->in[1].entry != NULL, mismatch));
  LNT_TRY(lnt_is_quantized(&o->out[0], mismatch));
  return lnt_same_shape(&o->in[0], &o->out[0], mismatch);
}

/* table[0] is that of the largest: no sum of a line is 0. */
LNT_CHECK(i8_softmax) {
  LNT_TRY(lnt_is_quantized(&o->in[0], mismatch));
  LNT_TRY(has_scale(&o->out[0], 8, -128, mismatch));
  LNT_TRY(is_constant_of(&o->in[1], LNT_I32, 256, mismatch));
  const uint8_t* table = (const uint8_t*)o->in_data[1];
  uint32_t last = 1u << 23;
  LNT_TRY(lnt_same_or(LNT_E_OP_OPERAND, last, lnt_u32(table), mismatch));
  for (uint32_t i = 1; i < 256; ++i) {
    const uint32_t value = lnt_u32(table + 4 * (size_t)i);
    if (value > last) return lnt_same_or(LNT_E_OP_OPERAND, last, value, mismatch);
    last = value;
  }
  LNT_TRY(lnt_within(0, lnt_param(o, 0), (uint64_t)o->in[0].rank - 1, mismatch));
  return lnt_same_shape(&o->in[0], &o->out[0], mismatch);
}

/* i16 gates, c of an LSTM and h of a GRU, then the i8 h that products read. */
uint64_t lnt_i8_recurrent_scratch(const lnt_operands* o) {
  return lnt_round_up((o->opcode == LNT_I8_LSTM ? 11 : 9) * (uint64_t)o->in[2].dims[1], 4);
}

LNT_CHECK(i8_recurrent) {
  const lnt_tensor *x = &o->in[0], *weight_x = &o->in[1], *weight_h = &o->in[2];
  const int lstm = o->opcode == LNT_I8_LSTM;
  const uint32_t flags = lnt_param(o, 0), known = LNT_RNN_REVERSE | LNT_RNN_SEQUENCE;
  LNT_TRY(lnt_same_or(LNT_E_OP_PARAMS, 0, flags & ~known, mismatch));
  if (lstm) LNT_TRY(lnt_within(0, lnt_param(o, 1), 4, mismatch));
  LNT_TRY(lnt_is_quantized(x, mismatch));
  LNT_TRY(is_weight(weight_x, mismatch));
  LNT_TRY(is_weight(weight_h, mismatch));
  LNT_TRY(has_scale(&o->out[0], 7, 0, mismatch));
  LNT_TRY(lnt_same(3, x->rank, mismatch));
  LNT_TRY(lnt_same(2, weight_h->rank, mismatch));
  const uint64_t units = weight_h->dims[1], rows = (lstm ? 4 : 3) * units;
  LNT_TRY(lnt_is_plane(weight_h, rows, units, mismatch));
  LNT_TRY(lnt_is_plane(weight_x, rows, x->dims[2], mismatch));
  LNT_TRY(is_constant_of(&o->in[3], LNT_I32, rows, mismatch));
  LNT_TRY(is_constant_of(&o->in[4], LNT_I16, rows, mismatch));
  if (!lstm) LNT_TRY(is_constant_of(&o->in[5], LNT_I16, units, mismatch));
  for (uint32_t i = o->n_in - 2; i < o->n_in; ++i)
    LNT_TRY(is_constant_of(&o->in[i], LNT_I16, LNT_GATE_TABLE, mismatch));
  LNT_TRY(check_products(o, 1, x, (const uint8_t*)o->in_data[3], 0, mismatch));
  LNT_TRY(check_products(o, 2, NULL, NULL, 0, mismatch));
  return lnt_recurrent_result(o, (flags & LNT_RNN_SEQUENCE) != 0, units, 0, mismatch);
}

/* Sums of rows, and the numbers of a sample. */
uint64_t lnt_dynamic_scratch(const lnt_operands* o) {
  return 4 * (uint64_t)o->in[1].dims[0] + lnt_round_up(lnt_elements(&o->in[0]) / o->in[0].dims[0], 4);
}

static lnt_status check_dynamic(const lnt_operands* o, lnt_mismatch* mismatch) {
  LNT_TRY(is_type(&o->in[0], LNT_F32, mismatch));
  LNT_TRY(is_weight(&o->in[1], mismatch));
  LNT_TRY(lnt_has_no_factors(&o->in[1], mismatch));
  if (o->n_in == 3) LNT_TRY(is_type(&o->in[2], LNT_F32, mismatch));
  LNT_TRY(is_type(&o->out[0], LNT_F32, mismatch));
  return check_products(o, 1, NULL, NULL, 0, mismatch);
}

LNT_CHECK(dense_dynamic) {
  LNT_TRY(lnt_dense_shapes(o, mismatch));
  LNT_TRY(lnt_same(o->in[0].rank < 2 ? 2 : o->in[0].rank, o->in[0].rank, mismatch));
  LNT_TRY(lnt_check_activation(o, 0, mismatch));
  return check_dynamic(o, mismatch);
}

LNT_CHECK(conv2d_dynamic) {
  LNT_TRY(lnt_conv2d_shapes(o, mismatch));
  LNT_TRY(lnt_check_activation(o, LNT_AT_CONV_ACT, mismatch));
  return check_dynamic(o, mismatch);
}
