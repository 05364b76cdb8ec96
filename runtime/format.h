// SPDX-License-Identifier: Apache-2.0
#ifndef LINNET_RUNTIME_FORMAT_H
#define LINNET_RUNTIME_FORMAT_H
// clang-format off
/* The .linnet model file, version 1.1, byte by byte (the reasons are in docs/model_file.md).

Integers and floats are little-endian. "zero" means: these bytes are 0. A model has exactly one encoding:
order, offsets and padding are prescribed, and a reader refuses any other.

  HEADER, 64 bytes
     0  u8[8]  magic          89 4C 4E 54 0D 0A 1A 0A
     8  u16    major          1; another major is refused
    10  u16    minor          the lowest minor that knows all the file uses: 1 with anything of format_int8.h,
                              else 0; a higher one than 1 is accepted
    12  u32    flags          LNT_FLAG_*; this version knows no file with a flag
    16  u64    file_len       of the whole file
    24  u32    n_sections     5..LNT_MAX_SECTIONS
    28  u32    header_crc     CRC-32C of header and section table, taken with this field 0
    32  u8[16] graph_hash     identity of the graph, chosen by the writer (equal graphs, equal hash)
    48  u64    model_version  counts up with every release of a model
    56  u8[8]  zero
  SECTION TABLE, n_sections x 32 bytes
     0  u32    type           LNT_SECTION_*, strictly ascending
     4  u32    flags          LNT_SECTION_REQUIRED: who does not know the type must refuse the file; else 0
     8  u64    off            from the file start: the end of what comes before (the table or a section),
                              rounded up to align, the padding zero
    16  u64    len            may be 0; the last section ends at file_len
    24  u32    crc            CRC-32C of its len bytes
    28  u32    align          8 for TENS, OPS, QUANT, PLAN, META, GOLD; 64 for DATA, or 4096 to map it by pages;
                              for types to come a power of two, 8..4096
  TENS, OPS, PLAN, DATA (required) and META (not required) are always there; GOLD (not required) may be left out.
  QUANT (required) is described in format_int8.h.

  TENS  48 bytes a tensor; the tensor's id is its place. First all constants in the order in which the ops
        first read them (each is read), then the inputs by port, then what the ops write, in that order.
     0  u8     dtype          LNT_F32; LNT_I8: quantized; LNT_I32: of constants and what ops only move, indices, masks;
                              LNT_I16: of constants
     1  u8     rank           1..6
     2  u8     kind           LNT_CONST, LNT_IN, LNT_ACT, LNT_OUT, LNT_TMP
     3  u8     encoding       LNT_RAW, or of constants LNT_PACKED (format_int8.h)
     4  u8     layout         LNT_PLAIN (row-major; a weight is [out, in]), or of f32 weights that are
                              constants LNT_BLOCKED: [dim 0 / 16, rounded up][other dims][16], filled up with 0
     5  u8     port           number of the input or output, from 0 without gaps; for other kinds 0
     6  u16    zero
     8  u32[6] dims           each >= 1, those past the rank 0; the batch is one of them (1 in our exports)
    32  u32    quant          place of its entry in QUANT, LNT_NO_QUANT without
    36  u32    bytes          in DATA or in the arena; unless packed: product of dims x element size (dim 0 of a
                              blocked one rounded up to 16)
    40  u64    off            LNT_CONST: in DATA; otherwise in the arena, a multiple of 16

  OPS   in running order until the section ends, each
     0  u16    opcode         LNT_DENSE ...
     2  u8     n_in
     3  u8     n_out
     4  u16    param_len      multiple of 4
     6  u16    version        1; of the op's meaning
     8  u32[]  ids            n_in that it reads (constants, inputs, what earlier ops wrote), then n_out that
                              it writes: the next ids that nobody has written yet
     .  u8[]   params         param_len bytes

        The ops, with what they read, write and are told, are in format_ops.h.
  PLAN  the memory plan
     0  u64    arena_bytes    the largest off + bytes of a tensor in the arena, rounded up to 16
     8  u32    alignment      16, of the arena's start and of every off in it
    12  u32    zero
    16  u32[]  last           for each tensor that is no constant, by id: the number (from 0) of the last op
                              that reads it; LNT_LAST_END for LNT_OUT; of LNT_TMP, the scratch that some ops
                              "write" as their second output, that op. Each LNT_IN and LNT_ACT is read.
        A tensor lives from the op that writes it (an input from before op 0) through `last`. What lives at
        the same time does not overlap, but for one case: what an op marked (same) in format_ops.h writes may
        lie exactly on its first input (same off and bytes) if it is the last reader. At most LNT_MAX_LIVE
        live at a time.

  DATA  the constants by id, each at the end of the one before rounded up to 64, packed ones to 4, padding zero; then
        DATA ends

  META  entries `key=value` and a NUL; keys of a-z 0-9 . _ - and strictly ascending by bytes; values UTF-8.
        input.N, output.N  name of that port        task        classification or regression
        labels             one a line               preprocess  what was done to the inputs in training
        ops                names of the ops, separated by spaces, for a selective build of the runtime
        Provenance: writer (program and version), min_runtime (major.minor of this format), passes (what the
        exporter's passes found), checkpoint_sha256, weights_sha256, recipe, dataset.
        Other keys are the writer's own.

  GOLD  golden cases, with which a build proves itself on its board: inputs are generated, outputs are stored
     0  u32    n_cases        LNT_MIN_GOLDEN..LNT_MAX_GOLDEN
     4  u32    zero
     8  u64    seed
    16  8 bytes for each input by port: low, high, of f32 or, of others, i32; low < high; of f32 high - low is finite,
        of i8 both are in -128..127
     .  the outputs, as in the arena, of case 0 by port, of case 1, ...; then GOLD ends
        Element i of input `port` in case c comes from word w = i mod 4 of the block i / 4 of Philox4x32-10,
        whose counter is {block as u64, 32 c + port as u64} and whose key is the seed, low words first:
        f32 low + (high - low) * (w >> 8) / 2^24, rounded once each; else low + (w * (high - low) >> 32), exactly.
        What a run gives is right when integers are equal and f32 differ by at most 1e-4 of the largest finite stored
        number of that port, in all cases together; equal infinities and NaN for NaN are right, too.

  Reserved: LNT_FLAG_ENCRYPTED; LNT_FLAG_SIGNED: 80 bytes after the last
  section: key id u8[8], alg u32, zero u32, Ed25519ph signature u8[64] of all bytes before. A minor may add
  section types, opcodes, op versions and dtypes; within a major nothing changes its meaning. */
// clang-format on

#include <stddef.h>
#include <stdint.h>

#include "linnet/runtime/format_int8.h"
#include "linnet/runtime/format_ops.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LNT_MAGIC "\x89LNT\r\n\x1a\n" /* 8 bytes and the C string's own NUL */

enum {
  LNT_FORMAT_MAJOR = 1,
  LNT_FORMAT_MINOR = 1, /* the highest that this runtime knows */
  LNT_MINOR_FLOAT = 0,  /* of a file without anything of format_int8.h, */
  LNT_MINOR_INT8 = 1,   /* and with it */

  LNT_HEADER_BYTES = 64,
  LNT_SECTION_BYTES = 32,
  LNT_TENSOR_BYTES = 48,
  LNT_OP_BYTES = 8,    /* without ids and params */
  LNT_PLAN_BYTES = 16, /* without last[] */
  LNT_GOLD_BYTES = 16, /* without ranges and outputs */

  LNT_SECTION_ALIGN = 8,
  LNT_DATA_ALIGN = 64,
  LNT_PAGE_ALIGN = 4096,
  LNT_ARENA_ALIGN = 16,
  LNT_FILE_ALIGN = 16, /* of the buffer that holds the file */

  LNT_MAX_RANK = 6,
  LNT_MAX_SECTIONS = 32,
  LNT_MAX_PORTS = 32, /* inputs, and outputs */
  LNT_MAX_LIVE = 64,
  LNT_MIN_GOLDEN = 8,
  LNT_MAX_GOLDEN = 1024
};

#define LNT_NO_QUANT 0xFFFFFFFFu
#define LNT_LAST_END 0xFFFFFFFFu

/* Where the fields are. */
enum {
  LNT_AT_MAJOR = 8,
  LNT_AT_MINOR = 10,
  LNT_AT_FLAGS = 12,
  LNT_AT_FILE_LEN = 16,
  LNT_AT_N_SECTIONS = 24,
  LNT_AT_HEADER_CRC = 28,
  LNT_AT_GRAPH_HASH = 32,
  LNT_AT_MODEL_VERSION = 48,
  LNT_AT_HEADER_ZERO = 56,

  LNT_AT_SECTION_TYPE = 0,
  LNT_AT_SECTION_FLAGS = 4,
  LNT_AT_SECTION_OFF = 8,
  LNT_AT_SECTION_LEN = 16,
  LNT_AT_SECTION_CRC = 24,
  LNT_AT_SECTION_ALIGN = 28,

  LNT_AT_DTYPE = 0,
  LNT_AT_RANK = 1,
  LNT_AT_KIND = 2,
  LNT_AT_ENCODING = 3,
  LNT_AT_LAYOUT = 4,
  LNT_AT_PORT = 5,
  LNT_AT_TENSOR_ZERO = 6,
  LNT_AT_DIMS = 8,
  LNT_AT_QUANT = 32,
  LNT_AT_BYTES = 36,
  LNT_AT_OFF = 40,

  LNT_AT_OPCODE = 0,
  LNT_AT_N_IN = 2,
  LNT_AT_N_OUT = 3,
  LNT_AT_PARAM_LEN = 4,
  LNT_AT_OP_VERSION = 6,
  LNT_AT_IDS = 8,

  LNT_AT_ARENA_BYTES = 0,
  LNT_AT_ALIGNMENT = 8,
  LNT_AT_PLAN_ZERO = 12,
  LNT_AT_LAST = 16,

  LNT_AT_GOLD_CASES = 0,
  LNT_AT_GOLD_ZERO = 4,
  LNT_AT_GOLD_SEED = 8,
  LNT_AT_GOLD_RANGES = 16
};

enum { LNT_FLAG_ENCRYPTED = 1, LNT_FLAG_SIGNED = 2 };

enum {
  LNT_SECTION_TENS = 1,
  LNT_SECTION_OPS = 2,
  LNT_SECTION_QUANT = 3,
  LNT_SECTION_PLAN = 4,
  LNT_SECTION_DATA = 5,
  LNT_SECTION_META = 6,
  LNT_SECTION_GOLD = 7
};
enum { LNT_SECTION_REQUIRED = 1 };

/* As linnet::DType, which has no i16. */
enum { LNT_F32 = 0, LNT_F64 = 1, LNT_I8 = 2, LNT_U8 = 3, LNT_I32 = 4, LNT_I64 = 5, LNT_I16 = 16 };
enum { LNT_CONST = 0, LNT_ACT = 1, LNT_IN = 2, LNT_OUT = 3, LNT_TMP = 4 };
enum { LNT_RAW = 0, LNT_PACKED = 1 };
enum { LNT_PLAIN = 0, LNT_BLOCKED = 1 };

/* CRC-32C (Castagnoli, reflected 0x82F63B78). Pass 0 first, then the result so far to go on with more bytes.
 */
uint32_t lnt_crc32c(uint32_t crc, const void* bytes, size_t len);

#ifdef __cplusplus
}
#endif
#endif
