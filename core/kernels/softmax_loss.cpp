// SPDX-License-Identifier: Apache-2.0
// The elementwise losses: mean over all elements of one term each.
#include "linnet/core/kernels/elementwise.h"
#include "linnet/core/kernels/loop_nest.h"
#include "linnet/core/kernels/reduce.h"
#include "linnet/core/kernels/select.h"
#include "linnet/core/kernels/softmax.h"
#include "linnet/core/kernels/softmax_table.h"
#include "linnet/core/tensor_impl.h"

namespace linnet::kernels {
namespace {

LINNET_SELECT_TABLE(LossKernels<float>, losses)

template <class T>
const LossKernels<T>& table() {
  if constexpr (std::is_same_v<T, float>)
    return losses_kernels();
  else
    return naive_loss<T>();
}

constexpr const char* kNames[] = {"mse", "mae", "bce_with_logits"};

Tensor mean_loss(Loss loss, const Tensor& a, const Tensor& b) {
  const int which = static_cast<int>(loss);
  const std::int64_t n = a.size(), tiles = std::max<std::int64_t>(1, (n + kTileElements - 1) / kTileElements);
  Tensor partial = Tensor::empty({tiles}, a.dtype());
  dispatch_float(kNames[which], a.dtype(), [&](auto zero) {
    using T = decltype(zero);
    for_tiles(n, 4, [&](std::int64_t begin, std::int64_t count) {
      writable<T>(partial)[begin / kTileElements] =
          table<T>().sum[which](readable<T>(a) + begin, readable<T>(b) + begin, count);
    });
  });
  return scale(sum(partial), 1.0 / static_cast<double>(n));
}

Tensor loss_grad(Loss loss, int side, const Tensor& a, const Tensor& b, const Tensor& dy) {
  const int which = static_cast<int>(loss);
  Tensor dx = Tensor::empty(a.shape(), a.dtype());
  dispatch_float(kNames[which], a.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T factor = static_cast<T>(static_cast<double>(*readable<T>(dy)) / static_cast<double>(a.size()));
    for_tiles(a.size(), 4, [&](std::int64_t begin, std::int64_t count) {
      table<T>().grad[side][which](readable<T>(a) + begin, readable<T>(b) + begin, writable<T>(dx) + begin,
                                   count, factor);
    });
  });
  return dx;
}

}  // namespace

Tensor mse(const Tensor& prediction, const Tensor& target) {
  return mean_loss(Loss::mse, prediction, target);
}
Tensor mae(const Tensor& prediction, const Tensor& target) {
  return mean_loss(Loss::mae, prediction, target);
}
Tensor bce_with_logits(const Tensor& logits, const Tensor& target) {
  return mean_loss(Loss::bce, logits, target);
}

Tensor mse_grad(int side, const Tensor& prediction, const Tensor& target, const Tensor& dy) {
  return loss_grad(Loss::mse, side, prediction, target, dy);
}
Tensor mae_grad(int side, const Tensor& prediction, const Tensor& target, const Tensor& dy) {
  return loss_grad(Loss::mae, side, prediction, target, dy);
}
Tensor bce_with_logits_grad(int side, const Tensor& logits, const Tensor& target, const Tensor& dy) {
  return loss_grad(Loss::bce, side, logits, target, dy);
}

}  // namespace linnet::kernels
