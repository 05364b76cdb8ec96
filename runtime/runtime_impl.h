// SPDX-License-Identifier: Apache-2.0
#ifndef LINNET_RUNTIME_RUNTIME_IMPL_H
#define LINNET_RUNTIME_RUNTIME_IMPL_H
/* What the runtime's own files share: reading the file's records, and the table of ops. Private. */

#include "linnet/runtime/linnet_runtime.h"

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "Constants are read in place from a little-endian file: this runtime needs a little-endian target."
#endif

static inline uint16_t lnt_u16(const uint8_t* p) { return (uint16_t)(p[0] | p[1] << 8); }
static inline uint32_t lnt_u32(const uint8_t* p) { return lnt_u16(p) | (uint32_t)lnt_u16(p + 2) << 16; }
static inline uint64_t lnt_u64(const uint8_t* p) { return lnt_u32(p) | (uint64_t)lnt_u32(p + 4) << 32; }

static inline uint64_t lnt_round_up(uint64_t n, uint64_t power_of_two) {
  return (n + power_of_two - 1) & ~(power_of_two - 1);
}

/* One record of TENS. */
typedef struct lnt_tensor {
  const uint8_t* record;
  uint8_t dtype, rank, kind, encoding, layout, port;
  uint32_t dims[LNT_MAX_RANK];
  uint32_t quant, bytes;
  uint64_t off;
} lnt_tensor;

lnt_tensor lnt_read_tensor(const lnt_info* info, uint32_t id);

/* One record of OPS. */
typedef struct lnt_op {
  const uint8_t* record;
  uint16_t opcode, version, param_len;
  uint8_t n_in, n_out;
} lnt_op;

lnt_op lnt_read_op(const uint8_t* record);

static inline size_t lnt_op_size(const lnt_op* op) {
  return LNT_OP_BYTES + 4 * ((size_t)op->n_in + op->n_out) + op->param_len;
}
static inline uint32_t lnt_op_input(const lnt_op* op, uint32_t i) {
  return lnt_u32(op->record + LNT_AT_IDS + 4 * (size_t)i);
}
static inline uint32_t lnt_op_output(const lnt_op* op, uint32_t i) {
  return lnt_op_input(op, (uint32_t)op->n_in + i);
}
static inline const uint8_t* lnt_op_params(const lnt_op* op) {
  return op->record + LNT_AT_IDS + 4 * ((size_t)op->n_in + op->n_out);
}

enum { LNT_MAX_OP_IN = 3, LNT_MAX_OP_OUT = 1 };

/* The tensors of one op with, when it runs, their memory. */
typedef struct lnt_operands {
  uint32_t n_in;
  lnt_tensor in[LNT_MAX_OP_IN], out[LNT_MAX_OP_OUT];
  const void* in_data[LNT_MAX_OP_IN];
  void* out_data[LNT_MAX_OP_OUT];
  const uint8_t* params;
} lnt_operands;

/* A difference between what an op gives and what the file says. */
typedef struct lnt_mismatch {
  uint64_t expected, actual;
} lnt_mismatch;

/* An op of the runtime: what the verifier holds its record against, and its kernel. */
typedef struct lnt_kernel {
  uint16_t opcode, version, param_len;
  uint8_t min_in, max_in, n_out;
  uint8_t in_place; /* 1: output 0 may lie on input 0 */
  lnt_status (*check)(const lnt_operands* operands, lnt_mismatch* mismatch);
  void (*run)(const lnt_operands* operands);
} lnt_kernel;

const lnt_kernel* lnt_find_kernel(uint16_t opcode); /* null: not in this build */

void lnt_run_dense_f32(const lnt_operands* operands);
void lnt_run_relu_f32(const lnt_operands* operands);
void lnt_run_softmax_f32(const lnt_operands* operands);
void lnt_run_reshape(const lnt_operands* operands);

/* Records in info->problem what is wrong at this byte of the file, and returns the status. */
lnt_status lnt_fail(lnt_info* info, lnt_status status, const uint8_t* at, uint64_t expected, uint64_t actual);
#define LNT_REQUIRE(condition, info, status, at, expected, actual)         \
  do {                                                                     \
    if (!(condition)) return lnt_fail(info, status, at, expected, actual); \
  } while (0)

/* META is sorted entries key=value; META's span is set. */
lnt_status lnt_check_meta(lnt_info* info);

/* Second half of lnt_check: TENS, OPS, PLAN and DATA against each other; info's spans are set. */
lnt_status lnt_check_graph(lnt_info* info, const lnt_limits* limits);

#endif
