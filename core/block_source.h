// SPDX-License-Identifier: Apache-2.0
#pragma once
// Where the pool of storages gets its blocks. Private to core.

#include <cstddef>

#include "linnet/core/spin_lock.h"

namespace linnet {

/// Blocks of the system, 64-byte aligned. Large ones lie side by side in regions for which huge pages are
/// asked: with pages of 4 KB, every stride over an image or a data set is a walk through the page table. A
/// system without huge pages goes on as before.
class BlockSource {
 public:
  constexpr BlockSource() = default;
  /// Null when the system has no memory.
  void* allocate(std::size_t bytes) noexcept;
  /// `bytes` as they were asked for.
  void free(void* block, std::size_t bytes) noexcept;

 private:
  struct Region;
  struct Head;
  /// Null when the open region has no room.
  Head* cut(std::size_t bytes) noexcept;
  /// Null when the system has no memory, either.
  Head* cut_or_ask(std::size_t bytes) noexcept;

  SpinLock lock_;
  Region* region_ = nullptr;  ///< the open one, or null
};

}  // namespace linnet
