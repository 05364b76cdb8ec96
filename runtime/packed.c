// SPDX-License-Identifier: Apache-2.0
/* Packed constants: what is stored of a tensor, and where its zeros are. */
#include "linnet/runtime/packed.h"

/* n up to 32 bits from `bit` on; only bytes that have some of them are read. */
static uint32_t bits_at(const uint8_t* p, uint64_t bit, uint32_t n) {
  const uint32_t skip = (uint32_t)(bit & 7);
  uint64_t word = 0;
  p += bit >> 3;
  for (uint32_t k = 0; 8 * k < skip + n; ++k) word |= (uint64_t)p[k] << (8 * k);
  return (uint32_t)(word >> skip & (((uint64_t)1 << n) - 1));
}

static uint32_t bits_to_count(uint32_t n) { /* up to n - 1 */
  uint32_t bits = 1;
  while (n > (uint32_t)1 << bits) ++bits;
  return bits;
}

/* Of each that is stored: a number, or its place in the codebook. */
static uint32_t stored_bits(const lnt_packed* p) { return p->n_values == 0 ? p->width : p->place_bits; }

static uint64_t bytes_of(uint64_t n, uint32_t bits) { return (n * bits + 7) / 8; }

/* Elements of the dims, and bytes of a head, are below 2^32; sums of the parts stay far below 2^64. */
lnt_packed lnt_open(const lnt_tensor* t, const uint8_t* data) {
  lnt_packed p;
  const uint32_t element = 8 * (uint32_t)lnt_size_of(t->dtype);
  p.terms = lnt_count(t, 1, t->rank);
  p.elements = p.terms * t->dims[0];
  p.number = LNT_NUMBER_ELEMENT, p.map = LNT_MAP_NONE, p.n_values = 0, p.n_stored = (uint32_t)p.elements;
  p.values = data;
  if (t->encoding == LNT_PACKED) {
    p.number = data[LNT_AT_NUMBER];
    p.map = data[LNT_AT_MAP];
    p.n_values = lnt_u16(data + LNT_AT_N_VALUES);
    p.n_stored = lnt_u32(data + LNT_AT_N_STORED);
    p.values = data + LNT_PACKED_BYTES;
  }
  p.width = p.number == LNT_NUMBER_I4    ? 4
            : p.number == LNT_NUMBER_I8  ? 8
            : p.number == LNT_NUMBER_F16 ? 16
                                         : element;
  p.place_bits = p.n_values == 0 ? 0 : bits_to_count(p.n_values);
  const uint32_t bytes = lnt_u32(t->record + LNT_AT_BYTES); /* in DATA */
  p.end = data + bytes;
  const uint64_t codebook = bytes_of(p.n_values, p.width), stored = bytes_of(p.n_stored, stored_bits(&p));
  p.parts = (uint64_t)(p.values - data) + codebook + stored;
  const int fit = p.parts <= bytes; /* else lnt_check_packed refuses it */
  p.stored = fit ? p.values + codebook : p.end;
  p.map_at = fit ? p.stored + stored : p.end;
  return p;
}

/* The next element that the map says is stored. */
static int next_place(const lnt_packed* p, lnt_walk* w) {
  const uint64_t map_bits = 8 * (uint64_t)(p->end - p->map_at);
  w->place = w->after;
  if (p->map == LNT_MAP_BITS) {
    while (w->place < p->elements && bits_at(p->map_at, w->place, 1) == 0) ++w->place;
    w->at = w->place + 1;
  } else if (p->map != LNT_MAP_NONE) {
    const uint32_t escape = ((uint32_t)1 << p->map) - 1;
    uint32_t symbol = escape;
    while (symbol == escape && w->place < p->elements && map_bits - w->at >= p->map) {
      symbol = bits_at(p->map_at, w->at, p->map);
      w->at += p->map;
      w->place += symbol;
    }
    if (symbol == escape) return 0;
  }
  w->after = w->place + 1;
  return w->place < p->elements;
}

int lnt_next(const lnt_packed* p, lnt_walk* w) {
  if (w->next == p->n_stored || !next_place(p, w)) return 0;
  uint32_t at = w->next++;
  const uint8_t* from = p->stored;
  if (p->n_values != 0) {
    at = bits_at(p->stored, (uint64_t)at * p->place_bits, p->place_bits);
    from = p->values;
    if (at >= p->n_values) at = p->n_values - 1; /* not of what lnt_check_packed let through */
  }
  w->bits = p->width == 8 ? from[at] : bits_at(from, (uint64_t)at * p->width, p->width);
  return 1;
}

static uint32_t bits_of(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

/* A finite half: 2^(exponent - 25) (1024 + part), of exponent 0 2^-24 part. */
static uint32_t half_to_float(uint32_t half) {
  const uint32_t sign = (half & 0x8000u) << 16, exponent = half >> 10 & 31, part = half & 1023;
  if (exponent == 0) return sign | bits_of((float)part * (1.0f / 16777216.0f));
  return sign | (exponent + 112) << 23 | part << 13;
}

static uint32_t element_of(const lnt_packed* p, const lnt_tensor* t, const lnt_walk* w) {
  switch (p->number) {
    case LNT_NUMBER_F16:
      return half_to_float(w->bits);
    case LNT_NUMBER_I8:
      return bits_of(lnt_scale(t, (size_t)(w->place / p->terms)) * (float)lnt_signed(w->bits));
    case LNT_NUMBER_I4:
      return bits_of(lnt_scale(t, (size_t)(w->place / p->terms)) * (float)((int32_t)(w->bits ^ 8) - 8));
    default:
      return w->bits;
  }
}

void lnt_unpack(const lnt_tensor* t, const uint8_t* data, uint8_t* to, size_t bytes) {
  const lnt_packed p = lnt_open(t, data);
  lnt_walk w = {0, 0, 0, 0, 0};
  memset(to, 0, bytes);
  while (lnt_next(&p, &w)) {
    const uint32_t bits = element_of(&p, t, &w);
    uint64_t place = w.place;
    if (t->layout == LNT_BLOCKED) {
      const uint64_t row = place / p.terms, k = place % p.terms;
      place = (row / LNT_BLOCK * p.terms + k) * LNT_BLOCK + row % LNT_BLOCK;
    }
    if (t->dtype == LNT_I8)
      to[place] = (uint8_t)bits;
    else
      memcpy(to + 4 * place, &bits, 4);
  }
}

/* ---- verifying ---- */

static lnt_status check_head(lnt_info* info, const lnt_tensor* t, const lnt_packed* p, const uint8_t* data) {
  const uint32_t most = t->dtype == LNT_F32 ? LNT_NUMBER_I4 : LNT_NUMBER_ELEMENT;
  LNT_REQUIRE(p->number <= most, info, LNT_E_PACKED, data + LNT_AT_NUMBER, most, p->number);
  LNT_REQUIRE(p->map <= LNT_MAP_MAX_GAP_BITS || p->map == LNT_MAP_BITS, info, LNT_E_PACKED, data + LNT_AT_MAP,
              LNT_MAP_BITS, p->map);
  const uint32_t values = p->number == LNT_NUMBER_I4 ? 0 : LNT_MAX_VALUES;
  LNT_REQUIRE(p->n_values <= values, info, LNT_E_PACKED, data + LNT_AT_N_VALUES, values, p->n_values);
  LNT_REQUIRE(p->number != LNT_NUMBER_ELEMENT || p->map != LNT_MAP_NONE || p->n_values != 0, info,
              LNT_E_PACKED, data, LNT_MAP_BITS, 0);
  const int all = p->map == LNT_MAP_NONE;
  LNT_REQUIRE(p->n_stored <= p->elements && (!all || p->n_stored == p->elements), info, LNT_E_PACKED,
              data + LNT_AT_N_STORED, p->elements, p->n_stored);
  return LNT_OK;
}

/* One number of the codebook, or of those stored without one. */
static lnt_status check_number(lnt_info* info, const lnt_packed* p, uint32_t bits, const uint8_t* at) {
  LNT_REQUIRE(bits != 0 || p->map == LNT_MAP_NONE, info, LNT_E_PACKED, at, 1, 0);
  if (p->number == LNT_NUMBER_F16)
    LNT_REQUIRE((bits & 0x7C00u) != 0x7C00u, info, LNT_E_PACKED, at, 0x7BFF, bits);
  const uint32_t lowest = p->number == LNT_NUMBER_I8 ? 128 : p->number == LNT_NUMBER_I4 ? 8 : 0;
  LNT_REQUIRE(lowest == 0 || bits != lowest, info, LNT_E_WEIGHT, at, (uint64_t)lowest + 1, bits);
  return LNT_OK;
}

static lnt_status check_values(lnt_info* info, const lnt_packed* p) {
  uint32_t last = 0;
  for (uint32_t i = 0; i < p->n_values; ++i) {
    const uint64_t bit = (uint64_t)i * p->width;
    const uint32_t bits = bits_at(p->values, bit, p->width);
    const uint8_t* at = p->values + bit / 8;
    LNT_REQUIRE(i == 0 || bits > last, info, LNT_E_PACKED, at, (uint64_t)last + 1, bits);
    const lnt_status status = check_number(info, p, bits, at);
    if (status != LNT_OK) return status;
    last = bits;
  }
  return LNT_OK;
}

/* What is stored, from the first to the last, and that all of the codebook occurs. */
static lnt_status check_stored(lnt_info* info, const lnt_packed* p, lnt_walk* w) {
  uint8_t used[LNT_MAX_VALUES / 8] = {0};
  while (w->next < p->n_stored) {
    const uint64_t bit = (uint64_t)w->next * stored_bits(p);
    const uint8_t* at = p->stored + bit / 8;
    if (p->n_values != 0) {
      const uint32_t value = bits_at(p->stored, bit, p->place_bits);
      LNT_REQUIRE(value < p->n_values, info, LNT_E_PACKED, at, (uint64_t)p->n_values - 1, value);
      used[value / 8] |= (uint8_t)(1u << value % 8);
    }
    LNT_REQUIRE(lnt_next(p, w), info, LNT_E_PACKED, p->map_at, p->n_stored, w->next);
    if (p->n_values == 0) {
      const lnt_status status = check_number(info, p, w->bits, at);
      if (status != LNT_OK) return status;
    }
  }
  for (uint32_t i = 0; i < p->n_values; ++i)
    LNT_REQUIRE((used[i / 8] >> i % 8 & 1) != 0, info, LNT_E_PACKED, p->values + (uint64_t)i * p->width / 8,
                1, 0);
  return LNT_OK;
}

/* Bits from `bit` to the end of the bytes are 0. */
static lnt_status check_rest(lnt_info* info, const uint8_t* from, uint64_t bit, const uint8_t* end) {
  for (const uint8_t* p = from + bit / 8; p < end; ++p, bit = 0) {
    const uint32_t rest = (uint32_t)*p >> bit % 8;
    LNT_REQUIRE(rest == 0, info, LNT_E_NOT_ZERO, p, 0, rest);
  }
  return LNT_OK;
}

lnt_status lnt_check_packed(lnt_info* info, const lnt_tensor* t, uint64_t memory, uint64_t* end) {
  const uint8_t *data = info->data.at + t->off, *bytes_field = t->record + LNT_AT_BYTES;
  LNT_REQUIRE(t->bytes >= LNT_PACKED_BYTES, info, LNT_E_TENSOR_BYTES, bytes_field, LNT_PACKED_BYTES,
              t->bytes);
  const uint64_t least = (memory + LNT_MAX_UNPACKED - 1) / LNT_MAX_UNPACKED;
  LNT_REQUIRE(t->bytes >= least, info, LNT_E_PACKED, bytes_field, least, t->bytes);
  const uint64_t at = lnt_round_up(*end, LNT_UNPACKED_ALIGN);
  LNT_REQUIRE(lnt_u64(data + LNT_AT_UNPACKED) == at, info, LNT_E_PACKED, data + LNT_AT_UNPACKED, at,
              lnt_u64(data + LNT_AT_UNPACKED));
  *end = at + memory;
  const lnt_packed p = lnt_open(t, data);
  lnt_status status = check_head(info, t, &p, data);
  if (status != LNT_OK) return status;
  const uint64_t with_bits = p.parts + (p.map == LNT_MAP_BITS ? bytes_of(p.elements, 1) : 0);
  LNT_REQUIRE(with_bits <= t->bytes, info, LNT_E_TENSOR_BYTES, bytes_field, with_bits, t->bytes);

  lnt_walk w = {0, 0, 0, 0, 0};
  status = check_values(info, &p);
  if (status == LNT_OK) status = check_stored(info, &p, &w);
  if (status != LNT_OK) return status;
  const uint64_t bytes = p.map == LNT_MAP_BITS ? with_bits : p.parts + bytes_of(w.at, 1);
  LNT_REQUIRE(bytes == t->bytes, info, LNT_E_TENSOR_BYTES, bytes_field, bytes, t->bytes);
  status = check_rest(info, p.stored, (uint64_t)p.n_stored * stored_bits(&p), p.map_at);
  return status == LNT_OK ? check_rest(info, p.map_at, w.at, p.end) : status;
}
