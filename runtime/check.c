// SPDX-License-Identifier: Apache-2.0
/* The verifier's first half: header, section table, padding, checksums, META. Everything is read with offsets
   that were compared with the file's length before; offsets and lengths are u64 and compared by subtraction,
   so that no sum can wrap. */
#include <string.h>

#include "linnet/runtime/runtime_impl.h"

static uint32_t section_of(const lnt_info* info, const uint8_t* at) {
  static const uint8_t types[] = {LNT_SECTION_TENS, LNT_SECTION_OPS,  LNT_SECTION_QUANT, LNT_SECTION_PLAN,
                                  LNT_SECTION_DATA, LNT_SECTION_META, LNT_SECTION_GOLD};
  const lnt_span* spans[] = {&info->tens, &info->ops,  &info->quant, &info->plan,
                             &info->data, &info->meta, &info->gold};
  for (size_t i = 0; i < sizeof types; ++i) {
    if (spans[i]->at != NULL && at >= spans[i]->at && at < spans[i]->at + spans[i]->len) return types[i];
  }
  return 0;
}

lnt_status lnt_fail(lnt_info* info, lnt_status status, const uint8_t* at, uint64_t expected,
                    uint64_t actual) {
  info->problem.status = status;
  info->problem.section = section_of(info, at);
  info->problem.offset = (uint64_t)(at - info->file.at);
  info->problem.expected = expected;
  info->problem.actual = actual;
  return status;
}

static lnt_status check_zero(lnt_info* info, const uint8_t* at, size_t len) {
  for (size_t i = 0; i < len; ++i) LNT_REQUIRE(at[i] == 0, info, LNT_E_NOT_ZERO, at + i, 0, at[i]);
  return LNT_OK;
}

static uint32_t header_crc(const uint8_t* file, size_t len) {
  static const uint8_t zero[4] = {0, 0, 0, 0};
  uint32_t crc = lnt_crc32c(0, file, LNT_AT_HEADER_CRC);
  crc = lnt_crc32c(crc, zero, sizeof zero);
  return lnt_crc32c(crc, file + LNT_AT_HEADER_CRC + 4, len - LNT_AT_HEADER_CRC - 4);
}

/* Identity and length first: they say whether the rest means what this version takes it for. */
static lnt_status check_header(lnt_info* info, const lnt_limits* limits) {
  const uint8_t* file = info->file.at;
  const uint64_t len = info->file.len;
  for (size_t i = 0; i < 8 && i < len; ++i) {
    LNT_REQUIRE(file[i] == (uint8_t)LNT_MAGIC[i], info, LNT_E_NOT_A_MODEL, file + i, (uint8_t)LNT_MAGIC[i],
                file[i]);
  }
  LNT_REQUIRE(len >= LNT_HEADER_BYTES, info, LNT_E_TRUNCATED, file, LNT_HEADER_BYTES, len);

  const uint8_t* at = file + LNT_AT_MAJOR;
  LNT_REQUIRE(lnt_u16(at) == LNT_FORMAT_MAJOR, info, LNT_E_VERSION, at, LNT_FORMAT_MAJOR, lnt_u16(at));

  at = file + LNT_AT_FILE_LEN;
  const uint64_t file_len = lnt_u64(at);
  LNT_REQUIRE(file_len <= limits->file_bytes, info, LNT_E_OVER_LIMIT, at, limits->file_bytes, file_len);
  LNT_REQUIRE(len >= file_len, info, LNT_E_TRUNCATED, at, file_len, len);
  LNT_REQUIRE(len <= file_len, info, LNT_E_TRAILING_BYTES, at, file_len, len);

  at = file + LNT_AT_N_SECTIONS;
  const uint32_t n_sections = lnt_u32(at);
  LNT_REQUIRE(n_sections <= LNT_MAX_SECTIONS, info, LNT_E_SECTION_COUNT, at, LNT_MAX_SECTIONS, n_sections);
  const size_t table_end = LNT_HEADER_BYTES + LNT_SECTION_BYTES * (size_t)n_sections;
  LNT_REQUIRE(table_end <= len, info, LNT_E_SECTION_BOUNDS, at, table_end, len);

  at = file + LNT_AT_HEADER_CRC;
  const uint32_t crc = header_crc(file, table_end);
  LNT_REQUIRE(crc == lnt_u32(at), info, LNT_E_HEADER_CHECKSUM, at, crc, lnt_u32(at));

  at = file + LNT_AT_FLAGS;
  LNT_REQUIRE(lnt_u32(at) == 0, info, LNT_E_FLAGS, at, 0, lnt_u32(at));
  memcpy(info->graph_hash, file + LNT_AT_GRAPH_HASH, sizeof info->graph_hash);
  info->model_version = lnt_u64(file + LNT_AT_MODEL_VERSION);
  return check_zero(info, file + LNT_AT_HEADER_ZERO, 8);
}

typedef struct section {
  uint32_t type, flags, align;
  uint64_t off, len;
} section;

/* Flags and alignment are prescribed for the sections that this version knows. */
static lnt_status check_section_kind(lnt_info* info, const uint8_t* entry, const section* s) {
  const int optional = s->type == LNT_SECTION_META || s->type == LNT_SECTION_GOLD;
  const int known = s->type >= LNT_SECTION_TENS && s->type <= LNT_SECTION_GOLD;
  const uint32_t flags = known && !optional ? LNT_SECTION_REQUIRED : 0;
  const uint8_t* at = entry + LNT_AT_SECTION_FLAGS;
  LNT_REQUIRE(known || (s->flags & LNT_SECTION_REQUIRED) == 0, info, LNT_E_SECTION_UNKNOWN, at, 0, s->type);
  LNT_REQUIRE(s->flags == flags, info, LNT_E_SECTION_FLAGS, at, flags, s->flags);

  at = entry + LNT_AT_SECTION_ALIGN;
  const uint32_t align = s->type == LNT_SECTION_DATA ? LNT_DATA_ALIGN : LNT_SECTION_ALIGN;
  const int power_of_two = (s->align & (s->align - 1)) == 0;
  const int fits = s->align == align || (s->type == LNT_SECTION_DATA && s->align == LNT_PAGE_ALIGN) ||
                   (!known && power_of_two && s->align >= LNT_SECTION_ALIGN && s->align <= LNT_PAGE_ALIGN);
  LNT_REQUIRE(fits, info, LNT_E_SECTION_ALIGN, at, align, s->align);
  return LNT_OK;
}

/* Sections follow each other without gaps: off is where the one before ends, rounded up. */
static lnt_status check_section(lnt_info* info, const uint8_t* entry, uint32_t last_type, uint64_t end,
                                section* s) {
  const uint8_t* file = info->file.at;
  s->type = lnt_u32(entry + LNT_AT_SECTION_TYPE);
  s->flags = lnt_u32(entry + LNT_AT_SECTION_FLAGS);
  s->off = lnt_u64(entry + LNT_AT_SECTION_OFF);
  s->len = lnt_u64(entry + LNT_AT_SECTION_LEN);
  s->align = lnt_u32(entry + LNT_AT_SECTION_ALIGN);
  LNT_REQUIRE(s->type > last_type, info, LNT_E_SECTION_ORDER, entry, (uint64_t)last_type + 1, s->type);
  lnt_status status = check_section_kind(info, entry, s);
  if (status != LNT_OK) return status;

  const uint64_t off = lnt_round_up(end, s->align);
  const uint8_t* at = entry + LNT_AT_SECTION_OFF;
  LNT_REQUIRE(s->off == off && off <= info->file.len, info, LNT_E_SECTION_BOUNDS, at, off, s->off);
  const uint64_t left = info->file.len - off;
  LNT_REQUIRE(s->len <= left, info, LNT_E_SECTION_BOUNDS, entry + LNT_AT_SECTION_LEN, left, s->len);
  status = check_zero(info, file + end, (size_t)(off - end));
  if (status != LNT_OK) return status;

  at = entry + LNT_AT_SECTION_CRC;
  const uint32_t crc = lnt_crc32c(0, file + off, (size_t)s->len);
  LNT_REQUIRE(crc == lnt_u32(at), info, LNT_E_SECTION_CHECKSUM, at, crc, lnt_u32(at));
  return LNT_OK;
}

static lnt_span* span_of(lnt_info* info, uint32_t type) {
  switch (type) {
    case LNT_SECTION_TENS:
      return &info->tens;
    case LNT_SECTION_OPS:
      return &info->ops;
    case LNT_SECTION_QUANT:
      return &info->quant;
    case LNT_SECTION_PLAN:
      return &info->plan;
    case LNT_SECTION_DATA:
      return &info->data;
    case LNT_SECTION_META:
      return &info->meta;
    case LNT_SECTION_GOLD:
      return &info->gold;
    default:
      return NULL;
  }
}

static lnt_status check_sections(lnt_info* info) {
  const uint8_t* file = info->file.at;
  const uint8_t* entry = file + LNT_HEADER_BYTES;
  const uint32_t n = lnt_u32(file + LNT_AT_N_SECTIONS);
  uint64_t end = LNT_HEADER_BYTES + LNT_SECTION_BYTES * (uint64_t)n;
  section s = {0, 0, 0, 0, 0};
  for (uint32_t i = 0; i < n; ++i, entry += LNT_SECTION_BYTES) {
    const lnt_status status = check_section(info, entry, s.type, end, &s);
    if (status != LNT_OK) return status;
    end = s.off + s.len;
    lnt_span* span = span_of(info, s.type);
    if (span != NULL) {
      span->at = file + s.off;
      span->len = (size_t)s.len;
    }
  }
  const uint8_t* at = file + LNT_AT_FILE_LEN;
  LNT_REQUIRE(end == info->file.len, info, LNT_E_SECTION_BOUNDS, at, end, info->file.len);
  for (uint32_t type = LNT_SECTION_TENS; type <= LNT_SECTION_META; ++type) {
    const lnt_span* span = span_of(info, type);
    at = file + LNT_AT_N_SECTIONS;
    LNT_REQUIRE(type == LNT_SECTION_QUANT || span->at != NULL, info, LNT_E_SECTION_MISSING, at, type, 0);
  }
  return LNT_OK;
}

lnt_status lnt_check(const void* file, size_t len, const lnt_limits* limits, lnt_info* info) {
  static const lnt_limits default_limits = LNT_DEFAULT_LIMITS;
  if (info == NULL) return LNT_E_BAD_ARGUMENT;
  memset(info, 0, sizeof *info);
  info->file.at = (const uint8_t*)file;
  info->file.len = len;
  if (limits == NULL) limits = &default_limits;

  lnt_status status = LNT_OK;
  if (file == NULL) {
    info->problem.status = status = LNT_E_BAD_ARGUMENT;
  } else if ((uintptr_t)file % LNT_FILE_ALIGN != 0) {
    status = lnt_fail(info, LNT_E_MISALIGNED, info->file.at, 0, (uintptr_t)file % LNT_FILE_ALIGN);
  }
  if (status == LNT_OK) status = check_header(info, limits);
  if (status == LNT_OK) status = check_sections(info);
  if (status == LNT_OK) status = lnt_check_meta(info);
  if (status == LNT_OK) status = lnt_check_graph(info, limits);
  if (status == LNT_OK) status = lnt_check_gold(info, limits);
  if (status != LNT_OK) {
    const lnt_problem problem = info->problem;
    memset(info, 0, sizeof *info);
    info->problem = problem;
  }
  return status;
}
