// SPDX-License-Identifier: Apache-2.0
// Binding and running: what callers may do wrong, names and shapes at the border, no heap.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <string>

#include "linnet/runtime/linnet_runtime.h"
#include "malformed.h"
#include "model_builder.h"

namespace {
bool heap_forbidden = false;
}

// The linker sends every call of these in this program through here (-Wl,--wrap).
extern "C" {
void* __real_malloc(std::size_t n);
void* __real_calloc(std::size_t n, std::size_t size);
void* __real_realloc(void* p, std::size_t n);
void __real_free(void* p);
void* __wrap_malloc(std::size_t n) { return heap_forbidden ? (std::abort(), nullptr) : __real_malloc(n); }
void* __wrap_calloc(std::size_t n, std::size_t size) {
  return heap_forbidden ? (std::abort(), nullptr) : __real_calloc(n, size);
}
void* __wrap_realloc(void* p, std::size_t n) {
  return heap_forbidden ? (std::abort(), nullptr) : __real_realloc(p, n);
}
void __wrap_free(void* p) { heap_forbidden ? std::abort() : __real_free(p); }
}

namespace linnet::test {
namespace {

struct SmallModel {
  Bytes file = small_model().bytes();
  lnt_info info;
  Bytes arena;
  lnt_model model;

  SmallModel() {
    REQUIRE(lnt_check(file.data(), file.size(), nullptr, &info) == LNT_OK);
    arena.resize(info.arena_bytes);
    REQUIRE(lnt_bind(&model, &info, arena.data(), arena.size()) == LNT_OK);
  }
  lnt_view input(std::uint32_t port = 0) {
    lnt_view view;
    REQUIRE(lnt_input(&model, port, &view) == LNT_OK);
    return view;
  }
  lnt_view output(std::uint32_t port = 0) {
    lnt_view view;
    REQUIRE(lnt_output(&model, port, &view) == LNT_OK);
    return view;
  }
  std::vector<float> run(const std::vector<float>& x) {
    const lnt_view in = input(), out = output();
    REQUIRE(in.bytes == x.size() * sizeof(float));
    std::memcpy(in.data, x.data(), in.bytes);
    REQUIRE(lnt_run(&model) == LNT_OK);
    std::vector<float> y(out.bytes / sizeof(float));
    std::memcpy(y.data(), out.data, out.bytes);
    return y;
  }
};

/// small_model() in double.
std::vector<double> small_model_by_hand(const std::vector<float>& x) {
  const double bias[] = {0.5, -0.5, 1.0, 0.0};
  double hidden[4], z[3], sum = 0.0;
  for (std::size_t o = 0; o < 4; ++o) {
    hidden[o] = bias[o];
    for (std::size_t i = 0; i < 6; ++i) hidden[o] += 0.25 * (static_cast<double>((6 * o + i) % 7) - 3) * x[i];
    hidden[o] = std::fmax(hidden[o], 0.0);
  }
  for (std::size_t o = 0; o < 3; ++o) {
    z[o] = 0.0;
    for (std::size_t i = 0; i < 4; ++i) z[o] += 0.5 * (static_cast<double>((4 * o + i) % 5) - 2) * hidden[i];
    sum += std::exp(z[o]);
  }
  return {std::exp(z[0]) / sum, std::exp(z[1]) / sum, std::exp(z[2]) / sum};
}

}  // namespace

TEST_CASE("a model runs as its layers say, again and again") {
  SmallModel b;
  for (const std::vector<float>& x : {std::vector<float>{1, 2, 3, 4, 5, 6},
                                      {-1, 0.5f, 0, 2, -3, 1},
                                      {0, 0, 0, 0, 0, 0},
                                      {1, 2, 3, 4, 5, 6}}) {
    const std::vector<float> y = b.run(x);
    const std::vector<double> expected = small_model_by_hand(x);
    for (std::size_t i = 0; i < 3; ++i) CHECK(std::fabs(y[i] - expected[i]) < 1e-6);
  }
}

TEST_CASE("inputs and outputs have shape, name and memory in the arena") {
  SmallModel b;
  const lnt_view x = b.input();
  CHECK(x.name == std::string("image"));
  CHECK(x.dtype == LNT_F32);
  CHECK(x.rank == 3);
  CHECK(x.dims[0] == 1);
  CHECK(x.dims[1] == 2);
  CHECK(x.dims[2] == 3);
  CHECK(x.dims[3] == 0);
  CHECK(x.bytes == 24);
  const lnt_view y = b.output();
  CHECK(y.name == std::string("digit"));
  CHECK(y.rank == 2);
  CHECK(y.dims[1] == 3);
  for (const lnt_view& v : {x, y}) {
    const auto* data = static_cast<const std::uint8_t*>(v.data);
    CHECK(data >= b.arena.data());
    CHECK(data + v.bytes <= b.arena.data() + b.arena.size());
  }
}

TEST_CASE("ports are found by number, also when ops write outputs in another order") {
  ModelBuilder m;
  std::vector<ModelBuilder::Value> in, out;
  for (std::uint32_t i = 0; i < LNT_MAX_PORTS; ++i) in.push_back(m.input({i + 1}, "in" + std::to_string(i)));
  for (auto x = in.rbegin(); x != in.rend(); ++x) {
    out.push_back(m.op(LNT_RELU, {*x}, {static_cast<std::uint32_t>(in.rend() - x)}));
  }
  for (std::size_t i = 0; i < LNT_MAX_PORTS; ++i) {
    m.output(out[(5 * i) % LNT_MAX_PORTS], i == 7 ? "" : "out" + std::to_string(i));
  }
  const Bytes file = m.file().bytes();
  lnt_info info;
  REQUIRE(lnt_check(file.data(), file.size(), nullptr, &info) == LNT_OK);
  Bytes arena(info.arena_bytes);
  lnt_model model;
  REQUIRE(lnt_bind(&model, &info, arena.data(), arena.size()) == LNT_OK);
  for (std::uint32_t i = 0; i < LNT_MAX_PORTS; ++i) {
    lnt_view v;
    REQUIRE(lnt_input(&model, i, &v) == LNT_OK);
    CHECK(v.dims[0] == i + 1);
    CHECK(v.name == "in" + std::to_string(i));
    REQUIRE(lnt_output(&model, i, &v) == LNT_OK);
    CHECK(v.dims[0] == LNT_MAX_PORTS - (5 * i) % LNT_MAX_PORTS);
    CHECK(v.name == (i == 7 ? "" : "out" + std::to_string(i)));
  }
  lnt_view v;
  CHECK(lnt_input(&model, LNT_MAX_PORTS, &v) == LNT_E_BAD_ARGUMENT);
  CHECK(v.data == nullptr);
  CHECK(lnt_output(&model, ~0u, &v) == LNT_E_BAD_ARGUMENT);
}

TEST_CASE("META is looked up by its whole key") {
  SmallModel b;
  CHECK(lnt_meta(&b.info, "task") == std::string("classification"));
  CHECK(lnt_meta(&b.info, "labels") == std::string("zero\none\ntw\xC3\xB6"));
  CHECK(lnt_meta(&b.info, "input.0") == std::string("image"));
  for (const char* key : {"", "tas", "tasks", "input", "nothing", "task=", "task=classification"}) {
    CAPTURE(key);
    CHECK(lnt_meta(&b.info, key) == nullptr);
  }
  CHECK(lnt_meta(nullptr, "task") == nullptr);
  CHECK(lnt_meta(&b.info, nullptr) == nullptr);
}

TEST_CASE("inputs that nobody wrote are zeros") {
  const Bytes file = small_model().bytes();
  lnt_info info;
  REQUIRE(lnt_check(file.data(), file.size(), nullptr, &info) == LNT_OK);
  Bytes arena(info.arena_bytes, 0xFF);
  lnt_model model;
  REQUIRE(lnt_bind(&model, &info, arena.data(), arena.size()) == LNT_OK);
  REQUIRE(lnt_run(&model) == LNT_OK);
  lnt_view y;
  REQUIRE(lnt_output(&model, 0, &y) == LNT_OK);
  const std::vector<double> expected = small_model_by_hand(std::vector<float>(6, 0.0f));
  for (std::size_t i = 0; i < 3; ++i) CHECK(std::fabs(static_cast<float*>(y.data)[i] - expected[i]) < 1e-6);
}

TEST_CASE("wrong arguments are refused and leave the model unbound") {
  SmallModel b;
  lnt_info info = b.info;
  lnt_view view;
  lnt_model model = b.model;
  CHECK(lnt_bind(&model, &info, b.arena.data(), b.arena.size() - 1) == LNT_E_ARENA_TOO_SMALL);
  CHECK(lnt_run(&model) == LNT_E_BAD_ARGUMENT);
  CHECK(lnt_input(&model, 0, &view) == LNT_E_BAD_ARGUMENT);
  CHECK(view.data == nullptr);
  Bytes larger(info.arena_bytes + 16);
  CHECK(lnt_bind(&model, &info, larger.data() + 8, info.arena_bytes) == LNT_E_MISALIGNED);
  CHECK(lnt_bind(&model, &info, nullptr, info.arena_bytes) == LNT_E_BAD_ARGUMENT);
  CHECK(lnt_bind(&model, nullptr, b.arena.data(), b.arena.size()) == LNT_E_BAD_ARGUMENT);
  CHECK(lnt_bind(nullptr, &info, b.arena.data(), b.arena.size()) == LNT_E_BAD_ARGUMENT);
  CHECK(lnt_run(nullptr) == LNT_E_BAD_ARGUMENT);
  CHECK(lnt_input(nullptr, 0, &view) == LNT_E_BAD_ARGUMENT);
  CHECK(lnt_output(&b.model, 0, nullptr) == LNT_E_BAD_ARGUMENT);

  CHECK(lnt_check(nullptr, 100, nullptr, &info) == LNT_E_BAD_ARGUMENT);
  CHECK(info.problem.status == LNT_E_BAD_ARGUMENT);
  CHECK(lnt_check(b.file.data(), b.file.size(), nullptr, nullptr) == LNT_E_BAD_ARGUMENT);
  CHECK(lnt_check(b.file.data() + 1, b.file.size() - 1, nullptr, &info) == LNT_E_MISALIGNED);
}

TEST_CASE("an instruction set that is not there is refused, the plain one is always there") {
  SmallModel b;
  for (lnt_isa isa : {LNT_SCALAR, LNT_AVX2, LNT_AVX512, LNT_NEON})
    CHECK(lnt_set_isa(&b.model, isa) == (lnt_has_isa(isa) ? LNT_OK : LNT_E_ISA));
  CHECK(lnt_has_isa(LNT_SCALAR));
  CHECK(!(lnt_has_isa(LNT_AVX2) && lnt_has_isa(LNT_NEON)));
  CHECK(lnt_set_isa(nullptr, LNT_SCALAR) == LNT_E_BAD_ARGUMENT);
}

TEST_CASE("an index outside the table takes the nearest row, and lnt_run says so") {
  ModelBuilder m;
  m.output(m.op(LNT_EMBEDDING, {m.constant({3, 2}, {1, 2, 3, 4, 5, 6}), m.integer_input({4})}, {4, 2}));
  const Bytes file = m.file().bytes();
  lnt_info info;
  REQUIRE(lnt_check(file.data(), file.size(), nullptr, &info) == LNT_OK);
  Bytes arena(info.arena_bytes);
  lnt_model model;
  lnt_view in, out;
  REQUIRE(lnt_bind(&model, &info, arena.data(), arena.size()) == LNT_OK);
  lnt_input(&model, 0, &in);
  lnt_output(&model, 0, &out);
  CHECK(in.dtype == LNT_I32);
  const std::int32_t good[] = {0, 2, 1, 0}, bad[] = {-1, 3, 2147483647, -2147483647 - 1};
  std::memcpy(in.data, good, sizeof good);
  CHECK(lnt_run(&model) == LNT_OK);
  std::memcpy(in.data, bad, sizeof bad);
  CHECK(lnt_run(&model) == LNT_E_INDEX);
  const float expected[] = {1, 2, 5, 6, 5, 6, 1, 2};
  CHECK(std::memcmp(out.data, expected, sizeof expected) == 0);
}

TEST_CASE("a file that failed its check cannot be bound") {
  SmallModel b;
  Bytes damaged = b.file;
  damaged.back() ^= 1;
  lnt_info info = b.info;
  CHECK(lnt_check(damaged.data(), damaged.size(), nullptr, &info) == LNT_E_SECTION_CHECKSUM);
  lnt_model model;
  CHECK(lnt_bind(&model, &info, b.arena.data(), b.arena.size()) == LNT_E_BAD_ARGUMENT);
}

TEST_CASE("two models on one file do not disturb each other") {
  SmallModel a;
  const std::vector<float> x = {1, 2, 3, 4, 5, 6};
  const std::vector<float> expected = a.run(x);
  lnt_model second;
  Bytes arena(a.info.arena_bytes);
  REQUIRE(lnt_bind(&second, &a.info, arena.data(), arena.size()) == LNT_OK);
  const lnt_view in = a.input();
  std::memcpy(in.data, x.data(), in.bytes);
  REQUIRE(lnt_run(&second) == LNT_OK);
  REQUIRE(lnt_run(&a.model) == LNT_OK);
  const lnt_view out = a.output();
  CHECK(std::memcmp(out.data, expected.data(), out.bytes) == 0);
}

namespace {

/// Runs the pieces last first, and counts them.
void backwards(void* context, lnt_task task, void* work, std::uint32_t count) {
  *static_cast<std::uint32_t*>(context) += count;
  for (std::uint32_t i = count; i-- > 0;) task(work, i);
}

/// x [1, 40, 33, 8] -> conv 3x3 -> depthwise 3x3 -> conv 1x1 -> dense of 200, relu and relu6 on the way.
Bytes large_model() {
  std::vector<float> w(40000);
  for (std::size_t i = 0; i < w.size(); ++i) w[i] = 0.01f * static_cast<float>(static_cast<int>(i % 19) - 9);
  const auto part = [&](std::size_t n) {
    return std::vector<float>(w.begin(), w.begin() + static_cast<std::ptrdiff_t>(n));
  };
  ModelBuilder m;
  const auto x = m.input({1, 40, 33, 8});
  const auto conv = [&](ModelBuilder::Value from, ModelBuilder::Value weight, const ModelBuilder::Dims& dims,
                        std::uint32_t pad, std::uint32_t groups, std::uint32_t act) {
    return m.op(LNT_CONV2D, {from, weight}, dims, words({1, 1, 1, 1, pad, pad, pad, pad, groups, act, 0, 0}));
  };
  const auto a = conv(x, m.blocked({24, 3, 3, 8}, part(24 * 72)), {1, 40, 33, 24}, 1, 1, LNT_RELU);
  const auto b = conv(a, m.blocked({24, 3, 3, 1}, part(24 * 9)), {1, 40, 33, 24}, 1, 24, LNT_RELU6);
  const auto c = conv(b, m.blocked({40, 1, 1, 24}, part(40 * 24)), {1, 40, 33, 40}, 0, 1, LNT_TANH);
  m.output(m.op(LNT_DENSE, {c, m.blocked({200, 40}, part(200 * 40))}, {1, 40, 33, 200}));
  return m.file().bytes();
}

}  // namespace

TEST_CASE("threads of the caller get pieces, and the results are the same bits") {
  const Bytes file = large_model();
  lnt_info info;
  REQUIRE(lnt_check(file.data(), file.size(), nullptr, &info) == LNT_OK);
  for (lnt_isa isa : {LNT_SCALAR, LNT_AVX2, LNT_AVX512, LNT_NEON}) {
    if (!lnt_has_isa(isa)) continue;
    CAPTURE(isa);
    std::vector<float> results[2];
    std::uint32_t pieces = 0;
    for (bool shared : {false, true}) {
      Bytes arena(info.arena_bytes);
      lnt_model model;
      lnt_view in, out;
      REQUIRE(lnt_bind(&model, &info, arena.data(), arena.size()) == LNT_OK);
      REQUIRE(lnt_set_isa(&model, isa) == LNT_OK);
      if (shared) REQUIRE(lnt_set_parallel(&model, backwards, &pieces) == LNT_OK);
      lnt_input(&model, 0, &in);
      lnt_output(&model, 0, &out);
      for (std::size_t i = 0; i < in.bytes / 4; ++i)
        static_cast<float*>(in.data)[i] = 0.1f * static_cast<float>(i % 23) - 1.0f;
      REQUIRE(lnt_run(&model) == LNT_OK);
      const auto* y = static_cast<const float*>(out.data);
      results[shared].assign(y, y + out.bytes / 4);
    }
    CHECK(pieces >= 4 * 4);
    CHECK(std::memcmp(results[0].data(), results[1].data(), 4 * results[0].size()) == 0);
  }
  CHECK(lnt_set_parallel(nullptr, backwards, nullptr) == LNT_E_BAD_ARGUMENT);
}

TEST_CASE("no op touches the heap") {
  std::vector<Bytes> files;
  for (const Case& c : good_models()) files.push_back(c.make());
  REQUIRE(files.size() > 70);
  Bytes arena(1 << 16);
  std::size_t ran = 0;
  heap_forbidden = true;
  for (const Bytes& file : files) {
    lnt_info info;
    lnt_model model;
    lnt_status status = lnt_check(file.data(), file.size(), nullptr, &info);
    if (status == LNT_OK) status = lnt_bind(&model, &info, arena.data(), arena.size());
    if (status == LNT_OK) status = lnt_run(&model);
    if (status == LNT_OK) status = lnt_set_isa(&model, LNT_SCALAR);
    if (status == LNT_OK) status = lnt_run(&model);
    ran += status == LNT_OK;
  }
  heap_forbidden = false;
  CHECK(ran == files.size());
}

TEST_CASE("check, bind and run never touch the heap") {
  SmallModel b;
  heap_forbidden = true;
  lnt_info info;
  lnt_model model;
  lnt_view view;
  char text[200];
  lnt_status status = lnt_check(b.file.data(), b.file.size(), nullptr, &info);
  if (status == LNT_OK) status = lnt_bind(&model, &info, b.arena.data(), b.arena.size());
  if (status == LNT_OK) status = lnt_input(&model, 0, &view);
  if (status == LNT_OK) status = lnt_run(&model);
  if (status == LNT_OK) status = lnt_output(&model, 0, &view);
  lnt_problem_text(&info.problem, text, sizeof text);
  heap_forbidden = false;
  CHECK(status == LNT_OK);
}

}  // namespace linnet::test
