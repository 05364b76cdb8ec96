// SPDX-License-Identifier: Apache-2.0
// Micro-benchmarks of every kernel family, on one thread unless LINNET_THREADS says otherwise:
//   linnet_micro --benchmark_filter=conv2d
#include "micro.h"

#include <time.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "linnet/core/isa.h"
#include "linnet/core/parallel.h"

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace bench {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_of(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Twelve chains hide the latency of a multiply-add: up to six cycles, two a cycle.
constexpr int kChains = 12;
constexpr int kRounds = 100'000;

// Each returns its operations. The result goes to `out`, so that the loop stays.
#if defined(__x86_64__)
__attribute__((target("avx2,fma"))) double chains_avx2(float* out) {
  __m256 sum[kChains];
  for (int i = 0; i < kChains; ++i) sum[i] = _mm256_set1_ps(static_cast<float>(i));
  const __m256 a = _mm256_set1_ps(0.999f), b = _mm256_set1_ps(0.001f);
  for (int round = 0; round < kRounds; ++round)
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) sum[i] = _mm256_fmadd_ps(sum[i], a, b);
  for (int i = 1; i < kChains; ++i) sum[0] = _mm256_add_ps(sum[0], sum[i]);
  _mm256_storeu_ps(out, sum[0]);
  return 2.0 * 8 * kChains * kRounds;
}
__attribute__((target("avx512f"))) double chains_avx512(float* out) {
  __m512 sum[kChains];
  for (int i = 0; i < kChains; ++i) sum[i] = _mm512_set1_ps(static_cast<float>(i));
  const __m512 a = _mm512_set1_ps(0.999f), b = _mm512_set1_ps(0.001f);
  for (int round = 0; round < kRounds; ++round)
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) sum[i] = _mm512_fmadd_ps(sum[i], a, b);
  for (int i = 1; i < kChains; ++i) sum[0] = _mm512_add_ps(sum[0], sum[i]);
  _mm512_storeu_ps(out, sum[0]);
  return 2.0 * 16 * kChains * kRounds;
}
double chains(float* out) {
  if (linnet::active_isa() == linnet::Isa::avx512) return chains_avx512(out);
  if (linnet::active_isa() != linnet::Isa::sse2) return chains_avx2(out);
  __m128 sum[kChains];
  for (int i = 0; i < kChains; ++i) sum[i] = _mm_set1_ps(static_cast<float>(i));
  const __m128 a = _mm_set1_ps(0.999f), b = _mm_set1_ps(0.001f);
  for (int round = 0; round < kRounds; ++round)
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) sum[i] = _mm_add_ps(_mm_mul_ps(sum[i], a), b);
  for (int i = 1; i < kChains; ++i) sum[0] = _mm_add_ps(sum[0], sum[i]);
  _mm_storeu_ps(out, sum[0]);
  return 2.0 * 4 * kChains * kRounds;
}
#elif defined(__aarch64__)
double chains(float* out) {
  float32x4_t sum[kChains];
  for (int i = 0; i < kChains; ++i) sum[i] = vdupq_n_f32(static_cast<float>(i));
  const float32x4_t a = vdupq_n_f32(0.999f), b = vdupq_n_f32(0.001f);
  for (int round = 0; round < kRounds; ++round)
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) sum[i] = vfmaq_f32(b, sum[i], a);
  for (int i = 1; i < kChains; ++i) sum[0] = vaddq_f32(sum[0], sum[i]);
  vst1q_f32(out, sum[0]);
  return 2.0 * 4 * kChains * kRounds;
}
#endif

/// The best of many short runs: other programs can only make one slower.
template <class Run>
double best_rate(Run run) {
  double best = 0.0;
  for (int i = 0; i < 30; ++i) {
    const Clock::time_point start = Clock::now();
    const double done = run();
    best = std::max(best, done / seconds_of(start));
  }
  return best;
}

Peak measure() {
  float out[16];
  Peak peak{};
  peak.flop_per_second = best_rate([&] {
    const double done = chains(out);
    benchmark::DoNotOptimize(out[0]);
    return done;
  });
  std::vector<char> from(64 << 20, 1), to(from.size());
  peak.bytes_per_second = best_rate([&] {
    std::memcpy(to.data(), from.data(), from.size());
    benchmark::ClobberMemory();
    return 2.0 * static_cast<double>(from.size());
  });
  return peak;
}

}  // namespace

const Peak& peak() {
  static const Peak measured = measure();
  return measured;
}

double Meter::now() {
  timespec time{};
  clock_gettime(linnet::num_threads() == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

linnet::Tensor numbers(const linnet::Shape& shape, double low, double high) {
  return linnet::Tensor::uniform(shape, low, high);
}

}  // namespace bench

int main(int argc, char** argv) {
  if (!std::getenv("LINNET_THREADS")) linnet::set_num_threads(1);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  const bench::Peak& peak = bench::peak();
  std::fprintf(stderr, "%s; peak of one core here and now: %.1f GFLOP/s, copying %.1f GB/s\n",
               linnet::compute_description().c_str(), 1e-9 * peak.flop_per_second,
               1e-9 * peak.bytes_per_second);
  benchmark::RunSpecifiedBenchmarks();
}
