// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the micro-benchmarks share: the limits of one core, measured in the same run, and how a kernel's speed
// is put down beside them.

#include <benchmark/benchmark.h>

#include "linnet/core/random.h"
#include "linnet/core/tensor.h"

namespace bench {

struct Peak {
  double flop_per_second;   ///< multiply-adds of independent registers, two operations each
  double bytes_per_second;  ///< reading and writing memory far larger than the caches
};
/// Of the active instruction set, measured at first use.
const Peak& peak();

/// Made right before the loop of a benchmark, asked right behind it: sets the counters "GFLOP/s" or "GB/s",
/// and "peak", the share of the limit.
class Meter {
 public:
  explicit Meter(benchmark::State& state) : state_(state) {
    peak();
    start_ = now();
  }
  void put_flop(double of_a_call) const { put("GFLOP/s", of_a_call, peak().flop_per_second); }
  void put_bytes(double of_a_call) const { put("GB/s", of_a_call, peak().bytes_per_second); }

 private:
  /// Processor time when one thread does all the work: other programs then count for little.
  static double now();
  void put(const char* name, double of_a_call, double limit) const {
    const double rate = of_a_call * static_cast<double>(state_.iterations()) / (now() - start_);
    state_.counters[name] = 1e-9 * rate;
    state_.counters["peak"] = rate / limit;
  }
  benchmark::State& state_;
  double start_;
};

/// Uniform in [low, high).
linnet::Tensor numbers(const linnet::Shape& shape, double low = -1.0, double high = 1.0);

inline double bytes_of(std::initializer_list<linnet::Tensor> tensors) {
  double bytes = 0.0;
  for (const linnet::Tensor& t : tensors)
    bytes += static_cast<double>(t.size()) * static_cast<double>(linnet::size_of(t.dtype()));
  return bytes;
}

}  // namespace bench
