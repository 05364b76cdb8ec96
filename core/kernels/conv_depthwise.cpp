// SPDX-License-Identifier: Apache-2.0
// Convolution with one filter for each channel, and its gradients. Both directions are the same sum:
//   forward:     y[o]  = sum over k of x[o stride - before + k dilation] w[k]
//   grad_input:  dx[i] = sum over k of dy[(i + before - k dilation) / stride] w[k], where that is whole
// Along each axis, places that see the same taps are one run; under one run of each axis lies a patch of the
// image.

#include "linnet/core/kernels/conv_depthwise_table.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "linnet/core/kernels/conv_plan.h"
#include "linnet/core/kernels/gemm_scratch.h"
#include "linnet/core/kernels/select.h"
#include "linnet/core/parallel.h"

namespace linnet::kernels {

LINNET_SELECT_TABLE(DepthwiseTable, depthwise)

namespace {

/// One axis of a window.
struct Axis {
  Index in, out, kernel, stride, dilation, before;
};

/// Places place, place + place_step, ... of the target; under its taps tap, tap + tap_step, ... the first one
/// reads source, source + tap_source, ...; the next place reads source_step further.
struct AxisRun {
  Index places, place, place_step;
  Index source, source_step;
  Index taps, tap, tap_step, tap_source;

  bool continues(const AxisRun& before) const {
    return taps == before.taps && tap == before.tap && place == before.place + before.places * place_step &&
           source == before.source + before.places * source_step;
  }
};

void append(std::vector<AxisRun>& runs, std::size_t first, const AxisRun& one) {
  if (runs.size() > first && one.continues(runs.back()))
    ++runs.back().places;
  else
    runs.push_back(one);
}

/// Taps of `one` that read outside [0, size) are dropped at both ends.
void keep_inside(AxisRun& one, Index size) {
  const auto inside = [&](Index t) {
    const Index at = one.source + t * one.tap_source;
    return at >= 0 && at < size;
  };
  Index begin = 0, end = one.taps;
  while (begin < end && !inside(begin)) ++begin;
  while (begin < end && !inside(end - 1)) --end;
  one.tap += begin * one.tap_step;
  one.source += begin * one.tap_source;
  one.taps = end - begin;
}

void forward_runs(const Axis& axis, std::vector<AxisRun>& runs) {
  runs.clear();
  for (Index o = 0; o < axis.out; ++o) {
    AxisRun one{.places = 1,
                .place = o,
                .place_step = 1,
                .source = o * axis.stride - axis.before,
                .source_step = axis.stride,
                .taps = axis.kernel,
                .tap = 0,
                .tap_step = 1,
                .tap_source = axis.dilation};
    keep_inside(one, axis.in);
    append(runs, 0, one);
  }
}

/// Places whose distance is the stride see the same taps: one phase after the other.
void grad_input_runs(const Axis& axis, std::vector<AxisRun>& runs) {
  runs.clear();
  const Index common = std::gcd(axis.stride, axis.dilation);
  for (Index phase = 0; phase < std::min(axis.stride, axis.in); ++phase) {
    const std::size_t first = runs.size();
    Index tap = 0;
    while (tap < axis.kernel && (phase + axis.before - tap * axis.dilation) % axis.stride != 0) ++tap;
    const Index step = axis.stride / common;
    const Index taps = tap < axis.kernel ? (axis.kernel - tap + step - 1) / step : 0;
    for (Index i = phase; i < axis.in; i += axis.stride) {
      AxisRun one{.places = 1,
                  .place = i,
                  .place_step = axis.stride,
                  .source = (i + axis.before - tap * axis.dilation) / axis.stride,
                  .source_step = 1,
                  .taps = taps,
                  .tap = tap,
                  .tap_step = step,
                  .tap_source = -axis.dilation / common};
      keep_inside(one, axis.out);
      append(runs, first, one);
    }
  }
}

/// What an image is cut into. Kept by each thread from call to call for its memory.
struct Cut {
  std::vector<AxisRun> lines, line;
  Index channels, kernel_width;
};

/// body(patch, its first place in the target) for one image of lines of `source_line` and `target_line`
/// floats. A patch has at most kChunk places, or one line: the sums of gradients are over one patch each.
template <class Body>
void for_patches(const Cut& cut, const float* source, Index source_line, Index target_line, Body body) {
  for (const AxisRun& h : cut.lines)
    for (const AxisRun& w : cut.line) {
      Patch patch{.lines = 0,
                  .places = w.places,
                  .channels = cut.channels,
                  .source = source + h.source * source_line + w.source * cut.channels,
                  .source_line = h.source_step * source_line,
                  .source_step = w.source_step * cut.channels,
                  .target_line = h.place_step * target_line,
                  .target_step = w.place_step * cut.channels,
                  .tap_lines = h.taps,
                  .taps = w.taps,
                  .tap_line = h.tap_source * source_line,
                  .tap_step = w.tap_source * cut.channels,
                  .weight = (h.tap * cut.kernel_width + w.tap) * cut.channels,
                  .weight_line = h.tap_step * cut.kernel_width * cut.channels,
                  .weight_step = w.tap_step * cut.channels};
      Index target = h.place * target_line + w.place * cut.channels;
      const Index at_once = std::max<Index>(kChunk / w.places, 1);
      for (Index line = 0; line < h.places; line += patch.lines) {
        patch.lines = std::min(at_once, h.places - line);
        body(patch, target);
        patch.source += patch.lines * patch.source_line;
        target += patch.lines * patch.target_line;
      }
    }
}

Axis vertical(const ConvPlan& p) {
  return {p.H, p.YH, p.KH, p.window.stride.h, p.window.dilation.h, p.window.top};
}
Axis horizontal(const ConvPlan& p) {
  return {p.W, p.YW, p.KW, p.window.stride.w, p.window.dilation.w, p.window.left};
}

const Cut& cut_image(const ConvPlan& plan, void (*find_runs)(const Axis&, std::vector<AxisRun>&)) {
  thread_local Cut cut;
  find_runs(vertical(plan), cut.lines);
  find_runs(horizontal(plan), cut.line);
  cut.channels = plan.C;
  cut.kernel_width = plan.KW;
  return cut;
}

/// [C][taps] as [taps][C], for the lanes.
const float* taps_first(const ConvPlan& plan, const float* weight) {
  float* turned = scratch(Scratch::packed, plan.C * plan.terms);
  gemm_table().transpose(weight, plan.terms, plan.C, plan.terms, turned, plan.C);
  return turned;
}

}  // namespace

void conv_depthwise(const ConvPlan& plan, const float* x, const float* weight, const Epilogue& end,
                    float* y) {
  const Cut& cut = cut_image(plan, forward_runs);
  const float* taps = taps_first(plan, weight);
  const Index in = plan.W * plan.C, out = plan.YW * plan.C;
  parallel_for(plan.N, plan.N * plan.image_work(), [&](std::int64_t n) {
    float* image = y + n * plan.YH * out;
    for_patches(cut, x + n * plan.H * in, in, out, [&](const Patch& patch, Index place) {
      depthwise_kernels().apply(patch, taps, end, image + place);
    });
  });
}

void conv_depthwise_grad_input(const ConvPlan& plan, const float* dy, const float* weight, float* dx) {
  const Cut& cut = cut_image(plan, grad_input_runs);
  const float* taps = taps_first(plan, weight);
  const Index in = plan.W * plan.C, out = plan.YW * plan.C;
  parallel_for(plan.N, plan.N * plan.image_work(), [&](std::int64_t n) {
    float* image = dx + n * plan.H * in;
    for_patches(cut, dy + n * plan.YH * out, out, in, [&](const Patch& patch, Index place) {
      depthwise_kernels().apply(patch, taps, {}, image + place);
    });
  });
}

void conv_depthwise_add_images(const ConvPlan& plan, const float* dy, const float* x, Index count, bool first,
                               float* partial) {
  if (first) std::fill_n(partial, plan.C * plan.terms, 0.0f);
  const Cut& cut = cut_image(plan, forward_runs);
  const Index in = plan.W * plan.C, out = plan.YW * plan.C;
  for (Index n = 0; n < count; ++n) {
    const float* gradient = dy + n * plan.YH * out;
    for_patches(cut, x + n * plan.H * in, in, out, [&](const Patch& patch, Index place) {
      depthwise_kernels().grad_weight(patch, gradient + place, partial);
    });
  }
}

void conv_depthwise_grad_weight(const ConvPlan& plan, const float* dy, const float* x, float* dweight) {
  const Index size = plan.C * plan.terms, groups = image_groups(plan);
  const Index in = plan.H * plan.W * plan.C, out = plan.YH * plan.YW * plan.C;
  float* partial = scratch(Scratch::partial, groups * size);
  parallel_for(groups, plan.N * plan.image_work(), [&](std::int64_t group) {
    const Band images = band(group, groups, plan.N, 1);
    conv_depthwise_add_images(plan, dy + images.begin * out, x + images.begin * in, images.end - images.begin,
                              true, partial + group * size);
  });
  conv_finish_weight(plan, partial, groups, dweight);
}

}  // namespace linnet::kernels
