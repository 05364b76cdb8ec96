// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/kernels/conv_depthwise_table.h"
#include "linnet/core/kernels/vec_loop.h"

namespace linnet::kernels::LINNET_ISA {
namespace {

/// P neighbouring places: each weight is read once for all of them.
template <int P, class At>
LINNET_INLINE void apply_places(const Run& run, const float* source, const float* weight, const float* bias,
                                float* target, At at) {
  F sum[P];
  for (F& s : sum) s = F(0);
  for (Index t = 0; t < run.count; ++t) {
    const F w = at.load(weight + run.taps[t].weight);
    const float* from = source + run.taps[t].source;
    for (int i = 0; i < P; ++i) sum[i] = madd(at.load(from + i * run.source_step), w, sum[i]);
  }
  for (int i = 0; i < P; ++i) at.store(bias ? sum[i] + at.load(bias) : sum[i], target + i * run.target_step);
}

void apply(const Run& run, const float* weight, const float* bias, float* target) {
  for_vectors(run.channels, [=, &run](Index c, auto at) LINNET_INLINE_LAMBDA {
    constexpr int kPlaces = 6;
    const float* b = bias ? bias + c : nullptr;
    const float* from = run.source + c;
    float* to = target + c;
    Index left = run.places;
    for (; left >= kPlaces; left -= kPlaces) {
      apply_places<kPlaces>(run, from, weight + c, b, to, at);
      from += kPlaces * run.source_step;
      to += kPlaces * run.target_step;
    }
    for (; left > 0; --left, from += run.source_step, to += run.target_step)
      apply_places<1>(run, from, weight + c, b, to, at);
  });
}

/// T taps: each gradient is read once for all of them, and their chains do not wait for each other.
template <int T, class At>
LINNET_INLINE void grad_taps(const Run& run, const Tap* taps, const float* source, const float* dtarget,
                             float* dweight, At at) {
  F sum[T];
  for (F& s : sum) s = F(0);
  for (Index i = 0; i < run.places; ++i, source += run.source_step, dtarget += run.target_step) {
    const F gradient = at.load(dtarget);
    for (int t = 0; t < T; ++t) sum[t] = madd(gradient, at.load(source + taps[t].source), sum[t]);
  }
  for (int t = 0; t < T; ++t) {
    float* place = dweight + taps[t].weight;
    at.store(at.load(place) + sum[t], place);
  }
}

void grad_weight(const Run& run, const float* dtarget, float* dweight) {
  for_vectors(run.channels, [=, &run](Index c, auto at) LINNET_INLINE_LAMBDA {
    Index t = 0;
    for (; t + 9 <= run.count; t += 9)
      grad_taps<9>(run, run.taps + t, run.source + c, dtarget + c, dweight + c, at);
    for (; t + 3 <= run.count; t += 3)
      grad_taps<3>(run, run.taps + t, run.source + c, dtarget + c, dweight + c, at);
    for (; t < run.count; ++t) grad_taps<1>(run, run.taps + t, run.source + c, dtarget + c, dweight + c, at);
  });
}

}  // namespace

extern const DepthwiseTable depthwise = {apply, grad_weight};

}  // namespace linnet::kernels::LINNET_ISA
