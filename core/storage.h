// SPDX-License-Identifier: Apache-2.0
#pragma once
// Memory. All tensor storage comes from one pool that keeps freed blocks for reuse and can be asked
// what it holds; small objects (tensor headers, tape nodes) come from size-class free lists beside it.
// All functions here are safe to call from any thread.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace linnet {

struct MemoryStats {
  std::int64_t live_bytes = 0;          ///< in tensors that exist now
  std::int64_t peak_bytes = 0;          ///< largest live_bytes since the last reset_peak_memory()
  std::int64_t reserved_bytes = 0;      ///< taken from the system: live plus kept for reuse
  std::int64_t system_allocations = 0;  ///< how often the pool or the free lists had to ask the system
  std::int64_t allocations = 0;         ///< blocks that the pool has handed out
};
MemoryStats memory_stats();
void reset_peak_memory();

/// Gives blocks that are kept for reuse back to the system.
void release_unused_memory();

/// Size-class free lists for objects below 1 KiB, aligned for any scalar; larger requests reach operator new.
/// Builds with the address sanitizer always use operator new, so that it sees every object.
void* allocate_object(std::size_t bytes);
void free_object(void* object, std::size_t bytes) noexcept;

template <class T>
void retain(T* object) noexcept {
  object->references.fetch_add(1, std::memory_order_relaxed);
}
template <class T>
void release(T* object) noexcept {
  if (object->references.fetch_sub(1, std::memory_order_acq_rel) == 1) object->destroy();
}

/// Pointer to an object that counts its own references (members `references` and `destroy()`). A type that is
/// incomplete where it is pointed to declares its own retain() and release().
template <class T>
class Ref {
 public:
  Ref() = default;
  explicit Ref(T* object) : object_(object) { add(); }
  Ref(const Ref& other) : object_(other.object_) { add(); }
  Ref(Ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Ref& operator=(Ref other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Ref() {
    if (object_) release(object_);
  }

  /// Gives the reference up: the caller owes one release().
  T* take() noexcept { return std::exchange(object_, nullptr); }

  T* get() const { return object_; }
  T* operator->() const { return object_; }
  T& operator*() const { return *object_; }
  explicit operator bool() const { return object_ != nullptr; }
  bool unique() const { return object_ && object_->references.load(std::memory_order_acquire) == 1; }
  friend bool operator==(const Ref& a, const Ref& b) { return a.object_ == b.object_; }

 private:
  void add() {
    if (object_) retain(object_);
  }
  T* object_ = nullptr;
};

/// A block of bytes, 64-byte aligned, with a version that every writer bumps. Contents start undefined; in
/// builds with LINNET_POISON they start and end as NaNs. The object is the header of its block: data()
/// follows it.
class alignas(64) Storage {
 public:
  /// std::bad_alloc, with nothing changed, when the system has no memory even after unused blocks are given
  /// back.
  static Ref<Storage> allocate(std::size_t bytes);

  std::byte* data() { return reinterpret_cast<std::byte*>(this + 1); }
  std::size_t bytes() const { return bytes_; }
  std::uint32_t version() const { return version_.load(std::memory_order_relaxed); }
  void bump_version() { version_.fetch_add(1, std::memory_order_relaxed); }

  std::atomic<std::int32_t> references{0};
  void destroy() noexcept;

 private:
  friend class StoragePool;
  Storage() = default;
  std::atomic<std::uint32_t> version_{0};
  std::size_t bytes_ = 0;    ///< as asked for
  void* block_ = nullptr;    ///< what the system gave: this, or a little before it
  Storage* next_ = nullptr;  ///< in the list of unused blocks
  int size_class_ = 0;
};

}  // namespace linnet
