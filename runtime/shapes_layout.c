// SPDX-License-Identifier: Apache-2.0
/* Shapes of the ops that move elements. */
#include "linnet/runtime/shapes.h"

/* Integers may be moved, too; the result has the type of all parts, and quantized numbers stay as they are.
 */
static lnt_status one_type(const lnt_operands* o, lnt_mismatch* mismatch) {
  for (uint32_t i = 0; i < o->n_in; ++i) {
    LNT_TRY(lnt_same_or(LNT_E_OP_OPERAND, o->out[0].dtype, o->in[i].dtype, mismatch));
    LNT_TRY(lnt_like(&o->in[i], &o->out[0], mismatch));
  }
  return LNT_OK;
}

/* Parameters of axes that are not there. */
static lnt_status zero_past_rank(const lnt_operands* o, uint32_t at, uint32_t rank, lnt_mismatch* mismatch) {
  for (uint32_t i = rank; i < LNT_MAX_RANK; ++i)
    LNT_TRY(lnt_same_or(LNT_E_OP_PARAMS, 0, lnt_param(o, at + i), mismatch));
  return LNT_OK;
}

LNT_CHECK(reshape) {
  LNT_TRY(one_type(o, mismatch));
  return lnt_same(o->in[0].bytes, o->out[0].bytes, mismatch);
}

LNT_CHECK(transpose) {
  const lnt_tensor *x = &o->in[0], *y = &o->out[0];
  uint32_t seen = 0;
  LNT_TRY(one_type(o, mismatch));
  LNT_TRY(lnt_same(x->rank, y->rank, mismatch));
  LNT_TRY(zero_past_rank(o, 0, x->rank, mismatch));
  for (uint32_t i = 0; i < x->rank; ++i) {
    const uint32_t axis = lnt_param(o, i);
    LNT_TRY(lnt_within(0, axis, (uint64_t)x->rank - 1, mismatch));
    LNT_TRY(lnt_same_or(LNT_E_OP_PARAMS, 0, seen >> axis & 1, mismatch));
    seen |= 1u << axis;
    LNT_TRY(lnt_same(x->dims[axis], y->dims[i], mismatch));
  }
  return LNT_OK;
}

/* The last of the elements taken is one of x. */
LNT_CHECK(slice) {
  const lnt_tensor *x = &o->in[0], *y = &o->out[0];
  const uint32_t axis = lnt_param(o, 0), begin = lnt_param(o, 1), step = lnt_param(o, 2);
  LNT_TRY(one_type(o, mismatch));
  LNT_TRY(lnt_within(0, axis, (uint64_t)x->rank - 1, mismatch));
  LNT_TRY(lnt_within(1, step, UINT32_MAX, mismatch));
  LNT_TRY(lnt_within(0, begin, (uint64_t)x->dims[axis] - 1, mismatch));
  LNT_TRY(lnt_same(x->rank, y->rank, mismatch));
  for (uint32_t i = 0; i < x->rank; ++i)
    if (i != axis) LNT_TRY(lnt_same(x->dims[i], y->dims[i], mismatch));
  const uint64_t most = (x->dims[axis] - 1 - begin) / step + (uint64_t)1;
  return y->dims[axis] <= most ? LNT_OK : lnt_same(most, y->dims[axis], mismatch);
}

LNT_CHECK(concat) {
  const lnt_tensor *first = &o->in[0], *y = &o->out[0];
  const uint32_t axis = lnt_param(o, 0);
  uint64_t total = 0;
  LNT_TRY(one_type(o, mismatch));
  LNT_TRY(lnt_within(0, axis, (uint64_t)first->rank - 1, mismatch));
  LNT_TRY(lnt_same(first->rank, y->rank, mismatch));
  for (uint32_t k = 0; k < o->n_in; ++k) {
    LNT_TRY(lnt_same(first->rank, o->in[k].rank, mismatch));
    for (uint32_t i = 0; i < first->rank; ++i)
      if (i != axis) LNT_TRY(lnt_same(o->in[k].dims[i], y->dims[i], mismatch));
    total += o->in[k].dims[axis];
  }
  return lnt_same(total, y->dims[axis], mismatch);
}

LNT_CHECK(pad) {
  const lnt_tensor *x = &o->in[0], *y = &o->out[0];
  if (x->dtype != LNT_I8) LNT_TRY(lnt_all_floats(o, mismatch));
  LNT_TRY(one_type(o, mismatch));
  if (x->dtype == LNT_I8) LNT_TRY(lnt_same_or(LNT_E_OP_PARAMS, 0, lnt_param(o, 2 * LNT_MAX_RANK), mismatch));
  LNT_TRY(lnt_same(x->rank, y->rank, mismatch));
  LNT_TRY(zero_past_rank(o, 0, x->rank, mismatch));
  LNT_TRY(zero_past_rank(o, LNT_MAX_RANK, x->rank, mismatch));
  for (uint32_t i = 0; i < x->rank; ++i)
    LNT_TRY(lnt_same((uint64_t)lnt_param(o, i) + x->dims[i] + lnt_param(o, LNT_MAX_RANK + i), y->dims[i],
                     mismatch));
  return LNT_OK;
}

/* Indices that the file has are known to be right; others are brought into the table when it runs. */
LNT_CHECK(embedding) {
  const lnt_tensor *weight = &o->in[0], *indices = &o->in[1], *y = &o->out[0];
  LNT_TRY(lnt_same_or(LNT_E_OP_OPERAND, LNT_F32, weight->dtype, mismatch));
  LNT_TRY(lnt_same_or(LNT_E_OP_OPERAND, LNT_I32, indices->dtype, mismatch));
  LNT_TRY(lnt_same_or(LNT_E_OP_OPERAND, LNT_F32, y->dtype, mismatch));
  LNT_TRY(lnt_same(2, weight->rank, mismatch));
  LNT_TRY(lnt_same((uint64_t)indices->rank + 1, y->rank, mismatch));
  for (uint32_t i = 0; i < indices->rank; ++i) LNT_TRY(lnt_same(indices->dims[i], y->dims[i], mismatch));
  LNT_TRY(lnt_same(weight->dims[1], y->dims[indices->rank], mismatch));
  if (indices->kind != LNT_CONST) return LNT_OK;
  for (size_t i = 0; i < indices->bytes / 4; ++i) {
    const uint32_t index = lnt_u32((const uint8_t*)o->in_data[1] + 4 * i);
    mismatch->expected = (uint64_t)weight->dims[0] - 1;
    mismatch->actual = index;
    if (index >= weight->dims[0]) return LNT_E_INDEX;
  }
  return LNT_OK;
}
