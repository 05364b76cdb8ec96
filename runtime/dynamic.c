// SPDX-License-Identifier: Apache-2.0
/* Dense layers and convolutions of f32 whose weights are i8, and whose inputs are quantized on the way, each
   sample by its own range. */
#include "linnet/runtime/int8.h"
#include "linnet/runtime/product.h"

typedef struct range {
  float scale;
  int32_t zero;
} range;

/* From the smallest to the largest number and 0, as linnet::range_quantizer has it; what is no number does
   not count. */
static range range_of(const float* x, size_t n) {
  float low = 0.0f, high = 0.0f;
  for (size_t i = 0; i < n; ++i) {
    if (x[i] < low) low = x[i];
    if (x[i] > high) high = x[i];
  }
  double scale = ((double)high - (double)low) / 255.0;
  if (scale < 1e-30) scale = 1e-30;
  const double zero = -128.0 - (double)low / scale; /* NaN when low is infinite */
  const range r = {(float)scale, lnt_round_even(zero > 127.0 ? 127.0 : zero >= -128.0 ? zero : -128.0)};
  return r;
}

typedef struct sample {
  const float *x, *bias;
  const lnt_tensor* weight;
  lnt_activation act;
  size_t n, rows; /* elements of x; rows of y, each of weight->dims[0] */
  int32_t* sums;  /* scratch: of the rows of weights, */
  int8_t* q;      /* and the numbers of the sample */
  float* y;
} sample;

static sample first_sample(const lnt_operands* o, uint32_t act) {
  const size_t samples = o->in[0].dims[0], outs = o->in[1].dims[0];
  const sample s = {(const float*)o->in_data[0],
                    o->n_in == 3 ? (const float*)o->in_data[2] : NULL,
                    &o->in[1],
                    lnt_read_activation(o, act),
                    lnt_elements(&o->in[0]) / samples,
                    lnt_elements(&o->out[0]) / samples / outs,
                    (int32_t*)o->out_data[1],
                    (int8_t*)o->out_data[1] + 4 * outs,
                    (float*)o->out_data[0]};
  return s;
}

static range quantize(const sample* s, const int8_t* weight, size_t terms) {
  const range r = range_of(s->x, s->n);
  for (size_t i = 0; i < s->n; ++i) s->q[i] = lnt_quantize(s->x[i], r.scale, r.zero);
  lnt_i8_fold(weight, s->weight->dims[0], terms, NULL, r.zero, s->sums);
  return r;
}

/* The sums of products lie where y goes. */
static void finish(const sample* s, float scale) {
  const size_t outs = s->weight->dims[0];
  for (size_t r = 0; r < s->rows; ++r) {
    float* y = s->y + r * outs;
    for (size_t k = 0; k < outs; ++k) {
      int32_t sum;
      memcpy(&sum, y + k, sizeof sum);
      const float product = scale * lnt_scale(s->weight, k) * (float)sum;
      y[k] = s->bias != NULL ? product + s->bias[k] : product;
    }
  }
  if (s->act.opcode != 0) LNT_FN(lnt_unary)(s->act.opcode, s->act.p, s->act.q, s->y, s->y, s->rows * outs);
}

void lnt_run_dense_dynamic(const lnt_operands* o) {
  const int8_t* weight = (const int8_t*)o->in_data[1];
  sample s = first_sample(o, 0);
  const lnt_i8_dense_work work = {s.rows, o->in[1].dims[1], o->in[1].dims[0], {0, INT8_MIN, INT8_MAX}};
  for (uint32_t i = 0; i < o->in[0].dims[0]; ++i, s.x += s.n, s.y += s.rows * work.outs) {
    const range r = quantize(&s, weight, work.n);
    lnt_i8_dense_sums(&work, s.q, weight, s.sums, (int32_t*)(void*)s.y);
    finish(&s, r.scale);
  }
}

void lnt_run_conv2d_dynamic(const lnt_operands* o) {
  const int8_t* weight = (const int8_t*)o->in_data[1];
  sample s = first_sample(o, LNT_AT_CONV_ACT);
  const size_t outs = o->in[1].dims[0];
  for (uint32_t i = 0; i < o->in[0].dims[0]; ++i, s.x += s.n, s.y += s.rows * outs) {
    const range r = quantize(&s, weight, o->in[1].bytes / outs);
    const lnt_i8_conv_work work = lnt_i8_conv_of(o, r.zero);
    lnt_i8_conv2d_sums(&work, s.q, weight, s.sums, (int32_t*)(void*)s.y);
    finish(&s, r.scale);
  }
}
