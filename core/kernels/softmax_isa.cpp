// SPDX-License-Identifier: Apache-2.0
// Letters: z logits, p = softmax(z), t target; `top` is the largest logit of a row.
#include "linnet/core/kernels/softmax_table.h"
#include "linnet/core/kernels/vec_loop.h"

namespace linnet::kernels::LINNET_ISA {

using Size = std::ptrdiff_t;

static float log_of(float x) { return m::log(F(x)).v[0]; }

/// y = e^(x - top); returns its sum.
LINNET_INLINE float shifted_exp(const float* x, float* y, Size n, float top) {
  const F shift(top);
  return sum_of(n, [=](Size i, auto at) LINNET_INLINE_LAMBDA {
    const F e = m::exp(at.load(x + i) - shift);
    at.store(e, y + i);
    return e;
  });
}

LINNET_INLINE void scale_row(float* y, Size n, float factor) {
  const F f(factor);
  for_vectors(n, [=](Size i, auto at) LINNET_INLINE_LAMBDA { at.store(at.load(y + i) * f, y + i); });
}

static void softmax_rows(const float* x, float* y, Size rows, Size n) {
  for (; rows > 0; --rows, x += n, y += n) scale_row(y, n, 1.0f / shifted_exp(x, y, n, max_of(x, n)));
}

static void softmax_grad(const float* y, const float* dy, float* dx, Size rows, Size n) {
  for (; rows > 0; --rows, y += n, dy += n, dx += n) {
    const F dot(
        sum_of(n, [=](Size i, auto at) LINNET_INLINE_LAMBDA { return at.load(y + i) * at.load(dy + i); }));
    for_vectors(n, [=](Size i, auto at)
                       LINNET_INLINE_LAMBDA { at.store(at.load(y + i) * (at.load(dy + i) - dot), dx + i); });
  }
}

static void log_softmax(const float* x, float* y, Size rows, Size n) {
  for (; rows > 0; --rows, x += n, y += n) {
    const F top(max_of(x, n));
    const F log_sum(log_of(
        sum_of(n, [=](Size i, auto at) LINNET_INLINE_LAMBDA { return m::exp(at.load(x + i) - top); })));
    for_vectors(
        n, [=](Size i, auto at) LINNET_INLINE_LAMBDA { at.store((at.load(x + i) - top) - log_sum, y + i); });
  }
}

static void log_softmax_grad(const float* y, const float* dy, float* dx, Size rows, Size n) {
  for (; rows > 0; --rows, y += n, dy += n, dx += n) {
    const F total(sum_of(n, [=](Size i, auto at) LINNET_INLINE_LAMBDA { return at.load(dy + i); }));
    for_vectors(n, [=](Size i, auto at) LINNET_INLINE_LAMBDA {
      at.store(at.load(dy + i) - m::exp(at.load(y + i)) * total, dx + i);
    });
  }
}

static void cross_entropy(const float* z, const std::int64_t* label, float* p, float* loss, Size rows,
                          Size n) {
  for (Size row = 0; row < rows; ++row, z += n, p += n) {
    const float top = max_of(z, n);
    const float sum = shifted_exp(z, p, n, top);
    scale_row(p, n, 1.0f / sum);
    loss[row] = log_of(sum) - (z[label[row]] - top);
  }
}

static void soft_cross_entropy(const float* z, const float* t, float* p, float* loss, Size rows, Size n) {
  for (Size row = 0; row < rows; ++row, z += n, t += n, p += n) {
    const float top = max_of(z, n);
    const float sum = shifted_exp(z, p, n, top);
    scale_row(p, n, 1.0f / sum);
    const F log_sum(log_of(sum)), shift(top);
    loss[row] = sum_of(n, [=](Size i, auto at) LINNET_INLINE_LAMBDA {
      const F weight = at.load(t + i);
      const F term = weight * (log_sum - (at.load(z + i) - shift));
      return m::where(weight == F(0), F(0), term);  // 0 log 0 = 0
    });
  }
}

static void cross_entropy_grad(const float* p, const std::int64_t* label, float* dz, Size rows, Size n,
                               float factor) {
  const F f(factor);
  for (Size row = 0; row < rows; ++row, p += n, dz += n) {
    for_vectors(n, [=](Size i, auto at) LINNET_INLINE_LAMBDA { at.store(at.load(p + i) * f, dz + i); });
    dz[label[row]] = (p[label[row]] - 1.0f) * factor;
  }
}

static void soft_cross_entropy_grad(const float* p, const float* t, float* dz, Size rows, Size n,
                                    float factor) {
  const F f(factor);
  for (; rows > 0; --rows, p += n, t += n, dz += n) {
    const F total(sum_of(n, [=](Size i, auto at) LINNET_INLINE_LAMBDA { return at.load(t + i); }));
    for_vectors(n, [=](Size i, auto at) LINNET_INLINE_LAMBDA {
      at.store((at.load(p + i) * total - at.load(t + i)) * f, dz + i);
    });
  }
}

constinit const SoftmaxKernels<float> softmax = {
    softmax_rows,  softmax_grad,       log_softmax,        log_softmax_grad,
    cross_entropy, soft_cross_entropy, cross_entropy_grad, soft_cross_entropy_grad};

}  // namespace linnet::kernels::LINNET_ISA
