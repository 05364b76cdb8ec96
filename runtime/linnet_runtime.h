// SPDX-License-Identifier: Apache-2.0
#ifndef LINNET_RUNTIME_LINNET_RUNTIME_H
#define LINNET_RUNTIME_LINNET_RUNTIME_H
/* Runs a .linnet model (runtime/format.h) on a board: C99, no heap, no library but memcpy and memset, no
   global state.

     static uint8_t arena[ARENA_BYTES] __attribute__((aligned(16)));
     lnt_info info;
     lnt_model model;
     if (lnt_check(file, file_len, NULL, &info) != LNT_OK) ...      once; prints:
   lnt_problem_text(&info.problem, ...) if (lnt_bind(&model, &info, arena, sizeof arena) != LNT_OK) ... once
     lnt_view x, y;
     lnt_input(&model, 0, &x);  lnt_output(&model, 0, &y);
     write x.data;  lnt_run(&model);  read y.data;                   as often as wanted

   The caller owns all memory. The file's bytes must stay, unchanged, while info or model are used. Threads:
   one file serves any number of models; a model and its arena belong to one thread at a time. */

#include <stddef.h>
#include <stdint.h>

#include "linnet/runtime/format.h"

#ifdef __cplusplus
extern "C" {
#endif

/* X(name, "what is wrong. What to try.") */
#define LNT_STATUSES(X)                                                                                     \
  X(OK, "no error. Go on.")                                                                                 \
  X(E_BAD_ARGUMENT, "null pointer, unknown port, or not checked and bound. Call lnt_check, then lnt_bind.") \
  X(E_MISALIGNED, "address not aligned. Align file buffer and arena to 16 bytes.")                          \
  X(E_ARENA_TOO_SMALL, "arena too small. Give it info.arena_bytes.")                                        \
  X(E_TRUNCATED, "file cut short. Copy or export it again.")                                                \
  X(E_TRAILING_BYTES, "bytes after the end of the file. Pass its exact length, or copy it again.")          \
  X(E_NOT_A_MODEL, "not a .linnet file. Export one with linnet export --format linnet.")                    \
  X(E_VERSION, "another format version. Export again with a version that fits this runtime.")               \
  X(E_OVER_LIMIT, "larger than the limit allows. Raise it in lnt_limits if the board can hold the model.")  \
  X(E_HEADER_CHECKSUM, "header damaged. Copy the file again.")                                              \
  X(E_SECTION_CHECKSUM, "section damaged. Copy the file again.")                                            \
  X(E_FLAGS, "signed, encrypted or unknown kind of file. Use a runtime that knows it.")                     \
  X(E_NOT_ZERO, "reserved or padding byte not zero. Export again.")                                         \
  X(E_SECTION_COUNT, "wrong number of sections. Export again.")                                             \
  X(E_SECTION_ORDER, "sections not ascending by type. Export again.")                                       \
  X(E_SECTION_FLAGS, "wrong section flags. Export again.")                                                  \
  X(E_SECTION_ALIGN, "wrong section alignment. Export again.")                                              \
  X(E_SECTION_BOUNDS, "section not where it must be, or past the end. Export again.")                       \
  X(E_SECTION_SIZE, "section length does not fit its contents. Export again.")                              \
  X(E_SECTION_MISSING, "required section missing. Export again.")                                           \
  X(E_SECTION_UNKNOWN, "required section of a newer format. Use a newer runtime.")                          \
  X(E_TENSOR_DTYPE, "element type not supported. Use a newer runtime, or export in f32.")                   \
  X(E_TENSOR_RANK, "tensor rank outside 1..6. Export again.")                                               \
  X(E_TENSOR_KIND, "tensor kind unknown or out of order. Export again.")                                    \
  X(E_TENSOR_STORAGE, "encoding, layout or quantization not supported. Use a newer runtime.")               \
  X(E_TENSOR_PORT, "inputs or outputs not numbered from 0 to at most 31. Export again.")                    \
  X(E_TENSOR_DIMS, "tensor dimension 0 where one is needed, or set past the rank. Export again.")           \
  X(E_TENSOR_BYTES, "tensor size does not fit its shape, or is 4 GiB or more. Export again.")               \
  X(E_DATA_OFFSET, "constant not where it must be in DATA. Export again.")                                  \
  X(E_PACKED, "packed constant breaks a rule of its packing. Export again.")                                \
  X(E_QUANT_ENTRY, "quantization missing, not wanted, or not where it must be in QUANT. Export again.")     \
  X(E_QUANT_SCALE, "scale not positive and normal. Quantize again with other ranges.")                      \
  X(E_QUANT_ZERO, "zero point outside -128..127, or of a weight not 0. Export again.")                      \
  X(E_QUANT_COUNT, "number of scales neither 1 nor that of the rows, or all are alike. Export again.")      \
  X(E_QUANT_FACTOR, "multiplier or shift out of range, or where none belongs. Export again.")               \
  X(E_PLAN_ALIGN, "arena offset or alignment not 16. Export again.")                                        \
  X(E_PLAN_BOUNDS, "tensor outside the arena. Export again.")                                               \
  X(E_PLAN_ARENA, "arena size does not fit its tensors. Export again.")                                     \
  X(E_PLAN_LIFETIME, "tensor read after its life, or an output's does not last to the end. Export again.")  \
  X(E_PLAN_UNREAD, "tensor not read by the op that its life ends with. Export again.")                      \
  X(E_PLAN_OVERLAP, "tensors that live at the same time overlap in the arena. Export again.")               \
  X(E_PLAN_LIVE, "too many tensors live at the same time. Split the model.")                                \
  X(E_OP_CUT, "op runs past the end of OPS. Export again.")                                                 \
  X(E_OP_UNKNOWN, "op not in this runtime. Use a newer or complete runtime.")                               \
  X(E_OP_VERSION, "version of an op not in this runtime. Use a newer runtime.")                             \
  X(E_OP_ARITY, "wrong number of op inputs or outputs. Export again.")                                      \
  X(E_OP_PARAMS, "wrong op parameters. Export again.")                                                      \
  X(E_OP_READS, "op reads what is not written yet. Export again.")                                          \
  X(E_OP_WRITES, "op writes a constant, an input, what is written already, or out of order. Export again.") \
  X(E_OP_OPERAND, "op needs a constant where it has none. Export again.")                                   \
  X(E_OP_QUANT, "scale or zero point not the one that the op prescribes. Export again.")                    \
  X(E_WEIGHT, "quantized weight below -127. Export again.")                                                 \
  X(E_SUMS, "sums of products may leave 32 bits, or are not those of the weights. Split the layer.")        \
  X(E_OP_SHAPE, "stored shape is not the shape that the op gives. Export again.")                           \
  X(E_CONST_ORDER, "constant not read, or not numbered by first reading. Export again.")                    \
  X(E_UNWRITTEN, "tensor that no op writes. Export again.")                                                 \
  X(E_INDEX, "index outside the table of an embedding. Pass 0 to the number of rows less one.")             \
  X(E_ISA, "instruction set not in this build or processor. Take one that lnt_has_isa says is there.")      \
  X(E_META, "META not sorted, not UTF-8, or not key=value entries. Export again.")                          \
  X(E_GOLD, "number of golden cases outside 8..1024, or no range to draw an input from. Export again.")     \
  X(E_NO_GOLD, "file has no golden cases. Export it with them.")                                            \
  X(E_SELF_TEST, "outputs are not the golden ones. Use a runtime that was built right, or export again.")

typedef enum lnt_status {
#define LNT_STATUS_ENUM(name, text) LNT_##name,
  LNT_STATUSES(LNT_STATUS_ENUM)
#undef LNT_STATUS_ENUM
      LNT_N_STATUSES
} lnt_status;

/* "what is wrong. What to try."; never null. */
const char* lnt_status_text(lnt_status status);

/* Where lnt_check found the problem. */
typedef struct lnt_problem {
  lnt_status status;
  uint32_t section; /* LNT_SECTION_* or 0 for header and section table */
  uint64_t offset;  /* of the field, from the file start */
  uint64_t expected, actual;
} lnt_problem;

/* Writes "lnt_check: what is wrong: OPS, byte 312: expected 3, got 7. What to try." with a NUL, cut to
   capacity; returns the full length without the NUL. */
size_t lnt_problem_text(const lnt_problem* problem, char* text, size_t capacity);

/* What a caller is ready to load. Anything larger is refused before it is read. */
typedef struct lnt_limits {
  uint64_t file_bytes, arena_bytes;
  uint32_t tensors, ops;
  uint64_t work; /* multiply-adds of one run, and bytes moved by what does not multiply; and of all golden
                    cases together */
} lnt_limits;
#define LNT_DEFAULT_LIMITS \
  { 1u << 30, 1u << 30, 1u << 16, 1u << 16, 1ull << 36 }

typedef struct lnt_span {
  const uint8_t* at;
  size_t len;
} lnt_span;

/* A verified file. Made by lnt_check only. */
typedef struct lnt_info {
  lnt_span file, tens, ops, quant, plan, data, meta, gold; /* file.at is null unless the check went well */
  uint64_t model_version, work;                            /* work: of one run, as in lnt_limits */
  uint8_t graph_hash[16];
  size_t arena_bytes; /* with the packed constants, which lie unpacked from unpacked_at on */
  size_t unpacked_at;
  uint32_t n_tensors, n_consts, n_inputs, n_outputs, n_ops, n_golden;
  lnt_problem problem; /* status LNT_OK, or what is wrong */
} lnt_info;

/* Verifies every rule of format.h for file[0, len), aligned to LNT_FILE_ALIGN; limits may be null (the
   defaults). Fills *info; on failure all of it but `problem` is zero. One pass over the file, and one over
   its weights for each integer op; about 1.5 KB of stack. */
lnt_status lnt_check(const void* file, size_t len, const lnt_limits* limits, lnt_info* info);

/* The value of a META key, NUL-terminated inside the file; null when there is none. */
const char* lnt_meta(const lnt_info* info, const char* key);

/* Instruction sets that kernels are compiled for. All but LNT_SCALAR give the same bits. */
typedef enum lnt_isa { LNT_SCALAR, LNT_AVX2, LNT_AVX512, LNT_NEON } lnt_isa;
/* 1 when this build has kernels for it and this processor runs them. */
int lnt_has_isa(lnt_isa isa);

/* How a caller lends its threads: runs task(work, i) for every i < count, in any order and at the same time
   as it likes, and returns when all have ended. */
typedef void (*lnt_task)(void* work, uint32_t i);
typedef void (*lnt_parallel)(void* context, lnt_task task, void* work, uint32_t count);

typedef struct lnt_model {
  lnt_info info;
  uint8_t* arena;
  lnt_isa isa;           /* the best there is; lnt_set_isa changes it */
  lnt_parallel parallel; /* null: lnt_run uses no thread but its caller's */
  void* context;
} lnt_model;

/* Ties a checked file to the memory it runs in: at least info->arena_bytes, aligned to LNT_ARENA_ALIGN, used
   by nobody else. Unpacks constants; inputs start as zeros. On failure *model stays unbound. */
lnt_status lnt_bind(lnt_model* model, const lnt_info* info, void* arena, size_t arena_len);

/* LNT_E_ISA when lnt_has_isa says no. */
lnt_status lnt_set_isa(lnt_model* model, lnt_isa isa);

/* lnt_run shares dense layers and convolutions out in pieces; the results are the same bits. Null for
   parallel takes it back. */
lnt_status lnt_set_parallel(lnt_model* model, lnt_parallel parallel, void* context);

/* A tensor at the model's border. */
typedef struct lnt_view {
  void* data; /* in the arena */
  size_t bytes;
  const char* name; /* "" when the file has none */
  uint32_t dtype, rank;
  uint32_t dims[LNT_MAX_RANK];
  float scale; /* of LNT_I8: real = scale (q - zero); else 0 */
  int32_t zero;
} lnt_view;

lnt_status lnt_input(const lnt_model* model, uint32_t port, lnt_view* view);
lnt_status lnt_output(const lnt_model* model, uint32_t port, lnt_view* view);

/* Runs all ops. Inputs may be overwritten: write them before every run. Outputs stay until the next.
   LNT_E_INDEX when an index of an embedding was outside its table: the nearest row was taken. */
lnt_status lnt_run(lnt_model* model);

/* How the golden cases went. */
typedef struct lnt_self_test_result {
  uint32_t cases, failed; /* failed: cases with a wrong output */
  float error; /* largest difference from a golden output in parts of the largest of its port, FLT_MAX where
                  no number says it; up to 1e-4 is right */
} lnt_self_test_result;

/* Runs the golden cases of the file, in the model's arena and on its instruction set; result may be null.
   Inputs and outputs are overwritten: write all inputs before the next run. LNT_E_SELF_TEST when an output is
   wrong, LNT_E_NO_GOLD when there are no cases. What else lnt_run says ends the test: that case counts as
   failed, and the result has the cases so far. */
lnt_status lnt_self_test(lnt_model* model, lnt_self_test_result* result);

#ifdef __cplusplus
}
#endif
#endif
