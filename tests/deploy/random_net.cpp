// SPDX-License-Identifier: Apache-2.0
#include "random_net.h"

#include <vector>

#include "linnet/autograd/ops.h"
#include "linnet/core/random.h"
#include "support/fixtures.h"

namespace linnet::test {
namespace {

/// Draws ops and applies them to images that it keeps.
class NetRun {
 public:
  NetRun(std::uint64_t seed, const Tensor& x) : rng_(seed, 1), seed_(1000 * seed), images_{x} {}

  Tensor run() {
    const int ops = 6 + static_cast<int>(rng_.below(14));
    for (int i = 0; i < ops; ++i) step();
    std::vector<Tensor> ends;
    for (std::size_t i = images_.size() > 2 ? images_.size() - 2 : 0; i < images_.size(); ++i)
      ends.push_back(rng_.below(2) ? mean(images_[i], {1, 2}) : max(images_[i], {1, 2}));
    const Tensor row = concat(ends, 1);
    const Tensor y = dense(row, weights({5, row.dim(1)}), rng_.below(2) ? weights({5}) : Tensor());
    return rng_.below(2) ? softmax(y) : y;
  }

 private:
  Tensor weights(const Shape& shape, double low = -0.5, double high = 0.5) {
    return random_tensor(shape, seed_++, low, high);
  }
  const Tensor& pick() {
    // Mostly the newest, so that chains grow between the branches.
    const auto count = static_cast<std::int64_t>(images_.size());
    return images_[rng_.below(3) ? count - 1 : rng_.below(count)];
  }

  void step() {
    const Tensor x = pick();
    switch (rng_.below(4)) {
      case 0:
        images_.push_back(product(x));
        break;
      case 1:
        images_.push_back(elementwise(x));
        break;
      case 2:
        images_.push_back(channelwise(x));
        break;
      default:
        images_.push_back(rng_.below(2) ? moved(x) : joined(x));
    }
    if (images_.back().size() > 4096 * x.dim(0)) images_.pop_back();
  }

  Tensor product(const Tensor& x) {
    const std::int64_t c = x.dim(-1), out = 4 * (1 + rng_.below(2));
    const std::int64_t k = x.dim(1) >= 3 && x.dim(2) >= 3 ? 1 + 2 * rng_.below(2) : 1;
    const Padding padding = rng_.below(2) ? Padding::same_size() : Padding();
    const std::int64_t stride = 1 + rng_.below(2);
    const Tensor bias = rng_.below(2) ? weights({out}) : Tensor();
    switch (rng_.below(4)) {
      case 0:  // depthwise
        return conv2d(x, weights({c, k, k, 1}), {}, {.stride = stride, .padding = padding, .groups = c});
      case 1:
        return dense(x, weights({out, c}), bias);
      case 2:
        return conv_transpose2d(x, weights({out, k, k, c / 2}), bias, {.stride = stride, .groups = 2});
      default: {
        const std::int64_t groups = 1 + rng_.below(2);
        return conv2d(x, weights({out, k, k, c / groups}), bias,
                      {.stride = stride, .padding = padding, .groups = groups});
      }
    }
  }

  Tensor elementwise(const Tensor& x) {
    switch (rng_.below(8)) {
      case 0:
        return relu6(x);
      case 1:
        return leaky_relu(x, 0.1);
      case 2:
        return hard_swish(x);
      case 3:
        return tanh(x);
      case 4:
        return dropout(x, 0.3, false);
      case 5:
        return sigmoid(x);
      default:
        return relu(x);
    }
  }

  Tensor channelwise(const Tensor& x) {
    const std::int64_t c = x.dim(-1);
    Tensor centre = weights({c}), variance = weights({c}, 0.5, 2.0);
    switch (rng_.below(6)) {
      case 0:
        return x * weights({c}, 0.5, 1.5);
      case 1:
        return weights({1, 1, c}) - x;
      case 2:
        return x / weights({1}, 1.0, 2.0) + weights({c});
      case 3:
        return batch_norm(x, centre, variance, {}, {}, {}, false);
      default:
        return batch_norm(x, centre, variance, weights({c}), weights({c}), {}, false);
    }
  }

  Tensor moved(const Tensor& x) {
    const std::int64_t h = x.dim(1), w = x.dim(2), c = x.dim(3);
    switch (rng_.below(6)) {
      case 0:
        return transpose(transpose(x, {0, 3, 1, 2}), {0, 2, 3, 1});
      case 1:
        return relu(x.reshape({-1, h * w, c})).reshape({-1, h, w, c});
      case 2:
        return h >= 2 && w >= 2 ? max_pool2d(x) : relu(x);
      case 3:
        return pad(x, {{0, 0}, {1, 0}, {0, 2}, {0, 0}});
      case 4:
        return h >= 2 ? slice(x, 1, 1, h) : transpose(x, {0, 2, 1, 3});
      default:
        return channel_shuffle(x, 2);
    }
  }

  /// With an image of the same size when there is one.
  Tensor joined(const Tensor& x) {
    const std::int64_t first = rng_.below(static_cast<std::int64_t>(images_.size()));
    for (std::size_t i = 0; i < images_.size(); ++i) {
      const Tensor& other = images_[(static_cast<std::size_t>(first) + i) % images_.size()];
      if (other.dim(1) != x.dim(1) || other.dim(2) != x.dim(2)) continue;
      if (other.dim(3) == x.dim(3)) return rng_.below(3) ? x + other : x * other;
      if (other.dim(3) + x.dim(3) <= 16) return concat({x, other}, 3);
    }
    return relu(x);
  }

  Rng rng_;
  std::uint64_t seed_;
  std::vector<Tensor> images_;
};

}  // namespace

Tensor run_random_net(std::uint64_t seed, const Tensor& x) { return NetRun(seed, x).run(); }

}  // namespace linnet::test
