// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/kernels/conv_plan.h"

#include <algorithm>

#include "linnet/core/kernels/gemm_scratch.h"
#include "linnet/core/parallel.h"

namespace linnet::kernels {

const float* padded_rows(const ConvPlan& plan, const float* image, Index begin, Index end) {
  const Index row = plan.W * plan.C;
  if (!plan.padded()) return image + begin * row;
  const Index padded_row = plan.PW * plan.C;
  float* copy = scratch(Scratch::image, (end - begin) * padded_row);
  for (Index h = begin; h < end; ++h) copy_padded_row(plan, image, h, copy + (h - begin) * padded_row);
  return copy;
}

void copy_padded_row(const ConvPlan& plan, const float* image, Index h, float* to) {
  const Index row = plan.W * plan.C, padded_row = plan.PW * plan.C, left = plan.window.left * plan.C;
  const Index source = h - plan.window.top;
  if (source < 0 || source >= plan.H) {
    std::fill_n(to, padded_row, 0.0f);
    return;
  }
  std::fill_n(to, left, 0.0f);
  std::copy_n(image + source * row, row, to + left);
  std::fill(to + left + row, to + padded_row, 0.0f);
}

void copy_inside(const ConvPlan& plan, const float* padded, Band rows, float* image) {
  const Index row = plan.W * plan.C, padded_row = plan.PW * plan.C;
  for (Index p = std::max(rows.begin, plan.window.top); p < std::min(rows.end, plan.window.top + plan.H); ++p)
    std::copy_n(padded + (p - rows.begin) * padded_row + plan.window.left * plan.C, row,
                image + (p - plan.window.top) * row);
}

Index image_groups(const ConvPlan& plan) {
  constexpr Index kGroups = 4;               // enough to share among the cores of a board
  constexpr Index kPartialFloats = 1 << 20;  // large weights are not copied for every group
  const Index room = kPartialFloats / std::max<Index>(plan.O * plan.terms, 1);
  return std::clamp<Index>(std::min(plan.N, room), 1, kGroups);
}

void conv_finish_weight(const ConvPlan& plan, float* partial, Index groups, float* dweight) {
  constexpr Index kTerms = 64;  // of a tile: many enough to be transposed as squares of vectors
  const Index blocks = plan.is_depthwise() ? 1 : plan.G, outputs = plan.O / blocks;
  const Index size = plan.O * plan.terms, cuts = (plan.terms + kTerms - 1) / kTerms;
  parallel_for(blocks * cuts, size * groups, [&](std::int64_t tile) {
    const Index block = tile / cuts * plan.terms * outputs, first = tile % cuts * kTerms;
    const Index terms = std::min(kTerms, plan.terms - first), begin = block + first * outputs;
    for (Index i = 1; i < groups; ++i)
      for (Index j = begin; j < begin + terms * outputs; ++j) partial[j] += partial[i * size + j];
    gemm_table().transpose(partial + begin, outputs, terms, outputs, dweight + block + first, plan.terms);
  });
}

}  // namespace linnet::kernels
