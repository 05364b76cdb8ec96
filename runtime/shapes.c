// SPDX-License-Identifier: Apache-2.0
/* Shapes of elementwise ops, products, reductions and normalisation. */
#include "linnet/runtime/shapes.h"

#include "linnet/runtime/packed.h"

lnt_status lnt_same_or(lnt_status status, uint64_t expected, uint64_t actual, lnt_mismatch* mismatch) {
  mismatch->expected = expected;
  mismatch->actual = actual;
  return expected == actual ? LNT_OK : status;
}

lnt_status lnt_same(uint64_t expected, uint64_t actual, lnt_mismatch* mismatch) {
  return lnt_same_or(LNT_E_OP_SHAPE, expected, actual, mismatch);
}

lnt_status lnt_within(uint64_t low, uint64_t value, uint64_t high, lnt_mismatch* mismatch) {
  mismatch->expected = value < low ? low : high;
  mismatch->actual = value;
  return value >= low && value <= high ? LNT_OK : LNT_E_OP_PARAMS;
}

/* The first n axes of b are those of a. */
static lnt_status same_axes(const lnt_tensor* a, const lnt_tensor* b, uint32_t n, lnt_mismatch* mismatch) {
  for (uint32_t i = 0; i < n; ++i) LNT_TRY(lnt_same(a->dims[i], b->dims[i], mismatch));
  return LNT_OK;
}

lnt_status lnt_same_shape(const lnt_tensor* a, const lnt_tensor* b, lnt_mismatch* mismatch) {
  LNT_TRY(lnt_same(a->rank, b->rank, mismatch));
  return same_axes(a, b, a->rank, mismatch);
}

lnt_status lnt_is_vector(const lnt_tensor* t, uint64_t n, lnt_mismatch* mismatch) {
  LNT_TRY(lnt_same(1, t->rank, mismatch));
  return lnt_same(n, t->dims[0], mismatch);
}

lnt_status lnt_all_floats(const lnt_operands* o, lnt_mismatch* mismatch) {
  for (uint32_t i = 0; i < o->n_in; ++i)
    LNT_TRY(lnt_same_or(LNT_E_OP_OPERAND, LNT_F32, o->in[i].dtype, mismatch));
  return lnt_same_or(LNT_E_OP_OPERAND, LNT_F32, o->out[0].dtype, mismatch);
}

lnt_status lnt_is_constant(const lnt_tensor* t, lnt_mismatch* mismatch) {
  return lnt_same_or(LNT_E_OP_OPERAND, LNT_CONST, t->kind, mismatch);
}

lnt_status lnt_check_bias(const lnt_operands* o, uint32_t number, uint64_t n, lnt_mismatch* mismatch) {
  if (o->n_in <= number) return LNT_OK;
  LNT_TRY(lnt_is_constant(&o->in[number], mismatch));
  return lnt_is_vector(&o->in[number], n, mismatch);
}

lnt_status lnt_check_finite(const lnt_operands* o, uint32_t at, lnt_mismatch* mismatch) {
  const uint32_t exponent = lnt_param(o, at) >> 23 & 0xFF;
  return lnt_within(0, exponent, 0xFE, mismatch);
}

/* p and q: as many as the op has, else 0. */
static lnt_status check_numbers(const lnt_operands* o, uint32_t opcode, uint32_t at, lnt_mismatch* mismatch) {
  const uint32_t used = opcode == LNT_CLAMP ? 2 : opcode >= LNT_ELU && opcode <= LNT_POW ? 1 : 0;
  for (uint32_t i = 0; i < 2; ++i) {
    if (i < used)
      LNT_TRY(lnt_check_finite(o, at + i, mismatch));
    else
      LNT_TRY(lnt_same_or(LNT_E_OP_PARAMS, 0, lnt_param(o, at + i), mismatch));
  }
  return LNT_OK;
}

lnt_status lnt_check_activation(const lnt_operands* o, uint32_t at, lnt_mismatch* mismatch) {
  const uint32_t opcode = lnt_param(o, at);
  if (opcode != 0 && !lnt_is_unary(opcode)) return lnt_same_or(LNT_E_OP_PARAMS, 0, opcode, mismatch);
  if (opcode != 0 && lnt_find_kernel((uint16_t)opcode) == NULL)
    return lnt_same_or(LNT_E_OP_UNKNOWN, 0, opcode, mismatch);
  return check_numbers(o, opcode, at + 1, mismatch);
}

lnt_status lnt_has_no_factors(const lnt_tensor* t, lnt_mismatch* mismatch) {
  const uint8_t* at = lnt_factors_at(t);
  for (uint32_t i = 0; i < lnt_scales(t); ++i)
    LNT_TRY(lnt_same_or(LNT_E_QUANT_FACTOR, 0, lnt_u64(at + LNT_FACTOR_BYTES * (size_t)i), mismatch));
  return LNT_OK;
}

lnt_status lnt_is_quantized(const lnt_tensor* t, lnt_mismatch* mismatch) {
  LNT_TRY(lnt_same_or(LNT_E_OP_OPERAND, LNT_I8, t->dtype, mismatch));
  LNT_TRY(lnt_same_or(LNT_E_QUANT_ENTRY, 1, t->entry != NULL, mismatch));
  LNT_TRY(lnt_same_or(LNT_E_QUANT_COUNT, 1, lnt_scales(t), mismatch));
  return lnt_has_no_factors(t, mismatch);
}

lnt_status lnt_like(const lnt_tensor* x, const lnt_tensor* y, lnt_mismatch* mismatch) {
  if (y->dtype != LNT_I8) return LNT_OK;
  LNT_TRY(lnt_is_quantized(x, mismatch));
  LNT_TRY(lnt_is_quantized(y, mismatch));
  LNT_TRY(lnt_same_or(LNT_E_OP_QUANT, lnt_u32(x->entry), lnt_u32(y->entry), mismatch));
  return lnt_same_or(LNT_E_OP_QUANT, lnt_u32(x->entry + LNT_AT_QUANT_SCALES),
                     lnt_u32(y->entry + LNT_AT_QUANT_SCALES), mismatch);
}

LNT_CHECK(unary) {
  LNT_TRY(lnt_all_floats(o, mismatch));
  LNT_TRY(check_numbers(o, o->opcode, 0, mismatch));
  return lnt_same_shape(&o->in[0], &o->out[0], mismatch);
}

/* NumPy's rule: from the last axis back, sizes are equal or one of them is 1 or missing. */
lnt_status lnt_broadcast_shapes(const lnt_operands* o, lnt_mismatch* mismatch) {
  const lnt_tensor *a = &o->in[0], *b = &o->in[1], *y = &o->out[0];
  const uint32_t rank = a->rank > b->rank ? a->rank : b->rank;
  LNT_TRY(lnt_same(rank, y->rank, mismatch));
  for (uint32_t i = 1; i <= rank; ++i) {
    const uint32_t m = i <= a->rank ? a->dims[a->rank - i] : 1, n = i <= b->rank ? b->dims[b->rank - i] : 1;
    if (m != 1 && n != 1) LNT_TRY(lnt_same(m, n, mismatch));
    LNT_TRY(lnt_same(m != 1 ? m : n, y->dims[rank - i], mismatch));
  }
  return LNT_OK;
}

LNT_CHECK(binary) {
  LNT_TRY(lnt_all_floats(o, mismatch));
  return lnt_broadcast_shapes(o, mismatch);
}

/* x [.., in], weight [out, in], bias [out] -> y [.., out] */
lnt_status lnt_dense_shapes(const lnt_operands* o, lnt_mismatch* mismatch) {
  const lnt_tensor *x = &o->in[0], *weight = &o->in[1], *y = &o->out[0];
  LNT_TRY(lnt_is_constant(weight, mismatch));
  LNT_TRY(lnt_same(2, weight->rank, mismatch));
  LNT_TRY(lnt_same(weight->dims[1], x->dims[x->rank - 1], mismatch));
  LNT_TRY(lnt_same(x->rank, y->rank, mismatch));
  LNT_TRY(same_axes(x, y, (uint32_t)x->rank - 1, mismatch));
  LNT_TRY(lnt_same(weight->dims[0], y->dims[y->rank - 1], mismatch));
  return lnt_check_bias(o, 2, weight->dims[0], mismatch);
}

LNT_CHECK(dense) {
  LNT_TRY(lnt_all_floats(o, mismatch));
  LNT_TRY(lnt_check_activation(o, 0, mismatch));
  return lnt_dense_shapes(o, mismatch);
}

LNT_CHECK(matmul) {
  const lnt_tensor *a = &o->in[0], *b = &o->in[1], *y = &o->out[0];
  LNT_TRY(lnt_all_floats(o, mismatch));
  LNT_TRY(lnt_same(2, a->rank, mismatch));
  LNT_TRY(lnt_same(2, b->rank, mismatch));
  LNT_TRY(lnt_same(2, y->rank, mismatch));
  LNT_TRY(lnt_same(a->dims[1], b->dims[0], mismatch));
  LNT_TRY(lnt_same(a->dims[0], y->dims[0], mismatch));
  return lnt_same(b->dims[1], y->dims[1], mismatch);
}

LNT_CHECK(reduce) {
  const lnt_tensor *x = &o->in[0], *y = &o->out[0];
  const uint32_t axes = lnt_param(o, 0), keep = lnt_param(o, 1);
  LNT_TRY(lnt_all_floats(o, mismatch));
  LNT_TRY(lnt_within(1, axes, ((uint64_t)1 << x->rank) - 1, mismatch));
  LNT_TRY(lnt_within(0, keep, 1, mismatch));
  uint32_t rank = 0;
  for (uint32_t i = 0; i < x->rank; ++i) {
    const int reduced = (axes >> i & 1) != 0;
    if (reduced && keep == 0) continue;
    if (rank < y->rank) LNT_TRY(lnt_same(reduced ? 1 : x->dims[i], y->dims[rank], mismatch));
    ++rank;
  }
  if (rank == 0) return lnt_is_vector(y, 1, mismatch);
  return lnt_same(rank, y->rank, mismatch);
}

LNT_CHECK(softmax) {
  LNT_TRY(lnt_all_floats(o, mismatch));
  LNT_TRY(lnt_within(0, lnt_param(o, 0), (uint64_t)o->in[0].rank - 1, mismatch));
  return lnt_same_shape(&o->in[0], &o->out[0], mismatch);
}

LNT_CHECK(batch_norm) {
  const lnt_tensor* x = &o->in[0];
  LNT_TRY(lnt_all_floats(o, mismatch));
  LNT_TRY(lnt_check_activation(o, 0, mismatch));
  for (uint32_t i = 1; i < 4; ++i) LNT_TRY(lnt_check_bias(o, i, x->dims[x->rank - 1], mismatch));
  return lnt_same_shape(x, &o->out[0], mismatch);
}

/* Weight and bias come together. */
static lnt_status both_or_none(const lnt_operands* o, lnt_mismatch* mismatch) {
  return o->n_in == 2 ? lnt_same_or(LNT_E_OP_ARITY, 3, 2, mismatch) : LNT_OK;
}

LNT_CHECK(group_norm) {
  const lnt_tensor* x = &o->in[0];
  LNT_TRY(lnt_all_floats(o, mismatch));
  LNT_TRY(both_or_none(o, mismatch));
  LNT_TRY(lnt_same(x->rank < 2 ? 2 : x->rank, x->rank, mismatch));
  const uint32_t channels = x->dims[x->rank - 1], groups = lnt_param(o, 0);
  LNT_TRY(lnt_within(1, groups, channels, mismatch));
  LNT_TRY(lnt_same_or(LNT_E_OP_PARAMS, 0, channels % groups, mismatch));
  LNT_TRY(lnt_check_finite(o, 1, mismatch));
  for (uint32_t i = 1; i < 3; ++i) LNT_TRY(lnt_check_bias(o, i, channels, mismatch));
  return lnt_same_shape(x, &o->out[0], mismatch);
}

LNT_CHECK(layer_norm) {
  const lnt_tensor* x = &o->in[0];
  const uint32_t axes = lnt_param(o, 0);
  LNT_TRY(lnt_all_floats(o, mismatch));
  LNT_TRY(both_or_none(o, mismatch));
  LNT_TRY(lnt_within(1, axes, x->rank, mismatch));
  LNT_TRY(lnt_check_finite(o, 1, mismatch));
  for (uint32_t i = 1; i < o->n_in; ++i) {
    LNT_TRY(lnt_is_constant(&o->in[i], mismatch));
    LNT_TRY(lnt_same(axes, o->in[i].rank, mismatch));
    for (uint32_t k = 0; k < axes; ++k)
      LNT_TRY(lnt_same(x->dims[x->rank - axes + k], o->in[i].dims[k], mismatch));
  }
  return lnt_same_shape(x, &o->out[0], mismatch);
}
