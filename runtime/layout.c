// SPDX-License-Identifier: Apache-2.0
/* Ops that move elements, of 4 bytes or 1. */
#include "linnet/runtime/kernels.h"

void lnt_run_reshape(const lnt_operands* o) {
  if (o->out_data[0] != o->in_data[0]) memcpy(o->out_data[0], o->in_data[0], o->in[0].bytes);
}

/* n elements, `step` bytes apart. */
static void gather_row(uint8_t* to, const uint8_t* from, size_t n, size_t step, size_t size) {
  if (step == size) {
    memcpy(to, from, size * n);
  } else if (size == 4) {
    for (size_t i = 0; i < n; ++i) memcpy(to + 4 * i, from + i * step, 4);
  } else {
    for (size_t i = 0; i < n; ++i) to[i] = from[i * step];
  }
}

/* Walks y and follows in x, whose steps along the axes of y, in bytes, are given; the last axis is the row.
 */
static void gather(const lnt_tensor* y, uint8_t* to, const uint8_t* from, const size_t* steps) {
  const uint32_t last = (uint32_t)y->rank - 1;
  const size_t size = lnt_size_of(y->dtype), n = y->dims[last];
  const uint8_t* end = to + y->bytes;
  size_t index[LNT_MAX_RANK] = {0};
  for (; to < end; to += size * n) {
    gather_row(to, from, n, steps[last], size);
    for (uint32_t i = last; i-- > 0;) {
      from += steps[i];
      if (++index[i] < y->dims[i]) break;
      from -= steps[i] * y->dims[i];
      index[i] = 0;
    }
  }
}

/* Bytes from one place to the next along each axis. */
static void row_major(const lnt_tensor* t, size_t* steps) {
  size_t step = lnt_size_of(t->dtype);
  for (uint32_t i = t->rank; i-- > 0;) {
    steps[i] = step;
    step *= t->dims[i];
  }
}

void lnt_run_transpose(const lnt_operands* o) {
  size_t of_x[LNT_MAX_RANK], steps[LNT_MAX_RANK];
  row_major(&o->in[0], of_x);
  for (uint32_t i = 0; i < o->out[0].rank; ++i) steps[i] = of_x[lnt_param(o, i)];
  gather(&o->out[0], (uint8_t*)o->out_data[0], (const uint8_t*)o->in_data[0], steps);
}

void lnt_run_slice(const lnt_operands* o) {
  size_t steps[LNT_MAX_RANK];
  const uint32_t axis = lnt_param(o, 0);
  row_major(&o->in[0], steps);
  const uint8_t* from = (const uint8_t*)o->in_data[0] + lnt_param(o, 1) * steps[axis];
  if (o->out[0].dims[axis] > 1) steps[axis] *= lnt_param(o, 2); /* else it may lead far outside of x */
  gather(&o->out[0], (uint8_t*)o->out_data[0], from, steps);
}

void lnt_run_concat(const lnt_operands* o) {
  const lnt_tensor* y = &o->out[0];
  const uint32_t axis = lnt_param(o, 0);
  const size_t outer = lnt_count(y, 0, axis);
  const size_t inner = lnt_count(y, axis + 1, y->rank) * lnt_size_of(y->dtype);
  uint8_t* to = (uint8_t*)o->out_data[0];
  for (size_t r = 0; r < outer; ++r) {
    for (uint32_t k = 0; k < o->n_in; ++k) {
      const size_t n = o->in[k].dims[axis] * inner;
      memcpy(to, (const uint8_t*)o->in_data[k] + r * n, n);
      to += n;
    }
  }
}

void lnt_run_pad(const lnt_operands* o) {
  const lnt_tensor *x = &o->in[0], *y = &o->out[0];
  const uint32_t value = lnt_param(o, 2 * LNT_MAX_RANK), last = (uint32_t)x->rank - 1;
  size_t steps[LNT_MAX_RANK], index[LNT_MAX_RANK] = {0};
  uint8_t* to = (uint8_t*)o->out_data[0];
  if (y->dtype == LNT_I8)
    memset(to, lnt_zero(y), y->bytes);
  else
    for (size_t i = 0; i < y->bytes; i += 4) memcpy(to + i, &value, 4);
  row_major(y, steps);
  for (uint32_t i = 0; i <= last; ++i) to += lnt_param(o, i) * steps[i];
  const size_t n = x->dims[last] * lnt_size_of(x->dtype);
  const uint8_t *from = (const uint8_t*)o->in_data[0], *end = from + x->bytes;
  for (; from < end; from += n) {
    memcpy(to, from, n);
    for (uint32_t i = last; i-- > 0;) {
      to += steps[i];
      if (++index[i] < x->dims[i]) break;
      to -= steps[i] * x->dims[i];
      index[i] = 0;
    }
  }
}

/* An index outside the table is brought to its nearest row, and told. */
void lnt_run_embedding(const lnt_operands* o) {
  const size_t rows = o->in[0].dims[0], n = o->in[0].dims[1], count = o->in[1].bytes / 4;
  const float* weight = (const float*)o->in_data[0];
  const uint8_t* indices = (const uint8_t*)o->in_data[1];
  float* y = (float*)o->out_data[0];
  for (size_t i = 0; i < count; ++i, y += n) {
    uint32_t bits = lnt_u32(indices + 4 * i);
    if (bits >= rows) {
      *o->status = LNT_E_INDEX;
      bits = bits >> 31 != 0 ? 0 : (uint32_t)rows - 1;
    }
    memcpy(y, weight + bits * n, 4 * n);
  }
}
