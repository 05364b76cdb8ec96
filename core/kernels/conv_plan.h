// SPDX-License-Identifier: Apache-2.0
#pragma once
// Sizes of one convolution, with the letters that all convolution files use.

#include <algorithm>

#include "linnet/core/kernels/gemm.h"
#include "linnet/core/shape.h"
#include "linnet/core/window.h"

namespace linnet::kernels {

/// N images [H, W, C] (padded: [PH, PW, C]) -> [YH, YW, O]; kernel KH x KW; G groups of GC channels in, GO
/// out.
struct ConvPlan {
  Index N, H, W, C, O, G, GC, GO;
  Index KH, KW, YH, YW, PH, PW;
  Index terms;  ///< KH KW GC: products behind one element of y
  Window window;

  /// x [N, H, W, C], weight [O, KH, KW, C / G].
  ConvPlan(const Shape& x, const Shape& weight, const Window& w, Index groups)
      : N(x[0]), H(x[1]), W(x[2]), C(x[3]), O(weight[0]), G(groups), GC(C / groups), GO(O / groups) {
    KH = w.kernel.h, KW = w.kernel.w, YH = w.out.h, YW = w.out.w;
    PH = H + w.top + w.bottom, PW = W + w.left + w.right;
    terms = KH * KW * GC;
    window = w;
  }

  bool padded() const { return PH != H || PW != W; }
  /// A 1x1 convolution that is a matrix product: every place of x makes one place of y.
  bool is_product() const { return KH == 1 && KW == 1 && G == 1 && !padded() && window.stride == Pair(1); }
  /// One filter a channel: lanes run over the channels.
  bool is_depthwise() const { return GC == 1 && GO == 1 && C > 1; }
  /// (KW, C) of a window lie one after the other in memory: a whole kernel row is one run of terms.
  bool has_whole_rows() const { return G == 1 && (window.dilation.w == 1 || KW == 1); }
  /// Multiplications of one image.
  Index image_work() const { return YH * YW * O * terms; }
  /// The same convolution of so many images.
  ConvPlan of_images(Index count) const {
    ConvPlan part = *this;
    part.N = count;
    return part;
  }
};

// All f32 and raw; y, dx and dweight are written whole. The first two choose among the forms.
void conv_forward(const ConvPlan& plan, const float* x, const float* weight, const Epilogue& end, float* y);
void conv_grad_input(const ConvPlan& plan, const float* dy, const float* weight, float* dx);
void conv_direct(const ConvPlan& plan, const float* x, const float* weight, const Epilogue& end, float* y);
void conv_direct_grad_input(const ConvPlan& plan, const float* dy, const float* weight, float* dx);
void conv_direct_grad_weight(const ConvPlan& plan, const float* dy, const float* x, float* dweight);
void conv_depthwise(const ConvPlan& plan, const float* x, const float* weight, const Epilogue& end, float* y);
void conv_depthwise_grad_input(const ConvPlan& plan, const float* dy, const float* weight, float* dx);
void conv_depthwise_grad_weight(const ConvPlan& plan, const float* dy, const float* x, float* dweight);

// dweight is summed for image_groups() groups of whole images, by shape; the partial sums [G][KH][KW][GC][GO]
// (depthwise: [KH][KW][C]) are then added in order.

Index image_groups(const ConvPlan& plan);
/// Pixels of one sum in the gradient of the weights: so many lines of x and dy stay in the first cache.
inline constexpr Index kPixelsAtOnce = 128;
/// Images whose pixels share a sum.
inline Index images_at_once(const ConvPlan& plan) {
  return plan.is_depthwise() ? 1 : std::max<Index>(kPixelsAtOnce / std::max<Index>(plan.YH * plan.YW, 1), 1);
}
/// The first `count` images of dy and x join a partial sum: they are the first of their group, or follow a
/// multiple of images_at_once(). plan.N counts the images of dy that are there.
void conv_add_images(const ConvPlan& plan, const float* dy, const float* x, Index count, bool first,
                     float* partial);
void conv_direct_add_images(const ConvPlan& plan, const float* dy, const float* x, Index count, bool first,
                            float* partial);
void conv_depthwise_add_images(const ConvPlan& plan, const float* dy, const float* x, Index count, bool first,
                               float* partial);
/// dweight from that many partial sums, which are overwritten.
void conv_finish_weight(const ConvPlan& plan, float* partial, Index groups, float* dweight);

/// Rows [begin, end) of one padded image: x itself when nothing is padded, else a copy in Scratch::image.
const float* padded_rows(const ConvPlan& plan, const float* image, Index begin, Index end);
/// Row h of the padded image.
void copy_padded_row(const ConvPlan& plan, const float* image, Index h, float* to);

/// The inside of rows [rows.begin, rows.end) of a padded image, given as `padded`, into the image.
void copy_inside(const ConvPlan& plan, const float* padded, Band rows, float* image);

}  // namespace linnet::kernels
