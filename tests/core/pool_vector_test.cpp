// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/pool_vector.h"

#include <numeric>

#include "support/check_close.h"

using namespace linnet;

TEST_CASE("a pool vector keeps its elements while it grows from a small object to blocks of the pool") {
  PoolVector<int> v;
  for (int i = 0; i < 100'000; ++i) v.push_back(i);
  std::vector<int> expected(100'000);
  std::iota(expected.begin(), expected.end(), 0);
  CHECK(std::equal(v.begin(), v.end(), expected.begin(), expected.end()));
  const PoolVector<int> copy = v, moved = std::move(v);
  CHECK(copy == moved);
}

TEST_CASE("pool vectors that come and go ask the system for memory once") {
  const auto use = [] {
    const PoolVector<double> small(10, 1.0), large(5000, 2.0);
    return small[9] + large[4999];
  };
  CHECK(use() == 3.0);
  const MemoryStats before = memory_stats();
  for (int i = 0; i < 10; ++i) use();
  CHECK(memory_stats().system_allocations == before.system_allocations);
  CHECK(memory_stats().live_bytes == before.live_bytes);
}

TEST_CASE("a pool vector larger than all memory is refused") {
  PoolAllocator<double> allocator;
  CHECK_THROWS_AS(allocator.allocate(SIZE_MAX / 4), std::bad_alloc);
  CHECK_THROWS_AS(allocator.allocate(std::size_t{1} << 50), std::bad_alloc);
}
