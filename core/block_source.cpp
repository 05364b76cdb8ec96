// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/block_source.h"

#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace linnet {
namespace {

constexpr std::size_t kAlignment = 64;
constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr std::size_t kRegionBytes = 8 * kHugePage;
// Smaller blocks would let a small network hold 2 MB for them; larger ones have huge pages of their own.
constexpr std::size_t kSmallestShared = 256 * 1024;
constexpr std::size_t kLargestShared = kRegionBytes / 4;

std::size_t rounded_up(std::size_t bytes, std::size_t unit) { return (bytes + unit - 1) / unit * unit; }

/// Memory of its own, in huge pages where they lie whole inside.
void* huge_block(std::size_t bytes) {
  void* block = std::aligned_alloc(kAlignment, rounded_up(bytes, kAlignment));
#if defined(__linux__)
  const auto first = reinterpret_cast<std::uintptr_t>(block);
  const std::uintptr_t begin = rounded_up(first, kHugePage), end = (first + bytes) / kHugePage * kHugePage;
  if (block && begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
#endif
  return block;
}

/// The pages inside a block that nobody reads any more go back; its addresses stay taken.
void drop_pages([[maybe_unused]] void* block, [[maybe_unused]] std::size_t bytes) {
#if defined(__linux__)
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  const auto first = reinterpret_cast<std::uintptr_t>(block);
  const std::uintptr_t begin = rounded_up(first, page), end = (first + bytes) / page * page;
  if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
#endif
}

}  // namespace

/// Blocks are cut from the front. It goes back to the system with the last of them.
struct alignas(kAlignment) BlockSource::Region {
  std::size_t used = sizeof(Region), blocks = 0;
};

/// In front of every block that may lie in a region.
struct alignas(kAlignment) BlockSource::Head {
  Region* region;  ///< null when it does not
};

BlockSource::Head* BlockSource::cut(std::size_t bytes) noexcept {
  if (!region_ || kRegionBytes - region_->used < bytes) return nullptr;
  void* place = reinterpret_cast<std::byte*>(region_) + region_->used;
  region_->used += rounded_up(bytes, kAlignment);
  ++region_->blocks;
  return new (place) Head{region_};
}

BlockSource::Head* BlockSource::cut_or_ask(std::size_t bytes) noexcept {
  {
    const std::lock_guard guard(lock_);
    if (Head* head = cut(bytes)) return head;
  }
  if (void* memory = huge_block(kRegionBytes)) {
    const std::lock_guard guard(lock_);
    region_ = new (memory) Region;  // what is left of the one before stays unused
    return cut(bytes);
  }
  void* memory = std::aligned_alloc(kAlignment, rounded_up(bytes, kAlignment));
  return memory ? new (memory) Head{nullptr} : nullptr;
}

void* BlockSource::allocate(std::size_t bytes) noexcept {
  if (bytes < kSmallestShared) return std::aligned_alloc(kAlignment, rounded_up(bytes, kAlignment));
  if (bytes > kLargestShared) return huge_block(bytes);
  Head* head = cut_or_ask(sizeof(Head) + bytes);
  return head ? head + 1 : nullptr;
}

void BlockSource::free(void* block, std::size_t bytes) noexcept {
  if (bytes < kSmallestShared || bytes > kLargestShared) return std::free(block);
  Head* head = static_cast<Head*>(block) - 1;
  Region* region = head->region;
  if (!region) return std::free(head);
  drop_pages(block, bytes);  // while the region is there for certain
  {
    const std::lock_guard guard(lock_);
    if (--region->blocks > 0) return;
    if (region == region_) region_ = nullptr;
  }
  std::free(region);
}

}  // namespace linnet
