// SPDX-License-Identifier: Apache-2.0
#ifndef LINNET_RUNTIME_RUNTIME_IMPL_H
#define LINNET_RUNTIME_RUNTIME_IMPL_H
/* What the runtime's own files share: reading the file's records, and the table of ops. Private. */

#include <string.h>

#include "linnet/runtime/linnet_runtime.h"

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "Constants are read in place from a little-endian file: this runtime needs a little-endian target."
#endif

static inline uint16_t lnt_u16(const uint8_t* p) { return (uint16_t)(p[0] | p[1] << 8); }
static inline uint32_t lnt_u32(const uint8_t* p) { return lnt_u16(p) | (uint32_t)lnt_u16(p + 2) << 16; }
static inline uint64_t lnt_u64(const uint8_t* p) { return lnt_u32(p) | (uint64_t)lnt_u32(p + 4) << 32; }

static inline float lnt_f32(const uint8_t* p) {
  const uint32_t bits = lnt_u32(p);
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static inline uint64_t lnt_round_up(uint64_t n, uint64_t power_of_two) {
  return (n + power_of_two - 1) & ~(power_of_two - 1);
}

/* One record of TENS. */
typedef struct lnt_tensor {
  const uint8_t* record;
  const uint8_t* entry; /* in QUANT, null without */
  uint8_t dtype, rank, kind, encoding, layout, port;
  uint32_t dims[LNT_MAX_RANK];
  uint32_t quant, bytes;
  uint64_t off;
} lnt_tensor;

lnt_tensor lnt_read_tensor(const lnt_info* info, uint32_t id);
/* For an op, which sees no packing: `bytes` are those in memory. */
lnt_tensor lnt_read_operand(const lnt_info* info, uint32_t id);

static inline size_t lnt_size_of(uint8_t dtype) { return dtype == LNT_I8 ? 1 : dtype == LNT_I16 ? 2 : 4; }
/* Of a tensor as it lies in memory. */
static inline size_t lnt_elements(const lnt_tensor* t) { return t->bytes / lnt_size_of(t->dtype); }

/* The entry: its zero, number of scales, the scale of a row, and where the factors begin. */
static inline int32_t lnt_zero(const lnt_tensor* t) { return (int32_t)lnt_u32(t->entry + LNT_AT_QUANT_ZERO); }
static inline uint32_t lnt_scales(const lnt_tensor* t) { return lnt_u32(t->entry + LNT_AT_QUANT_COUNT); }
static inline float lnt_scale(const lnt_tensor* t, size_t row) {
  return lnt_f32(t->entry + LNT_AT_QUANT_SCALES + 4 * (lnt_scales(t) == 1 ? 0 : row));
}
static inline const uint8_t* lnt_factors_at(const lnt_tensor* t) {
  return t->entry + LNT_AT_QUANT_SCALES + 4 * (size_t)lnt_scales(t);
}
/* A factor that reference.h can take. */
int lnt_is_factor(const uint8_t* at);

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

enum { LNT_MAX_OP_IN = 8, LNT_MAX_OP_OUT = 2 };

/* The tensors of one op with, when it runs, their memory. */
typedef struct lnt_operands {
  uint32_t opcode, n_in;
  lnt_tensor in[LNT_MAX_OP_IN], out[LNT_MAX_OP_OUT];
  const void* in_data[LNT_MAX_OP_IN];
  void* out_data[LNT_MAX_OP_OUT];
  const uint8_t* params;
  lnt_status* status; /* of the run: what the data, not the file, did wrong */
  lnt_parallel parallel;
  void* context;
} lnt_operands;

static inline uint32_t lnt_param(const lnt_operands* o, uint32_t i) {
  return lnt_u32(o->params + 4 * (size_t)i);
}
static inline float lnt_param_float(const lnt_operands* o, uint32_t i) {
  return lnt_f32(o->params + 4 * (size_t)i);
}
/* Elements of a tensor of the axes begin .. end - 1. */
static inline size_t lnt_count(const lnt_tensor* t, uint32_t begin, uint32_t end) {
  size_t n = 1;
  for (uint32_t i = begin; i < end; ++i) n *= t->dims[i];
  return n;
}

/* Products from which an op is shared out: waking a thread costs some microseconds. */
enum { LNT_WORTH_SHARING = 50000 };
/* task(work, i) for every i < count, by the caller's threads if there are any. */
void lnt_share(const lnt_operands* o, lnt_task task, void* work, uint32_t count);

/* The three parameters ACT; those that are cheap are applied while the result is in registers. */
typedef enum lnt_clamp { LNT_CLAMP_NONE, LNT_CLAMP_RELU, LNT_CLAMP_RELU6 } lnt_clamp;
typedef struct lnt_activation {
  uint32_t opcode;
  float p, q;
  lnt_clamp clamp;
} lnt_activation;
lnt_activation lnt_read_activation(const lnt_operands* o, uint32_t at);

/* A difference between what an op gives and what the file says. */
typedef struct lnt_mismatch {
  uint64_t expected, actual;
} lnt_mismatch;

/* Instruction sets of this build, the plain one first. */
#if defined(LNT_HAS_X86_SETS)
#define LNT_ISAS(X, name) X(name, scalar) X(name, avx2) X(name, avx512)
enum { LNT_N_ISAS = 3 };
#elif defined(LNT_HAS_ARM_SETS)
#define LNT_ISAS(X, name) X(name, scalar) X(name, neon)
enum { LNT_N_ISAS = 2 };
#else
#define LNT_ISAS(X, name) X(name, scalar)
enum { LNT_N_ISAS = 1 };
#endif

typedef void (*lnt_run_fn)(const lnt_operands* operands);

/* An op of the runtime: what the verifier holds its record against, and its kernels. */
typedef struct lnt_kernel {
  uint16_t opcode, version, n_params;
  uint8_t min_in, max_in;
  uint8_t in_place; /* 1: output 0 may lie on input 0 */
  uint8_t blocked;  /* bit i: input i may be in the blocked layout */
  lnt_status (*check)(const lnt_operands* operands, lnt_mismatch* mismatch);
  /* Bytes of the scratch that is its second output; null when it has none. Called after check. */
  uint64_t (*scratch)(const lnt_operands* operands);
  lnt_run_fn run[LNT_N_ISAS];
} lnt_kernel;

static inline uint8_t lnt_n_out(const lnt_kernel* kernel) { return kernel->scratch != NULL ? 2 : 1; }

const lnt_kernel* lnt_find_kernel(uint16_t opcode); /* null: not in this build */
int lnt_is_unary(uint32_t opcode);

/* Multiply-adds of an op, or the bytes that it moves. */
uint64_t lnt_work(const lnt_operands* operands, uint32_t n_out);

/* Place of an instruction set in lnt_kernel's run, or LNT_N_ISAS when this build lacks it; and the best. */
uint32_t lnt_isa_place(lnt_isa isa);
lnt_isa lnt_best_isa(void);

/* Records in info->problem what is wrong at this byte of the file, and returns the status. */
lnt_status lnt_fail(lnt_info* info, lnt_status status, const uint8_t* at, uint64_t expected, uint64_t actual);
#define LNT_REQUIRE(condition, info, status, at, expected, actual)         \
  do {                                                                     \
    if (!(condition)) return lnt_fail(info, status, at, expected, actual); \
  } while (0)

/* META is sorted entries key=value; META's span is set. */
lnt_status lnt_check_meta(lnt_info* info);

/* Second half of lnt_check: TENS, OPS, PLAN and DATA against each other; info's spans are set. First the
   records of tensors, whose number is known. */
lnt_status lnt_check_tensors(lnt_info* info, const lnt_limits* limits);
lnt_status lnt_check_graph(lnt_info* info, const lnt_limits* limits);

/* The entry of a tensor; *end is where the entry before ends in QUANT. */
typedef enum lnt_need { LNT_NO_ENTRY, LNT_MAY_HAVE_ENTRY, LNT_NEEDS_ENTRY } lnt_need;
lnt_status lnt_check_entry(lnt_info* info, const lnt_tensor* t, lnt_need need, uint64_t* end);

/* GOLD, if there is one, after the graph. */
lnt_status lnt_check_gold(lnt_info* info, const lnt_limits* limits);

#endif
