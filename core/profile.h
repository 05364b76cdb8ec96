// SPDX-License-Identifier: Apache-2.0
#pragma once
// Profiler: where the time of a program goes, by op (forward and backward apart), by layer and by scope.
//
//   LINNET_PROFILE=1 linnet train ...           prints the table on standard error when the program ends
//   LINNET_PROFILE=trace.json linnet train ...  writes every event too, for chrome://tracing or
//   ui.perfetto.dev
//
// or from the program itself:
//
//   profile::start();
//   ...
//   profile::stop();
//   std::cout << profile::report().str();
//
// A forward op lasts from the event before it on its thread (another op, entering a layer, a scope) until it
// is on the tape; a backward op is its rule. Times are those of the event itself: what is nested in a scope
// is taken off. While the profiler is off, an op pays for one predictable branch.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace linnet::profile {

struct Options {
  std::size_t max_events = 0;  ///< kept for write_trace(); later ones are only counted in the table
};

/// Forgets what was measured and begins. Counts what all threads do.
void start(const Options& options = {});
/// Ends the measurement; report() and write_trace() stay as they are.
void stop();

namespace detail {
extern std::atomic<bool> active;
}
inline bool on() { return detail::active.load(std::memory_order_relaxed); }

enum class Phase : std::uint8_t { forward, backward, scope };

struct Row {
  std::string layer;  ///< "1 (Dense 784 -> 128)"; empty outside of layers
  std::string name;   ///< of the op or scope
  Phase phase = Phase::forward;
  std::int64_t calls = 0;
  double seconds = 0.0;
  double flop = 0.0;   ///< two a multiply-accumulate (core/op_cost.h); 0 for ops without products
  double bytes = 0.0;  ///< inputs, results and gradients, each once: what must move at least; 0 for views
  std::int64_t allocations = 0;         ///< blocks that the pool handed out
  std::int64_t system_allocations = 0;  ///< how often it had to ask the system
};

struct Report {
  std::vector<Row> rows;  ///< one for each layer, name and phase, the longest first
  double seconds = 0.0;   ///< from start() to stop(), or until now
  std::int64_t dropped_events = 0;

  /// Two tables: by op or scope, and by layer.
  std::string str() const;
};
Report report();

/// Writes the kept events as Chrome trace-event JSON. IoError when the file cannot be written.
void write_trace(const std::string& file);

/// A named part of a program, such as "data" or "checkpoint". `name` must outlive the scope.
class Scope {
 public:
  explicit Scope(std::string_view name) {
    if (on()) begin(name);
  }
  ~Scope() {
    if (open_) end();
  }
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

 private:
  void begin(std::string_view name) noexcept;
  void end() noexcept;
  bool open_ = false;
};

}  // namespace linnet::profile
