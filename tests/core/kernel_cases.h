// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the tests of kernels share: instruction sets, thread counts, and random shapes with odd sizes.

#include <string>
#include <vector>

#include "linnet/core/isa.h"
#include "linnet/core/random.h"
#include "support/check_close.h"
#include "support/fixtures.h"

namespace linnet::test {

inline constexpr int kShapes = 50;
inline constexpr int kManyShapes = 1000;  ///< of the suites named "long", together with the first kShapes

/// body() on every instruction set of this machine, named in messages.
template <class Body>
void on_every_isa(Body body) {
  for (Isa isa : available_isas()) {
    const IsaScope scope(isa);
    const std::string isa_name(name(isa));
    CAPTURE(isa_name);
    body();
  }
}

/// make() must give tensors of the same bits on every set with fused multiply-add, and with 1, 2 and 4
/// threads.
template <class Make>
void check_same_bits_everywhere(Make make) {
  Tensor expected;
  for (Isa isa : available_isas()) {
    if (isa == Isa::sse2) continue;
    const IsaScope scope(isa);
    for (int threads : {1, 2, 4}) {
      const ThreadScope thread_scope(threads);
      const std::string isa_name(name(isa));
      CAPTURE(isa_name);
      CAPTURE(threads);
      const Tensor y = make();
      if (!expected.defined()) expected = y;
      CHECK_SAME_BITS(y, expected);
    }
  }
}

/// Sizes around the widths of vectors and of their tails.
inline std::int64_t odd_size(Rng& rng) {
  static constexpr std::int64_t sizes[] = {1, 1, 2, 3, 5, 7, 8, 9, 13, 15, 16, 17, 19, 31, 33};
  return sizes[rng.below(15)];
}

/// Rank 1 to `max_rank`, all sizes odd ones, at most 20,000 elements.
inline Shape odd_shape(Rng& rng, int max_rank) {
  std::vector<std::int64_t> sizes(static_cast<std::size_t>(1 + rng.below(max_rank)));
  std::int64_t total = 1;
  for (auto& size : sizes) {
    size = odd_size(rng);
    if (total * size > 20'000) size = 1;
    total *= size;
  }
  rng.shuffle(sizes.data(), static_cast<std::int64_t>(sizes.size()));
  return Shape(std::span<const std::int64_t>(sizes));
}

/// The f32 values of x, as f64: what an f64 twin is fed.
inline Tensor as_f64(const Tensor& x) { return x.to(f64); }

}  // namespace linnet::test
