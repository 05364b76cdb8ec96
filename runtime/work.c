/* SPDX-License-Identifier: Apache-2.0 */
/* How long an op will take. A file of a few hundred bytes can ask for days: a window as large as its image,
   over every place. */
#include "linnet/runtime/runtime_impl.h"

static uint64_t smaller(uint64_t a, uint64_t b) { return a < b ? a : b; }

/* a b, or the most that 64 bits hold. */
static uint64_t times(uint64_t a, uint64_t b) { return a != 0 && b > UINT64_MAX / a ? UINT64_MAX : a * b; }

/* Elements behind each row of a weight. */
static uint64_t terms(const lnt_tensor* weight) {
  return weight->dims[0] == 0 ? 0 : lnt_elements(weight) / weight->dims[0];
}

/* Called before the shapes are checked against each other. */
uint64_t lnt_work(const lnt_operands* o, uint32_t n_out) {
  const lnt_tensor *x = &o->in[0], *y = &o->out[0];
  uint64_t bytes = 0; /* moved, or products */
  switch (o->opcode) {
    case LNT_DENSE:
    case LNT_CONV2D:
    case LNT_CONV_TRANSPOSE2D:
    case LNT_I8_DENSE:
    case LNT_I8_CONV2D:
      return times(lnt_elements(y), terms(&o->in[1]));
    case LNT_DENSE_DYNAMIC:
    case LNT_CONV2D_DYNAMIC: /* and all of x, and the sum of each row of weights, once a sample */
      bytes = times(lnt_elements(y) + times(x->dims[0], o->in[1].dims[0]), terms(&o->in[1]));
      return bytes > UINT64_MAX - lnt_elements(x) ? UINT64_MAX : bytes + lnt_elements(x);
    case LNT_MATMUL:
      return times(lnt_elements(y), x->dims[1]);
    case LNT_MAX_POOL2D:
    case LNT_AVG_POOL2D:
    case LNT_I8_MAX_POOL2D:
    case LNT_I8_AVG_POOL2D:
      return times(lnt_elements(y),
                   smaller(times(smaller(lnt_param(o, 0), x->dims[1]), smaller(lnt_param(o, 1), x->dims[2])),
                           lnt_elements(x)));
    case LNT_RNN:
    case LNT_GRU:
    case LNT_LSTM:
    case LNT_I8_GRU:
    case LNT_I8_LSTM:
      return times(smaller(times(x->dims[0], x->dims[1]), lnt_elements(x)),
                   lnt_elements(&o->in[1]) + lnt_elements(&o->in[2]));
    default:
      for (uint32_t i = 0; i < o->n_in; ++i) bytes += o->in[i].bytes;
      for (uint32_t i = 0; i < n_out; ++i) bytes += o->out[i].bytes;
      return bytes;
  }
}
