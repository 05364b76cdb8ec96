// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/kernels/conv_depthwise_table.h"
#include "linnet/core/kernels/vec_loop.h"

namespace linnet::kernels::LINNET_ISA {
namespace {

// Patches are copied to where no store can change them: their numbers then stay in registers.

/// P neighbouring places: each weight is read once for all of them.
template <int P, class At>
LINNET_INLINE void apply_places(const Patch patch, const float* source, const float* weight,
                                const Epilogue end, float* target, At at) {
  F sum[P];
  for (F& s : sum) s = F(0);
  for (Index t = 0; t < patch.count; ++t) {
    const F w = at.load(weight + patch.taps[t].weight);
    const float* from = source + patch.taps[t].source;
    for (int i = 0; i < P; ++i) sum[i] = madd(at.load(from + i * patch.source_step), w, sum[i]);
  }
  if (end.bias)
    for (F& s : sum) s += at.load(end.bias);
  if (end.relu)
    for (F& s : sum) s = m::relu(s);
  for (int i = 0; i < P; ++i) at.store(sum[i], target + i * patch.target_step);
}

template <class At>
LINNET_INLINE void apply_line(const Patch patch, const float* source, const float* weight, const Epilogue end,
                              float* target, At at) {
  Index left = patch.places;
  const auto advance = [&](auto places) LINNET_INLINE_LAMBDA {
    apply_places<places.count>(patch, source, weight, end, target, at);
    source += places.count * patch.source_step;
    target += places.count * patch.target_step;
    left -= places.count;
  };
  while (left >= 6) advance(Count<6>{});
  if (left >= 4) advance(Count<4>{});
  if (left >= 2) advance(Count<2>{});
  if (left >= 1) advance(Count<1>{});
}

void apply(const Patch& all, const float* weight, const Epilogue& epilogue, float* target) {
  const Patch patch = all;
  const Epilogue end = epilogue;
  for (Index line = 0; line < patch.lines; ++line) {
    const float* source = patch.source + line * patch.source_line;
    float* to = target + line * patch.target_line;
    for_vectors(patch.channels, [=](Index c, auto at) LINNET_INLINE_LAMBDA {
      const Epilogue own{end.bias ? end.bias + c : nullptr, end.relu};
      apply_line(patch, source + c, weight + c, own, to + c, at);
    });
  }
}

/// T taps: each gradient is read once for all of them, and their chains do not wait for each other.
template <int T, class At>
LINNET_INLINE void grad_taps(const Patch patch, const Tap* taps, const float* source, const float* dtarget,
                             float* dweight, At at) {
  F sum[T];
  Index from[T];
  for (int t = 0; t < T; ++t) {
    sum[t] = F(0);
    from[t] = taps[t].source;
  }
  for (Index line = 0; line < patch.lines; ++line) {
    const float *x = source + line * patch.source_line, *dy = dtarget + line * patch.target_line;
    for (Index i = 0; i < patch.places; ++i, x += patch.source_step, dy += patch.target_step) {
      const F gradient = at.load(dy);
      for (int t = 0; t < T; ++t) sum[t] = madd(gradient, at.load(x + from[t]), sum[t]);
    }
  }
  for (int t = 0; t < T; ++t) {
    float* place = dweight + taps[t].weight;
    at.store(at.load(place) + sum[t], place);
  }
}

void grad_weight(const Patch& all, const float* dtarget, float* dweight) {
  const Patch patch = all;
  for_vectors(patch.channels, [=](Index c, auto at) LINNET_INLINE_LAMBDA {
    const Tap* taps = patch.taps;
    Index left = patch.count;
    const auto advance = [&](auto count) LINNET_INLINE_LAMBDA {
      grad_taps<count.count>(patch, taps, patch.source + c, dtarget + c, dweight + c, at);
      taps += count.count;
      left -= count.count;
    };
    while (left >= 9) advance(Count<9>{});
    if (left >= 6) advance(Count<6>{});
    if (left >= 4) advance(Count<4>{});
    if (left >= 2) advance(Count<2>{});
    if (left >= 1) advance(Count<1>{});
  });
}

}  // namespace

extern const DepthwiseTable depthwise = {apply, grad_weight};

}  // namespace linnet::kernels::LINNET_ISA
