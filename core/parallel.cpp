// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/parallel.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "linnet/core/error.h"
#include "linnet/core/spin_lock.h"

namespace linnet {
namespace {

constexpr int kMaxThreads = 256;
/// Below this much work, telling another core costs more than it saves.
constexpr std::int64_t kSmallWork = 10'000;
/// How long an idle worker looks for the next loop before it sleeps: longer than the pauses between the loops
/// of a training step, since to wake a core takes as long as a small loop. After the first, common ones it
/// lets others run in between, in case there are fewer cores than threads.
constexpr std::chrono::microseconds kSpin{200}, kSpinAlone{10};

/// True while this thread runs tiles of a shared loop: a loop inside then runs inline.
thread_local bool in_shared_loop = false;

int threads_at_start() {
  const char* text = std::getenv("LINNET_THREADS");
  if (!text || !*text)
    return std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, kMaxThreads);
  char* end = nullptr;
  const long threads = std::strtol(text, &end, 10);
  check<ValueError>(!*end && threads >= 1 && threads <= kMaxThreads,
                    "LINNET_THREADS: expected a number in 1..", kMaxThreads, ", got '", text, "'.");
  return static_cast<int>(threads);
}

std::atomic<int>& thread_count() {
  static std::atomic<int> count = threads_at_start();
  return count;
}

/// Keeps the exception of the lowest tile, so that which one is seen does not depend on threads.
class FirstError {
 public:
  void keep(std::int64_t tile) noexcept {
    const std::lock_guard guard(lock_);
    if (error_ && tile_ < tile) return;
    tile_ = tile;
    error_ = std::current_exception();
  }
  void rethrow() {
    if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
  }

 private:
  SpinLock lock_;
  std::int64_t tile_ = 0;
  std::exception_ptr error_;
};

void run_tile(const TileBody& body, std::int64_t tile, FirstError& error) noexcept {
  try {
    body(tile);
  } catch (...) {
    error.keep(tile);
  }
}

void run_inline(std::int64_t tiles, const TileBody& body) {
  FirstError error;
  for (std::int64_t tile = 0; tile < tiles; ++tile) run_tile(body, tile, error);
  error.rethrow();
}

/// One shared loop. It lives on the caller's stack.
struct Loop {
  const TileBody& body;
  const std::int64_t tiles;
  alignas(64) std::atomic<std::int64_t> next{0};
  FirstError error;

  void run_tiles() noexcept {
    in_shared_loop = true;
    for (std::int64_t tile; (tile = next.fetch_add(1, std::memory_order_relaxed)) < tiles;)
      run_tile(body, tile, error);
    in_shared_loop = false;
  }
};

/// Workers join the loop that is open, if they are quick enough; the caller never waits for one that has not
/// joined. It opens the loop, runs tiles like everybody, closes it when none are left, and waits for those
/// inside.
class Pool {
 public:
  /// False when another thread is using the pool: the caller then runs its loop alone.
  bool run(Loop& loop, int helpers) {
    std::unique_lock owner(owner_, std::try_to_lock);
    if (!owner) return false;
    helpers = std::min(helpers, grow(helpers));
    open(loop, helpers);
    loop.run_tiles();
    close();
    return true;
  }

  void stop() {
    if (in_shared_loop) return;  // exit() was called by a tile: its thread cannot wait for itself
    const std::lock_guard owner(owner_);
    {
      const std::lock_guard guard(sleep_mutex_);
      stopping_.store(true);
    }
    wake_.notify_all();
    for (std::thread& worker : workers_) worker.join();
    workers_.clear();
  }

 private:
  // state_ = loop number (32 bits) | places left for helpers (16 bits) | helpers inside (16 bits).
  // A loop is open while places are left; joining takes one in the same step as it counts the helper inside,
  // so nobody can enter a loop that is closed, and loop_ is read only by those who are inside.
  using State = std::uint64_t;
  static constexpr State kInside = 1, kPlace = State{1} << 16, kLoop = State{1} << 32;
  static constexpr State inside(State state) { return state & 0xFFFF; }
  static constexpr State places(State state) { return state >> 16 & 0xFFFF; }
  static constexpr State loop_number(State state) { return state >> 32; }

  /// Makes sure there are that many workers, as far as the system allows; returns how many there are.
  int grow(int wanted) {
    if (stopping_.load()) return 0;
    try {
      while (static_cast<int>(workers_.size()) < wanted) workers_.emplace_back([this] { work(); });
    } catch (const std::system_error&) {  // no more threads: fewer do the same work
    }
    return static_cast<int>(workers_.size());
  }

  void open(Loop& loop, int helpers) {
    loop_ = &loop;
    const State number = loop_number(state_.load(std::memory_order_relaxed)) + 1;
    state_.store(number * kLoop + static_cast<State>(helpers) * kPlace);
    // Either a worker that goes to sleep sees the new state, or we see it in sleeping_ (both orders are
    // sequentially consistent); taking the mutex waits until it really sleeps.
    const int sleepers = std::min(helpers, sleeping_.load());
    if (sleepers == 0) return;
    { const std::lock_guard guard(sleep_mutex_); }
    for (int i = 0; i < sleepers; ++i) wake_.notify_one();
  }

  void close() {
    state_.fetch_and(~(0xFFFF * kPlace), std::memory_order_relaxed);
    for (int tries = 1; inside(state_.load(std::memory_order_acquire)) != 0; ++tries) {
      if (tries % 256 == 0)
        std::this_thread::yield();
      else
        pause_briefly();
    }
  }

  void work() {
    State last = 0;  // number of the loop this worker was in
    while (wait_for_loop(last)) {
      State state = state_.load(std::memory_order_relaxed);
      if (!joinable(state, last) ||
          !state_.compare_exchange_strong(state, state - kPlace + kInside, std::memory_order_acquire))
        continue;
      last = loop_number(state);
      loop_->run_tiles();
      state_.fetch_sub(kInside, std::memory_order_release);
    }
  }

  static bool joinable(State state, State last) { return places(state) > 0 && loop_number(state) != last; }

  /// Returns when there may be a loop to join; false when the program ends.
  bool wait_for_loop(State last) {
    const auto ready = [&] { return stopping_.load() || joinable(state_.load(), last); };
    const auto start = std::chrono::steady_clock::now();
    for (auto now = start; now - start < kSpin; now = std::chrono::steady_clock::now()) {
      for (int i = 0; i < 32; ++i) {
        if (ready()) return !stopping_.load();
        pause_briefly();
      }
      if (now - start > kSpinAlone) std::this_thread::yield();
    }
    std::unique_lock guard(sleep_mutex_);
    ++sleeping_;
    wake_.wait(guard, ready);
    --sleeping_;
    return !stopping_.load();
  }

  alignas(64) std::atomic<State> state_{0};
  Loop* loop_ = nullptr;
  alignas(64) std::atomic<int> sleeping_{0};
  std::atomic<bool> stopping_{false};
  std::mutex sleep_mutex_;
  std::condition_variable wake_;
  std::mutex owner_;  ///< held by the thread whose loop it is
  std::vector<std::thread> workers_;
};

Pool& workers() {
  static Pool& instance = *new Pool;  // never destroyed: a static object may run a loop in its destructor
  static const struct Stopper {
    ~Stopper() { instance.stop(); }
  } stopper;
  return instance;
}

}  // namespace

void set_num_threads(int threads) {
  check<ValueError>(threads >= 1 && threads <= kMaxThreads, "set_num_threads: expected 1..", kMaxThreads,
                    ", got ", threads, ".");
  thread_count().store(threads, std::memory_order_relaxed);
}

int num_threads() { return thread_count().load(std::memory_order_relaxed); }

void parallel_for(std::int64_t tiles, std::int64_t work, TileBody body) {
  const std::int64_t threads = std::min<std::int64_t>(tiles, num_threads());
  if (threads > 1 && work >= kSmallWork && !in_shared_loop) {
    Loop loop{.body = body, .tiles = tiles, .next = {0}, .error = {}};
    if (workers().run(loop, static_cast<int>(threads) - 1)) return loop.error.rethrow();
  }
  run_inline(tiles, body);
}

}  // namespace linnet
