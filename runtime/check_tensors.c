// SPDX-License-Identifier: Apache-2.0
/* The records of TENS, and what they say of DATA, QUANT and the arena: each part has its place, which follows
   from the records before. */
#include "linnet/runtime/packed.h"

/* dtype, rank, storage, dims, bytes: what a record must be whatever its place. *bytes: in memory. */
static lnt_status check_tensor(lnt_info* info, const lnt_tensor* t, uint64_t* bytes) {
  const uint8_t* r = t->record;
  const int constant = t->kind == LNT_CONST, packable = t->dtype == LNT_F32 || t->dtype == LNT_I8;
  LNT_REQUIRE(packable || t->dtype == LNT_I32 || (t->dtype == LNT_I16 && constant), info, LNT_E_TENSOR_DTYPE,
              r + LNT_AT_DTYPE, LNT_F32, t->dtype);
  LNT_REQUIRE(t->rank >= 1 && t->rank <= LNT_MAX_RANK, info, LNT_E_TENSOR_RANK, r + LNT_AT_RANK, LNT_MAX_RANK,
              t->rank);
  LNT_REQUIRE(t->encoding == LNT_RAW || (t->encoding == LNT_PACKED && constant && packable), info,
              LNT_E_TENSOR_STORAGE, r + LNT_AT_ENCODING, LNT_RAW, t->encoding);
  const int blocked = t->layout == LNT_BLOCKED && constant && t->dtype == LNT_F32 && t->rank >= 2;
  LNT_REQUIRE(t->layout == LNT_PLAIN || blocked, info, LNT_E_TENSOR_STORAGE, r + LNT_AT_LAYOUT, LNT_PLAIN,
              t->layout);
  const uint16_t zero = lnt_u16(r + LNT_AT_TENSOR_ZERO);
  LNT_REQUIRE(zero == 0, info, LNT_E_NOT_ZERO, r + LNT_AT_TENSOR_ZERO, 0, zero);

  *bytes = lnt_size_of(t->dtype);
  for (uint32_t i = 0; i < LNT_MAX_RANK; ++i) {
    const uint8_t* at = r + LNT_AT_DIMS + 4 * i;
    if (i >= t->rank) {
      LNT_REQUIRE(t->dims[i] == 0, info, LNT_E_TENSOR_DIMS, at, 0, t->dims[i]);
      continue;
    }
    LNT_REQUIRE(t->dims[i] != 0, info, LNT_E_TENSOR_DIMS, at, 1, 0);
    const uint64_t dim = i == 0 && blocked ? lnt_round_up(t->dims[0], LNT_BLOCK) : t->dims[i];
    *bytes *= dim; /* both at most 2^32 */
    LNT_REQUIRE(*bytes <= UINT32_MAX, info, LNT_E_TENSOR_BYTES, at, UINT32_MAX, *bytes);
  }
  LNT_REQUIRE(t->bytes == *bytes || t->encoding == LNT_PACKED, info, LNT_E_TENSOR_BYTES, r + LNT_AT_BYTES,
              *bytes, t->bytes);
  return LNT_OK;
}

/* The lanes of the last block that no row fills are 0. */
static lnt_status check_blocks(lnt_info* info, const lnt_tensor* t) {
  const uint32_t used = t->dims[0] % LNT_BLOCK;
  if (t->layout != LNT_BLOCKED || t->encoding == LNT_PACKED || used == 0) return LNT_OK;
  const uint8_t* end = info->data.at + t->off + t->bytes;
  const size_t last_block = t->bytes / (lnt_round_up(t->dims[0], LNT_BLOCK) / LNT_BLOCK);
  for (const uint8_t* p = end - last_block; p < end; p += 4 * LNT_BLOCK) {
    for (uint32_t i = 4 * used; i < 4 * LNT_BLOCK; ++i)
      LNT_REQUIRE(p[i] == 0, info, LNT_E_NOT_ZERO, p + i, 0, p[i]);
  }
  return LNT_OK;
}

/* Constants lie one after the other in DATA, each from a multiple of its alignment, zeros between. */
static lnt_status check_constant(lnt_info* info, const lnt_tensor* t, uint64_t* end) {
  const uint64_t off = lnt_round_up(*end, t->encoding == LNT_PACKED ? LNT_PACKED_ALIGN : LNT_DATA_ALIGN);
  const uint64_t len = info->data.len;
  LNT_REQUIRE(t->off == off, info, LNT_E_DATA_OFFSET, t->record + LNT_AT_OFF, off, t->off);
  LNT_REQUIRE(off <= len && t->bytes <= len - off, info, LNT_E_DATA_OFFSET, t->record + LNT_AT_BYTES, len,
              off + t->bytes);
  for (const uint8_t* p = info->data.at + *end; p < info->data.at + off; ++p) {
    LNT_REQUIRE(*p == 0, info, LNT_E_NOT_ZERO, p, 0, *p);
  }
  *end = off + t->bytes;
  return check_blocks(info, t);
}

static lnt_status check_in_arena(lnt_info* info, const lnt_tensor* t, uint64_t* end) {
  const uint64_t arena = info->arena_bytes;
  const uint8_t* at = t->record + LNT_AT_OFF;
  LNT_REQUIRE(t->off % LNT_ARENA_ALIGN == 0, info, LNT_E_PLAN_ALIGN, at, 0, t->off % LNT_ARENA_ALIGN);
  LNT_REQUIRE(t->off <= arena && t->bytes <= arena - t->off, info, LNT_E_PLAN_BOUNDS, at, arena, t->off);
  if (t->off + t->bytes > *end) *end = t->off + t->bytes;
  return LNT_OK;
}

/* Kinds come as constants, inputs, the rest; inputs count their ports up, outputs have each number once. */
static lnt_status check_kind(lnt_info* info, const lnt_tensor* t, uint32_t id, uint32_t* out_ports) {
  const uint8_t* at = t->record + LNT_AT_KIND;
  const uint32_t before = id - info->n_consts - info->n_inputs; /* 0 until the first that an op writes */
  LNT_REQUIRE(t->kind <= LNT_TMP, info, LNT_E_TENSOR_KIND, at, LNT_TMP, t->kind);
  if (t->kind == LNT_CONST) {
    LNT_REQUIRE(id == info->n_consts, info, LNT_E_TENSOR_KIND, at, LNT_ACT, t->kind);
    ++info->n_consts;
  } else if (t->kind == LNT_IN) {
    LNT_REQUIRE(before == 0, info, LNT_E_TENSOR_KIND, at, LNT_ACT, t->kind);
  }

  at = t->record + LNT_AT_PORT;
  if (t->kind == LNT_IN) {
    LNT_REQUIRE(t->port == info->n_inputs && t->port < LNT_MAX_PORTS, info, LNT_E_TENSOR_PORT, at,
                info->n_inputs, t->port);
    ++info->n_inputs;
  } else if (t->kind == LNT_OUT) {
    const uint32_t bit = t->port < LNT_MAX_PORTS ? (uint32_t)1 << t->port : 0;
    LNT_REQUIRE(bit != 0 && (*out_ports & bit) == 0, info, LNT_E_TENSOR_PORT, at, info->n_outputs, t->port);
    *out_ports |= bit;
    ++info->n_outputs;
  } else {
    LNT_REQUIRE(t->port == 0, info, LNT_E_TENSOR_PORT, at, 0, t->port);
  }
  return LNT_OK;
}

/* Where the part of each section ends that the tensors so far take. */
typedef struct ends {
  uint64_t data, arena, quant, unpacked;
} ends;

/* Of what an op writes, and of raw numbers, the type says whether there is an entry; of packed ones they do.
 */
static lnt_need need_of(const lnt_info* info, const lnt_tensor* t) {
  const int packed = t->encoding == LNT_PACKED;
  if (t->dtype == LNT_I8) return t->kind == LNT_CONST && !packed ? LNT_MAY_HAVE_ENTRY : LNT_NEEDS_ENTRY;
  return packed && info->data.at[t->off + LNT_AT_NUMBER] >= LNT_NUMBER_I8 ? LNT_NEEDS_ENTRY : LNT_NO_ENTRY;
}

/* What a tensor's record says of the sections beside it. */
static lnt_status check_places(lnt_info* info, const lnt_tensor* t, uint64_t bytes, ends* e) {
  lnt_status status =
      t->kind == LNT_CONST ? check_constant(info, t, &e->data) : check_in_arena(info, t, &e->arena);
  if (status == LNT_OK && t->encoding == LNT_PACKED) status = lnt_check_packed(info, t, bytes, &e->unpacked);
  return status == LNT_OK ? lnt_check_entry(info, t, need_of(info, t), &e->quant) : status;
}

/* The minor version is the lowest that knows all types and encodings, unless it is one to come. */
static lnt_status check_minor(lnt_info* info, uint32_t needed) {
  const uint8_t* at = info->file.at + LNT_AT_MINOR;
  const uint32_t minor = lnt_u16(at);
  LNT_REQUIRE(minor == needed || minor > LNT_FORMAT_MINOR, info, LNT_E_VERSION, at, needed, minor);
  return LNT_OK;
}

/* Unpacked constants lie behind the planned part of the arena. */
static lnt_status add_unpacked(lnt_info* info, const lnt_limits* limits, uint64_t bytes) {
  const uint64_t at = lnt_round_up(info->arena_bytes, LNT_UNPACKED_ALIGN);
  const uint64_t most = limits->arena_bytes < SIZE_MAX ? limits->arena_bytes : SIZE_MAX;
  const uint64_t arena = lnt_round_up(at + bytes, LNT_ARENA_ALIGN);
  if (bytes == 0) return LNT_OK;
  LNT_REQUIRE(at >= info->arena_bytes && arena >= at && arena <= most, info, LNT_E_OVER_LIMIT,
              info->plan.at + LNT_AT_ARENA_BYTES, most, arena);
  info->unpacked_at = (size_t)at;
  info->arena_bytes = (size_t)arena;
  return LNT_OK;
}

static lnt_status check_all(lnt_info* info, const lnt_limits* limits) {
  ends e = {0, 0, 0, 0};
  uint32_t out_ports = 0, minor = LNT_MINOR_FLOAT;
  for (uint32_t id = 0; id < info->n_tensors; ++id) {
    const lnt_tensor t = lnt_read_tensor(info, id);
    uint64_t bytes = 0;
    lnt_status status = check_tensor(info, &t, &bytes);
    if (status == LNT_OK) status = check_kind(info, &t, id, &out_ports);
    if (status == LNT_OK) status = check_places(info, &t, bytes, &e);
    if (status != LNT_OK) return status;
    if (t.encoding == LNT_PACKED || t.dtype == LNT_I8 || t.dtype == LNT_I16) minor = LNT_MINOR_INT8;
  }
  const uint8_t* at = info->tens.at;
  LNT_REQUIRE(info->n_inputs != 0 && info->n_outputs != 0, info, LNT_E_TENSOR_PORT, at, 1, 0);
  const uint32_t all_ports = info->n_outputs == 32 ? UINT32_MAX : ((uint32_t)1 << info->n_outputs) - 1;
  LNT_REQUIRE(out_ports == all_ports, info, LNT_E_TENSOR_PORT, at, all_ports, out_ports);
  LNT_REQUIRE(e.data == info->data.len, info, LNT_E_SECTION_SIZE, info->data.at, e.data, info->data.len);
  const int no_quant = info->quant.at == NULL;
  LNT_REQUIRE(e.quant == info->quant.len && no_quant == (e.quant == 0), info, LNT_E_SECTION_SIZE,
              no_quant ? at : info->quant.at, e.quant, info->quant.len);

  at = info->plan.at + LNT_AT_ARENA_BYTES;
  const uint64_t arena = lnt_round_up(e.arena, LNT_ARENA_ALIGN);
  LNT_REQUIRE(info->arena_bytes == arena, info, LNT_E_PLAN_ARENA, at, arena, info->arena_bytes);
  at = info->plan.at;
  const uint64_t len = LNT_PLAN_BYTES + 4 * (uint64_t)(info->n_tensors - info->n_consts);
  LNT_REQUIRE(info->plan.len == len, info, LNT_E_SECTION_SIZE, at, len, info->plan.len);
  const lnt_status status = add_unpacked(info, limits, e.unpacked);
  return status == LNT_OK ? check_minor(info, minor) : status;
}

static lnt_status check_plan_header(lnt_info* info, const lnt_limits* limits) {
  const uint8_t* p = info->plan.at;
  LNT_REQUIRE(info->plan.len >= LNT_PLAN_BYTES, info, LNT_E_SECTION_SIZE, p, LNT_PLAN_BYTES, info->plan.len);
  const uint64_t arena = lnt_u64(p + LNT_AT_ARENA_BYTES);
  const uint64_t most = limits->arena_bytes < SIZE_MAX ? limits->arena_bytes : SIZE_MAX;
  LNT_REQUIRE(arena <= most, info, LNT_E_OVER_LIMIT, p + LNT_AT_ARENA_BYTES, most, arena);
  info->arena_bytes = (size_t)arena;
  const uint32_t align = lnt_u32(p + LNT_AT_ALIGNMENT);
  LNT_REQUIRE(align == LNT_ARENA_ALIGN, info, LNT_E_PLAN_ALIGN, p + LNT_AT_ALIGNMENT, LNT_ARENA_ALIGN, align);
  const uint32_t zero = lnt_u32(p + LNT_AT_PLAN_ZERO);
  LNT_REQUIRE(zero == 0, info, LNT_E_NOT_ZERO, p + LNT_AT_PLAN_ZERO, 0, zero);
  return LNT_OK;
}

lnt_status lnt_check_tensors(lnt_info* info, const lnt_limits* limits) {
  const lnt_status status = check_plan_header(info, limits);
  return status == LNT_OK ? check_all(info, limits) : status;
}
