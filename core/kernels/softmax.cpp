// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/kernels/softmax.h"

#include <atomic>

#include "linnet/core/kernels/elementwise.h"
#include "linnet/core/kernels/layout.h"
#include "linnet/core/kernels/loop_nest.h"
#include "linnet/core/kernels/reduce.h"
#include "linnet/core/kernels/select.h"
#include "linnet/core/kernels/softmax_table.h"
#include "linnet/core/math.h"
#include "linnet/core/tensor_impl.h"

namespace linnet::kernels {
namespace {

LINNET_FLOAT_TABLE(SoftmaxKernels, softmax, naive_softmax)

constexpr std::int64_t kSoftmaxCost = 10;  // an exponential and its two passes, in additions

/// x with `axis` and the last one exchanged: its own inverse.
Tensor exchanged(const Tensor& x, int axis) {
  std::array<int, Shape::kMaxRank> order{};
  for (int i = 0; i < x.rank(); ++i) order[i] = i;
  std::swap(order[axis], order[x.rank() - 1]);
  return transpose(x, std::span<const int>(order.data(), static_cast<std::size_t>(x.rank())));
}

/// rows_op on the rows along `axis` of one or two tensors; y is like x.
template <class Kernel>
Tensor along(const char* op, Tensor x, Tensor second, int axis, Kernel kernel) {
  axis = normalize_axis(op, axis, x.rank());
  const bool last = axis == x.rank() - 1;
  if (!last) {
    x = exchanged(x, axis);
    if (second.defined()) second = exchanged(second, axis);
  }
  Tensor y = Tensor::empty(x.shape(), x.dtype());
  if (x.size() == 0) return last ? y : exchanged(y, axis);
  const std::int64_t n = x.shape().back();
  dispatch_float(op, x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    for_row_tiles(x.size() / n, n, kSoftmaxCost, [&](std::int64_t first, std::int64_t end) {
      const std::int64_t begin = first * n;
      kernel(softmax_kernels<T>(), readable<T>(x) + begin,
             second.defined() ? readable<T>(second) + begin : nullptr, writable<T>(y) + begin, end - first,
             n);
    });
  });
  return last ? y : exchanged(y, axis);
}

Tensor labels_as_i64(const Tensor& labels) { return labels.dtype() == i64 ? labels : convert(labels, i64); }

/// The mean of row losses, as a scalar.
Tensor mean_of(const Tensor& losses, std::int64_t count) {
  return scale(sum(losses), 1.0 / static_cast<double>(count));
}

}  // namespace

Tensor softmax(const Tensor& x, int axis) {
  return along("softmax", x, {}, axis,
               [](auto& k, auto* in, auto*, auto* out, std::int64_t rows, std::int64_t n) {
                 k.softmax(in, out, rows, n);
               });
}

Tensor softmax_grad(const Tensor& y, const Tensor& dy, int axis) {
  return along("softmax", y, dy, axis,
               [](auto& k, auto* in, auto* grad, auto* out, std::int64_t rows, std::int64_t n) {
                 k.softmax_grad(in, grad, out, rows, n);
               });
}

Tensor log_softmax(const Tensor& x, int axis) {
  return along("log_softmax", x, {}, axis,
               [](auto& k, auto* in, auto*, auto* out, std::int64_t rows, std::int64_t n) {
                 k.log_softmax(in, out, rows, n);
               });
}

Tensor log_softmax_grad(const Tensor& y, const Tensor& dy, int axis) {
  return along("log_softmax", y, dy, axis,
               [](auto& k, auto* in, auto* grad, auto* out, std::int64_t rows, std::int64_t n) {
                 k.log_softmax_grad(in, grad, out, rows, n);
               });
}

CrossEntropy cross_entropy(const Tensor& logits, const Tensor& target) {
  const std::int64_t rows = logits.shape()[0], n = logits.shape()[1];
  const bool soft = is_float(target.dtype());
  const Tensor labels = soft ? Tensor() : labels_as_i64(target);
  Tensor probabilities = Tensor::empty(logits.shape(), logits.dtype());
  Tensor losses = Tensor::empty({rows}, logits.dtype());
  dispatch_float("cross_entropy", logits.dtype(), [&](auto zero) {
    using T = decltype(zero);
    for_row_tiles(rows, n, kSoftmaxCost, [&](std::int64_t first, std::int64_t end) {
      const T* z = readable<T>(logits) + first * n;
      T *p = writable<T>(probabilities) + first * n, *loss = writable<T>(losses) + first;
      if (soft)
        softmax_kernels<T>().soft_cross_entropy(z, readable<T>(target) + first * n, p, loss, end - first, n);
      else
        softmax_kernels<T>().cross_entropy(z, readable<std::int64_t>(labels) + first, p, loss, end - first,
                                           n);
    });
  });
  return {mean_of(losses, rows), probabilities};
}

Tensor cross_entropy_grad(const Tensor& probabilities, const Tensor& target, const Tensor& dy) {
  const std::int64_t rows = probabilities.shape()[0], n = probabilities.shape()[1];
  const bool soft = is_float(target.dtype());
  const Tensor labels = soft ? Tensor() : labels_as_i64(target);
  Tensor dz = Tensor::empty(probabilities.shape(), probabilities.dtype());
  dispatch_float("cross_entropy", dz.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T factor = static_cast<T>(static_cast<double>(*readable<T>(dy)) / static_cast<double>(rows));
    for_row_tiles(rows, n, 2, [&](std::int64_t first, std::int64_t end) {
      const T* p = readable<T>(probabilities) + first * n;
      T* out = writable<T>(dz) + first * n;
      if (soft)
        softmax_kernels<T>().soft_cross_entropy_grad(p, readable<T>(target) + first * n, out, end - first, n,
                                                     factor);
      else
        softmax_kernels<T>().cross_entropy_grad(p, readable<std::int64_t>(labels) + first, out, end - first,
                                                n, factor);
    });
  });
  return dz;
}

namespace {

/// u^gamma (-log p) and its derivative's factor for one row, u = 1 - p summed from the other probabilities.
struct FocalTerm {
  double value, factor;
};
template <class T>
FocalTerm focal_term(const T* p, std::int64_t label, std::int64_t n, double loss, double gamma) {
  double u = 0.0;
  for (std::int64_t c = 0; c < n; ++c)
    if (c != label) u += static_cast<double>(p[c]);
  const double power = math::pow(u, gamma);
  // p_c u^(gamma - 1) goes to 0 with u for every other class c, as p_c <= u.
  const double bend = u > 0.0 ? gamma * (power / u) * static_cast<double>(p[label]) * loss : 0.0;
  return {power * loss, power + bend};
}

}  // namespace

FocalOfLabels focal_of_labels(const Tensor& logits, const Tensor& target, const Tensor& weights,
                              double gamma) {
  const std::int64_t rows = logits.shape()[0], n = logits.shape()[1];
  const Tensor labels = labels_as_i64(target);
  const DType dtype = logits.dtype();
  FocalOfLabels result{{}, Tensor::empty(logits.shape(), dtype), Tensor::empty({rows}, dtype)};
  Tensor losses = Tensor::empty({rows}, dtype);
  dispatch_float("focal", dtype, [&](auto zero) {
    using T = decltype(zero);
    const std::int64_t* label = readable<std::int64_t>(labels);
    T *p = writable<T>(result.probabilities), *loss = writable<T>(losses),
      *factor = writable<T>(result.factors);
    for_row_tiles(rows, n, kSoftmaxCost, [&](std::int64_t first, std::int64_t end) {
      softmax_kernels<T>().cross_entropy(readable<T>(logits) + first * n, label + first, p + first * n,
                                         loss + first, end - first, n);
      for (std::int64_t r = first; r < end; ++r) {
        const FocalTerm term = focal_term(p + r * n, label[r], n, static_cast<double>(loss[r]), gamma);
        const double w = weights.defined() ? static_cast<double>(readable<T>(weights)[r]) : 1.0;
        loss[r] = w == 0.0 ? T(0) : static_cast<T>(w * term.value);
        factor[r] = w == 0.0 ? T(0) : static_cast<T>(w * term.factor / static_cast<double>(rows));
      }
    });
  });
  result.loss = mean_of(losses, rows);
  return result;
}

Tensor focal_of_labels_grad(const FocalOfLabels& result, const Tensor& target, const Tensor& dy) {
  const Tensor &p = result.probabilities, labels = labels_as_i64(target);
  const std::int64_t rows = p.shape()[0], n = p.shape()[1];
  Tensor dz = Tensor::empty(p.shape(), p.dtype());
  dispatch_float("focal", dz.dtype(), [&](auto zero) {
    using T = decltype(zero);
    for_row_tiles(rows, n, 2, [&](std::int64_t first, std::int64_t end) {
      for (std::int64_t r = first; r < end; ++r)
        softmax_kernels<T>().cross_entropy_grad(readable<T>(p) + r * n, readable<std::int64_t>(labels) + r,
                                                writable<T>(dz) + r * n, 1, n,
                                                readable<T>(result.factors)[r] * *readable<T>(dy));
    });
  });
  return dz;
}

std::int64_t find_bad_label(const Tensor& labels, std::int64_t classes) {
  return dispatch(labels.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T* label = readable<T>(labels);
    for (std::int64_t i = 0; i < labels.size(); ++i)
      if (!(label[i] >= 0 && static_cast<std::int64_t>(label[i]) < classes)) return i;
    return std::int64_t{-1};
  });
}

}  // namespace linnet::kernels
