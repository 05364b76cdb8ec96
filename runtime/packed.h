/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LINNET_RUNTIME_PACKED_H
#define LINNET_RUNTIME_PACKED_H
/* Packed constants (format_int8.h): reading, verifying, unpacking. Private. */

#include "linnet/runtime/runtime_impl.h"

/* A constant as what is stored of it; of LNT_RAW all elements, without codebook and map. */
typedef struct lnt_packed {
  uint32_t number, map, n_values, n_stored;
  uint32_t width;           /* bits of a number */
  uint32_t place_bits;      /* of a place in the codebook, 0 without one */
  uint64_t elements, terms; /* terms: of a row, which dim 0 counts */
  uint64_t parts;           /* bytes of all but the map */
  const uint8_t *values, *stored, *map_at, *end;
} lnt_packed;

/* `data` is where the constant begins in DATA. */
lnt_packed lnt_open(const lnt_tensor* t, const uint8_t* data);

/* The stored elements of a constant, one after the other: begin with {0}. */
typedef struct lnt_walk {
  uint64_t place; /* of the element, in a plain tensor */
  uint32_t bits;  /* its number */
  uint32_t next;  /* how many came so far */
  uint64_t at;    /* bit of the map that comes next */
  uint64_t after; /* place behind the element */
} lnt_walk;
/* 0 at the end, or when the map does not lead to an element. */
int lnt_next(const lnt_packed* p, lnt_walk* walk);

/* An i8 number. */
static inline int32_t lnt_signed(uint32_t byte) { return (int32_t)(byte ^ 128) - 128; }

/* Every rule of a packed constant of `memory` bytes unpacked; *end is where the one before ends. */
lnt_status lnt_check_packed(lnt_info* info, const lnt_tensor* t, uint64_t memory, uint64_t* end);

/* Into memory, in the tensor's layout. */
void lnt_unpack(const lnt_tensor* t, const uint8_t* data, uint8_t* to, size_t bytes);

#endif
