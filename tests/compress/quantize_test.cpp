// SPDX-License-Identifier: Apache-2.0
#include "linnet/compress/quantize.h"

#include <cmath>
#include <set>

#include "linnet/compress/calibrate_impl.h"
#include "linnet/compress/correct_impl.h"
#include "linnet/core/constraint.h"
#include "quantize_models.h"
#include "support/check_close.h"

namespace linnet {
namespace {

using compress::QuantizeNotes;
using compress::QuantizeOptions;
using compress::QuantMode;
using graph::GraphModule;

const data::TensorDataset& seen() {
  static const data::TensorDataset dataset = test::corners(1000, 1);
  return dataset;
}

Tensor outputs(const GraphModule& model, const Tensor& x) {
  GraphModule copy = test::copy_of(model);
  copy.eval();
  return copy(x).detach();
}

void check_same_state(const State& a, const State& b) {
  REQUIRE(a.size() == b.size());
  for (const auto& [name, value] : a) {
    const std::string& label = name;  // clang 14 captures no structured binding
    CAPTURE(label);
    CHECK_SAME_BITS(value.tensor(), b[name].tensor());
  }
}

TEST_CASE("8 bits lose next to nothing, 4 bits of weights little") {
  const GraphModule& model = test::trained_corner_net();
  const double before = test::accuracy_of(model, test::unseen_corners());
  REQUIRE(before > 0.9);
  QuantizeNotes notes;
  const GraphModule q = compress::quantize(model, {.calibrate = seen()}, &notes);
  CHECK(test::accuracy_of(q, test::unseen_corners()) >= before - 0.01);
  CHECK(notes.samples == 512);
  CHECK(notes.held_out_samples == 488);
  CHECK(notes.candidates.size() >= 6);  // five rules, and corrected biases
  CHECK(notes.float_score.value > 0.9);
  CHECK(notes.score.value >= notes.float_score.value - 0.01);
  CHECK(notes.layers.size() == 3);
  for (const compress::LayerSqnr& layer : notes.layers) CHECK(layer.decibel > 20.0);
  CHECK(notes.str().starts_with("quantize: int8, ranges by "));
  for (QuantMode mode : {QuantMode::int8_dynamic, QuantMode::int8_weights, QuantMode::float16_weights}) {
    CAPTURE(std::string(name(mode)));
    CHECK(test::accuracy_of(compress::quantize(model, {.mode = mode}), test::unseen_corners()) >=
          before - 0.01);
  }
  CHECK(test::accuracy_of(compress::quantize(model, {.mode = QuantMode::int4_weights}),
                          test::unseen_corners()) >= before - 0.05);
}

TEST_CASE("a user's module is traced with the first sample") {
  manual_seed(5);
  nn::Sequential net = test::corner_net();
  net.eval();
  const GraphModule q = compress::quantize(net, {.calibrate = seen()});
  const GraphModule same =
      compress::quantize(GraphModule(graph::trace(net, {1, 8, 8, 1}), net.state()), {.calibrate = seen()});
  check_same_state(q.state(), same.state());
}

TEST_CASE("the same seed gives the same bits, another one other samples") {
  const GraphModule& model = test::trained_corner_net();
  const QuantizeOptions options{.calibrate = seen(), .samples = 100, .held_out_samples = 100, .seed = 3};
  const State once = compress::quantize(model, options).state();
  const test::ThreadScope threads(2);
  check_same_state(compress::quantize(model, options).state(), once);
  CHECK(compress::draw_samples(seen(), 100, 3) == compress::draw_samples(seen(), 100, 3));
  CHECK(compress::draw_samples(seen(), 100, 3) != compress::draw_samples(seen(), 100, 4));
  std::set<std::int64_t> all;
  for (std::int64_t skip : {0, 100})
    for (std::int64_t i : compress::draw_samples(seen(), 100, 3, skip)) all.insert(i);
  CHECK(all.size() == 200);
}

TEST_CASE("folding batch-norm leaves the function as it is") {
  const GraphModule& model = test::trained_corner_net();
  const GraphModule folded = compress::fold_batch_norm(model);
  for (const graph::Node& node : folded.graph().nodes()) CHECK(node.op != Op::batch_norm);
  CHECK(folded.parameter_count() == model.parameter_count() - 12);  // weight and bias of the norm
  CHECK(folded.buffers().empty());
  const Tensor x = seen().batch(compress::draw_samples(seen(), 20, 1)).x;
  CHECK_CLOSE(outputs(folded, x), outputs(model, x), tol::f32_accumulated(1000));

  manual_seed(1);  // no bias, a reshape between
  nn::Sequential sequence{nn::Conv1D(3, 4, {.bias = false}), nn::BatchNorm(4), nn::ReLU()};
  sequence(test::random_tensor({5, 9, 3}, 2));  // moves the statistics
  sequence.eval();
  const GraphModule plain(graph::trace(sequence, {1, 9, 3}), sequence.state());
  const GraphModule without = compress::fold_batch_norm(plain);
  CHECK(without.graph().nodes().size() == plain.graph().nodes().size() - 1);
  CHECK(without.state().has("0.folded_bias"));
  const Tensor series = test::random_tensor({4, 9, 3}, 3);
  CHECK_CLOSE(outputs(without, series), outputs(plain, series), tol::f32_accumulated(30));
}

TEST_CASE("shared weights keep their batch-norm: folding would tear the groups") {
  GraphModule model = test::copy_of(test::trained_corner_net());
  const Tensor weight = model.parameters()[0].second;
  set_constraint(weight, {.mask = {}, .groups = Tensor::zeros(weight.shape(), u8)});
  const GraphModule folded = compress::fold_batch_norm(model);
  CHECK(folded.graph().nodes().size() == model.graph().nodes().size());
  const State state = compress::quantize(model, {.mode = QuantMode::int8_weights}).state();
  CHECK(state["0.weight/range"].tensor().shape() == Shape{1});
  CHECK(state["5.weight/range"].tensor().shape() == Shape{16});
  CHECK(state.has("0.weight/groups"));
}

/// conv -> relu -> depthwise -> relu -> pool -> dense, its channels of very different sizes.
GraphModule uneven(double factor) {
  manual_seed(11);
  nn::Sequential net{nn::Conv2D(1, 4), nn::ReLU(),    nn::DepthwiseConv2D(4), nn::ReLU(),
                     nn::MaxPool2D(),  nn::Flatten(), nn::Dense(16, 3)};
  GraphModule model(graph::trace(net, {1, 8, 8, 1}), net.state());
  model.eval();
  const State state = model.state();
  for (const char* name : {"0.weight", "0.bias", "2.weight"}) {
    Tensor t = state[name].tensor();
    const auto values = t.mutable_data<float>();
    const std::size_t row = values.size() / 4;
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (std::string(name) == "0.bias") values[i] = 0.1f;
      const double s = std::pow(factor, static_cast<double>(i / row) - 1.5);
      values[i] = static_cast<float>(values[i] * (name[0] == '0' ? s : 1.0 / s));
    }
  }
  return model;
}

TEST_CASE("equalisation leaves the function as it is and makes the channels alike") {
  const GraphModule model = uneven(30.0);
  const auto even = compress::equalized(model);
  REQUIRE(even.has_value());
  const Tensor x = test::random_tensor({6, 8, 8, 1}, 4);
  CHECK_CLOSE(outputs(*even, x), outputs(model, x), tol::f32_accumulated(100));
  const auto range = [](const Tensor& t, std::size_t row, std::size_t size) {
    double largest = 0.0;
    for (std::size_t k = 0; k < size; ++k)
      largest = std::max(largest, std::fabs(static_cast<double>(t.data<float>()[row * size + k])));
    return largest;
  };
  const State state = even->state();
  for (std::size_t c = 0; c < 4; ++c)
    CHECK_CLOSE(range(state["0.weight"].tensor(), c, 9), range(state["2.weight"].tensor(), c, 9),
                (test::Tolerance{0.0, 0.01}));
  CHECK_FALSE(compress::equalized(uneven(1.0)).has_value());
}

TEST_CASE("equalisation is taken when the integers gain, and not otherwise") {
  manual_seed(5);  // a net whose channels have been scaled apart
  GraphModule model = test::copy_of(compress::fold_batch_norm(test::trained_corner_net()));
  const State state = model.state();
  Tensor first = state["5.weight"].tensor(), bias = state["5.bias"].tensor(),
         next = state["7.weight"].tensor();
  for (std::int64_t c = 0; c < 16; ++c) {
    const float s = std::pow(2.0f, static_cast<float>(c % 11));
    for (std::int64_t k = 0; k < 54; ++k)
      first.mutable_data<float>()[static_cast<std::size_t>(c * 54 + k)] *= s;
    bias.mutable_data<float>()[static_cast<std::size_t>(c)] *= s;
    for (std::int64_t o = 0; o < 4; ++o)
      next.mutable_data<float>()[static_cast<std::size_t>(o * 16 + c)] /= s;
  }
  QuantizeNotes with, without;
  const double before = test::accuracy_of(model, test::unseen_corners());
  const GraphModule even = compress::quantize(model, {.calibrate = seen()}, &with);
  const GraphModule plain = compress::quantize(model, {.calibrate = seen(), .equalize = false}, &without);
  CHECK(with.equalized);
  CHECK_FALSE(without.equalized);
  CHECK(test::accuracy_of(even, test::unseen_corners()) >= before - 0.015);
  CHECK(with.score.value > without.score.value);
  compress::quantize(test::trained_corner_net(), {.calibrate = seen()}, &without);
  CHECK_FALSE(without.equalized);
}

TEST_CASE("bias correction takes away a bias that was planted") {
  const GraphModule& model = test::trained_corner_net();
  GraphModule clean = test::copy_of(compress::fold_batch_norm(model)), off = test::copy_of(clean);
  const State state = off.state();
  for (const char* name : {"0.folded_bias", "0.bias", "5.bias", "7.bias"})
    if (state.has(name)) {
      Tensor bias = state[name].tensor();
      bias.add_(Tensor::full(bias.shape(), 0.3));
    }
  const data::Subset some(seen(), 256);
  const GraphModule corrected = compress::with_corrected_biases(clean, off, some);
  for (const auto& [name, value] : clean.state()) {
    const std::string& label = name;  // clang 14 captures no structured binding
    CAPTURE(label);
    CHECK_CLOSE(corrected.state()[name].tensor(), value.tensor(), tol::f32_accumulated(256));
  }
}

TEST_CASE("the layer that spoils most stays in float when that is asked for and gains") {
  GraphModule model = test::copy_of(test::trained_corner_net());
  const State state = model.state();
  Tensor shift = state["1.bias"].tensor(), weight = state["5.weight"].tensor();
  shift.mutable_data<float>()[0] = -100.0f;  // a channel that relu makes 0, and large weights that read it
  const auto weights = weight.mutable_data<float>();
  for (std::size_t i = 0; i < weights.size(); i += 6) weights[i] = 9.0f;
  QuantizeNotes none, one;
  const QuantizeOptions options{.mode = QuantMode::int4_weights, .calibrate = seen(), .correct_bias = false};
  compress::quantize(model, options, &none);
  QuantizeOptions asked = options;
  asked.sensitive = 1;
  const GraphModule q = compress::quantize(model, asked, &one);
  REQUIRE(one.sensitivity.size() == 3);
  CHECK(one.sensitivity[0].layer == "5");
  CHECK(one.sensitivity[0].decibel < one.sensitivity[1].decibel);
  CHECK(none.kept_float.empty());
  REQUIRE(one.kept_float == std::vector<std::string>{"5"});
  CHECK_FALSE(q.state().has("5.weight/range"));
  CHECK(one.score.value > none.score.value);
}

TEST_CASE("half precision rounds to the nearest number of 11 digits, halves to even") {
  manual_seed(1);
  nn::Sequential net{nn::Dense(4, 2, {.bias = false})};
  Tensor weight = net.state()["0.weight"].tensor();
  weight.copy_(
      Tensor::from({{1.0 + 0x1p-11, 1.0 + 3 * 0x1p-11, 1e6, 0x1.8p-25}, {-0.1, 0.0, 65519.0, 0x1p-25}}));
  const GraphModule q = compress::quantize(GraphModule(graph::trace(net, {1, 4}), net.state()),
                                           {.mode = QuantMode::float16_weights});
  CHECK_SAME_BITS(q.state()["0.weight"].tensor(), Tensor::from({{1.0, 1.0 + 0x1p-9, 65504.0, 0x1p-24},
                                                                {-0.0999755859375, 0.0, 65504.0, 0.0}}));
}

TEST_CASE("a regression is judged by its error, data without labels by the noise") {
  manual_seed(2);
  nn::Sequential net{nn::Dense(5, 16), nn::Tanh(), nn::Dense(16, 1)};
  net.eval();
  const Tensor x = test::random_tensor({600, 5}, 1);
  const data::TensorDataset numbers(x, add(net(x), test::random_tensor({600, 1}, 2, -0.01, 0.01)).detach()),
      unlabelled(x, Tensor());
  QuantizeNotes notes;
  compress::quantize(net, {.calibrate = numbers}, &notes);
  CHECK(notes.regression);
  CHECK(notes.float_score.value < 0.01);
  CHECK(notes.score.value < 0.02);
  CHECK(notes.str().find("rmse") != std::string::npos);
  compress::quantize(net, {.calibrate = unlabelled}, &notes);
  CHECK(std::isnan(notes.score.value));
  CHECK(notes.score.noise > 0.0);
  for (const auto& candidate : notes.candidates) CHECK(candidate.score.noise >= notes.score.noise);
}

TEST_CASE("few samples give a warning, and none left to judge by another") {
  QuantizeNotes notes;
  const data::Subset few(seen(), 60);
  compress::quantize(test::trained_corner_net(), {.calibrate = few}, &notes);
  CHECK(notes.warnings ==
        std::vector<std::string>{"ranges come from 60 samples. 100 or more are safer",
                                 "no samples are left to judge by: those of the ranges are used"});
}

TEST_CASE("what cannot be quantized is explained") {
  const GraphModule& model = test::trained_corner_net();
  CHECK_THROWS_TEXT(compress::quantize(model, {}), ValueError,
                    "quantize: int8 needs data for the ranges of activations. Set .calibrate.");
  CHECK_THROWS_TEXT(compress::quantize(model, {.mode = QuantMode::int8_weights, .held_out = seen()}),
                    ValueError, "quantize: .held_out is used only beside .calibrate.");
  CHECK_THROWS_TEXT(compress::quantize(model, {.calibrate = seen(), .samples = 0}), ValueError,
                    "quantize: samples and held_out_samples must be at least 1, got 0 and 1000.");
  CHECK_THROWS_TEXT(compress::quantize(model, {.calibrate = seen(), .rules = {}}), ValueError,
                    "quantize: there are no rules to choose from.");
  CHECK_THROWS_TEXT(compress::quantize(model, {.calibrate = seen(), .sensitive = -1}), ValueError,
                    "quantize: sensitive must be at least 0, got -1.");
  CHECK_THROWS_TEXT(compress::quantize(model, {.calibrate = seen(), .keep_float = {"fc*"}}), ValueError,
                    "quantize: no layer is named \"fc*\". There are: 0, 5, 7.");
  const data::TensorDataset empty(Tensor::zeros({0, 8, 8, 1}), Tensor());
  CHECK_THROWS_TEXT(compress::quantize(model, {.calibrate = empty}), ValueError,
                    "quantize: the dataset is empty.");
  const GraphModule twice = compress::quantize(model, {.mode = QuantMode::int8_weights});
  CHECK_THROWS_TEXT(compress::quantize(twice, {.calibrate = seen()}), GraphError,
                    "quantize: the model is quantized already.");
  CHECK_THROWS_TEXT(compress::quantize(model, {.calibrate = seen(), .keep_float = {"*"}}), GraphError,
                    "quantize: the model has no weights that could be quantized.");
  nn::Sequential relu{nn::ReLU()};
  CHECK_THROWS_TEXT(compress::quantize(relu, {.calibrate = seen()}), GraphError,
                    "quantize: the model has no weights that could be quantized.");
  CHECK_THROWS_TEXT(compress::quantize(relu, {}), ValueError,
                    "quantize: there are no data to trace the model with. Set .calibrate.");
}

}  // namespace
}  // namespace linnet
