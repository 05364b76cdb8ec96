// SPDX-License-Identifier: Apache-2.0
// Transposed convolution and resizing.
#include <algorithm>

#include "linnet/autograd/ops.h"
#include "op_cases.h"
#include "op_draws.h"

namespace linnet::test {
namespace {

OpExample transposed_example(Rng& rng, std::int64_t largest_stride, std::int64_t largest_dilation,
                             std::int64_t groups) {
  ConvTranspose2DParams params;
  params.stride = {any(rng, 1, largest_stride), any(rng, 1, largest_stride)};
  params.dilation = {any(rng, 1, largest_dilation), any(rng, 1, largest_dilation)};
  params.groups = groups;
  const std::int64_t kh = any(rng, 1, 3), kw = any(rng, 1, 3), h = any(rng, 1, 5), w = any(rng, 1, 5);
  // Explicit padding leaves at least one row: h is at least 1, so that before + after < reach is enough.
  const std::int64_t reach_h = (kh - 1) * params.dilation.h + 1, reach_w = (kw - 1) * params.dilation.w + 1;
  if (coin(rng))
    params.padding = Padding::same_size();
  else {
    params.padding.top = any(rng, 0, reach_h - 1);
    params.padding.bottom = any(rng, 0, reach_h - 1 - params.padding.top);
    params.padding.left = any(rng, 0, reach_w - 1);
    params.padding.right = any(rng, 0, reach_w - 1 - params.padding.left);
    params.output_padding = {any(rng, 0, params.stride.h - 1), any(rng, 0, params.stride.w - 1)};
  }
  const std::int64_t c = groups > 1 ? any(rng, 1, 3) : odd_size(rng) / 2 + 1, o = any(rng, 1, 4);
  const std::int64_t n = any(rng, 1, 3);
  std::vector<Tensor> inputs{draw(rng, {n, h, w, c * groups}), draw(rng, {o * groups, kh, kw, c})};
  if (coin(rng)) inputs.push_back(draw(rng, {o * groups}));
  const std::int64_t places = h * w * params.stride.h * params.stride.w + reach_h * reach_w;
  return {
      inputs,
      [=](const Inputs& t) { return conv_transpose2d(t[0], t[1], t.size() > 2 ? t[2] : Tensor(), params); },
      std::max({kh * kw * c, kh * kw * o, n * places})};
}

}  // namespace

void add_conv(std::vector<OpCase>& cases) {
  const auto add = [&](const char* name, std::int64_t stride, std::int64_t dilation, std::int64_t groups) {
    cases.push_back({Op::conv_transpose2d, name,
                     [=](Rng& rng) { return transposed_example(rng, stride, dilation, groups); }});
  };
  add("conv_transpose2d", 1, 1, 1);
  add("conv_transpose2d, strided", 3, 1, 1);
  add("conv_transpose2d, dilated", 2, 3, 1);
  add("conv_transpose2d, grouped", 2, 2, 3);
  for (const Interpolation mode : {Interpolation::nearest, Interpolation::bilinear})
    cases.push_back(
        {Op::upsample2d, mode == Interpolation::nearest ? "upsample2d, nearest" : "upsample2d, bilinear",
         [=](Rng& rng) {
           const Shape x{any(rng, 1, 3), any(rng, 1, 5), any(rng, 1, 5), odd_size(rng)};
           const Pair size(any(rng, 1, 9), any(rng, 1, 9));
           return OpExample{
               {draw(rng, x)}, [=](const Inputs& in) { return upsample2d(in[0], size, mode); }, 81};
         }});
}

}  // namespace linnet::test
