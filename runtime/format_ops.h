// SPDX-License-Identifier: Apache-2.0
#ifndef LINNET_RUNTIME_FORMAT_OPS_H
#define LINNET_RUNTIME_FORMAT_OPS_H
// clang-format off
/* The ops of the .linnet file: what each reads, writes and is told. Included by format.h.

Images are [N, H, W, C], sequences [N, T, C]. A parameter is a u32, or an f32 by its bits; "p q" are two f32,
0 where an op has no use for them. ACT stands for the three parameters `activation p q`: opcode of an
elementwise op of one tensor that is applied to the result, with its numbers; all 0 without one.
Unless it says otherwise an op reads and writes f32, and y has the shape of x. "same" of an op: y may lie on x.
Weights of LNT_DENSE, LNT_CONV2D, LNT_CONV_TRANSPOSE2D and the recurrent ops are constants, and so are biases.

  opcode             reads                                     params
  LNT_DENSE          x [.., in], weight [out, in], bias [out]  ACT: y [.., out] = x weight^T + bias; bias may be
                                                               absent (n_in 2), here and below
  LNT_MATMUL         a [N, K], b [K, M]                        none: y [N, M] = a b
  LNT_CONV2D         x, weight [O, kh, kw, C/groups], bias     stride_h _w, dilation_h _w, top bottom left right,
                                                               groups, ACT:
                     H' = floor((H + top + bottom - reach) / stride) + 1, reach = dilation (kh - 1) + 1; each pad
                     below reach
  LNT_CONV_TRANSPOSE2D  as LNT_CONV2D                          the same, and extra_h _w before groups:
                     H' = (H - 1) stride + reach - top - bottom + extra, extra below stride
  LNT_MAX_POOL2D, LNT_AVG_POOL2D   x                           kernel_h _w, stride_h _w, top bottom left right:
                     over the part of the window inside the image; NaN wins a maximum
  LNT_UPSAMPLE2D     x                                         mode: 0 nearest, 1 bilinear, half-pixel centres
  LNT_RNN, _GRU, _LSTM  x, weight_x [G H, C], weight_h [G H, H], bias [G H], GRU: bias_h [H], then if the flags
                     say so: h [N, H], LSTM: c [N, H]; mask [N, T], f32 or i32, 0 where there is no step
                                                               flags LNT_RNN_*: y [N, T, H] or the last [N, H];
                     with LNT_RNN_CELL one more row, c of the last step. n_out 2: y and scratch, [n] of f32 (LNT_TMP)
  LNT_SUM, _MEAN, _MAX  x                                      axes (bit i: axis i, at least one), keep (0, 1):
                     without keep the axes are gone from y, [1] when none is left
  LNT_SOFTMAX, LNT_LOG_SOFTMAX   x                             axis                                       (same)
  LNT_RESHAPE        x, f32, i8 or i32                         none: y has as many elements               (same)
  LNT_TRANSPOSE      x, f32, i8 or i32                         order[6]: axis i of y is axis order[i] of x; 0
                                                               past the rank
  LNT_SLICE          x, f32, i8 or i32                         axis begin step: y as long as it is along axis
  LNT_CONCAT         2..8 parts of one type, f32, i8 or i32    axis
  LNT_PAD            x, f32 or i8                              before[6] after[6] value: 0 past the rank
  LNT_BATCH_NORM     x [.., C], mean, scale, shift, each [C]   ACT: y = (x - mean) scale + shift          (same)
  LNT_GROUP_NORM     x [N, .., C], none or weight, bias [C]    groups, f32 eps                            (same)
  LNT_LAYER_NORM     x, none or weight, bias of the last axes  axes, f32 eps: over the last axes          (same)
  LNT_EMBEDDING      weight [V, D], indices i32 [..]           none: y [.., D]; indices of a constant are in
                     0..V-1, others are brought there and lnt_run says LNT_E_INDEX
  elementwise        x                                         p q: LNT_ELU alpha, LNT_LEAKY_RELU slope, LNT_POW
                                                               exponent, LNT_CLAMP low high               (same)
  LNT_ADD ..         a, b, broadcast as in NumPy               none; y may lie on a if it has its shape   (same) */
// clang-format on

enum {
  LNT_DENSE = 1,
  LNT_RELU = 2,
  LNT_SOFTMAX = 3,
  LNT_RESHAPE = 4,
  LNT_MATMUL = 5,
  LNT_CONV2D = 6,
  LNT_CONV_TRANSPOSE2D = 7,
  LNT_MAX_POOL2D = 8,
  LNT_AVG_POOL2D = 9,
  LNT_UPSAMPLE2D = 10,
  LNT_RNN = 11,
  LNT_GRU = 12,
  LNT_LSTM = 13,
  LNT_SUM = 14,
  LNT_MEAN = 15,
  LNT_MAX = 16,
  LNT_LOG_SOFTMAX = 17,
  LNT_TRANSPOSE = 18,
  LNT_SLICE = 19,
  LNT_CONCAT = 20,
  LNT_PAD = 21,
  LNT_BATCH_NORM = 22,
  LNT_GROUP_NORM = 23,
  LNT_LAYER_NORM = 24,
  LNT_EMBEDDING = 25,

  LNT_NEG = 32,
  LNT_EXP = 33,
  LNT_LOG = 34,
  LNT_SQRT = 35,
  LNT_SQUARE = 36,
  LNT_ABS = 37,
  LNT_SIGMOID = 38,
  LNT_TANH = 39,
  LNT_RELU6 = 40,
  LNT_HARD_SWISH = 41,
  LNT_SILU = 42,
  LNT_GELU = 43,
  LNT_SOFTPLUS = 44,
  LNT_ELU = 45,
  LNT_LEAKY_RELU = 46,
  LNT_POW = 47,
  LNT_CLAMP = 48,

  LNT_ADD = 64,
  LNT_SUB = 65,
  LNT_MUL = 66,
  LNT_DIV = 67,
  LNT_MAXIMUM = 68,
  LNT_MINIMUM = 69,
  LNT_PRELU = 70
};

enum { LNT_NEAREST = 0, LNT_BILINEAR = 1 }; /* modes of LNT_UPSAMPLE2D */

enum {
  LNT_RNN_REVERSE = 1,  /* the last time first */
  LNT_RNN_SEQUENCE = 2, /* every step's h, else only the last */
  LNT_RNN_MASKED = 4,   /* reads a mask */
  LNT_RNN_STATE = 8,    /* reads h, LSTM: and c */
  LNT_RNN_CELL = 16,    /* LSTM: y has a row for c */
  LNT_RNN_RELU = 32     /* RNN: relu in place of tanh */
};

/* Places of parameters, in u32. */
enum {
  LNT_AT_STRIDE = 0,
  LNT_AT_DILATION = 2,
  LNT_AT_PADS = 4, /* top bottom left right, of pools too */
  LNT_AT_CONV_GROUPS = 8,
  LNT_AT_CONV_ACT = 9,
  LNT_CONV_PARAMS = 12,
  LNT_AT_EXTRA = 8, /* of LNT_CONV_TRANSPOSE2D, which has groups and ACT two later */
  LNT_CONV_TRANSPOSE_PARAMS = 14,
  LNT_AT_POOL_KERNEL = 0,
  LNT_AT_POOL_STRIDE = 2,
  LNT_POOL_PARAMS = 8
};

enum {
  LNT_BLOCK = 16,    /* rows in a block of the blocked layout */
  LNT_RNN_STEPS = 8, /* scratch of a recurrent op: (LNT_RNN_STEPS + 1) G H + 2 H floats */
  LNT_MAX_PARTS = 8  /* of LNT_CONCAT */
};

#endif
