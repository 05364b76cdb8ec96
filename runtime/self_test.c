// SPDX-License-Identifier: Apache-2.0
/* Running the golden cases (GOLD in format.h). Nothing else in the runtime refers to this file. */
#include <float.h>
#include <string.h>

#include "linnet/runtime/runtime_impl.h"

static const float tolerance = 1e-4f; /* of the largest golden output of the port */

/* Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel Random Numbers: As Easy as 1, 2, 3", 2011). */
static void philox(uint64_t seed, uint64_t call, uint64_t block, uint32_t x[4]) {
  uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
  x[0] = (uint32_t)block;
  x[1] = (uint32_t)(block >> 32);
  x[2] = (uint32_t)call;
  x[3] = (uint32_t)(call >> 32);
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = (uint64_t)0xD2511F53u * x[0], p1 = (uint64_t)0xCD9E8D57u * x[2];
    x[0] = (uint32_t)(p1 >> 32) ^ x[1] ^ k0;
    x[1] = (uint32_t)p1;
    x[2] = (uint32_t)(p0 >> 32) ^ x[3] ^ k1;
    x[3] = (uint32_t)p0;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
}

/* One element, from a random word and the eight bytes low, high. */
static void draw(uint32_t word, uint32_t dtype, const uint8_t* range, uint8_t* to) {
  if (dtype != LNT_F32) {
    const uint32_t low = lnt_u32(range), span = lnt_u32(range + 4) - low;
    const uint32_t value = low + (uint32_t)((uint64_t)word * span >> 32);
    memcpy(to, &value, dtype == LNT_I8 ? 1 : 4); /* of little-endian numbers the lowest byte is first */
  } else {
    const float low = lnt_f32(range), fraction = (float)(word >> 8) * (1.0f / 16777216.0f);
    const float value = low + (lnt_f32(range + 4) - low) * fraction;
    memcpy(to, &value, sizeof value);
  }
}

static void fill_inputs(const lnt_model* model, uint32_t golden_case) {
  const uint8_t* gold = model->info.gold.at;
  const uint64_t seed = lnt_u64(gold + LNT_AT_GOLD_SEED);
  for (uint32_t port = 0; port < model->info.n_inputs; ++port) {
    lnt_view view;
    lnt_input(model, port, &view);
    const uint64_t call = (uint64_t)LNT_MAX_PORTS * golden_case + port;
    uint32_t words[4] = {0, 0, 0, 0};
    const size_t size = lnt_size_of((uint8_t)view.dtype);
    for (size_t i = 0; i < view.bytes / size; ++i) {
      if (i % 4 == 0) philox(seed, call, i / 4, words);
      draw(words[i % 4], view.dtype, gold + LNT_AT_GOLD_RANGES + 8 * (size_t)port,
           (uint8_t*)view.data + size * i);
    }
  }
}

static float magnitude(float x) { return x < 0.0f ? -x : x; }

/* The golden outputs of one case begin `stride` bytes after those of the case before. */
static const uint8_t* first_outputs(const lnt_info* info) {
  return info->gold.at + LNT_GOLD_BYTES + 8 * (size_t)info->n_inputs;
}
static size_t stride(const lnt_info* info) {
  return (info->gold.len - (size_t)(first_outputs(info) - info->gold.at)) / info->n_golden;
}

/* The largest finite golden output of a port whose outputs begin `at` bytes into each case. */
static float largest(const lnt_info* info, size_t at, size_t bytes) {
  float most = 0.0f;
  for (uint32_t c = 0; c < info->n_golden; ++c) {
    const uint8_t* p = first_outputs(info) + c * stride(info) + at;
    for (size_t i = 0; i < bytes; i += 4) {
      const float value = magnitude(lnt_f32(p + i));
      if (value > most && value <= FLT_MAX) most = value;
    }
  }
  return most;
}

/* Difference from a golden f32 in parts of `scale`; FLT_MAX when no finite number says it. */
static float difference(float actual, float golden, float scale) {
  if (actual == golden || (actual != actual && golden != golden)) return 0.0f;
  const float share = magnitude(actual - golden) / scale;
  return share <= FLT_MAX ? share : FLT_MAX;
}

/* By port. */
static void find_scales(const lnt_model* model, float scales[LNT_MAX_PORTS]) {
  size_t at = 0;
  for (uint32_t port = 0; port < model->info.n_outputs; ++port) {
    lnt_view view;
    lnt_output(model, port, &view);
    scales[port] = view.dtype == LNT_F32 ? largest(&model->info, at, view.bytes) : 0.0f;
    at += view.bytes;
  }
}

/* The largest difference of the outputs as they are now from those of a case. */
static float compare_outputs(const lnt_model* model, uint32_t golden_case, const float* scales) {
  const uint8_t* golden = first_outputs(&model->info) + golden_case * stride(&model->info);
  float worst = 0.0f;
  for (uint32_t port = 0; port < model->info.n_outputs; ++port) {
    lnt_view view;
    lnt_output(model, port, &view);
    const uint8_t* actual = (const uint8_t*)view.data;
    if (view.dtype != LNT_F32) {
      /* Of a memcmp clang makes a bcmp, which not every board has. */
      for (size_t i = 0; i < view.bytes; ++i)
        if (actual[i] != golden[i]) worst = FLT_MAX;
    } else {
      for (size_t i = 0; i < view.bytes; i += 4) {
        const float d = difference(lnt_f32(actual + i), lnt_f32(golden + i), scales[port]);
        if (d > worst) worst = d;
      }
    }
    golden += view.bytes;
  }
  return worst;
}

lnt_status lnt_self_test(lnt_model* model, lnt_self_test_result* result) {
  lnt_self_test_result all = {0, 0, 0.0f};
  if (result != NULL) *result = all;
  if (model == NULL || model->arena == NULL) return LNT_E_BAD_ARGUMENT;
  if (model->info.n_golden == 0) return LNT_E_NO_GOLD;
  float scales[LNT_MAX_PORTS];
  find_scales(model, scales);
  lnt_status status = LNT_OK;
  while (all.cases < model->info.n_golden && status == LNT_OK) {
    fill_inputs(model, all.cases);
    status = lnt_run(model);
    const float error = status == LNT_OK ? compare_outputs(model, all.cases, scales) : FLT_MAX;
    ++all.cases;
    if (!(error <= tolerance)) ++all.failed;
    if (error > all.error) all.error = error;
  }
  if (result != NULL) *result = all;
  if (status != LNT_OK) return status;
  return all.failed == 0 ? LNT_OK : LNT_E_SELF_TEST;
}
