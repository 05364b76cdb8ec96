// SPDX-License-Identifier: Apache-2.0
#ifndef LINNET_RUNTIME_FORMAT_INT8_H
#define LINNET_RUNTIME_FORMAT_INT8_H
// clang-format off
/* What minor 1 of the .linnet format adds: quantized tensors, the ops that compute with them, and constants that
take less room in the file than in memory. Included by format.h.

  QUANT (required) is there when a tensor has an entry. By id, each at the end of the one before, then QUANT ends:
     0  i32    zero           -128..127; of weights and packed constants 0
     4  u32    count          1; or of a weight or packed constant dim 0 > 1, one for each row, not all alike
     8  f32[count]  scale     positive and normal.  real = scale (q - zero)
     .  {i32 value, i32 shift}[count]  multiplier   the factor value 2^(shift - 31) of reference.h, or 0 0:
                              of weights of LNT_I8_ ops their factor, else 0 0
  Entries have: every LNT_I8 tensor but tables, and packed constants of LNT_NUMBER_I8 or _I4.

  PACKED constants (encoding LNT_PACKED), f32 or i8 with an entry. lnt_bind unpacks them into the arena, and to ops
  they are as any other. In DATA at a multiple of 4:
     0  u8     number         what is stored of an element: LNT_NUMBER_ELEMENT, the element itself; or of f32
                              LNT_NUMBER_F16, IEEE half precision, finite; _I8, _I4: q, two's complement,
                              -127..127 or -7..7, and the element is scale q, rounded once
     1  u8     map            of zeros: LNT_MAP_NONE, 1..8 for gaps of so many bits, LNT_MAP_BITS
     2  u16    n_values       0, or 1..256 entries of the codebook (not of LNT_NUMBER_I4)
     4  u32    n_stored       without a map the number of elements
     8  u64    at             place in the unpacked constants: the end of the one before rounded up to 64
    16  the codebook: n_values numbers
     .  n_stored numbers; or the places of their values in the codebook, each of as many bits as n_values - 1 has,
        at least 1
     .  the map. LNT_MAP_BITS: a bit an element, 1 where its number is stored. Gaps of b bits: symbols s,
        s < 2^b - 1: s elements that are not stored and one that is; 2^b - 1: so many that are not; the last symbol
        is that of the last stored
  Elements come in the order of a plain tensor, whatever the layout. Numbers, places and symbols lie without bits
  between them, from the lowest bit of a byte; what is left of the last byte of each of the three parts is 0.
  Elements that are not stored are 0, and with a map no stored number has all bits 0. A codebook ascends by its
  numbers as unsigned integers, and all are used.
  LNT_NUMBER_ELEMENT without codebook and map is LNT_RAW. Unpacked at most 100 times the bytes packed.
  `arena_bytes` of PLAN does not count them: they begin at the next multiple of 64, at the place 0.

  OPS on i8 tensors; arithmetic and letters are those of reference.h. x, y and other tensors are i8 with an entry
  of one scale and zero. Weights, tables, sums and biases are constants, raw or packed, plain. RANGE stands for the
  parameters `low high`, i32 in -128..127, low <= high, that the result is clamped to. FACTOR is `value shift`.
  (like x): y has the scale and zero of x. Sums of products stay within 32 bits (lnt_i8_fits).

  opcode              reads                                 params
  LNT_QUANTIZE        x f32                                 none: y = clamp(round(x / scale) + zero), to the nearest,
                                                            halves to even; of NaN y is the zero
  LNT_DEQUANTIZE      x                                     none: y f32 = scale (x - zero)
  LNT_I8_DENSE        x [.., in], weight [out, in], sums i32 [out]   RANGE: sums are bias - zero of x times the sum of
                      a row of weight; factors s_x s_w / s_y
  LNT_I8_CONV2D       x, weight [O, kh, kw, C/groups], sums i32 [O]  the first 9 of LNT_CONV2D, RANGE: likewise
  LNT_I8_MAX_POOL2D, _AVG_POOL2D   x                        as LNT_MAX_POOL2D: over less than 2^23 places  (like x)
  LNT_I8_ADD, _SUB    a, b, broadcast as in NumPy           FACTOR of a, of b, of the sum, RANGE             (same)
  LNT_I8_MUL          a, b, broadcast                       FACTOR, RANGE                                    (same)
  LNT_I8_REQUANTIZE   x                                     FACTOR, RANGE                                    (same)
  LNT_I8_LOOKUP       x, table i8 [256] without an entry    none: y = table[x + 128]                         (same)
  LNT_I8_SOFTMAX      x, table i32 [256]                    axis: y of scale 1/256, zero -128; table[0] = 2^23, and
                      none is negative or larger than the one before                                         (same)
  LNT_I8_LSTM         x [N, T, C], weight_x [4 H, C], weight_h [4 H, H], sums i32 [4 H], bias i16 [4 H],
                      sigmoid i16 [513], tanh i16 [513]     flags (LNT_RNN_REVERSE, _SEQUENCE), cell_bits 0..4:
                      y [N, T, H] or the last [N, H], of scale 1/128, zero 0; h and c begin as 0. sums are - zero of x
                      times the sum of a row of weight_x; factors s_x s_w 2^11 and s_w 2^4. n_out 2: and scratch
                      (LNT_TMP), 11 H bytes rounded up to 4
  LNT_I8_GRU          x, weight_x [3 H, C], weight_h, sums, bias, bias_h i16 [H], sigmoid, tanh   flags: the same;
                      scratch of 9 H bytes
  LNT_DENSE_DYNAMIC   x f32 [N, .., in], weight i8 [out, in], bias f32 [out] or none   ACT: y f32 [N, .., out]. Of each
                      of the N, with low and high of its numbers and 0: in f64 s = max((high - low) / 255, 1e-30) and
                      zero = round(-128 - low / s), then in f32 q = clamp(round(x / s) + zero), halves to even, and
                      y = act(s s_w (sum of w (q - zero)) + bias). n_out 2: and scratch, 4 out bytes and one for each
                      element of a sample, rounded up to 4
  LNT_CONV2D_DYNAMIC  x f32, weight i8, bias f32 or none    the same with the parameters of LNT_CONV2D; 4 O bytes

  LNT_RESHAPE, _TRANSPOSE, _SLICE, _CONCAT (all parts) and _PAD (value 0: the zero) take i8, too (like x). */
// clang-format on

enum { LNT_AT_QUANT_ZERO = 0, LNT_AT_QUANT_COUNT = 4, LNT_AT_QUANT_SCALES = 8, LNT_FACTOR_BYTES = 8 };

enum {
  LNT_AT_NUMBER = 0,
  LNT_AT_MAP = 1,
  LNT_AT_N_VALUES = 2,
  LNT_AT_N_STORED = 4,
  LNT_AT_UNPACKED = 8,
  LNT_PACKED_BYTES = 16, /* without codebook, numbers and map */

  LNT_PACKED_ALIGN = 4,    /* in DATA */
  LNT_UNPACKED_ALIGN = 64, /* in the arena */
  LNT_MAX_VALUES = 256,    /* of a codebook */
  LNT_MAX_UNPACKED = 100   /* times the bytes packed */
};

enum { LNT_NUMBER_ELEMENT = 0, LNT_NUMBER_F16 = 1, LNT_NUMBER_I8 = 2, LNT_NUMBER_I4 = 3 };
enum { LNT_MAP_NONE = 0, LNT_MAP_MAX_GAP_BITS = 8, LNT_MAP_BITS = 255 };

enum {
  LNT_QUANTIZE = 96,
  LNT_DEQUANTIZE = 97,
  LNT_I8_DENSE = 98,
  LNT_I8_CONV2D = 99,
  LNT_I8_MAX_POOL2D = 100,
  LNT_I8_AVG_POOL2D = 101,
  LNT_I8_ADD = 102,
  LNT_I8_SUB = 103,
  LNT_I8_MUL = 104,
  LNT_I8_REQUANTIZE = 105,
  LNT_I8_LOOKUP = 106,
  LNT_I8_SOFTMAX = 107,
  LNT_I8_LSTM = 108,
  LNT_I8_GRU = 109,
  LNT_DENSE_DYNAMIC = 110,
  LNT_CONV2D_DYNAMIC = 111
};

/* Places of parameters, in u32. */
enum {
  LNT_I8_DENSE_PARAMS = 2,
  LNT_AT_I8_CONV_RANGE = 9,
  LNT_I8_CONV_PARAMS = 11,
  LNT_AT_I8_ADD_B = 2,
  LNT_AT_I8_ADD_SUM = 4,
  LNT_AT_I8_ADD_RANGE = 6,
  LNT_I8_ADD_PARAMS = 8,
  LNT_AT_I8_FACTOR_RANGE = 2, /* of LNT_I8_MUL and LNT_I8_REQUANTIZE */
  LNT_I8_FACTOR_PARAMS = 4
};

#endif
