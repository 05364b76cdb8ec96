// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/kernels/loss_table.h"
#include "linnet/core/kernels/vec_loop.h"

namespace linnet::kernels::LINNET_ISA {

using Size = std::ptrdiff_t;

#include "linnet/core/kernels/loss_rows.inl"

template <class Row>
static float loss_sum(const float* a, const float* b, const float* w, Size n, float parameter) {
  const F p(parameter);
  if (!w)
    return sum_of(n, [=](Size i, auto at)
                         LINNET_INLINE_LAMBDA { return Row::value(at.load(a + i), at.load(b + i), p); });
  return sum_of(n, [=](Size i, auto at) LINNET_INLINE_LAMBDA {
    return weighted(at.load(w + i), Row::value(at.load(a + i), at.load(b + i), p));
  });
}

template <class Row, int kSide>
static void loss_grad(const float* a, const float* b, const float* w, float* dx, Size n, float parameter,
                      float factor) {
  const F p(parameter), f(factor);
  if (!w)
    return for_vectors(n, [=](Size i, auto at) LINNET_INLINE_LAMBDA {
      at.store(Row::template slope<kSide>(at.load(a + i), at.load(b + i), p) * f, dx + i);
    });
  for_vectors(n, [=](Size i, auto at) LINNET_INLINE_LAMBDA {
    const F slope = Row::template slope<kSide>(at.load(a + i), at.load(b + i), p) * f;
    at.store(weighted(at.load(w + i), slope), dx + i);
  });
}

#define LINNET_SUM(Row) loss_sum<Row>
#define LINNET_GRAD_A(Row) loss_grad<Row, 0>
#define LINNET_GRAD_B(Row) loss_grad<Row, 1>
constinit const LossKernels<float> losses = {
    {LINNET_LOSS_ROWS(LINNET_SUM)}, {{LINNET_LOSS_ROWS(LINNET_GRAD_A)}, {LINNET_LOSS_ROWS(LINNET_GRAD_B)}}};

}  // namespace linnet::kernels::LINNET_ISA
