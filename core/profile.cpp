// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <tuple>

#include "linnet/core/error.h"
#include "linnet/core/profile_impl.h"
#include "linnet/core/profile_trace.h"
#include "linnet/core/storage.h"

namespace linnet::profile {

constinit std::atomic<bool> detail::active{false};

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kEventsOfEnvironment = 500'000;

/// Where a thread stands in time and in the pool's books.
struct Mark {
  Clock::time_point time;
  std::int64_t allocations = 0, system_allocations = 0;
};

/// What lies between two marks.
struct Span {
  Clock::duration time{0};
  std::int64_t allocations = 0, system_allocations = 0;

  Span& operator+=(const Span& other) {
    time += other.time;
    allocations += other.allocations;
    system_allocations += other.system_allocations;
    return *this;
  }
  friend Span operator-(const Span& a, const Span& b) {
    return {a.time - b.time, a.allocations - b.allocations, a.system_allocations - b.system_allocations};
  }
};

Span between(const Mark& from, const Mark& to) {
  return {to.time - from.time, to.allocations - from.allocations,
          to.system_allocations - from.system_allocations};
}

Mark mark_now() {
  const Clock::time_point time = Clock::now();
  const MemoryStats memory = memory_stats();
  return {time, memory.allocations, memory.system_allocations};
}

/// An event that has begun on a thread, and what the finished events inside it came to.
struct Open {
  Mark begin;
  Span inside;
  std::string_view scope;  ///< name of a scope; empty for rules and layers
};

struct ThreadState {
  std::uint64_t run = 0;  ///< of start(): what is left of an earlier run is forgotten
  int id = 0;
  bool marked = false;
  Mark last;
  std::vector<Open> open;
  std::vector<int> layers;
};
thread_local ThreadState this_thread;

/// A forward op whose rule may still come.
struct Call {
  int layer, name;
  Cost backward;
};

using RowKey = std::tuple<int, int, Phase>;  // layer, name, phase

/// Everything that was measured; guarded by `mutex`.
struct Measured {
  std::mutex mutex;
  std::atomic<std::uint64_t> run{0};
  Options options;
  Clock::time_point begin, end;
  int threads = 0;
  // These stay from run to run: nodes of the tape, and layers that are being run, know places in them.
  std::vector<std::string> texts;
  std::map<std::string, int, std::less<>> text_places;
  std::map<RowKey, Row> rows;
  std::vector<Call> calls;
  std::map<std::tuple<int, int, double, double>, std::int32_t> call_places;
  std::vector<Event> events;
  std::int64_t dropped = 0;

  int text(std::string_view wanted) {
    const auto found = text_places.find(wanted);
    if (found != text_places.end()) return found->second;
    const int place = static_cast<int>(texts.size());
    text_places.emplace(std::string(wanted), place);
    texts.emplace_back(wanted);
    return place;
  }
};

Measured& measured() {
  static Measured& instance = *new Measured;  // never destroyed: static objects may still be profiled
  return instance;
}

/// The state of this thread in the running measurement.
ThreadState& thread_state() {
  ThreadState& thread = this_thread;
  Measured& all = measured();
  const std::uint64_t run = all.run.load(std::memory_order_acquire);
  if (thread.run == run) return thread;
  thread = ThreadState();
  thread.run = run;
  const std::lock_guard guard(all.mutex);
  thread.id = ++all.threads;
  all.text({});  // 0: no layer
  return thread;
}

double seconds(Clock::duration time) { return std::chrono::duration<double>(time).count(); }

int layer_of(const ThreadState& thread) { return thread.layers.empty() ? 0 : thread.layers.back(); }

/// Adds an event to its row, and to the list for the trace.
void add(Measured& all, const RowKey& key, const Mark& begin, const Span& whole, const Span& own,
         const Cost& cost, int thread) {
  Row& row = all.rows[key];
  ++row.calls;
  row.seconds += seconds(own.time);
  row.flop += cost.flop;
  row.bytes += cost.bytes;
  row.allocations += own.allocations;
  row.system_allocations += own.system_allocations;
  const auto [layer, name, phase] = key;
  if (all.options.max_events == 0) return;
  if (all.events.size() < all.options.max_events)
    all.events.push_back({name, layer, static_cast<int>(phase), thread, seconds(begin.time - all.begin),
                          seconds(whole.time), cost.flop, cost.bytes, own.allocations});
  else
    ++all.dropped;
}

void open(ThreadState& thread, std::string_view scope) {
  thread.open.push_back({mark_now(), {}, scope});
  thread.last = thread.open.back().begin;
  thread.marked = true;
}

/// Ends the innermost open event; `finish(event, whole, own)` puts it down.
template <class Finish>
void close(Finish finish) {
  ThreadState& thread = thread_state();
  if (thread.open.empty()) return;  // begun before the last start()
  const Mark now = mark_now();
  const Open event = thread.open.back();
  thread.open.pop_back();
  const Span whole = between(event.begin, now);
  if (on()) {
    Measured& all = measured();
    const std::lock_guard guard(all.mutex);
    finish(all, thread, event, whole, whole - event.inside);
  }
  if (!thread.open.empty()) thread.open.back().inside += whole;
  thread.last = mark_now();
}

}  // namespace

void start(const Options& options) {
  Measured& all = measured();
  {
    const std::lock_guard guard(all.mutex);
    all.options = options;
    all.rows.clear();
    all.events.clear();
    all.dropped = 0;
    all.threads = 0;
    all.text({});
    all.begin = all.end = Clock::now();
    all.run.fetch_add(1, std::memory_order_release);
  }
  ThreadState& thread = thread_state();
  thread.last = mark_now();
  thread.marked = true;
  detail::active.store(true, std::memory_order_relaxed);
}

void stop() {
  Measured& all = measured();
  const std::lock_guard guard(all.mutex);
  if (on()) all.end = Clock::now();
  detail::active.store(false, std::memory_order_relaxed);
}

std::int32_t end_forward(std::string_view op, const Cost& forward, const Cost& backward) noexcept {
  const Mark now = mark_now();
  ThreadState& thread = thread_state();
  if (!thread.marked) thread.last = now;  // nothing says when the first op of a thread began
  thread.marked = true;
  const Span span = between(thread.last, now);
  const int layer = layer_of(thread);
  std::int32_t place = 0;
  {
    Measured& all = measured();
    const std::lock_guard guard(all.mutex);
    const int name = all.text(op);
    add(all, {layer, name, Phase::forward}, thread.last, span, span, forward, thread.id);
    const auto [found, fresh] = all.call_places.try_emplace(
        std::tuple(layer, name, backward.flop, backward.bytes), static_cast<std::int32_t>(all.calls.size()));
    if (fresh) all.calls.push_back({layer, name, backward});
    place = found->second;
  }
  if (!thread.open.empty()) thread.open.back().inside += span;
  thread.last = mark_now();
  return place;
}

void RuleScope::begin(std::int32_t call) noexcept {
  open(thread_state(), {});
  call_ = call;
  open_ = true;
}

void RuleScope::end() noexcept {
  close([this](Measured& all, const ThreadState& thread, const Open& event, const Span& whole,
               const Span& own) {
    if (call_ < 0) return;  // recorded before the profiler was on
    const Call& call = all.calls[static_cast<std::size_t>(call_)];
    add(all, {call.layer, call.name, Phase::backward}, event.begin, whole, own, call.backward, thread.id);
  });
}

void LayerScope::begin(const std::string& location) noexcept {
  ThreadState& thread = thread_state();
  {
    Measured& all = measured();
    const std::lock_guard guard(all.mutex);
    thread.layers.push_back(all.text(location));
  }
  open(thread, {});
  open_ = true;
}

void LayerScope::end() noexcept {
  close([](Measured& all, ThreadState& thread, const Open& event, const Span& whole, const Span&) {
    if (all.events.size() < all.options.max_events)  // a frame around its ops in the trace, no row
      all.events.push_back({layer_of(thread), layer_of(thread), kLayerEvent, thread.id,
                            seconds(event.begin.time - all.begin), seconds(whole.time), 0.0, 0.0, 0});
  });
  if (!this_thread.layers.empty()) this_thread.layers.pop_back();
}

void Scope::begin(std::string_view name) noexcept {
  open(thread_state(), name);
  open_ = true;
}

void Scope::end() noexcept {
  close([](Measured& all, const ThreadState& thread, const Open& event, const Span& whole, const Span& own) {
    add(all, {layer_of(thread), all.text(event.scope), Phase::scope}, event.begin, whole, own, {}, thread.id);
  });
}

Report report() {
  Measured& all = measured();
  const std::lock_guard guard(all.mutex);
  Report result;
  result.seconds = seconds((on() ? Clock::now() : all.end) - all.begin);
  result.dropped_events = all.dropped;
  for (const auto& [key, measured_row] : all.rows) {
    Row row = measured_row;
    row.layer = all.texts[static_cast<std::size_t>(std::get<0>(key))];
    row.name = all.texts[static_cast<std::size_t>(std::get<1>(key))];
    row.phase = std::get<2>(key);
    result.rows.push_back(std::move(row));
  }
  std::stable_sort(result.rows.begin(), result.rows.end(),
                   [](const Row& a, const Row& b) { return a.seconds > b.seconds; });
  return result;
}

void write_trace(const std::string& file) {
  Measured& all = measured();
  const std::lock_guard guard(all.mutex);
  write_events(file, all.texts, all.events);
}

namespace {

/// LINNET_PROFILE. Programs that ran no op say nothing: `linnet bench` measures in processes of its own.
class FromEnvironment {
 public:
  FromEnvironment() {
    const char* value = std::getenv("LINNET_PROFILE");
    if (!value || !*value || std::string_view(value) == "0") return;
    if (std::string_view(value) != "1") file_ = value;
    wanted_ = true;
    start({.max_events = file_.empty() ? 0 : kEventsOfEnvironment});
  }
  ~FromEnvironment() {
    if (!wanted_) return;
    stop();
    const Report all = report();
    if (all.rows.empty()) return;
    std::fprintf(stderr, "%s", all.str().c_str());
    if (file_.empty()) return;
    try {
      write_trace(file_);
      std::fprintf(stderr, "profile: events are in %s\n", file_.c_str());
    } catch (const Error& error) {
      std::fprintf(stderr, "%s\n", error.what());
    }
  }

 private:
  bool wanted_ = false;
  std::string file_;
};
const FromEnvironment from_environment;

}  // namespace
}  // namespace linnet::profile
