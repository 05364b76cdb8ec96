// SPDX-License-Identifier: Apache-2.0
#include "linnet/nn/blocks.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "linnet/autograd/ops.h"

namespace linnet::nn {

Residual::Residual(std::unique_ptr<Layer> inner, std::unique_ptr<Layer> projection)
    : inner_(std::move(inner)), projection_(std::move(projection)) {
  check<ValueError>(inner_ != nullptr, "Residual: the inner layer is missing: null pointer.");
}

void Residual::members(Members& m) {
  m.child("inner", *inner_);
  if (projection_) m.child("projection", *projection_);
}

std::string Residual::describe() const { return projection_ ? "Residual with projection" : "Residual"; }

Tensor Residual::forward(const Tensor& x) {
  const Tensor y = (*inner_)(x), straight = projection_ ? (*projection_)(x) : x;
  check<ShapeError>(y.shape() == straight.shape(), "Residual: the inner layers give ", y.shape(), ", ",
                    projection_ ? "the projection " : "x is ", straight.shape(),
                    projection_ ? "." : ". Give a projection?");
  return y + straight;
}

std::string Concat::describe() const { return concat({"Concat of ", size()}); }

Tensor Concat::forward(const Tensor& x) {
  check<ValueError>(size() > 0, "Concat: there are no branches. Add layers.");
  std::vector<Tensor> parts;
  for (std::int64_t i = 0; i < size(); ++i) parts.push_back((*this)[i](x));
  return linnet::concat(parts, -1);
}

namespace {

std::int64_t squeezed_width(std::int64_t channels, std::int64_t squeezed) {
  check<ValueError>(channels >= 1 && squeezed >= 0, "SqueezeExcite: sizes must be at least 1: channels ",
                    channels, ", squeezed ", squeezed, ".");
  return squeezed > 0 ? squeezed : std::max<std::int64_t>(1, channels / 4);
}

}  // namespace

SqueezeExcite::SqueezeExcite(std::int64_t channels, const SqueezeExciteOptions& options)
    : squeeze(channels, squeezed_width(channels, options.squeezed)),
      expand(squeeze.weight.dim(0), channels) {}

void SqueezeExcite::members(Members& m) {
  m.child("squeeze", squeeze);
  m.child("expand", expand);
}

std::string SqueezeExcite::describe() const {
  return concat({"SqueezeExcite ", expand.weight.dim(0), " by ", squeeze.weight.dim(0)});
}

Tensor SqueezeExcite::forward(const Tensor& x) {
  check<ValueError>(x.defined(), "SqueezeExcite: x is undefined.");
  const std::int64_t channels = expand.weight.dim(0);
  check<ShapeError>(x.rank() >= 3 && x.dim(-1) == channels, "SqueezeExcite: x must be [N, ..., ", channels,
                    "] with at least one axis between, got ", x.shape(), ".");
  std::vector<int> places(static_cast<std::size_t>(x.rank() - 2));
  std::iota(places.begin(), places.end(), 1);
  return x * sigmoid(expand(relu(squeeze(mean(x, Axes(places), true)))));
}

ChannelShuffle::ChannelShuffle(std::int64_t groups) : groups_(groups) {
  check<ValueError>(groups >= 1, "ChannelShuffle: groups must be at least 1, got ", groups, ".");
}

std::string ChannelShuffle::describe() const { return concat({"ChannelShuffle ", groups_, " groups"}); }

Tensor ChannelShuffle::forward(const Tensor& x) { return channel_shuffle(x, groups_); }

}  // namespace linnet::nn
