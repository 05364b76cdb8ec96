// SPDX-License-Identifier: Apache-2.0
/* QUANT: zero, scales and factors of a tensor. */
#include "linnet/runtime/runtime_impl.h"

int lnt_is_factor(const uint8_t* at) {
  const uint32_t value = lnt_u32(at), shift = lnt_u32(at + 4); /* shift + 31 is 0 .. 61 */
  return (value == 0 && shift == 0) || (value >> 30 == 1 && shift + 31u <= 61);
}

static lnt_status check_zero_point(lnt_info* info, const lnt_tensor* t, const uint8_t* entry) {
  const uint32_t zero = lnt_u32(entry + LNT_AT_QUANT_ZERO);
  const int may_differ = t->dtype == LNT_I8 && t->encoding == LNT_RAW;
  LNT_REQUIRE(zero + 128u <= 255 && (zero == 0 || may_differ), info, LNT_E_QUANT_ZERO, entry, 0, zero);
  return LNT_OK;
}

/* One, or one for each row; if all are alike, one. */
static lnt_status check_count(lnt_info* info, const lnt_tensor* t, const uint8_t* entry, uint32_t count) {
  const uint8_t* at = entry + LNT_AT_QUANT_COUNT;
  const uint32_t rows = t->kind == LNT_CONST ? t->dims[0] : 1;
  LNT_REQUIRE(count == 1 || (count > 1 && count == rows), info, LNT_E_QUANT_COUNT, at, rows, count);
  const uint8_t *scales = entry + LNT_AT_QUANT_SCALES, *factors = scales + 4 * (size_t)count;
  uint32_t alike = 1;
  while (alike < count && lnt_u32(scales + 4 * (size_t)alike) == lnt_u32(scales) &&
         lnt_u64(factors + 8 * (size_t)alike) == lnt_u64(factors))
    ++alike;
  LNT_REQUIRE(count == 1 || alike < count, info, LNT_E_QUANT_COUNT, at, 1, count);
  return LNT_OK;
}

static lnt_status check_numbers(lnt_info* info, const lnt_tensor* t, const uint8_t* entry, uint32_t count) {
  const int factors = t->kind == LNT_CONST && t->dtype == LNT_I8;
  const uint8_t* at = entry + LNT_AT_QUANT_SCALES;
  for (uint32_t i = 0; i < count; ++i, at += 4)
    LNT_REQUIRE(lnt_u32(at) - 0x00800000u < 0x7F000000u, info, LNT_E_QUANT_SCALE, at, 0x3F800000u,
                lnt_u32(at));
  for (uint32_t i = 0; i < count; ++i, at += LNT_FACTOR_BYTES)
    LNT_REQUIRE(factors ? lnt_is_factor(at) : lnt_u64(at) == 0, info, LNT_E_QUANT_FACTOR, at, 0, lnt_u32(at));
  return LNT_OK;
}

lnt_status lnt_check_entry(lnt_info* info, const lnt_tensor* t, lnt_need need, uint64_t* end) {
  const uint8_t* at = t->record + LNT_AT_QUANT;
  const int there = t->quant != LNT_NO_QUANT;
  LNT_REQUIRE(there ? need != LNT_NO_ENTRY : need != LNT_NEEDS_ENTRY, info, LNT_E_QUANT_ENTRY, at,
              there ? LNT_NO_QUANT : *end, t->quant);
  if (!there) return LNT_OK;
  const uint64_t left = info->quant.len - *end, one = LNT_AT_QUANT_SCALES + 4 + LNT_FACTOR_BYTES;
  LNT_REQUIRE(t->quant == *end && left >= one, info, LNT_E_QUANT_ENTRY, at, *end, t->quant);
  const uint8_t* entry = info->quant.at + *end;
  const uint32_t count = lnt_u32(entry + LNT_AT_QUANT_COUNT);
  const uint64_t bytes = LNT_AT_QUANT_SCALES + (uint64_t)count * (4 + LNT_FACTOR_BYTES);
  lnt_status status = check_zero_point(info, t, entry);
  if (status == LNT_OK && (count == 0 || bytes <= left)) status = check_count(info, t, entry, count);
  if (status != LNT_OK) return status;
  LNT_REQUIRE(bytes <= left, info, LNT_E_QUANT_COUNT, entry + LNT_AT_QUANT_COUNT, left, count);
  *end += bytes;
  return check_numbers(info, t, entry, count);
}
