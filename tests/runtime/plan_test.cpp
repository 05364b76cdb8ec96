// SPDX-License-Identifier: Apache-2.0
// The verifier proves a memory plan with one walk over the live tensors. Here random plans are judged by the
// definition as well: every pair of tensors, every time they both live.
#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>

#include "linnet/runtime/linnet_runtime.h"
#include "model_builder.h"

namespace linnet::test {
namespace {

using Random = std::mt19937;

std::uint32_t below(Random& random, std::uint32_t n) { return static_cast<std::uint32_t>(random() % n); }

/// A graph of relu, reshape and dense with fan-out, several inputs and several outputs.
File random_graph(Random& random) {
  ModelBuilder m;
  struct Known {
    ModelBuilder::Value value;
    std::uint32_t n;
    bool read;
  };
  std::vector<Known> known;
  const std::uint32_t n_inputs = 1 + below(random, 3);
  for (std::uint32_t i = 0; i < n_inputs; ++i) {
    const std::uint32_t n = 1 + below(random, 12);
    known.push_back({m.input({1, n}), n, false});
  }
  const std::uint32_t n_ops = n_inputs + below(random, 8);
  for (std::uint32_t i = 0; i < n_ops; ++i) {
    Known& x =
        known[i < n_inputs ? i
                           : below(random, static_cast<std::uint32_t>(known.size()))];  // all inputs are read
    x.read = true;
    const ModelBuilder::Value from = x.value;
    std::uint32_t n = x.n;
    ModelBuilder::Value y;
    switch (below(random, 3)) {
      case 0:
        y = m.op(LNT_RELU, {from}, {1, n});
        break;
      case 1:
        y = m.op(LNT_RESHAPE, {from}, {n, 1}), y = m.op(LNT_RESHAPE, {y}, {1, n});
        break;
      default: {
        const std::uint32_t n_in = n;
        n = 1 + below(random, 12);
        y = m.op(LNT_DENSE, {from, m.constant({n, n_in}, std::vector<float>(n * n_in, 1.0f))}, {1, n});
      }
    }
    known.push_back({y, n, false});
  }
  for (std::size_t i = n_inputs; i < known.size(); ++i) {
    if (!known[i].read || below(random, 5) == 0) m.output(known[i].value);
  }
  return m.file();
}

/// Random offsets within a few slots, now and then exactly on the tensor that the writing op reads.
void random_plan(File& file, Random& random) {
  const std::uint32_t n_consts = file.n_consts();
  const std::uint32_t slots = 1 + below(random, 24);
  file.arena_bytes = 0;
  for (std::size_t i = n_consts; i < file.tensors.size(); ++i) {
    TensorRecord& t = file.tensors[i];
    t.off = LNT_ARENA_ALIGN * below(random, slots);
    for (const OpRecord& op : file.ops) {
      if (op.out[0] == i && below(random, 2) == 0) t.off = file.tensors[op.in[0]].off;
    }
    const std::uint64_t end = (t.off + t.bytes + 15) / 16 * 16;
    file.arena_bytes = std::max(file.arena_bytes, end);
  }
}

bool sound_by_definition(const File& file) {
  const std::uint32_t n_consts = file.n_consts();
  const std::size_t n = file.tensors.size();
  std::vector<std::int64_t> born(n, -1);
  std::vector<std::int64_t> last(n, -1);
  for (std::size_t t = 0; t < file.ops.size(); ++t) {
    born[file.ops[t].out[0]] = static_cast<std::int64_t>(t);
    for (std::uint32_t x : file.ops[t].in) last[x] = static_cast<std::int64_t>(t);
  }
  for (std::size_t i = n_consts; i < n; ++i) {
    if (file.tensors[i].kind == LNT_OUT) last[i] = static_cast<std::int64_t>(file.ops.size());
  }
  for (std::size_t b = n_consts; b < n; ++b) {
    for (std::size_t a = n_consts; a < b; ++a) {
      const TensorRecord &ta = file.tensors[a], &tb = file.tensors[b];
      const bool together = born[b] <= last[a];  // a was born before b, or both are inputs
      const bool overlap = ta.off < tb.off + tb.bytes && tb.off < ta.off + ta.bytes;
      if (!together || !overlap) continue;
      if (born[b] < 0) return false;
      const OpRecord& writer = file.ops[static_cast<std::size_t>(born[b])];
      const bool in_place = writer.opcode != LNT_DENSE && writer.in[0] == a && last[a] == born[b] &&
                            ta.off == tb.off && ta.bytes == tb.bytes;
      if (!in_place) return false;
    }
  }
  return true;
}

}  // namespace

TEST_CASE("random memory plans are accepted exactly when no two live tensors overlap") {
  Random random(20240229);
  int sound = 0, in_place = 0;
  constexpr int kPlans = 20000;
  for (int i = 0; i < kPlans; ++i) {
    File file = random_graph(random);
    random_plan(file, random);
    const bool expected = sound_by_definition(file);
    const Bytes bytes = file.bytes();
    lnt_info info;
    const lnt_status status = lnt_check(bytes.data(), bytes.size(), nullptr, &info);
    CAPTURE(i);
    REQUIRE(std::string(lnt_status_text(status)) == lnt_status_text(expected ? LNT_OK : LNT_E_PLAN_OVERLAP));
    sound += expected;
    for (const OpRecord& op : file.ops)
      in_place += expected && file.tensors[op.out[0]].off == file.tensors[op.in[0]].off;
  }
  CHECK(sound > kPlans / 20);  // both answers occur often, and so does sharing
  CHECK(sound < kPlans - kPlans / 10);
  CHECK(in_place > kPlans / 10);
}

TEST_CASE("a chain of a thousand ops may go back and forth between two buffers") {
  ModelBuilder m;
  auto x = m.input({1, 8});
  for (int i = 0; i < 1000; ++i) {
    x = m.op(LNT_DENSE, {x, m.constant({8, 8}, std::vector<float>(64, 0.125f))}, {1, 8});
  }
  m.output(x);
  File file = m.file();
  for (std::size_t i = file.n_consts(); i < file.tensors.size(); ++i) file.tensors[i].off = 32 * (i % 2);
  file.arena_bytes = 64;
  const Bytes bytes = file.bytes();
  lnt_info info;
  CHECK(lnt_check(bytes.data(), bytes.size(), nullptr, &info) == LNT_OK);
  CHECK(info.n_ops == 1000);
}

}  // namespace linnet::test
