// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/storage.h"

#include <cmath>
#include <cstring>
#include <new>
#include <thread>
#include <vector>

#include "linnet/core/tensor.h"
#include "linnet/core/tensor_impl.h"
#include "support/check_close.h"
#include "support/fixtures.h"

using namespace linnet;

namespace {

std::uintptr_t address(const Ref<Storage>& storage) {
  return reinterpret_cast<std::uintptr_t>(storage->data());
}

}  // namespace

TEST_CASE("every block starts on a cache line and can be written over its whole length") {
  for (std::size_t bytes : {0, 1, 63, 64, 65, 100, 1000, 4096, 100'000, 3'000'001}) {
    const Ref<Storage> storage = Storage::allocate(bytes);
    CHECK(storage->bytes() == bytes);
    CHECK(address(storage) % 64 == 0);
    std::memset(storage->data(), 7, bytes);
  }
}

TEST_CASE("live and peak bytes follow what exists") {
  const std::int64_t before = memory_stats().live_bytes;
  reset_peak_memory();
  {
    const Ref<Storage> a = Storage::allocate(1000);
    { const Ref<Storage> b = Storage::allocate(5000); }
    const Ref<Storage> shared = a;
    CHECK(memory_stats().live_bytes == before + 1000);
    CHECK(memory_stats().peak_bytes == before + 6000);
    CHECK(memory_stats().reserved_bytes >= before + 6000);
    reset_peak_memory();
    CHECK(memory_stats().peak_bytes == before + 1000);
  }
  CHECK(memory_stats().live_bytes == before);
}

TEST_CASE("a second round of the same sizes asks the system for nothing") {
  const auto round = [] {
    std::vector<Ref<Storage>> blocks;
    for (std::size_t bytes = 1; bytes < 1'000'000; bytes = bytes * 3 + 1)
      blocks.push_back(Storage::allocate(bytes));
    std::vector<void*> small;
    for (std::size_t bytes = 1; bytes <= 1024; ++bytes) small.push_back(allocate_object(bytes));
    for (std::size_t bytes = 1; bytes <= 1024; ++bytes) free_object(small[bytes - 1], bytes);
  };
  round();
  const MemoryStats first = memory_stats();
  round();
  CHECK(memory_stats().system_allocations == first.system_allocations);
  CHECK(memory_stats().reserved_bytes == first.reserved_bytes);
}

TEST_CASE("a freed block serves the next request of its size with a fresh version") {
  Ref<Storage> a = Storage::allocate(5000);
  a->bump_version();
  CHECK(a->version() == 1);
  const std::uintptr_t place = address(a);
  a = {};
  const Ref<Storage> b = Storage::allocate(4999);
  CHECK(address(b) == place);
  CHECK(b->version() == 0);
}

TEST_CASE("a block wastes at most a quarter of what was asked for and one page") {
  for (std::size_t bytes = 64; bytes < 50'000'000; bytes = bytes * 17 / 13 + 1) {
    release_unused_memory();
    const std::int64_t before = memory_stats().reserved_bytes;
    const Ref<Storage> storage = Storage::allocate(bytes);
    const auto taken = static_cast<std::size_t>(memory_stats().reserved_bytes - before);
    CHECK(taken <= bytes + bytes / 4 + 4096 + 64);
    CHECK(taken >= bytes);
  }
}

TEST_CASE("large blocks that follow each other do not start at equal offsets in a page") {
  release_unused_memory();
  std::vector<Ref<Storage>> blocks;  // a parameter, its gradient and two moments
  for (int i = 0; i < 4; ++i) blocks.push_back(Storage::allocate(std::size_t{1} << 20));
  for (std::size_t i = 0; i < 4; ++i)
    for (std::size_t j = 0; j < i; ++j) {
      const std::uintptr_t distance = (address(blocks[i]) - address(blocks[j])) % 4096;
      CHECK(distance >= 512);
      CHECK(distance <= 4096 - 512);
    }
}

TEST_CASE("unused blocks can be given back") {
  { const Ref<Storage> storage = Storage::allocate(20'000'000); }
  const MemoryStats before = memory_stats();
  release_unused_memory();
  CHECK(memory_stats().reserved_bytes <= before.reserved_bytes - 20'000'000);
  CHECK(memory_stats().live_bytes == before.live_bytes);
}

TEST_CASE("a request the system cannot fulfil throws and changes nothing") {
  const Tensor kept = Tensor::full({100}, 3.0);
  const MemoryStats before = memory_stats();
  CHECK_THROWS_AS(Storage::allocate(std::size_t{1} << 50), std::bad_alloc);
  CHECK_THROWS_AS(Storage::allocate(SIZE_MAX), std::bad_alloc);
  CHECK_THROWS_AS(Tensor::empty({1 << 24, 1 << 24}), std::bad_alloc);
  const MemoryStats after = memory_stats();
  CHECK(after.live_bytes == before.live_bytes);
  CHECK(after.peak_bytes == before.peak_bytes);
  CHECK(after.system_allocations == before.system_allocations);
  CHECK(kept.data<float>()[99] == 3.0f);
  CHECK(Storage::allocate(100'000)->bytes() == 100'000);
}

TEST_CASE("small objects do not overlap and are aligned for any scalar") {
  std::vector<std::pair<unsigned char*, std::size_t>> objects;
  for (std::size_t i = 0; i < 3000; ++i) {
    const std::size_t bytes = 1 + i * 7 % 1500;
    auto* object = static_cast<unsigned char*>(allocate_object(bytes));
    CHECK(reinterpret_cast<std::uintptr_t>(object) % alignof(std::max_align_t) == 0);
    std::memset(object, static_cast<int>(i % 251), bytes);
    objects.emplace_back(object, bytes);
  }
  int damaged = 0;
  for (std::size_t i = 0; i < objects.size(); ++i) {
    const auto [object, bytes] = objects[i];
    for (std::size_t k = 0; k < bytes; ++k) damaged += object[k] != i % 251;
    free_object(object, bytes);
  }
  CHECK(damaged == 0);
}

TEST_CASE("threads may allocate and free at once, also what another one allocated") {
  const std::int64_t before = memory_stats().live_bytes;
  std::vector<Tensor> handed_over(64);
  std::atomic<int> damaged{0};
  const auto busy = [&](int id) {
    for (int i = 0; i < 2000; ++i) {
      const float mine = static_cast<float>(id * 10'000 + i);
      const Tensor t = Tensor::full({1 + i % 40, 16}, mine);
      const Tensor again = t;
      for (float value : again.data<float>()) damaged += value != mine;
    }
  };
  for (int round = 0; round < 2; ++round) {
    std::thread first(busy, 1), second(busy, 2);
    std::thread third([&] {
      for (std::size_t i = 0; i < handed_over.size(); ++i)
        handed_over[i] = round == 0 ? Tensor::empty({100}) : Tensor();
    });
    first.join(), second.join(), third.join();
  }
  CHECK(damaged == 0);
  CHECK(memory_stats().live_bytes == before);
}

TEST_CASE("a chain of gradients of gradients is taken apart without deep recursion") {
  const std::int64_t before = memory_stats().live_bytes;
  {
    Tensor head = Tensor::zeros({1});
    for (int i = 0; i < 300'000; ++i) {
      Tensor next = Tensor::zeros({1});
      next.set_grad(head);
      head = next;
    }
  }
  CHECK(memory_stats().live_bytes == before);
}

namespace {
struct UsesTensorsAtExit {
  Tensor kept = Tensor::ones({1000});
  ~UsesTensorsAtExit() {
    const Tensor late = Tensor::full({1000}, 2.0);
    std::atomic<int> tiles{0};
    parallel_for(8, 1'000'000, [&](std::int64_t) { ++tiles; });
    if (late.data<float>()[999] + kept.data<float>()[0] != 3.0f || tiles != 8) std::_Exit(1);
  }
};
}  // namespace

TEST_CASE("own process: tensors and loops in the destructor of a static object" * doctest::skip()) {
  static const UsesTensorsAtExit early;  // destroyed after the pool of threads
  parallel_for(8, 1'000'000, [](std::int64_t) {});
  static const UsesTensorsAtExit late;  // and before it
}

TEST_CASE("tensors and loops work while static objects are destroyed") {
  CHECK_PASSES_IN_OWN_PROCESS("own process: tensors and loops in the destructor of a static object");
}

#if defined(LINNET_POISON)
TEST_CASE("in a poisoned build fresh memory is not a number") {
  const Tensor fresh = Tensor::empty({1000});
  for (float value : fresh.data<float>()) CHECK(std::isnan(value));
  { const Tensor used = Tensor::ones({1000}); }
  const Tensor reused = Tensor::empty({1000});
  for (float value : reused.data<float>()) CHECK(std::isnan(value));
}
#endif
