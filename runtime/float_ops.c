// SPDX-License-Identifier: Apache-2.0
/* Float kernels. Plain loops: independent lanes let the compiler use what SIMD the target has, and fix the
   order of every sum whatever it uses. */
#include <string.h>

#include "linnet/runtime/runtime_impl.h"

enum { kLanes = 16 };

/* sum a[k] b[k]: term k goes to lane k mod 16, then lanes l and l + 8, l + 4, l + 2, l + 1 join. */
static float dot(const float* a, const float* b, size_t n) {
  float lane[kLanes] = {0};
  size_t k = 0;
  for (; k + kLanes <= n; k += kLanes) {
    for (size_t l = 0; l < kLanes; ++l) lane[l] += a[k + l] * b[k + l];
  }
  for (size_t l = 0; k < n; ++k, ++l) lane[l] += a[k] * b[k];
  for (size_t width = kLanes / 2; width > 0; width /= 2) {
    for (size_t l = 0; l < width; ++l) lane[l] += lane[l + width];
  }
  return lane[0];
}

/* y[r][o] = sum_i x[r][i] weight[o][i] + bias[o]. Rows inside: each row of the weight is fetched once. */
void lnt_run_dense_f32(const lnt_operands* operands) {
  const float* x = (const float*)operands->in_data[0];
  const float* weight = (const float*)operands->in_data[1];
  const float* bias = operands->n_in == 3 ? (const float*)operands->in_data[2] : NULL;
  float* y = (float*)operands->out_data[0];
  const size_t n_out = operands->in[1].dims[0], n_in = operands->in[1].dims[1];
  const size_t rows = operands->in[0].bytes / sizeof(float) / n_in;
  for (size_t o = 0; o < n_out; ++o) {
    for (size_t r = 0; r < rows; ++r) {
      const float sum = dot(x + r * n_in, weight + o * n_in, n_in);
      y[r * n_out + o] = bias != NULL ? sum + bias[o] : sum;
    }
  }
}

/* max(x, 0); written so that NaN stays NaN. */
void lnt_run_relu_f32(const lnt_operands* operands) {
  const float* x = (const float*)operands->in_data[0];
  float* y = (float*)operands->out_data[0];
  const size_t n = operands->in[0].bytes / sizeof(float);
  for (size_t i = 0; i < n; ++i) y[i] = x[i] < 0.0f ? 0.0f : x[i];
}

/* e^x for x <= 0 or NaN, within 1 ULP (compared for every float); below -87 it is 0, before 2^n would need a
   subnormal. e^x = 2^n e^r with n = round(x / ln 2), |r| <= ln 2 / 2; ln 2 in two parts so that n ln 2 is
   exact in the first. The polynomial's coefficients are those of Cephes' expf (S. L. Moshier). */
static float exp_nonpositive(float x) {
  if (x != x) return x;
  if (x < -87.0f) return 0.0f;
  const int32_t n = (int32_t)(x * 1.44269504f - 0.5f);
  const float r = (x - (float)n * 0.693359375f) - (float)n * -2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.0f;
  const uint32_t bits = (uint32_t)(n + 127) << 23;
  float power;
  memcpy(&power, &bits, sizeof power);
  return p * power;
}

/* One softmax of n elements, `stride` apart: y = e^(x - max) / sum e^(x - max). */
static void softmax_line(const float* x, float* y, size_t n, size_t stride) {
  float max = x[0], sum = 0.0f;
  for (size_t i = 1; i < n; ++i) max = x[i * stride] > max ? x[i * stride] : max;
  for (size_t i = 0; i < n; ++i) {
    y[i * stride] = exp_nonpositive(x[i * stride] - max);
    sum += y[i * stride];
  }
  for (size_t i = 0; i < n; ++i) y[i * stride] /= sum;
}

void lnt_run_softmax_f32(const lnt_operands* operands) {
  const lnt_tensor* t = &operands->in[0];
  const uint32_t axis = lnt_u32(operands->params);
  const size_t n = t->dims[axis];
  size_t inner = 1;
  for (uint32_t i = axis + 1; i < t->rank; ++i) inner *= t->dims[i];
  const size_t outer = t->bytes / sizeof(float) / n / inner;
  for (size_t i = 0; i < outer * inner; ++i) {
    const size_t begin = i / inner * n * inner + i % inner;
    softmax_line((const float*)operands->in_data[0] + begin, (float*)operands->out_data[0] + begin, n, inner);
  }
}

void lnt_run_reshape(const lnt_operands* operands) {
  if (operands->out_data[0] != operands->in_data[0]) {
    memcpy(operands->out_data[0], operands->in_data[0], operands->in[0].bytes);
  }
}
