// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the programs that `linnet bench` starts share: one workload of ours or of another library, measured in
// a process of its own. Usage: PROGRAM WORKLOAD BATCH THREADS SECONDS SEED. The result is printed as lines
// "name value".

#include <sys/resource.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace bench {

struct Request {
  std::string workload;
  std::int64_t batch;
  int threads;
  double seconds;
  std::uint64_t seed;
};

inline Request parse(int argc, char** argv) {
  if (argc != 6) {
    std::fprintf(stderr, "usage: %s mlp|cnn|lstm|mobilenet BATCH THREADS SECONDS SEED\n", argv[0]);
    std::exit(2);
  }
  return {argv[1], std::atoll(argv[2]), std::atoi(argv[3]), std::atof(argv[4]),
          std::strtoull(argv[5], nullptr, 10)};
}

/// Samples per second of `step`, which trains on one batch and returns its size, over about `seconds`; a
/// third of that is spent before the clock starts, so that memory and caches are as they stay.
template <class Step>
double samples_per_second(double seconds, Step step) {
  using Clock = std::chrono::steady_clock;
  const auto run_for = [&](double time) {
    const Clock::time_point start = Clock::now();
    std::int64_t samples = 0;
    double passed = 0.0;
    do {
      samples += step();
      passed = std::chrono::duration<double>(Clock::now() - start).count();
    } while (passed < time);
    return static_cast<double>(samples) / passed;
  };
  run_for(seconds / 3);
  return run_for(seconds * 2 / 3);
}

inline std::int64_t peak_rss_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return std::int64_t{usage.ru_maxrss} * 1024;
}

/// Numbers that look random and are the same everywhere (the finalizer of MurmurHash3, by A. Appleby).
inline std::uint32_t scrambled(std::uint64_t i) {
  auto h = static_cast<std::uint32_t>(i * 0x9e3779b9u + 1);
  h = (h ^ (h >> 16)) * 0x85ebca6bu;
  h = (h ^ (h >> 13)) * 0xc2b2ae35u;
  return h ^ (h >> 16);
}

/// How many samples the data set of a workload has: those of MNIST for images of its size.
inline std::int64_t samples_of(const std::string& workload) {
  if (workload == "mlp" || workload == "cnn") return 60'000;
  return workload == "lstm" ? 8'192 : 1'024;
}

}  // namespace bench
