// SPDX-License-Identifier: Apache-2.0
/* The table of ops: one row each, with what the verifier holds a record against. */
#include "linnet/runtime/runtime_impl.h"

static lnt_status same(uint64_t expected, uint64_t actual, lnt_mismatch* mismatch) {
  mismatch->expected = expected;
  mismatch->actual = actual;
  return expected == actual ? LNT_OK : LNT_E_OP_SHAPE;
}

/* The first n axes of b are those of a. */
static lnt_status same_axes(const lnt_tensor* a, const lnt_tensor* b, uint32_t n, lnt_mismatch* mismatch) {
  lnt_status status = LNT_OK;
  for (uint32_t i = 0; i < n && status == LNT_OK; ++i) status = same(a->dims[i], b->dims[i], mismatch);
  return status;
}

static lnt_status check_like_input(const lnt_operands* o, lnt_mismatch* mismatch) {
  const lnt_status status = same(o->in[0].rank, o->out[0].rank, mismatch);
  return status == LNT_OK ? same_axes(&o->in[0], &o->out[0], o->in[0].rank, mismatch) : status;
}

/* x [.., in], weight [out, in], bias [out] -> y [.., out] */
static lnt_status check_dense(const lnt_operands* o, lnt_mismatch* mismatch) {
  const lnt_tensor *x = &o->in[0], *weight = &o->in[1], *y = &o->out[0];
  for (uint32_t i = 1; i < o->n_in; ++i) {
    mismatch->expected = LNT_CONST;
    mismatch->actual = o->in[i].kind;
    if (o->in[i].kind != LNT_CONST) return LNT_E_OP_OPERAND;
  }
  lnt_status status = same(2, weight->rank, mismatch);
  if (status == LNT_OK) status = same(weight->dims[1], x->dims[x->rank - 1], mismatch);
  if (status == LNT_OK) status = same(x->rank, y->rank, mismatch);
  if (status == LNT_OK) status = same_axes(x, y, (uint32_t)x->rank - 1, mismatch);
  if (status == LNT_OK) status = same(weight->dims[0], y->dims[y->rank - 1], mismatch);
  if (status == LNT_OK && o->n_in == 3) status = same(1, o->in[2].rank, mismatch);
  if (status == LNT_OK && o->n_in == 3) status = same(weight->dims[0], o->in[2].dims[0], mismatch);
  return status;
}

static lnt_status check_softmax(const lnt_operands* o, lnt_mismatch* mismatch) {
  mismatch->expected = (uint64_t)o->in[0].rank - 1;
  mismatch->actual = lnt_u32(o->params);
  if (mismatch->actual > mismatch->expected) return LNT_E_OP_PARAMS;
  return check_like_input(o, mismatch);
}

static lnt_status check_reshape(const lnt_operands* o, lnt_mismatch* mismatch) {
  return same(o->in[0].bytes, o->out[0].bytes, mismatch);
}

const lnt_kernel* lnt_find_kernel(uint16_t opcode) {
  static const lnt_kernel kernels[] = {
      /* opcode    version params in    out place */
      {LNT_DENSE, 1, 0, 2, 3, 1, 0, check_dense, lnt_run_dense_f32},
      {LNT_RELU, 1, 0, 1, 1, 1, 1, check_like_input, lnt_run_relu_f32},
      {LNT_SOFTMAX, 1, 4, 1, 1, 1, 1, check_softmax, lnt_run_softmax_f32},
      {LNT_RESHAPE, 1, 0, 1, 1, 1, 1, check_reshape, lnt_run_reshape},
  };
  for (size_t i = 0; i < sizeof kernels / sizeof kernels[0]; ++i) {
    if (kernels[i].opcode == opcode) return &kernels[i];
  }
  return NULL;
}
