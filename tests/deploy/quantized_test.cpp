// SPDX-License-Identifier: Apache-2.0
// Every op with an integer form, and what surrounds it, against the graph that simulates it.
#include <algorithm>
#include <cmath>

#include "board.h"
#include "linnet/deploy/deploy.h"
#include "simulation.h"
#include "support/check_close.h"

namespace linnet::test {
namespace {

Tensor weight(const Shape& shape, std::uint64_t seed = 5) { return random_tensor(shape, seed, -0.5, 0.5); }

struct Case {
  std::string name;
  std::string ops;  ///< of META
  Shape input;
  Simulated f;
  double steps = 1.0;  ///< most that an output may be away, in steps of its scale
};

void add_products(std::vector<Case>& cases) {
  const auto conv = [&](const std::string& name, const Shape& input, const Shape& w, Conv2DParams params,
                        bool bias) {
    cases.push_back({name, "dequantize i8_conv2d quantize", input, [=](Rounding& r, const Tensor& x) {
                       const Tensor b = bias ? weight({w[0]}, 6) : Tensor();
                       return r.value(conv2d(r.value(x), r.weight(weight(w)), b, params));
                     }});
  };
  cases.push_back({"dense", "dequantize i8_dense quantize", {1, 30}, [](Rounding& r, const Tensor& x) {
                     return r.value(dense(r.value(x), r.weight(weight({20, 30})), weight({20}, 6)));
                   }});
  cases.push_back({"dense without bias, one scale, relu",
                   "dequantize i8_dense quantize",
                   {1, 3, 17},
                   [](Rounding& r, const Tensor& x) {
                     return r.value(relu(dense(r.value(x), r.weight(weight({20, 17}), 8, false))));
                   }});
  cases.push_back({"dense with weights of 4 bits, clamped",
                   "dequantize i8_dense quantize",
                   {1, 30},
                   [](Rounding& r, const Tensor& x) {
                     return r.value(clamp(dense(r.value(x), r.weight(weight({20, 30}), 4)), -0.5, 0.25));
                   }});
  conv("conv2d", {1, 7, 6, 5}, {9, 3, 3, 5}, {.padding = Padding::same_size()}, true);
  conv("conv2d with stride and dilation", {1, 9, 8, 3}, {6, 3, 2, 3},
       {.stride = 2, .dilation = 2, .padding = 1}, false);
  conv("conv2d 1x1", {1, 4, 4, 20}, {33, 1, 1, 20}, {}, true);
  conv("conv2d depthwise", {1, 8, 8, 12}, {12, 3, 3, 1},
       {.stride = 2, .padding = Padding::same_size(), .groups = 12}, true);
  conv("conv2d in groups", {1, 5, 5, 8}, {6, 3, 3, 4}, {.padding = 1, .groups = 2}, true);
  cases.push_back({"conv2d, batch-norm, relu6",
                   "dequantize i8_conv2d quantize",
                   {1, 6, 6, 4},
                   [](Rounding& r, const Tensor& x) {
                     Tensor mean = weight({8}, 1), variance = random_tensor({8}, 2, 0.01, 4.0);
                     const Tensor scale = random_tensor({8}, 3, -9.0, 9.0);
                     const Tensor y = conv2d(r.value(x), r.weight(weight({8, 3, 3, 4})), weight({8}, 6));
                     return r.value(relu6(batch_norm(y, mean, variance, scale, weight({8}, 4), {}, false)));
                   }});
}

void add_windows(std::vector<Case>& cases) {
  cases.push_back({"max_pool2d of integers",
                   "dequantize i8_max_pool2d quantize",
                   {1, 7, 6, 5},
                   [](Rounding& r, const Tensor& x) {
                     return max_pool2d(r.value(x), {.kernel = 3, .stride = 2, .padding = 1});
                   }});
  cases.push_back({"avg_pool2d that stays on its integers",
                   "dequantize i8_avg_pool2d quantize",
                   {1, 7, 6, 5},
                   [](Rounding& r, const Tensor& x) {
                     const Tensor y =
                         avg_pool2d(r.value_in(x, -1.0, 1.0), {.kernel = 3, .stride = 2, .padding = 1});
                     return r.value_in(y, -1.0, 1.0);
                   },
                   1.0});
  cases.push_back({"avg_pool2d to another scale",
                   "dequantize i8_conv2d quantize",
                   {1, 8, 6, 5},
                   [](Rounding& r, const Tensor& x) { return r.value(avg_pool2d(r.value(x))); }});
  cases.push_back({"avg_pool2d with borders to another scale",
                   "dequantize i8_avg_pool2d i8_requantize quantize",
                   {1, 8, 6, 5},
                   [](Rounding& r, const Tensor& x) {
                     return r.value(avg_pool2d(r.value(x), {.kernel = 3, .stride = 2, .padding = 1}));
                   },
                   2.0});
  cases.push_back({"mean of an image",
                   "dequantize i8_conv2d i8_lookup quantize reshape",
                   {1, 7, 7, 9},
                   [](Rounding& r, const Tensor& x) {
                     return r.value(mean(r.value(relu(r.value(x))), {1, 2}));
                   },
                   1.0});
}

/// As one-dimensional convolutions are made of.
void add_sequences(std::vector<Case>& cases) {
  const Simulated conv = [](Rounding& r, const Tensor& x) {
    const Tensor y =
        conv2d(r.value(x).reshape({-1, 9, 1, 5}), r.weight(weight({8, 3, 1, 5})), weight({8}, 6));
    return r.value(relu(y.reshape({-1, 7, 8})));
  };
  cases.push_back({"conv2d, reshape, relu", "dequantize i8_conv2d quantize reshape", {1, 9, 5}, conv});
  cases.push_back({"mean of a sequence",
                   "dequantize i8_conv2d quantize reshape",
                   {1, 9, 5},
                   [conv](Rounding& r, const Tensor& x) { return r.value(mean(conv(r, x), 1)); },
                   2.0});
  cases.push_back({"mean of a sequence on its integers",
                   "dequantize i8_avg_pool2d i8_conv2d i8_dense quantize reshape",
                   {1, 9, 5},
                   [conv](Rounding& r, const Tensor& x) {
                     const Tensor y = mean(conv(r, x), 1);
                     return r.value(dense(y, r.weight(weight({4, 8}, 9)), weight({4}, 2)));
                   },
                   4.0});
}

void add_elementwise(std::vector<Case>& cases) {
  const auto unary = [&](const std::string& name, std::function<Tensor(const Tensor&)> f) {
    cases.push_back({name, "dequantize i8_lookup mul quantize", {1, 300}, [=](Rounding& r, const Tensor& x) {
                       return r.value(f(r.value(x * 4.0)));
                     }});
  };
  unary("sigmoid", [](const Tensor& x) { return sigmoid(x); });
  unary("tanh", [](const Tensor& x) { return tanh(x); });
  unary("relu", [](const Tensor& x) { return relu(x); });
  unary("hard_swish", [](const Tensor& x) { return hard_swish(x); });
  unary("gelu", [](const Tensor& x) { return gelu(x); });
  unary("leaky_relu", [](const Tensor& x) { return leaky_relu(x, 0.1); });
  unary("a number less x", [](const Tensor& x) { return 1.0 - x; });
  const auto binary = [&](const std::string& name, const std::string& ops,
                          std::function<Tensor(const Tensor&, const Tensor&)> f) {
    cases.push_back({name, ops, {1, 10, 6}, [=](Rounding& r, const Tensor& x) {
                       const Tensor a = r.value(x), b = r.value(sigmoid(a));
                       return r.value(f(a, b));
                     }});
  };
  binary("add", "dequantize i8_add i8_lookup quantize",
         [](const Tensor& a, const Tensor& b) { return a + b; });
  binary("sub", "dequantize i8_lookup i8_sub quantize",
         [](const Tensor& a, const Tensor& b) { return a - b; });
  binary("mul", "dequantize i8_lookup i8_mul quantize",
         [](const Tensor& a, const Tensor& b) { return a * b; });
  binary("add, relu", "dequantize i8_add i8_lookup quantize",
         [](const Tensor& a, const Tensor& b) { return relu(a + b); });
  cases.push_back({"a factor for each channel",
                   "dequantize i8_conv2d i8_mul quantize",
                   {1, 5, 4, 6},
                   [](Rounding& r, const Tensor& x) {
                     const Tensor image = r.value(x);
                     return r.value(image * r.value(mean(image, {1, 2}, true)));
                   },
                   2.0});
  cases.push_back(
      {"softmax", "dequantize i8_softmax mul quantize", {1, 12}, [](Rounding& r, const Tensor& x) {
         return r.value_in(softmax(r.value(x * 6.0)), 0.0, 255.0 / 256.0);
       }});
}

void add_moves(std::vector<Case>& cases) {
  cases.push_back({"parts of different scales",
                   "concat dequantize i8_lookup i8_requantize quantize",
                   {1, 4, 6},
                   [](Rounding& r, const Tensor& x) {
                     const Tensor a = r.value(x), b = r.value(exp(a));
                     return r.value(concat({a, b, a}, 1));
                   }});
  cases.push_back(
      {"ten parts of one scale", "concat dequantize quantize", {1, 3, 2}, [](Rounding& r, const Tensor& x) {
         const std::vector<Tensor> parts(10, r.value(x));
         return concat(parts, 2);
       }});
  cases.push_back({"moved integers",
                   "dequantize pad quantize reshape slice transpose",
                   {1, 4, 6},
                   [](Rounding& r, const Tensor& x) {
                     const Tensor y = transpose(r.value(x), {0, 2, 1});
                     return pad(slice(y, 1, 1, 6, 2), {{0, 0}, {1, 2}, {0, 1}}).reshape({-1, 2, 15});
                   }});
  cases.push_back({"integers to another scale",
                   "dequantize i8_requantize quantize",
                   {1, 60},
                   [](Rounding& r, const Tensor& x) { return r.value_in(r.value(x), -0.5, 0.75); }});
  cases.push_back({"what has no integers between what has",
                   "dequantize i8_dense layer_norm quantize",
                   {1, 5, 16},
                   [](Rounding& r, const Tensor& x) {
                     const Tensor y = r.value(dense(r.value(x), r.weight(weight({16, 16})), weight({16}, 6)));
                     const Tensor z = r.value(layer_norm(y, 1));
                     return r.value(dense(z, r.weight(weight({8, 16}, 7)), weight({8}, 8)));
                   },
                   2.0});
}

void add_recurrent(std::vector<Case>& cases) {
  // The simulation rounds what the layer gives, the integers also what it reads again in every step.
  cases.push_back({"lstm",
                   "dequantize i8_lstm quantize",
                   {1, 6, 7},
                   [](Rounding& r, const Tensor& x) {
                     const Tensor h = lstm(r.value(x), r.weight(weight({20, 7})),
                                           r.weight(weight({20, 5}, 6)), weight({20}, 7), {.sequence = true});
                     return r.value_in(h, -1.0, 127.0 / 128.0);
                   },
                   2.0});
  cases.push_back({"gru, the last time first",
                   "dequantize i8_gru quantize",
                   {1, 6, 7},
                   [](Rounding& r, const Tensor& x) {
                     const Tensor h = gru(r.value(x), r.weight(weight({15, 7})), r.weight(weight({15, 5}, 6)),
                                          weight({15}, 7), weight({5}, 8), {.reverse = true});
                     return r.value_in(h, -1.0, 127.0 / 128.0);
                   },
                   2.0});
}

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  add_products(cases);
  add_windows(cases);
  add_sequences(cases);
  add_elementwise(cases);
  add_moves(cases);
  add_recurrent(cases);
  return cases;
}

/// The largest difference of the board from the simulation on 20 inputs, in steps of the output.
double largest_steps(Board& board, Simulation& simulation) {
  double most = 0.0;
  for (std::uint64_t seed = 11; seed <= 30; ++seed) {
    const Tensor x = random_tensor(simulation.input(), seed);
    const Tensor expected = simulation(x), actual = board.run(x);
    CHECK(actual.shape() == expected.shape());
    for (std::int64_t i = 0; i < actual.size(); ++i)
      most = std::max(most, std::fabs(static_cast<double>(actual.data<float>()[i]) -
                                      static_cast<double>(expected.data<float>()[i])));
  }
  return most / simulation.step();
}

TEST_CASE("integer ops give what their simulation gives, to a step of the result, on every instruction set") {
  for (const Case& test : all_cases()) {
    CAPTURE(test.name);
    Simulation simulation(test.f, test.input);
    const graph::Graph graph = simulation.graph();
    for (const bool optimise : {true, false}) {
      if (!optimise && test.name.find("batch-norm") != std::string::npos)
        continue;  // stays f32 unless folded
      const deploy::Image image = deploy::build(graph, {}, {.optimise = optimise});
      CHECK(image.bytes == deploy::build(graph, {}, {.optimise = optimise}).bytes);
      Board board(image.bytes);
      REQUIRE(board.text() == "no error. Go on.");
      if (optimise) CHECK(board.meta("ops") == test.ops);
      CHECK(board.meta("min_runtime") == "1.1");
      for (const lnt_isa isa : Board::isas()) {
        board.set_isa(isa);
        CHECK(board.self_test() == "no error. Go on.");
        CHECK(largest_steps(board, simulation) <= test.steps + 1e-3);
      }
    }
  }
}

TEST_CASE("integers of rounded weights survive batch-norm, whatever its factors") {
  const Tensor w = weight({8, 3, 3, 4});
  Tensor range = Tensor::full({1}, 0.5);
  const Simulated f = [&](Rounding& r, const Tensor& x) {
    Tensor mean = weight({8}, 1), variance = random_tensor({8}, 2, 0.01, 4.0);
    const Tensor scale = Tensor::from({-3.0, 2.0, 0.0, 1e-3, 7.0, -0.1, 1.0, 40.0});
    const Tensor rounded = fake_quant(w, range, {.symmetric = true, .frozen = true}, false);
    return r.value(batch_norm(conv2d(r.value(x), rounded), mean, variance, scale, weight({8}, 4), {}, false));
  };
  Simulation simulation(f, {1, 6, 6, 4});
  std::vector<std::uint8_t> file =
      deploy::build(simulation.graph(), {}, {.plain = true, .compact = false}).bytes;
  const std::span<std::uint8_t> data = section_of(file, LNT_SECTION_DATA);
  const float step = symmetric_quantizer(0.5, 8).scale;
  int different = 0;
  for (std::int64_t i = 0; i < w.size(); ++i) {
    const int q = static_cast<int>(std::nearbyint(w.data<float>()[i] / step));
    const std::int64_t row = i / 36;
    const int sign = row == 2 ? 0 : row == 0 || row == 5 ? -1 : 1;  // row 2 is its bias alone
    different += static_cast<std::int8_t>(data[static_cast<std::size_t>(i)]) != sign * q;
  }
  CHECK(different == 0);
  Board board(file);
  CHECK(largest_steps(board, simulation) <= 1.001);
}

TEST_CASE("into rounded weights factors of outputs are folded, those of inputs are not") {
  const auto exported = [](const Simulated& f) {
    Simulation simulation(f, {1, 40});
    const deploy::Image image = deploy::build(simulation.graph(), {});
    Board board(image.bytes);
    REQUIRE(board.text() == "no error. Go on.");
    const Tensor x = random_tensor({1, 40}, 50);
    CHECK(nmse(board.run(x), simulation(x)) < 1e-10);
    CHECK(image.report.encodings.at(1).first == "i8");
    return board.meta("ops");
  };
  const Tensor factor = random_tensor({30}, 8, 0.5, 2.0), input_factor = random_tensor({40}, 9, 0.5, 2.0);
  CHECK(exported([&](Rounding& r, const Tensor& x) {
          if (r.observing()) return r.value_in(x, -1.0, 1.0);
          return dense(x, r.weight(weight({30, 40})), weight({30}, 6)) * factor + weight({30}, 7);
        }) == "dense");
  CHECK(exported([&](Rounding& r, const Tensor& x) {
          if (r.observing()) return r.value_in(x, -1.0, 1.0);
          return dense(x * input_factor, r.weight(weight({30, 40})), weight({30}, 6));
        }) == "dense mul");
}

TEST_CASE("rounding by the range of each sample runs as in training, with integers of the weights") {
  const Simulated f = [](Rounding& r, const Tensor& x) {
    if (r.observing()) return r.value_in(x, -1.0, 1.0);  // nothing to observe
    const Tensor y =
        relu(conv2d(fake_quant_dynamic(x), r.weight(weight({6, 3, 3, 4})), weight({6}, 6), {.padding = 1}));
    return dense(fake_quant_dynamic(flatten(y)), r.weight(weight({5, 150}, 7)), weight({5}, 8));
  };
  Simulation simulation(f, {1, 5, 5, 4});
  const deploy::Image image = deploy::build(simulation.graph(), {});
  Board board(image.bytes);
  REQUIRE(board.text() == "no error. Go on.");
  CHECK(board.meta("ops") == "conv2d_dynamic dense_dynamic relu reshape");
  for (const lnt_isa isa : Board::isas()) {
    board.set_isa(isa);
    for (std::uint64_t seed = 1; seed < 20; ++seed) {
      const Tensor x = random_tensor({1, 5, 5, 4}, seed);
      CHECK(nmse(board.run(x), simulation(x)) < 1e-4);
    }
  }
}

TEST_CASE("weights that only are rounded are stored as integers and run in f32") {
  for (const int bits : {4, 8}) {
    CAPTURE(bits);
    const Simulated f = [=](Rounding& r, const Tensor& x) {
      if (r.observing()) return r.value_in(x, -1.0, 1.0);
      return dense(relu(dense(x, r.weight(weight({64, 100}), bits), weight({64}, 6))),
                   r.weight(weight({10, 64}, 7), bits));
    };
    Simulation simulation(f, {1, 100});
    const graph::Graph graph = simulation.graph();
    for (const bool plain : {true, false}) {
      const deploy::Image image = deploy::build(graph, {}, {.plain = plain});
      const std::string form = bits == 8 ? "i8" : "i4";
      CHECK(image.report.encodings == std::vector<std::pair<std::string, int>>{{"f32", 1}, {form, 2}});
      CHECK(image.report.stored_bytes < image.report.constant_bytes * (bits == 8 ? 4 : 3) / 10);
      Board board(image.bytes), raw(deploy::build(graph, {}, {.plain = plain, .compact = false}).bytes);
      REQUIRE(board.text() == "no error. Go on.");
      CHECK(board.self_test() == "no error. Go on.");
      CHECK(static_cast<std::int64_t>(board.info().arena_bytes) == image.report.arena_bytes);
      CHECK(raw.meta("min_runtime") == "1.0");
      for (std::uint64_t seed = 1; seed < 6; ++seed) {
        const Tensor x = random_tensor({1, 100}, seed);
        CHECK_SAME_BITS(board.run(x), raw.run(x));
        CHECK(nmse(board.run(x), simulation(x)) < 1e-10);
      }
    }
  }
}

TEST_CASE("what the runtime cannot round is refused") {
  const auto refused = [](const Simulated& f) {
    Simulation simulation(f, {1, 8});
    deploy::build(simulation.graph(), {});
  };
  CHECK_THROWS_TEXT(
      refused([](Rounding& r, const Tensor& x) {
        Tensor range = Tensor::from({-1.0, 1.0});
        return r.value(fake_quant(x, range, {.bits = 4}, false));
      }),
      GraphError,
      "deploy: fake_quant rounds activations to 4 bits. The runtime has 8 bits with a range from "
      "low to high.");
  CHECK_THROWS_TEXT(
      refused([](Rounding& r, const Tensor& x) { return r.value(relu(fake_quant_dynamic(x))); }), GraphError,
      "deploy: relu reads what fake_quant rounds by the range of each sample. Only dense and conv2d "
      "with rounded weights can: take the fake_quant away.");
}

}  // namespace
}  // namespace linnet::test
