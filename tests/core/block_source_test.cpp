// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/block_source.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <random>
#include <thread>
#include <vector>

using namespace linnet;

namespace {

constexpr std::size_t kMega = 1 << 20;

struct Taken {
  unsigned char* at;
  std::size_t bytes;
  unsigned char mark;
};

/// Every byte that would be in another block if two overlapped: both ends and one of each page.
bool holds_its_mark(const Taken& taken) {
  bool right = taken.at[taken.bytes - 1] == taken.mark;
  for (std::size_t i = 0; i < taken.bytes; i += 4096) right = right && taken.at[i] == taken.mark;
  return right;
}

void take_and_give_back(BlockSource& source, unsigned seed) {
  std::mt19937 random(seed);
  const std::size_t sizes[] = {64,        kMega / 4 - 64, kMega / 4,      kMega / 4 + 64, kMega,
                               3 * kMega, 4 * kMega,      4 * kMega + 64, 5 * kMega};
  std::vector<Taken> all;
  for (int step = 0; step < 300; ++step) {
    if (all.size() < 12 && random() % 3 != 0) {
      const std::size_t bytes = sizes[random() % std::size(sizes)];
      void* block = source.allocate(bytes);
      REQUIRE(block);
      REQUIRE(reinterpret_cast<std::uintptr_t>(block) % 64 == 0);
      all.push_back({static_cast<unsigned char*>(block), bytes, static_cast<unsigned char>(random())});
      std::memset(block, all.back().mark, bytes);
    } else if (!all.empty()) {
      const std::size_t which = random() % all.size();
      CHECK(holds_its_mark(all[which]));
      source.free(all[which].at, all[which].bytes);
      all.erase(all.begin() + static_cast<std::ptrdiff_t>(which));
    }
  }
  for (const Taken& taken : all) {
    CHECK(holds_its_mark(taken));
    source.free(taken.at, taken.bytes);
  }
}

/// 0 where the system does not say.
std::size_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::size_t all = 0, resident = 0;
  file >> all >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

TEST_CASE("blocks of all sizes keep what is in them until they are given back, in any order") {
  BlockSource source;
  take_and_give_back(source, 1);
}

TEST_CASE("threads take blocks from one source") {
  BlockSource source;
  std::vector<std::thread> threads;
  for (unsigned seed = 2; seed < 6; ++seed)
    threads.emplace_back([&source, seed] { take_and_give_back(source, seed); });
  for (std::thread& thread : threads) thread.join();
}

TEST_CASE("large blocks that follow each other lie side by side, for huge pages") {
  BlockSource source;
  std::vector<unsigned char*> blocks;
  for (int i = 0; i < 8; ++i) blocks.push_back(static_cast<unsigned char*>(source.allocate(kMega)));
  for (std::size_t i = 1; i < blocks.size(); ++i) CHECK(blocks[i] - blocks[i - 1] == kMega + 64);
  for (unsigned char* block : blocks) source.free(block, kMega);
}

TEST_CASE("memory of blocks that are given back returns to the system, though one of them stays") {
  if (resident_bytes() == 0) {
    MESSAGE("skipped: this system has no /proc/self/statm");
    return;
  }
  BlockSource source;
  std::vector<void*> blocks;
  for (int i = 0; i < 60; ++i) {
    blocks.push_back(source.allocate(kMega));
    std::memset(blocks.back(), i, kMega);
  }
  const std::size_t before = resident_bytes();
  for (std::size_t i = 0; i < blocks.size(); ++i)
    if (i % 15 != 7) source.free(blocks[i], kMega);  // every region keeps one
  CHECK(resident_bytes() + 50 * kMega < before);
  for (std::size_t i = 7; i < blocks.size(); i += 15) {
    CHECK(*static_cast<unsigned char*>(blocks[i]) == i);
    source.free(blocks[i], kMega);
  }
}

TEST_CASE("a request that no system can meet gets nothing, and the source goes on") {
  BlockSource source;
  CHECK(source.allocate(std::size_t{1} << 60) == nullptr);
  void* block = source.allocate(kMega);
  CHECK(block != nullptr);
  source.free(block, kMega);
}
