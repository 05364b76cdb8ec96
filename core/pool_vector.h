// SPDX-License-Identifier: Apache-2.0
#pragma once
// std::vector whose memory comes from the library's own free lists: what a training step makes and drops
// again asks the system for nothing.

#include <cstddef>
#include <limits>
#include <new>
#include <vector>

#include "linnet/core/storage.h"

namespace linnet {

template <class T>
struct PoolAllocator {
  static_assert(alignof(T) <= alignof(std::max_align_t));
  using value_type = T;
  static constexpr std::size_t kSmall = 1024;  ///< larger ones are blocks of the storage pool

  PoolAllocator() = default;
  template <class U>
  PoolAllocator(const PoolAllocator<U>&) {}

  T* allocate(std::size_t count) {
    if (count > std::numeric_limits<std::size_t>::max() / sizeof(T)) throw std::bad_alloc();
    const std::size_t bytes = count * sizeof(T);
    void* memory = bytes <= kSmall ? allocate_object(bytes) : Storage::allocate(bytes).take()->data();
    return static_cast<T*>(memory);
  }
  void deallocate(T* memory, std::size_t count) noexcept {
    if (count * sizeof(T) <= kSmall)
      free_object(memory, count * sizeof(T));
    else
      release(reinterpret_cast<Storage*>(memory) - 1);  // its header lies before the contents
  }
  friend bool operator==(const PoolAllocator&, const PoolAllocator&) { return true; }
};

template <class T>
using PoolVector = std::vector<T, PoolAllocator<T>>;

}  // namespace linnet
