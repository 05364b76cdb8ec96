// SPDX-License-Identifier: Apache-2.0
#pragma once
// The differentiable ops. All take f32 or f64, both arguments of the same type, and return fresh tensors.
// ShapeError, DTypeError or ValueError before anything is computed. docs/ops.md lists them with shapes.

#include <optional>
#include <span>
#include <vector>

#include "linnet/autograd/recurrent.h"
#include "linnet/core/tensor.h"
#include "linnet/core/window.h"

namespace linnet {

// ---- elementwise: the rows of core/ops/unary.def and binary.def -------------------------------------
#define UNARY(name, ...) Tensor name(const Tensor& x);
#define UNARY1(name, p, ...) Tensor name(const Tensor& x, double p);
#define UNARY2(name, p, q, ...) Tensor name(const Tensor& x, double p, double q);
#include "linnet/core/ops/unary.def"
#undef UNARY
#undef UNARY1
#undef UNARY2
inline Tensor leaky_relu(const Tensor& x) { return leaky_relu(x, 0.01); }
inline Tensor elu(const Tensor& x) { return elu(x, 1.0); }

#define BINARY(name, ...) Tensor name(const Tensor& a, const Tensor& b);
#include "linnet/core/ops/binary.def"
#undef BINARY

inline Tensor operator-(const Tensor& x) { return neg(x); }
inline Tensor operator+(const Tensor& a, const Tensor& b) { return add(a, b); }
inline Tensor operator-(const Tensor& a, const Tensor& b) { return sub(a, b); }
inline Tensor operator*(const Tensor& a, const Tensor& b) { return mul(a, b); }
inline Tensor operator/(const Tensor& a, const Tensor& b) { return div(a, b); }
/// A number takes the type of the tensor beside it.
Tensor operator+(const Tensor& a, double b);
Tensor operator-(const Tensor& a, double b);
Tensor operator*(const Tensor& a, double b);
Tensor operator/(const Tensor& a, double b);
Tensor operator+(double a, const Tensor& b);
Tensor operator-(double a, const Tensor& b);
Tensor operator*(double a, const Tensor& b);
Tensor operator/(double a, const Tensor& b);

// ---- products ---------------------------------------------------------------------------------------
/// a [N, K], b [K, M] -> [N, M].
Tensor matmul(const Tensor& a, const Tensor& b);
/// x [..., in], weight [out, in], bias [out] or undefined -> [..., out]: x weight^T + bias.
Tensor dense(const Tensor& x, const Tensor& weight, const Tensor& bias = {});

struct Conv2DParams {
  Pair stride = 1;
  Pair dilation = 1;
  Padding padding = {};
  std::int64_t groups = 1;
};
/// 2-D convolution (cross-correlation), channels last.
///   x [N, H, W, C], weight [O, kh, kw, C/groups], bias [O] or undefined  ->  [N, H', W', O],
///   H' = floor((H + top + bottom - dilation (kh - 1) - 1) / stride) + 1.
/// ShapeError when channels differ or the kernel is larger than the padded input.
/// Cost: no im2col; scratch of one padded image per thread.
Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias = {},
              const Conv2DParams& params = {});

struct ConvTranspose2DParams {
  Pair stride = 1;
  Pair dilation = 1;
  Padding padding = {};
  Pair output_padding = 0;  ///< added at the end; smaller than the stride
  std::int64_t groups = 1;
};
/// Transposed convolution: the gradient of conv2d with respect to its input, as an op. Channels last.
///   x [N, H, W, C], weight [O, kh, kw, C/groups], bias [O] or undefined  ->  [N, H', W', O],
///   H' = (H - 1) stride + dilation (kh - 1) + 1 - top - bottom + output_padding;  H stride with `same`.
/// The weight is output-first like all of ours: PyTorch's [C, O/groups, kh, kw] with the roles of C and O
/// exchanged within each group. ShapeError when channels differ or the padding leaves nothing.
Tensor conv_transpose2d(const Tensor& x, const Tensor& weight, const Tensor& bias = {},
                        const ConvTranspose2DParams& params = {});

struct Pool2DParams {
  Pair kernel = 2;
  std::optional<Pair> stride = {};  ///< the kernel size when not given
  Padding padding = {};
};
/// x [N, H, W, C] -> [N, H', W', C]. Padding never wins a maximum; the first of equal values gets the
/// gradient.
Tensor max_pool2d(const Tensor& x, const Pool2DParams& params = {});
/// Mean over the valid part of each window.
Tensor avg_pool2d(const Tensor& x, const Pool2DParams& params = {});

enum class Interpolation : std::uint8_t { nearest, bilinear };
/// x [N, H, W, C] -> [N, size.h, size.w, C]; smaller sizes work too, without smoothing. Of the place i of an
/// axis, nearest reads floor(i H / H'); bilinear mixes the neighbours of (i + 1/2) H / H' - 1/2, kept inside
/// the image (half-pixel centres, PyTorch's align_corners=False).
Tensor upsample2d(const Tensor& x, Pair size, Interpolation mode);

// ---- reductions: over the named axes, or all of them ------------------------------------------------
Tensor sum(const Tensor& x, const Axes& axes = {}, bool keep_dims = false);
Tensor mean(const Tensor& x, const Axes& axes = {}, bool keep_dims = false);
/// Equal maxima share the gradient evenly. ShapeError over no elements.
Tensor max(const Tensor& x, const Axes& axes = {}, bool keep_dims = false);
Tensor softmax(const Tensor& x, int axis = -1);
Tensor log_softmax(const Tensor& x, int axis = -1);
/// Index of the largest element along an axis, i64; not differentiable, not recorded.
Tensor argmax(const Tensor& x, int axis = -1);

// ---- normalisation: y = (x - mean) / sqrt(variance + eps) weight + bias; channels last ---------------
// weight and bias are both given or both undefined. The variance divides by the number of values.
struct BatchNormParams {
  double eps = 1e-5;
  double momentum = 0.1;  ///< running = (1 - momentum) running + momentum batch
  bool frozen = false;    ///< the running statistics also in training
};
/// x [..., C] of at least two axes; the others are [C]. In training by the statistics of all axes but the
/// last, which also move the running ones in place (the variance then divides by the number of values less
/// one; of a single value there is no such variance, and running_var stays). Otherwise by the running
/// statistics. Large means cost no precision; a constant channel, or a single value, has variance 0 and gives
/// the bias. ShapeError in training on no values.
Tensor batch_norm(const Tensor& x, Tensor& running_mean, Tensor& running_var, const Tensor& weight,
                  const Tensor& bias, const BatchNormParams& params, bool training);

/// x [N, ..., C] of at least two axes, weight [C]: statistics of each sample over all positions of C / groups
/// neighbouring channels. ShapeError unless groups divide C.
Tensor group_norm(const Tensor& x, std::int64_t groups, const Tensor& weight = {}, const Tensor& bias = {},
                  double eps = 1e-5);
/// Statistics over the last `axes` axes of x, of whose shape weight and bias are.
Tensor layer_norm(const Tensor& x, int axes, const Tensor& weight = {}, const Tensor& bias = {},
                  double eps = 1e-5);

// ---- tables -----------------------------------------------------------------------------------------
/// indices [...] of i64, i32 or u8, weight [V, D] -> [..., D]. The row padding_idx gets no gradient.
/// ValueError naming position and value for an index outside 0..V-1.
Tensor embedding(const Tensor& indices, const Tensor& weight, std::optional<std::int64_t> padding_idx = {});

// ---- losses: scalars, functions of (prediction, target) ---------------------------------------------
/// logits [..., C]; target: labels [...] (i64, i32 or u8) or soft labels [..., C]. Mean over rows.
/// ValueError for a label outside 0..C-1.
Tensor cross_entropy(const Tensor& logits, const Tensor& target);
// The next are means over all elements of a prediction and a target of one shape.
Tensor mse(const Tensor& prediction, const Tensor& target);
Tensor mae(const Tensor& prediction, const Tensor& target);
/// d^2 / 2 where d = |prediction - target| <= 1, else d - 1/2.
Tensor huber(const Tensor& prediction, const Tensor& target);
/// Targets in 0..1; finite for any logit.
Tensor bce_with_logits(const Tensor& logits, const Tensor& target);
/// max(0, 1 - s z) with s = 1 for targets above 0, else -1 (Keras's hinge): the targets are -1 and 1 or 0 and
/// 1, of any type; no gradient flows to them. ValueError for other targets.
Tensor hinge(const Tensor& prediction, const Tensor& target);
/// Focal loss with gamma = 2 (Lin et al., "Focal Loss for Dense Object Detection", 2017, without its alpha).
///   Float targets t in 0..1 of the shape of the logits: each logit is a yes or no,
///     t (1 - p)^2 (-log p) + (1 - t) p^2 (-log(1 - p)), p = sigmoid(z), the mean over elements.
///   Labels [...] (i64, i32 or u8) for logits [..., C]: (1 - p)^2 (-log p), p the softmax of the label's
///   class,
///     the mean over rows. ValueError for a label outside 0..C-1.
Tensor focal(const Tensor& logits, const Tensor& target);
/// Kullback-Leibler divergence of distributions along the last axis, sum t (log t - prediction), the mean
/// over rows (of [N, C]: PyTorch's "batchmean"). The prediction is LOG-PROBABILITIES: kl_div(log_softmax(z),
/// t). Where t is 0 the term is 0, and so is the gradient with respect to t.
Tensor kl_div(const Tensor& log_probabilities, const Tensor& target);
/// 1 - cosine of the angle between rows (the last axis), the mean over rows. A row shorter than 1e-8 has
/// cosine 0 and passes no gradient.
Tensor cosine_loss(const Tensor& prediction, const Tensor& target);

// ---- moving elements --------------------------------------------------------------------------------
/// One size may be -1. Shares the contents of x.
Tensor reshape(const Tensor& x, std::span<const std::int64_t> shape);
Tensor reshape(const Tensor& x, std::initializer_list<std::int64_t> shape);
/// [N, ...] -> [N, the rest].
Tensor flatten(const Tensor& x);
/// Axis i of the result is axis order[i] of x; without an order the axes are reversed.
Tensor transpose(const Tensor& x, std::span<const int> order = {});
Tensor transpose(const Tensor& x, std::initializer_list<int> order);
/// Elements begin, begin + step, ... below end along one axis. Negative positions count from the end, end is
/// cut to the size; step >= 1.
Tensor slice(const Tensor& x, int axis, std::int64_t begin, std::int64_t end, std::int64_t step = 1);
Tensor concat(std::span<const Tensor> parts, int axis);
Tensor concat(std::initializer_list<Tensor> parts, int axis);
/// One {before, after} for each axis.
Tensor pad(const Tensor& x, const std::vector<std::pair<std::int64_t, std::int64_t>>& widths,
           double value = 0.0);
/// The channels (last axis), seen as [groups, C/groups], in the order [C/groups, groups]: channel g C/groups
/// + i goes to i groups + g, so that the next grouped convolution sees every group. Reshapes around a
/// transpose.
Tensor channel_shuffle(const Tensor& x, std::int64_t groups);

// ---- quantization-aware training --------------------------------------------------------------------
struct FakeQuantParams {
  int bits = 8;            ///< 2..8
  bool symmetric = false;  ///< weights: zero is 0, the range is the largest absolute value
  double momentum = 1.0;   ///< in (0, 1]: range = (1 - momentum) range + momentum seen
  bool frozen = false;     ///< the range stays in training too
};
/// x rounded, halves to even, to the integers of a Quantizer (core/quantizer.h) and back. Backward passes dy
/// straight through where x is no further than half a step outside the range, and 0 elsewhere. In training
/// the range first moves towards what x holds; one of zeros takes it over whole.
///   symmetric: range [1], or [C] for x [C, ...]: largest absolute values; 8 bits hold -127..127.
///   otherwise: range [2], low and high, stretched to hold 0; 8 bits hold -128..127.
Tensor fake_quant(const Tensor& x, Tensor& range, const FakeQuantParams& params, bool training);
/// Not symmetric, with a range for each sample (axis 0) that is taken from the sample itself.
Tensor fake_quant_dynamic(const Tensor& x, int bits = 8);

// ---- random -----------------------------------------------------------------------------------------
/// Each element is 0 with probability p in [0, 1), else x / (1 - p); x itself unless training. Takes one call
/// number of the generator when training.
Tensor dropout(const Tensor& x, double p, bool training);
/// The same for whole channels: x [N, ..., C] of at least two axes, one draw for each sample and channel.
Tensor spatial_dropout(const Tensor& x, double p, bool training);
/// x + stddev n, n a normal number for each element; x itself unless training. stddev is finite and not
/// negative. Takes one call number of the generator when training.
Tensor gaussian_noise(const Tensor& x, double stddev, bool training);

}  // namespace linnet
