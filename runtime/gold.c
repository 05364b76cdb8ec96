// SPDX-License-Identifier: Apache-2.0
/* GOLD: its rules. */
#include <float.h>

#include "linnet/runtime/runtime_impl.h"

static int is_range(uint32_t dtype, const uint8_t* at) {
  if (dtype != LNT_F32) {
    const int32_t low = (int32_t)lnt_u32(at), high = (int32_t)lnt_u32(at + 4);
    return low < high && (dtype == LNT_I32 || (low >= INT8_MIN && high <= INT8_MAX));
  }
  const float span = lnt_f32(at + 4) - lnt_f32(at); /* not finite when one of them is not */
  return span > 0.0f && span <= FLT_MAX;
}

lnt_status lnt_check_gold(lnt_info* info, const lnt_limits* limits) {
  const lnt_span gold = info->gold;
  if (gold.at == NULL) return LNT_OK;
  const uint64_t head = LNT_GOLD_BYTES + 8 * (uint64_t)info->n_inputs;
  LNT_REQUIRE(gold.len >= head, info, LNT_E_SECTION_SIZE, gold.at, head, gold.len);
  const uint8_t* at = gold.at + LNT_AT_GOLD_CASES;
  const uint32_t cases = lnt_u32(at);
  LNT_REQUIRE(cases >= LNT_MIN_GOLDEN && cases <= LNT_MAX_GOLDEN, info, LNT_E_GOLD, at, LNT_MIN_GOLDEN,
              cases);
  at = gold.at + LNT_AT_GOLD_ZERO;
  LNT_REQUIRE(lnt_u32(at) == 0, info, LNT_E_NOT_ZERO, at, 0, lnt_u32(at));

  uint64_t outputs = 0, drawn = 0; /* bytes and elements, at most 32 times 4 GiB */
  for (uint32_t id = info->n_consts; id < info->n_tensors; ++id) {
    const lnt_tensor t = lnt_read_tensor(info, id);
    if (t.kind == LNT_OUT) outputs += t.bytes;
    if (t.kind != LNT_IN) continue;
    drawn += lnt_elements(&t);
    at = gold.at + LNT_AT_GOLD_RANGES + 8 * (size_t)t.port;
    LNT_REQUIRE(is_range(t.dtype, at), info, LNT_E_GOLD, at, lnt_u32(at), lnt_u32(at + 4));
  }
  LNT_REQUIRE(info->work + drawn <= limits->work / cases, info, LNT_E_OVER_LIMIT, gold.at,
              limits->work / cases, info->work + drawn);
  LNT_REQUIRE(gold.len - head == cases * outputs, info, LNT_E_SECTION_SIZE, gold.at, head + cases * outputs,
              gold.len);
  info->n_golden = cases;
  return LNT_OK;
}
