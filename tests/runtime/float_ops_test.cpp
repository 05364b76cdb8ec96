// SPDX-License-Identifier: Apache-2.0
// The float kernels against the formula in double, through one-op models.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <string>

#include "floats.h"
#include "linnet/runtime/linnet_runtime.h"
#include "model_builder.h"

namespace linnet::test {
namespace {

constexpr double kHalfUlp = 0x1p-24;
using Dims = std::vector<std::uint32_t>;

/// In low..high.
std::uint32_t pick(std::mt19937& random, std::uint32_t low, std::uint32_t high) {
  return low + static_cast<std::uint32_t>(random() % (high - low + 1));
}

/// Checks, binds and runs a model of one input and one output in an arena of exactly the right size, on the
/// plain kernels or, where the processor has it, on another instruction set.
Floats run(const File& file, const Floats& x, lnt_isa isa = LNT_SCALAR) {
  const Bytes bytes = file.bytes();
  lnt_info info;
  const lnt_status status = lnt_check(bytes.data(), bytes.size(), nullptr, &info);
  REQUIRE(std::string(lnt_status_text(status)) == lnt_status_text(LNT_OK));
  std::vector<std::uint8_t> arena(info.arena_bytes);
  lnt_model model;
  REQUIRE(lnt_bind(&model, &info, arena.data(), arena.size()) == LNT_OK);
  REQUIRE(lnt_set_isa(&model, isa) == LNT_OK);
  lnt_view in, out;
  REQUIRE(lnt_input(&model, 0, &in) == LNT_OK);
  REQUIRE(lnt_output(&model, 0, &out) == LNT_OK);
  REQUIRE(in.bytes == x.size() * sizeof(float));
  std::memcpy(in.data, x.data(), in.bytes);
  REQUIRE(lnt_run(&model) == LNT_OK);
  Floats y(out.bytes / sizeof(float));
  std::memcpy(y.data(), out.data, out.bytes);
  return y;
}

/// One op on one tensor, beside it or, when the op may, onto it.
Floats run_unary(std::uint16_t opcode, const Dims& dims, const Floats& x, const Bytes& params,
                 bool in_place) {
  ModelBuilder m;
  const auto input = m.input(dims);
  m.output(m.op(opcode, {input}, dims, params));
  File file = m.file();
  if (in_place) {
    file.tensors[1].off = 0;
    file.arena_bytes /= 2;
  }
  return run(file, x);
}

Floats softmax(const Dims& dims, std::uint8_t axis, const Floats& x, bool in_place = false) {
  return run_unary(LNT_SOFTMAX, dims, x, {axis, 0, 0, 0}, in_place);
}

std::vector<lnt_isa> all_isas() {
  std::vector<lnt_isa> all;
  for (lnt_isa isa : {LNT_SCALAR, LNT_AVX2, LNT_AVX512, LNT_NEON})
    if (lnt_has_isa(isa)) all.push_back(isa);
  return all;
}

bool same_bits(const Floats& a, const Floats& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

}  // namespace

TEST_CASE("dense is x weight^T + bias for any sizes, leading axes, with and without bias") {
  std::mt19937 random(1);
  for (int trial = 0; trial < 300; ++trial) {
    CAPTURE(trial);
    const std::uint32_t n_in = pick(random, 1, trial % 3 == 0 ? 300 : 40), n_out = pick(random, 1, 20);
    Dims dims;
    for (std::size_t i = pick(random, 0, 2); i > 0; --i) dims.push_back(pick(random, 1, 4));
    const std::uint32_t rows = elements_of(dims);
    Dims x_dims = dims, y_dims = dims;
    x_dims.push_back(n_in);
    y_dims.push_back(n_out);
    const Floats x = random_floats(random, rows * n_in), weight = random_floats(random, n_in * n_out);
    const Floats bias = trial % 2 == 0 ? random_floats(random, n_out) : Floats();

    ModelBuilder m;
    std::vector<ModelBuilder::Value> in{m.input(x_dims)};
    in.push_back(trial % 4 < 2 ? m.blocked({n_out, n_in}, weight) : m.constant({n_out, n_in}, weight));
    if (!bias.empty()) in.push_back(m.constant({n_out}, bias));
    m.output(m.op(LNT_DENSE, in, y_dims));
    const std::vector<lnt_isa> isas = all_isas();
    const Floats y = run(m.file(), x, isas[static_cast<std::size_t>(trial) % isas.size()]);

    REQUIRE(y.size() == rows * n_out);
    for (std::uint32_t r = 0; r < rows; ++r) {
      for (std::uint32_t o = 0; o < n_out; ++o) {
        double sum = bias.empty() ? 0.0 : bias[o], absolute = std::fabs(sum);
        for (std::uint32_t i = 0; i < n_in; ++i) {
          const double term = double{x[r * n_in + i]} * weight[o * n_in + i];
          sum += term;
          absolute += std::fabs(term);
        }
        // A term passes its product, at most ceil(n/4) + 2 additions of four sums and the bias: that many
        // roundings.
        const double bound = (n_in / 4 + 5) * kHalfUlp * absolute * 1.001;
        CHECK(std::fabs(y[r * n_out + o] - sum) <= bound);
      }
    }
  }
}

TEST_CASE("a row of dense has the same bits alone and among others") {
  std::mt19937 random(2);
  const Floats x = random_floats(random, 5 * 37), weight = random_floats(random, 11 * 37);
  auto dense = [&](std::uint32_t rows, const Floats& rows_of_x) {
    ModelBuilder m;
    m.output(m.op(LNT_DENSE, {m.input({rows, 37}), m.constant({11, 37}, weight)}, {rows, 11}));
    return run(m.file(), rows_of_x);
  };
  const Floats all = dense(5, x);
  for (std::size_t r = 0; r < 5; ++r) {
    const auto at = x.begin() + static_cast<std::ptrdiff_t>(r * 37);
    const auto y = all.begin() + static_cast<std::ptrdiff_t>(r * 11);
    CHECK(same_bits(dense(1, Floats(at, at + 37)), Floats(y, y + 11)));
  }
}

TEST_CASE("relu is max(x, 0), keeps NaN, and gives the same onto its input") {
  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  const Floats x = {-1.0f, 0.0f, 2.5f, -1e-40f, 1e-40f, inf, -inf, nan};
  for (bool in_place : {false, true}) {
    const Floats y = run_unary(LNT_RELU, {2, 4}, x, {}, in_place);
    const Floats expected = {0.0f, 0.0f, 2.5f, 0.0f, 1e-40f, inf, 0.0f};
    CHECK(Floats(y.begin(), y.end() - 1) == expected);
    CHECK(std::isnan(y.back()));
  }
}

TEST_CASE("softmax is e^x / sum e^x over any axis, and gives the same bits onto its input") {
  std::mt19937 random(3);
  for (int trial = 0; trial < 300; ++trial) {
    CAPTURE(trial);
    Dims dims;
    for (std::size_t i = pick(random, 1, LNT_MAX_RANK); i > 0; --i) dims.push_back(pick(random, 1, 5));
    if (trial % 10 == 0) dims.back() = pick(random, 100, 999);
    const std::uint8_t axis =
        static_cast<std::uint8_t>(trial % 10 == 0 ? dims.size() - 1 : random() % dims.size());
    const Floats x = random_floats(random, elements_of(dims), trial % 4 == 0 ? 90.0f : 8.0f);
    const Floats y = softmax(dims, axis, x);
    CHECK(same_bits(y, softmax(dims, axis, x, true)));

    std::size_t inner = 1;
    for (std::size_t i = axis + 1u; i < dims.size(); ++i) inner *= dims[i];
    const std::size_t n = dims[axis];
    for (std::size_t line = 0; line < x.size() / n; ++line) {
      const std::size_t first = line / inner * n * inner + line % inner, end = first + n * inner;
      double max = x[first], sum = 0.0;
      for (std::size_t i = first; i < end; i += inner) max = std::max(max, double{x[i]});
      for (std::size_t i = first; i < end; i += inner) sum += std::exp(x[i] - max);
      for (std::size_t i = first; i < end; i += inner) {
        const double expected = std::exp(x[i] - max) / sum;
        // x - max rounds (that many units relative to e^x), exp is within one ULP, the sum rounds n times,
        // then / .
        const double rounding = std::fabs(x[i] - max) + 4.0 + static_cast<double>(n);
        CHECK(std::fabs(y[i] - expected) <= rounding * kHalfUlp * expected + 2e-38);
      }
    }
  }
}

TEST_CASE("softmax lines sum to one, also for large inputs, and equal inputs get equal shares") {
  for (float large : {0.0f, 100.0f, 1e30f, -1e30f, std::numeric_limits<float>::max()}) {
    const Floats y = softmax({1, 4}, 1, {large, large, large, large});
    CHECK(y == Floats{0.25f, 0.25f, 0.25f, 0.25f});
  }
  CHECK(softmax({1, 3}, 1, {1e30f, -1e30f, 0.0f}) == Floats{1.0f, 0.0f, 0.0f});
  CHECK(softmax({3, 1}, 1, {-1e38f, 5.0f, 1e38f}) == Floats{1.0f, 1.0f, 1.0f});
}

TEST_CASE("softmax of NaN or of infinities is NaN, never a number or a crash") {
  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  for (const Floats& x : {Floats{nan, 1.0f}, Floats{1.0f, nan}, Floats{inf, 1.0f}, Floats{-inf, -inf}}) {
    const Floats y = softmax({1, 2}, 1, x);
    CHECK((std::isnan(y[0]) || std::isnan(y[1])));
  }
  const Floats y = softmax({1, 2}, 1, {-inf, 1.0f});
  CHECK(y == Floats{0.0f, 1.0f});
}

TEST_CASE("reshape keeps the elements, beside its input or on it") {
  const Floats x = {1, 2, 3, 4, 5, 6};
  for (bool in_place : {false, true}) {
    ModelBuilder m;
    m.output(m.op(LNT_RESHAPE, {m.input({1, 2, 3})}, {1, 6}));
    File file = m.file();
    if (in_place) {
      file.tensors[1].off = 0;
      file.arena_bytes /= 2;
    }
    CHECK(run(file, x) == x);
  }
}

}  // namespace linnet::test
