// SPDX-License-Identifier: Apache-2.0
// Direct convolution: the matrix product over rows that overlap. A row of the left matrix is a pixel's
// window, read where it lies in the (padded) image; its terms are KH runs of KW C neighbours.

#include <algorithm>

#include "linnet/core/kernels/conv_plan.h"
#include "linnet/core/kernels/gemm_scratch.h"
#include "linnet/core/parallel.h"

namespace linnet::kernels {
namespace {

constexpr Index kBandWork = 1 << 20;  // multiplications of one tile: about 20 microseconds

/// An image is cut into bands of rows, by shape.
Index bands(const ConvPlan& plan, Index rows) {
  return std::clamp<Index>(plan.image_work() / kBandWork, 1, rows);
}

/// The window's part of a product: terms, and where its segments are in the padded image.
Product window_product(const ConvPlan& plan) {
  const Window& w = plan.window;
  Product p;
  p.a_row = w.stride.w * plan.C;
  p.a_line = w.stride.h * plan.PW * plan.C;
  p.a_outer = w.dilation.h * plan.PW * plan.C;
  p.a_inner = w.dilation.w * plan.C;
  p.inner = plan.has_whole_rows() ? 1 : plan.KW;
  p.terms = plan.has_whole_rows() ? plan.KW * plan.C : plan.GC;
  p.c_row = plan.O;
  p.c_line = plan.YW * plan.O;
  p.rows = plan.YW;
  p.columns = plan.GO;
  return p;
}

/// Rows [rows.begin, rows.end) of y of one image. The sum runs over kernel rows in order, as many at once as
/// have at most kChunk terms.
void forward_band(const ConvPlan& plan, const float* image, const float* packed, const Epilogue& end,
                  Band rows, float* y) {
  const Window& w = plan.window;
  const GemmTable& table = gemm_table();
  const Index first = rows.begin * w.stride.h;
  const Index last = (rows.end - 1) * w.stride.h + (plan.KH - 1) * w.dilation.h + 1;
  const float* source = padded_rows(plan, image, first, last);

  Product p = window_product(plan);
  p.panel_vectors = table.panel_vectors(plan.YW);
  const Index width = p.panel_vectors * table.lanes, row_terms = plan.KW * plan.GC;
  p.b_term = width;
  p.b_inner = plan.GC * width;
  p.b_outer = row_terms * width;
  p.b_panel = plan.terms * width;
  p.lines = rows.end - rows.begin;
  const Index at_once = std::max<Index>(kChunk / std::max<Index>(row_terms, 1), 1);
  for (Index g = 0; g < plan.G; ++g)
    for (Index kh = 0; kh < plan.KH; kh += at_once) {
      p.a = source + kh * p.a_outer + g * plan.GC;
      p.b = packed + g * packed_size(plan.terms, plan.GO, width) + kh * p.b_outer;
      p.c = y + rows.begin * p.c_line + g * plan.GO;
      p.outer = std::min(at_once, plan.KH - kh);
      p.add = kh > 0;
      const bool final = kh + at_once >= plan.KH;
      p.bias = final && end.bias ? end.bias + g * plan.GO : nullptr;
      p.relu = final && end.relu;
      table.multiply(p);
    }
}

/// Rows [rows.begin, rows.end) of the padded dx of one image, in `target`. Every tap adds one product: the
/// rows of dy it sends into the band, times its weights as they lie.
void grad_input_band(const ConvPlan& plan, const float* dy, const float* weight, Band rows, float* target) {
  const Window& w = plan.window;
  const GemmTable& table = gemm_table();
  std::fill_n(target, (rows.end - rows.begin) * plan.PW * plan.C, 0.0f);
  Product p;
  p.a_row = plan.O;
  p.a_line = plan.YW * plan.O;
  p.panel_vectors = table.panel_vectors(plan.YW);
  p.b_term = plan.terms;
  p.b_panel = p.panel_vectors * table.lanes;
  p.c_row = w.stride.w * plan.C;
  p.c_line = w.stride.h * plan.PW * plan.C;
  p.rows = plan.YW;
  p.columns = plan.GC;
  p.add = true;
  for (Index kh = 0; kh < plan.KH; ++kh) {
    // Output row i goes to row i stride + kh dilation.
    const Index shift = kh * w.dilation.h;
    const auto first_at = [&](Index row) {
      return std::clamp<Index>((row - shift + w.stride.h - 1) / w.stride.h, 0, plan.YH);
    };
    const Index begin = first_at(std::max(rows.begin, shift)), end = first_at(std::max(rows.end, shift));
    p.lines = end - begin;
    if (p.lines == 0) continue;
    float* line = target + (begin * w.stride.h + shift - rows.begin) * plan.PW * plan.C;
    for (Index kw = 0; kw < plan.KW; ++kw)
      for (Index g = 0; g < plan.G; ++g)
        for (Index o = 0; o < plan.GO; o += kChunk) {
          const Index output = g * plan.GO + o;
          p.a = dy + begin * p.a_line + output;
          p.b = weight + output * plan.terms + (kh * plan.KW + kw) * plan.GC;
          p.c = line + kw * w.dilation.w * plan.C + g * plan.GC;
          p.terms = std::min(kChunk, plan.GO - o);
          table.multiply(p);
        }
  }
}

/// `size` floats that may be read up to one vector further: a copy when the vectors do not end with the data.
const float* readable_beyond(const float* data, Index size, Index columns, Scratch purpose) {
  const Index lanes = gemm_table().lanes;
  if (columns % lanes == 0) return data;
  float* copy = scratch(purpose, size + lanes);
  std::copy_n(data, size, copy);
  std::fill_n(copy + size, lanes, 0.0f);
  return copy;
}

/// The rows that kernel row kh meets, of `count` images from `first` on: [image][YH][PW C] by the strides
/// given back.
const float* met_rows(const ConvPlan& plan, const float* x, Index first, Index count, Index kh, Product& p) {
  const Window& w = plan.window;
  const Index row = plan.PW * plan.C;
  const float* images = x + first * plan.H * plan.W * plan.C;
  if (!plan.padded()) {
    p.a_outer = plan.H * row;
    p.a_inner = w.stride.h * row;
    return images + kh * w.dilation.h * row;
  }
  float* copy = scratch(Scratch::image, count * plan.YH * row);
  for (Index n = 0; n < count; ++n)
    for (Index i = 0; i < plan.YH; ++i)
      copy_padded_row(plan, images + n * plan.H * plan.W * plan.C, i * w.stride.h + kh * w.dilation.h,
                      copy + (n * plan.YH + i) * row);
  p.a_outer = plan.YH * row;
  p.a_inner = row;
  return copy;
}

/// Images [images.begin, images.end) of kernel row kh join a partial sum: sums over kPixelsAtOnce pixels at
/// most, or one row, added in order.
void grad_weight_row(const ConvPlan& plan, const float* dy, const float* x, Band images, bool first, Index kh,
                     float* partial) {
  const Window& w = plan.window;
  const GemmTable& table = gemm_table();
  const Index pixels = plan.YH * plan.YW, image = pixels * plan.O;
  const Index at_once = images_at_once(plan);
  const Index lines = std::clamp<Index>(kPixelsAtOnce / plan.YW, 1, plan.YH);
  Product p;
  p.a_row = 1;
  p.a_term = w.stride.w * plan.C;
  p.a_line = w.dilation.w * plan.C;
  p.lines = plan.has_whole_rows() ? 1 : plan.KW;
  p.rows = plan.has_whole_rows() ? plan.KW * plan.C : plan.GC;
  p.columns = plan.GO;
  p.panel_vectors = table.panel_vectors(p.rows);
  p.b_panel = p.panel_vectors * table.lanes;
  p.b_term = plan.O;
  p.b_outer = image;
  p.b_inner = plan.YW * plan.O;
  p.c_row = plan.GO;
  p.c_line = plan.GC * plan.GO;
  for (Index n = images.begin; n < images.end; n += at_once) {
    const Index count = std::min(at_once, images.end - n);
    const float* rows = met_rows(plan, x, n, count, kh, p);
    const float* gradient = dy + n * image;
    if ((plan.N - n - count) * image < table.lanes)  // what lies behind is shorter than a vector
      gradient = readable_beyond(gradient, count * image, plan.GO, Scratch::gradient);
    for (Index line = 0; line < plan.YH; line += lines) {
      p.outer = count;
      p.inner = std::min(lines, plan.YH - line);
      p.terms = plan.YW;
      if (plan.is_product()) {  // all these pixels are one row of terms
        p.terms *= p.outer * p.inner;
        p.outer = p.inner = 1;
      }
      p.add = !first || n > images.begin || line > 0;
      for (Index g = 0; g < plan.G; ++g) {
        p.a = rows + line * p.a_inner + g * plan.GC;
        p.b = gradient + line * p.b_inner + g * plan.GO;
        p.c = partial + (g * plan.KH + kh) * plan.KW * p.c_line;
        table.multiply(p);
      }
    }
  }
}

}  // namespace

void conv_direct(const ConvPlan& plan, const float* x, const float* weight, const Epilogue& end, float* y) {
  const GemmTable& table = gemm_table();
  const Index width = table.panel_vectors(plan.YW) * table.lanes,
              size = packed_size(plan.terms, plan.GO, width);
  float* packed = scratch(Scratch::packed, plan.G * size);
  for (Index g = 0; g < plan.G; ++g)
    pack_panels({weight + g * plan.GO * plan.terms, 1, plan.terms}, plan.terms, plan.GO, width,
                packed + g * size);

  const Index cuts = bands(plan, plan.YH), in = plan.H * plan.W * plan.C, out = plan.YH * plan.YW * plan.O;
  parallel_for(plan.N * cuts, plan.N * plan.image_work(), [&](std::int64_t tile) {
    const Index n = tile / cuts;
    forward_band(plan, x + n * in, packed, end, band(tile % cuts, cuts, plan.YH, 1), y + n * out);
  });
}

void conv_direct_grad_input(const ConvPlan& plan, const float* dy, const float* weight, float* dx) {
  const float* weights = readable_beyond(weight, plan.O * plan.terms, plan.GC, Scratch::packed);
  const Index cuts = bands(plan, plan.PH), in = plan.H * plan.W * plan.C, out = plan.YH * plan.YW * plan.O;
  parallel_for(plan.N * cuts, plan.N * plan.image_work(), [&](std::int64_t tile) {
    const Index n = tile / cuts, row = plan.PW * plan.C;
    const Band rows = band(tile % cuts, cuts, plan.PH, 1);
    float* image = dx + n * in;
    float* target =
        plan.padded() ? scratch(Scratch::image, (rows.end - rows.begin) * row) : image + rows.begin * row;
    grad_input_band(plan, dy + n * out, weights, rows, target);
    if (plan.padded()) copy_inside(plan, target, rows, image);
  });
}

void conv_direct_grad_weight(const ConvPlan& plan, const float* dy, const float* x, float* dweight) {
  const Index size = plan.O * plan.terms, groups = image_groups(plan);
  if (plan.N == 0) {
    std::fill_n(dweight, size, 0.0f);
    return;
  }
  float* partial = scratch(Scratch::partial, groups * size);
  parallel_for(groups * plan.KH, plan.N * plan.image_work(), [&](std::int64_t tile) {
    const Index group = tile / plan.KH;
    grad_weight_row(plan, dy, x, band(group, groups, plan.N, 1), true, tile % plan.KH,
                    partial + group * size);
  });
  conv_finish_weight(plan, partial, groups, dweight);
}

void conv_direct_add_images(const ConvPlan& plan, const float* dy, const float* x, Index count, bool first,
                            float* partial) {
  for (Index kh = 0; kh < plan.KH; ++kh) grad_weight_row(plan, dy, x, {0, count}, first, kh, partial);
}

}  // namespace linnet::kernels
