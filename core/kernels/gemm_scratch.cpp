// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/kernels/gemm_scratch.h"

#include <memory>
#include <new>

namespace linnet::kernels {
namespace {

constexpr std::align_val_t kAlignment{64};

struct Release {
  void operator()(float* p) const { ::operator delete[](p, kAlignment); }
};

struct Buffer {
  std::unique_ptr<float[], Release> floats;
  std::ptrdiff_t size = 0;
};

}  // namespace

float* scratch(Scratch purpose, std::ptrdiff_t floats) {
  thread_local Buffer buffers[kScratches];
  Buffer& buffer = buffers[static_cast<int>(purpose)];
  if (buffer.size < floats) {
    const std::ptrdiff_t size = floats + floats / 4;  // a slowly growing need should not allocate every time
    buffer.floats.reset(new (kAlignment) float[static_cast<std::size_t>(size)]);
    buffer.size = size;
  }
  return buffer.floats.get();
}

}  // namespace linnet::kernels
