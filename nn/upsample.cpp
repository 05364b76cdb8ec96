// SPDX-License-Identifier: Apache-2.0
#include "linnet/nn/upsample.h"

namespace linnet::nn {

namespace {

/// Given widths that are not negative.
void check_widths(const char* layer, const Padding& p, const std::string& text) {
  check<ValueError>(
      p.kind == Padding::Kind::given && p.top >= 0 && p.bottom >= 0 && p.left >= 0 && p.right >= 0, layer,
      ": the padding must be given and not negative, got ", text, ".");
}

void check_rank(const char* layer, const Tensor& x, int rank) {
  check<ValueError>(x.defined(), layer, ": x is undefined.");
  check<ShapeError>(x.rank() == rank, layer, ": x must be ", rank == 3 ? "[N, T, C]" : "[N, H, W, C]",
                    ", got ", x.shape(), ".");
}

}  // namespace

UpSample2D::UpSample2D(const UpSample2DOptions& options) : options_(options) {
  const Pair given = options.size.value_or(options.scale);
  check<ValueError>(given.h >= 1 && given.w >= 1, "UpSample2D: ", options.size ? "size" : "scale",
                    " must be at least 1x1, got ", nn::describe(given), ".");
}

std::string UpSample2D::describe() const {
  return concat({"UpSample2D ", options_.size ? "to " : "",
                 nn::describe(options_.size.value_or(options_.scale)),
                 options_.mode == Interpolation::nearest ? ", nearest" : ", bilinear"});
}

Tensor UpSample2D::forward(const Tensor& x) {
  check_rank("UpSample2D", x, 4);
  const Pair scaled(x.dim(1) * options_.scale.h, x.dim(2) * options_.scale.w);
  return upsample2d(x, options_.size.value_or(scaled), options_.mode);
}

ZeroPad2D::ZeroPad2D(const Padding& padding) : padding_(padding) {
  check_widths("ZeroPad2D", padding_, nn::describe(padding_));
}

std::string ZeroPad2D::describe() const { return "ZeroPad2D " + nn::describe(padding_); }

Tensor ZeroPad2D::forward(const Tensor& x) {
  check_rank("ZeroPad2D", x, 4);
  return pad(x, {{0, 0}, {padding_.top, padding_.bottom}, {padding_.left, padding_.right}, {0, 0}});
}

ZeroPad1D::ZeroPad1D(const Padding1D& padding) : padding_(padding) {
  check_widths("ZeroPad1D", padding_.sides, nn::describe(padding_));
}

std::string ZeroPad1D::describe() const { return "ZeroPad1D " + nn::describe(padding_); }

Tensor ZeroPad1D::forward(const Tensor& x) {
  check_rank("ZeroPad1D", x, 3);
  return pad(x, {{0, 0}, {padding_.sides.left, padding_.sides.right}, {0, 0}});
}

}  // namespace linnet::nn
