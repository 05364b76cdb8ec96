// SPDX-License-Identifier: Apache-2.0
/* The table of ops: one row each, with what the verifier holds a record against. */
#include "linnet/runtime/kernels.h"
#include "linnet/runtime/shapes.h"

int lnt_is_unary(uint32_t opcode) { return opcode == LNT_RELU || (opcode >= LNT_NEG && opcode <= LNT_CLAMP); }

lnt_activation lnt_read_activation(const lnt_operands* o, uint32_t at) {
  lnt_activation act = {lnt_param(o, at), lnt_param_float(o, at + 1), lnt_param_float(o, at + 2),
                        LNT_CLAMP_NONE};
  if (act.opcode == LNT_RELU) act.clamp = LNT_CLAMP_RELU;
  if (act.opcode == LNT_RELU6) act.clamp = LNT_CLAMP_RELU6;
  return act;
}

#define ONE_OF(name, isa) lnt_run_##name##_##isa,
#define EACH(name) \
  { LNT_ISAS(ONE_OF, name) }
#if defined(LNT_HAS_X86_SETS)
#define SAME(name) \
  { lnt_run_##name, lnt_run_##name, lnt_run_##name }
#elif defined(LNT_HAS_ARM_SETS)
#define SAME(name) \
  { lnt_run_##name, lnt_run_##name }
#else
#define SAME(name) \
  { lnt_run_##name }
#endif

#define UNARY(opcode) \
  { opcode, 1, 2, 1, 1, 1, 0, lnt_check_unary, NULL, EACH(unary) }
#define BINARY(opcode) \
  { opcode, 1, 0, 2, 2, 1, 0, lnt_check_binary, NULL, EACH(binary) }

const lnt_kernel* lnt_find_kernel(uint16_t opcode) {
  static const lnt_kernel kernels[] = {
      /* opcode  version params in    place blocked */
      {LNT_DENSE, 1, 3, 2, 3, 0, 1u << 1, lnt_check_dense, NULL, EACH(dense)},
      {LNT_CONV2D, 1, LNT_CONV_PARAMS, 2, 3, 0, 1u << 1, lnt_check_conv2d, NULL, EACH(conv2d)},
      {LNT_RESHAPE, 1, 0, 1, 1, 1, 0, lnt_check_reshape, NULL, SAME(reshape)},
      {LNT_SOFTMAX, 1, 1, 1, 1, 1, 0, lnt_check_softmax, NULL, EACH(softmax)},
      {LNT_LOG_SOFTMAX, 1, 1, 1, 1, 1, 0, lnt_check_softmax, NULL, EACH(softmax)},
      {LNT_MATMUL, 1, 0, 2, 2, 0, 0, lnt_check_matmul, NULL, EACH(matmul)},
      {LNT_CONV_TRANSPOSE2D, 1, LNT_CONV_TRANSPOSE_PARAMS, 2, 3, 0, 0, lnt_check_conv_transpose2d, NULL,
       EACH(conv_transpose2d)},
      {LNT_MAX_POOL2D, 1, LNT_POOL_PARAMS, 1, 1, 0, 0, lnt_check_pool2d, NULL, EACH(pool2d)},
      {LNT_AVG_POOL2D, 1, LNT_POOL_PARAMS, 1, 1, 0, 0, lnt_check_pool2d, NULL, EACH(pool2d)},
      {LNT_UPSAMPLE2D, 1, 1, 1, 1, 0, 0, lnt_check_upsample2d, NULL, EACH(upsample2d)},
      {LNT_RNN, 1, 1, 4, 6, 0, 3u << 1, lnt_check_recurrent, lnt_recurrent_scratch, EACH(recurrent)},
      {LNT_GRU, 1, 1, 5, 7, 0, 3u << 1, lnt_check_recurrent, lnt_recurrent_scratch, EACH(recurrent)},
      {LNT_LSTM, 1, 1, 4, 7, 0, 3u << 1, lnt_check_recurrent, lnt_recurrent_scratch, EACH(recurrent)},
      {LNT_SUM, 1, 2, 1, 1, 0, 0, lnt_check_reduce, NULL, EACH(reduce)},
      {LNT_MEAN, 1, 2, 1, 1, 0, 0, lnt_check_reduce, NULL, EACH(reduce)},
      {LNT_MAX, 1, 2, 1, 1, 0, 0, lnt_check_reduce, NULL, EACH(reduce)},
      {LNT_TRANSPOSE, 1, 6, 1, 1, 0, 0, lnt_check_transpose, NULL, SAME(transpose)},
      {LNT_SLICE, 1, 3, 1, 1, 0, 0, lnt_check_slice, NULL, SAME(slice)},
      {LNT_CONCAT, 1, 1, 2, LNT_MAX_OP_IN, 0, 0, lnt_check_concat, NULL, SAME(concat)},
      {LNT_PAD, 1, 13, 1, 1, 0, 0, lnt_check_pad, NULL, SAME(pad)},
      {LNT_BATCH_NORM, 1, 3, 4, 4, 1, 0, lnt_check_batch_norm, NULL, EACH(batch_norm)},
      {LNT_GROUP_NORM, 1, 2, 1, 3, 1, 0, lnt_check_group_norm, NULL, EACH(group_norm)},
      {LNT_LAYER_NORM, 1, 2, 1, 3, 1, 0, lnt_check_layer_norm, NULL, EACH(layer_norm)},
      {LNT_EMBEDDING, 1, 0, 2, 2, 0, 0, lnt_check_embedding, NULL, SAME(embedding)},
      UNARY(LNT_RELU),
      UNARY(LNT_NEG),
      UNARY(LNT_EXP),
      UNARY(LNT_LOG),
      UNARY(LNT_SQRT),
      UNARY(LNT_SQUARE),
      UNARY(LNT_ABS),
      UNARY(LNT_SIGMOID),
      UNARY(LNT_TANH),
      UNARY(LNT_RELU6),
      UNARY(LNT_HARD_SWISH),
      UNARY(LNT_SILU),
      UNARY(LNT_GELU),
      UNARY(LNT_SOFTPLUS),
      UNARY(LNT_ELU),
      UNARY(LNT_LEAKY_RELU),
      UNARY(LNT_POW),
      UNARY(LNT_CLAMP),
      BINARY(LNT_ADD),
      BINARY(LNT_SUB),
      BINARY(LNT_MUL),
      BINARY(LNT_DIV),
      BINARY(LNT_MAXIMUM),
      BINARY(LNT_MINIMUM),
      BINARY(LNT_PRELU),
  };
  for (size_t i = 0; i < sizeof kernels / sizeof kernels[0]; ++i) {
    if (kernels[i].opcode == opcode) return &kernels[i];
  }
  return NULL;
}
