// SPDX-License-Identifier: Apache-2.0
#include "model_builder.h"

namespace linnet::test {

File small_model() {
  ModelBuilder m;
  std::vector<float> w1(24), w2(12);
  for (std::size_t i = 0; i < w1.size(); ++i) w1[i] = 0.25f * static_cast<float>(static_cast<int>(i % 7) - 3);
  for (std::size_t i = 0; i < w2.size(); ++i) w2[i] = 0.5f * static_cast<float>(static_cast<int>(i % 5) - 2);
  const auto x = m.input({1, 2, 3}, "image");
  const auto flat = m.op(LNT_RESHAPE, {x}, {1, 6});
  const auto h =
      m.op(LNT_DENSE, {flat, m.constant({4, 6}, w1), m.constant({4}, {0.5f, -0.5f, 1.0f, 0.0f})}, {1, 4});
  const auto r = m.op(LNT_RELU, {h}, {1, 4});
  const auto z = m.op(LNT_DENSE, {r, m.constant({3, 4}, w2)}, {1, 3});
  m.output(m.op(LNT_SOFTMAX, {z}, {1, 3}, {1, 0, 0, 0}), "digit");
  m.meta("labels", "zero\none\ntw\xC3\xB6");
  m.meta("task", "classification");
  return m.file();
}

std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> c, std::array<std::uint32_t, 2> k) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = std::uint64_t{0xD2511F53} * c[0], b = std::uint64_t{0xCD9E8D57} * c[2];
    c = {static_cast<std::uint32_t>(b >> 32) ^ c[1] ^ k[0], static_cast<std::uint32_t>(b),
         static_cast<std::uint32_t>(a >> 32) ^ c[3] ^ k[1], static_cast<std::uint32_t>(a)};
    k = {k[0] + 0x9E3779B9, k[1] + 0xBB67AE85};
  }
  return c;
}

}  // namespace linnet::test
