// SPDX-License-Identifier: Apache-2.0
#pragma once
// A lock for a few instructions. Private to core.

#include <atomic>
#include <thread>

namespace linnet {

/// Tells the processor that this is a waiting loop.
inline void pause_briefly() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

class SpinLock {
 public:
  void lock() {
    for (int tries = 1; flag_.test_and_set(std::memory_order_acquire); ++tries) {
      if (tries % 64 == 0)
        std::this_thread::yield();  // the holder may wait for this core
      else
        pause_briefly();
    }
  }
  void unlock() { flag_.clear(std::memory_order_release); }

 private:
  std::atomic_flag flag_;
};

}  // namespace linnet
