// SPDX-License-Identifier: Apache-2.0
#pragma once
// Sequences [N, T, C] as images [N, 1, T, C] of one row, for the layers that share the kernels of images.
// Private to nn.

#include "linnet/autograd/ops.h"
#include "linnet/core/error.h"

namespace linnet::nn {

/// ShapeError, naming the layer, unless x is [N, T, channels]; 0 for any number of channels.
inline Tensor as_image(const char* layer, const Tensor& x, std::int64_t channels = 0) {
  check<ValueError>(x.defined(), layer, ": x is undefined.");
  check<ShapeError>(x.rank() == 3 && (channels == 0 || x.dim(2) == channels), layer, ": x must be [N, T, ",
                    channels ? concat({channels}) : "C", "], got ", x.shape(), ".");
  return x.reshape({x.dim(0), 1, x.dim(1), x.dim(2)});
}

inline Tensor as_sequence(const Tensor& image) {
  return image.reshape({image.dim(0), image.dim(2), image.dim(3)});
}

}  // namespace linnet::nn
