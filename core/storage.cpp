// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/storage.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <mutex>
#include <new>

#include "linnet/core/block_source.h"
#include "linnet/core/spin_lock.h"

#if defined(__GLIBC__)
#include <malloc.h>
#endif
#if defined(__SANITIZE_ADDRESS__)
#define LINNET_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LINNET_ASAN 1
#endif
#endif
#if defined(LINNET_ASAN)
#include <sanitizer/asan_interface.h>
#endif

namespace linnet {
namespace {

constexpr std::size_t kLine = 64;

// Size classes: 64, 128, 192, 256, then four steps an octave (320, 384, 448, 512, 640, ...), so that at most
// a fifth of a block is unused.
constexpr int kClasses = 4 * 46;
constexpr std::size_t kLargestClass = std::size_t{1} << 53;

constexpr int class_of(std::size_t bytes) {
  const std::size_t lines = std::max<std::size_t>((bytes + kLine - 1) / kLine, 1);
  if (lines <= 4) return static_cast<int>(lines) - 1;
  // lines - 1 = 1ab...: the octave is the number of digits after ab, and 1ab counts on from class 4.
  const int octave = static_cast<int>(std::bit_width(lines - 1)) - 3;
  return 4 * octave + static_cast<int>((lines - 1) >> octave);
}

constexpr std::size_t class_bytes(int size_class) {
  if (size_class < 4) return (size_class + 1) * kLine;
  const int octave = size_class / 4 - 1;
  return (static_cast<std::size_t>(size_class % 4 + 5) << octave) * kLine;
}

static_assert(class_of(256) == 3 && class_of(257) == 4 && class_bytes(4) == 320 && class_bytes(7) == 512);
static_assert(class_of(512) == 7 && class_of(513) == 8 && class_bytes(8) == 640 && class_of(640) == 8);
static_assert(class_of(kLargestClass) < kClasses && class_bytes(class_of(kLargestClass)) == kLargestClass);

// Blocks from here on come page by page from the system, all with the same offset in their page. A loop over
// a parameter, its gradient and its moments would then use one set of cache lines for all four, and loads
// would wait for stores whose addresses end alike. So each large block starts some lines further than the one
// before: 25 of 64, about the golden section, which keeps any few successive blocks far apart.
constexpr std::size_t kColouredFrom = 32 * 1024;
constexpr std::size_t kColours = 64;
constexpr std::size_t kColourStep = 25;

std::size_t system_bytes(int size_class) {
  const std::size_t bytes = class_bytes(size_class);
  return sizeof(Storage) + bytes + (bytes >= kColouredFrom ? kColours * kLine : 0);
}

/// Lets the address sanitizer allow access.
void open_up([[maybe_unused]] std::byte* data, [[maybe_unused]] std::size_t bytes) {
#if defined(LINNET_ASAN)
  __asan_unpoison_memory_region(data, bytes);
#endif
}

/// What a reader of a dead tensor finds: NaNs, or a report by the address sanitizer.
void mark_dead([[maybe_unused]] std::byte* data, [[maybe_unused]] std::size_t bytes) {
#if defined(LINNET_POISON)
  open_up(data, bytes);
  std::memset(data, 0xFF, bytes);
#endif
#if defined(LINNET_ASAN)
  __asan_poison_memory_region(data, bytes);
#endif
}

/// Objects of one size class are cut from slabs and never go back to the system.
class ObjectPool {
 public:
  static constexpr std::size_t kStep = 32;
  static constexpr std::size_t kLimit = 1024;

  void* allocate(std::size_t bytes) {
    const std::size_t index = (std::max<std::size_t>(bytes, 1) - 1) / kStep;
    const std::lock_guard guard(lock_);
    if (Free* object = free_[index]) {
      free_[index] = object->next;
      return object;
    }
    const std::size_t size = (index + 1) * kStep;
    if (size > room_) add_slab();
    std::byte* object = slab_end() - room_;
    room_ -= size;
    return object;
  }

  void free(void* object, std::size_t bytes) noexcept {
    const std::size_t index = (std::max<std::size_t>(bytes, 1) - 1) / kStep;
#if defined(LINNET_POISON)
    std::memset(object, 0xFF, (index + 1) * kStep);
#endif
    const std::lock_guard guard(lock_);
    free_[index] = new (object) Free{free_[index]};
  }

  void add_to(MemoryStats& stats) {
    const std::lock_guard guard(lock_);
    stats.reserved_bytes += slabs_ * static_cast<std::int64_t>(sizeof(Slab));
    stats.system_allocations += slabs_;
  }

 private:
  struct Free {
    Free* next;
  };
  struct alignas(kLine) Slab {
    Slab* previous;  ///< keeps every slab reachable for leak checkers
    alignas(kLine) std::byte bytes[32 * 1024 - kLine];
  };

  std::byte* slab_end() { return slab_->bytes + sizeof slab_->bytes; }

  void add_slab() {
    Slab* slab = new Slab;
    slab->previous = slab_;
    slab_ = slab;
    room_ = sizeof slab->bytes;
    ++slabs_;
  }

  SpinLock lock_;
  Free* free_[kLimit / kStep] = {};
  Slab* slab_ = nullptr;
  std::size_t room_ = 0;
  std::int64_t slabs_ = 0;
};

// Both pools are constant-initialised and never destroyed: tensors may outlive every static object.
constinit ObjectPool objects;

}  // namespace

class StoragePool {
 public:
  Storage* allocate(std::size_t bytes) {
    if (bytes > kLargestClass) throw std::bad_alloc();
    const int size_class = class_of(bytes);
    Storage* storage = take_unused(size_class);
    if (!storage) storage = from_system(size_class);
    storage->bytes_ = bytes;
    storage->version_.store(0, std::memory_order_relaxed);
    open_up(storage->data(), bytes);  // and no more: the rest of the block stays out of bounds
    return count(storage);
  }

  void free(Storage* storage) noexcept {
    mark_dead(storage->data(), class_bytes(storage->size_class_));
    const std::lock_guard guard(lock_);
    stats_.live_bytes -= static_cast<std::int64_t>(storage->bytes_);
    storage->next_ = unused_[storage->size_class_];
    unused_[storage->size_class_] = storage;
  }

  void release_unused() noexcept {
    for (int size_class = 0; size_class < kClasses; ++size_class)
      while (Storage* storage = take_unused(size_class)) to_system(storage);
#if defined(__GLIBC__)
    malloc_trim(0);
#endif
  }

  void reset_peak() {
    const std::lock_guard guard(lock_);
    stats_.peak_bytes = stats_.live_bytes;
  }

  MemoryStats stats() {
    const std::lock_guard guard(lock_);
    return stats_;
  }

 private:
  Storage* take_unused(int size_class) noexcept {
    const std::lock_guard guard(lock_);
    Storage* storage = unused_[size_class];
    if (storage) unused_[size_class] = storage->next_;
    return storage;
  }

  /// Bytes to skip so that a large block starts on the next line in turn of its page.
  std::size_t coloured_offset(const void* block) {
    const std::size_t wanted = colour_.fetch_add(1, std::memory_order_relaxed) * kColourStep;
    return (wanted - reinterpret_cast<std::uintptr_t>(block) / kLine) % kColours * kLine;
  }

  Storage* from_system(int size_class) {
    const std::size_t bytes = system_bytes(size_class);
    void* block = blocks_.allocate(bytes);
    if (!block) {
      release_unused();
      block = blocks_.allocate(bytes);
      if (!block) throw std::bad_alloc();
    }
    const std::size_t offset = class_bytes(size_class) >= kColouredFrom ? coloured_offset(block) : 0;
    Storage* storage = new (static_cast<std::byte*>(block) + offset) Storage;
    storage->block_ = block;
    storage->size_class_ = size_class;
    mark_dead(storage->data(), class_bytes(size_class));
    const std::lock_guard guard(lock_);
    stats_.reserved_bytes += static_cast<std::int64_t>(bytes);
    ++stats_.system_allocations;
    return storage;
  }

  void to_system(Storage* storage) noexcept {
    open_up(storage->data(), class_bytes(storage->size_class_));
    const std::lock_guard guard(lock_);
    stats_.reserved_bytes -= static_cast<std::int64_t>(system_bytes(storage->size_class_));
    void* block = storage->block_;
    const std::size_t bytes = system_bytes(storage->size_class_);
    storage->~Storage();
    blocks_.free(block, bytes);
  }

  Storage* count(Storage* storage) {
    const std::lock_guard guard(lock_);
    ++stats_.allocations;
    stats_.live_bytes += static_cast<std::int64_t>(storage->bytes_);
    stats_.peak_bytes = std::max(stats_.peak_bytes, stats_.live_bytes);
    return storage;
  }

  SpinLock lock_;
  BlockSource blocks_;
  Storage* unused_[kClasses] = {};
  MemoryStats stats_;
  std::atomic<std::size_t> colour_{0};
};

namespace {
static_assert(sizeof(Storage) == kLine);
constinit StoragePool pool;
}  // namespace

MemoryStats memory_stats() {
  MemoryStats stats = pool.stats();
  objects.add_to(stats);
  return stats;
}

void reset_peak_memory() { pool.reset_peak(); }

void release_unused_memory() { pool.release_unused(); }

#if defined(LINNET_ASAN)
void* allocate_object(std::size_t bytes) { return ::operator new(bytes); }
void free_object(void* object, std::size_t) noexcept { ::operator delete(object); }
#else
void* allocate_object(std::size_t bytes) {
  return bytes <= ObjectPool::kLimit ? objects.allocate(bytes) : ::operator new(bytes);
}
void free_object(void* object, std::size_t bytes) noexcept {
  if (bytes <= ObjectPool::kLimit)
    objects.free(object, bytes);
  else
    ::operator delete(object);
}
#endif

Ref<Storage> Storage::allocate(std::size_t bytes) { return Ref<Storage>(pool.allocate(bytes)); }

void Storage::destroy() noexcept { pool.free(this); }

}  // namespace linnet
