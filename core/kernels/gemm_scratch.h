// SPDX-License-Identifier: Apache-2.0
#pragma once
// Working memory of the product and convolution kernels: one buffer for each thread and purpose, kept for the
// next call, so that a training step allocates nothing for it.

#include <cstddef>

namespace linnet::kernels {

/// Purposes that may be in use at the same time on one thread.
enum class Scratch { packed, turned, swapped, partial, image, gradient, normalized };
inline constexpr int kScratches = 7;

/// At least `floats` of them, 64-byte aligned, contents undefined, valid until the same thread asks again for
/// the same purpose. Other threads may use it as long as the owner waits for them.
float* scratch(Scratch purpose, std::ptrdiff_t floats);

}  // namespace linnet::kernels
