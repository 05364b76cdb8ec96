// SPDX-License-Identifier: Apache-2.0
#include "linnet/nn/recurrent.h"

#include <limits>

#include <pthread.h>

#include "layer_checker.h"
#include "linnet/core/storage.h"

namespace linnet::test {
namespace {

/// All kinds, small, in one direction.
std::vector<std::unique_ptr<nn::Recurrent>> every_kind(std::int64_t in, std::int64_t units, bool sequences,
                                                       bool reverse) {
  const nn::RecurrentOptions options{.return_sequences = sequences, .reverse = reverse};
  std::vector<std::unique_ptr<nn::Recurrent>> all;
  all.push_back(std::make_unique<nn::RNN>(in, units,
                                          nn::RnnOptions{.return_sequences = sequences, .reverse = reverse}));
  all.push_back(std::make_unique<nn::RNN>(
      in, units, nn::RnnOptions{.return_sequences = sequences, .reverse = reverse, .relu = true}));
  all.push_back(std::make_unique<nn::GRU>(in, units, options));
  all.push_back(std::make_unique<nn::LSTM>(in, units, options));
  return all;
}

bool has_cell(const nn::Recurrent& layer) { return layer.describe().starts_with("LSTM"); }

Tensor state(std::int64_t rows, std::int64_t units, std::uint64_t seed) {
  return random_tensor({rows, units}, seed).set_requires_grad(true);
}

// ---- masks ----------------------------------------------------------------------------------------------

constexpr std::int64_t kIn = 3, kUnits = 19, kSteps = 9;
const std::vector<std::int64_t> kLengths{4, 9, 1, 7, 2};

enum class Place { right, left, between };

/// The steps of a sequence that are there.
std::vector<std::int64_t> steps_of(std::int64_t length, Place padding) {
  std::vector<std::int64_t> steps;
  for (std::int64_t i = 0; i < length; ++i)
    steps.push_back(padding == Place::right  ? i
                    : padding == Place::left ? kSteps - length + i
                                             : i * kSteps / length);
  return steps;
}

/// What a run of some sequences gives: outputs and gradients of x by step, states.
struct Results {
  Tensor output, h, c, dx, dh, dc;
  NamedTensors gradients;
};

/// Loss: every output, h and c with a weight of its own, which depends on sequence and step only.
Results run(nn::Recurrent& layer, const Tensor& x, const nn::RecurrentContext& context, const Tensor& weights,
            const Tensor& state_weights) {
  layer.zero_grad();
  Tensor input = x.clone().set_requires_grad(true);
  Tensor h = context.h.clone().set_requires_grad(true), c;
  if (has_cell(layer)) c = context.c.clone().set_requires_grad(true);
  nn::RecurrentResult result = layer(input, {.mask = context.mask, .h = h, .c = c});
  Tensor loss = sum(result.output * weights) + sum(result.h * state_weights);
  if (c.defined()) loss = loss + sum(result.c * state_weights * 0.5);
  backward(loss);
  Results all{result.output.detach(), result.h.detach(), {}, input.grad(), h.grad(), {}, {}};
  if (c.defined()) all.c = result.c.detach(), all.dc = c.grad();
  for (const auto& [name, parameter] : layer.parameters())
    all.gradients.emplace_back(name, parameter.grad().clone());
  return all;
}

/// Rows `steps` of sequence n of x [N, T, ...] as [1, length, ...].
Tensor pick(const Tensor& x, std::int64_t n, const std::vector<std::int64_t>& steps) {
  std::vector<Tensor> rows;
  const Tensor one = slice(x, 0, n, n + 1);
  for (const std::int64_t t : steps) rows.push_back(slice(one, 1, t, t + 1));
  return concat(rows, 1);
}

void check_masked(nn::Recurrent& layer, Place padding) {
  CAPTURE(layer.describe());
  CAPTURE(static_cast<int>(padding));
  const auto N = static_cast<std::int64_t>(kLengths.size());
  Tensor x = random_tensor({N, kSteps, kIn}, 1), mask = Tensor::zeros({N, kSteps}, u8);
  Tensor weights = random_tensor({N, kSteps, kUnits}, 2);
  const Tensor state_weights = random_tensor({N, kUnits}, 3), h = random_tensor({N, kUnits}, 4),
               c = random_tensor({N, kUnits}, 5);
  for (std::int64_t n = 0; n < N; ++n) {
    const auto steps = steps_of(kLengths[n], padding);
    for (const std::int64_t t : steps) mask.mutable_data<std::uint8_t>()[n * kSteps + t] = 1;
  }
  for (std::int64_t i = 0; i < N * kSteps; ++i) {
    if (mask.data<std::uint8_t>()[i]) continue;
    for (std::int64_t j = 0; j < kIn; ++j)
      x.mutable_data<float>()[i * kIn + j] = std::numeric_limits<float>::quiet_NaN();
    for (std::int64_t j = 0; j < kUnits; ++j) weights.mutable_data<float>()[i * kUnits + j] = 0.0f;
  }
  const Results together = run(layer, x, {.mask = mask, .h = h, .c = c}, weights, state_weights);

  NamedTensors sums;
  for (std::int64_t n = 0; n < N; ++n) {
    CAPTURE(n);
    const auto steps = steps_of(kLengths[n], padding);
    const auto own = [&](const Tensor& t) { return slice(t, 0, n, n + 1); };
    const Results alone = run(layer, pick(x, n, steps), {.h = own(h), .c = own(c)}, pick(weights, n, steps),
                              own(state_weights));
    CHECK_SAME_BITS(pick(together.output, n, steps), alone.output);
    CHECK_SAME_BITS(own(together.h), alone.h);
    CHECK_SAME_BITS(pick(together.dx, n, steps), alone.dx);
    CHECK_SAME_BITS(own(together.dh), alone.dh);
    if (alone.c.defined()) CHECK_SAME_BITS(own(together.c), alone.c);
    if (alone.c.defined()) CHECK_SAME_BITS(own(together.dc), alone.dc);
    for (std::size_t i = 0; i < alone.gradients.size(); ++i) {
      if (n == 0)
        sums.push_back(alone.gradients[i]);
      else
        sums[i].second.add_(alone.gradients[i].second);
    }
  }
  for (std::size_t i = 0; i < sums.size(); ++i)
    CHECK_CLOSE(together.gradients[i].second, sums[i].second, tol::f32_accumulated(N * kSteps));
  for (std::int64_t i = 0; i < N * kSteps; ++i)
    if (!mask.data<std::uint8_t>()[i])
      for (std::int64_t j = 0; j < kIn; ++j) CHECK(together.dx.data<float>()[i * kIn + j] == 0.0f);
}

TEST_CASE("masked sequences give the bits of each alone without padding, wherever the padding is") {
  for (const Isa isa : available_isas()) {
    IsaScope scope(isa);
    CAPTURE(name(isa));
    manual_seed(1);
    for (const bool reverse : {false, true})
      for (const auto& layer : every_kind(kIn, kUnits, true, reverse))
        for (const Place padding : {Place::right, Place::left, Place::between}) check_masked(*layer, padding);
  }
}

TEST_CASE("a layer without sequences returns the h of the last step that is there") {
  manual_seed(2);
  const Tensor x = random_tensor({2, 4, 3}, 1), mask = Tensor::from({{1, 1, 0, 0}, {0, 1, 1, 1}}, i32);
  for (const bool reverse : {false, true}) {
    const auto last = every_kind(3, 5, false, reverse), all = every_kind(3, 5, true, reverse);
    for (std::size_t i = 0; i < last.size(); ++i) {
      CAPTURE(last[i]->describe());
      all[i]->load(last[i]->state());
      const nn::RecurrentResult one = (*last[i])(x, {.mask = mask}), every = (*all[i])(x, {.mask = mask});
      CHECK(one.output.shape() == Shape{2, 5});
      CHECK_SAME_BITS(one.output, every.h);
      CHECK_SAME_BITS(one.h, every.h);
      if (one.c.defined()) CHECK_SAME_BITS(one.c, every.c);
      CHECK_SAME_BITS(slice(every.output, 1, reverse ? 0 : 3, reverse ? 1 : 4).reshape({2, 5}), every.h);
      CHECK_SAME_BITS((*last[i])(x),
                      slice((*all[i])(x), 1, reverse ? 0 : 3, reverse ? 1 : 4).reshape({2, 5}));
    }
  }
}

TEST_CASE("masks of every type mean the same") {
  manual_seed(2);
  nn::LSTM layer(3, 5);
  const Tensor x = random_tensor({2, 3, 3}, 1), mask = Tensor::from({{1, 1, 0}, {0, 1, 0}}, u8);
  const Tensor expected = layer(x, {.mask = mask}).output;
  for (const DType dtype : {i32, i64, f32, f64})
    CHECK_SAME_BITS(layer(x, {.mask = mask.to(dtype)}).output, expected);
  CHECK_SAME_BITS(layer(x, {.mask = Tensor::from({{0.5, -3, 0}, {-0.0, 7, 0}})}).output, expected);
}

TEST_CASE("a sequence that is masked altogether leaves the state and passes the gradient on") {
  manual_seed(2);
  for (const auto& layer : every_kind(3, 5, true, false)) {
    CAPTURE(layer->describe());
    const Tensor h = state(1, 5, 2), x = random_tensor({1, 2, 3}, 1);
    const nn::RecurrentResult result = (*layer)(
        x, {.mask = Tensor::zeros({1, 2}), .h = h, .c = has_cell(*layer) ? state(1, 5, 3) : Tensor()});
    CHECK_SAME_BITS(result.h, h.detach());
    CHECK_SAME_BITS(slice(result.output, 1, 0, 1).reshape({1, 5}), h.detach());
    backward(sum(result.h) + sum(result.output));
    CHECK_SAME_BITS(h.grad(), Tensor::full({1, 5}, 3.0));
    CHECK_SAME_BITS(layer->weight_h.grad(), Tensor::zeros(layer->weight_h.shape()));
  }
}

// ---- states and directions ------------------------------------------------------------------------------

TEST_CASE("a sequence cut in two, the state passed on, gives the bits of the whole") {
  manual_seed(3);
  const Tensor x = random_tensor({3, 7, 4}, 1);
  for (const auto& layer : every_kind(4, 6, true, false)) {
    CAPTURE(layer->describe());
    const nn::RecurrentResult whole = (*layer)(x, {});
    const nn::RecurrentResult first = (*layer)(slice(x, 1, 0, 3), {});
    const nn::RecurrentResult second = (*layer)(slice(x, 1, 3, 7), {.h = first.h, .c = first.c});
    CHECK_SAME_BITS(concat({first.output, second.output}, 1), whole.output);
    CHECK_SAME_BITS(second.h, whole.h);
    if (whole.c.defined()) CHECK_SAME_BITS(second.c, whole.c);
  }
}

TEST_CASE("reverse is the same layer on time turned round") {
  manual_seed(3);
  const auto turned = [](const Tensor& x) {
    std::vector<Tensor> steps;
    for (std::int64_t t = x.dim(1) - 1; t >= 0; --t) steps.push_back(slice(x, 1, t, t + 1));
    return concat(steps, 1);
  };
  const Tensor x = random_tensor({3, 5, 4}, 1);
  const auto ahead = every_kind(4, 6, true, false), back = every_kind(4, 6, true, true);
  for (std::size_t i = 0; i < ahead.size(); ++i) {
    CAPTURE(ahead[i]->describe());
    back[i]->load(ahead[i]->state());
    CHECK_SAME_BITS((*back[i])(x), turned((*ahead[i])(turned(x))));
  }
}

TEST_CASE("gradients flow into initial states, through output, last h and last c") {
  manual_seed(4);
  for (const bool sequences : {false, true})
    for (const bool reverse : {false, true})
      for (const auto& layer : every_kind(2, 3, sequences, reverse)) {
        CAPTURE(layer->describe());
        layer->to(f64);
        const bool cell = has_cell(*layer);
        std::vector<Tensor> inputs{random_tensor({2, 4, 2}, 1, -1, 1, f64),
                                   random_tensor({2, 3}, 2, -1, 1, f64)};
        if (cell) inputs.push_back(random_tensor({2, 3}, 3, -1, 1, f64));
        for (Tensor& input : inputs) input.set_requires_grad(true);
        for (const NamedTensor& parameter : layer->parameters()) inputs.push_back(parameter.second);
        const Tensor mask = Tensor::from({{1, 1, 0, 1}, {1, 1, 1, 0}});
        const GradcheckResult result = gradcheck(
            [&](const std::vector<Tensor>& in) {
              const nn::RecurrentResult r =
                  (*layer)(in[0], {.mask = mask, .h = in[1], .c = cell ? in[2] : Tensor()});
              Tensor all = sum(square(r.output)) + sum(exp(r.h));
              return cell ? all + sum(r.c * r.h) : all;
            },
            inputs);
        CHECK_MESSAGE(result.ok, result.report);
      }
}

TEST_CASE("backward twice over a kept tape gives the same gradients") {
  manual_seed(4);
  for (const auto& layer : every_kind(2, 3, true, false)) {
    CAPTURE(layer->describe());
    const Tensor x = random_tensor({2, 4, 2}, 1);
    const Tensor loss = sum(square((*layer)(x)));
    backward(loss, {.keep_tape = true});
    std::vector<Tensor> first;
    for (const NamedTensor& p : layer->parameters()) first.push_back(p.second.grad().clone());
    layer->zero_grad();
    backward(loss);
    for (std::size_t i = 0; i < first.size(); ++i)
      CHECK_SAME_BITS(layer->parameters()[i].second.grad(), first[i]);
  }
}

TEST_CASE("frozen weights do not change the gradient of the input") {
  manual_seed(4);
  for (const auto& layer : every_kind(2, 3, true, false)) {
    CAPTURE(layer->describe());
    Tensor x = random_tensor({2, 4, 2}, 1).set_requires_grad(true);
    backward(sum(square((*layer)(x))));
    const Tensor expected = x.grad();
    x.set_grad({});
    for (NamedTensor& parameter : layer->parameters()) parameter.second.set_requires_grad(false);
    backward(sum(square((*layer)(x))));
    CHECK_SAME_BITS(x.grad(), expected);
  }
}

// ---- sizes ----------------------------------------------------------------------------------------------

TEST_CASE("many sequences are cut into groups by shape: threads change no bit") {
  manual_seed(5);
  for (const auto& layer : every_kind(5, 21, true, false)) {
    CAPTURE(layer->describe());
    const Tensor x = random_tensor({45, 6, 5}, 1);
    std::vector<Tensor> first;
    for (const int threads : {1, 2, 4}) {
      ThreadScope scope(threads);
      layer->zero_grad();
      Tensor input = x.clone().set_requires_grad(true);
      const Tensor y = (*layer)(input);
      backward(sum(square(y)));
      std::vector<Tensor> now{y.detach(), input.grad()};
      for (const NamedTensor& p : layer->parameters()) now.push_back(p.second.grad().clone());
      if (first.empty()) first = now;
      for (std::size_t i = 0; i < now.size(); ++i) CHECK_SAME_BITS(now[i], first[i]);
    }
  }
}

constexpr std::int64_t kLong = 10000;

/// Forward and backward over `steps` steps; the largest number of bytes that lived meanwhile.
std::int64_t peak_of_training(std::int64_t steps, bool gradients) {
  manual_seed(6);
  nn::LSTM layer(3, 8, {.return_sequences = true});
  const Tensor x = random_tensor({1, steps, 3}, 1), ones = Tensor::ones({1, steps, 8});
  const std::int64_t before = memory_stats().live_bytes;
  reset_peak_memory();
  if (gradients) {
    backward(layer(x), {.gradient = ones});
    CHECK(layer.weight_h.grad().defined());
  } else {
    NoGrad no_grad;
    CHECK(layer(x).defined());
  }
  return memory_stats().peak_bytes - before;
}

void* run_long_sequences(void*) {
  // A step keeps i, f, g, o, h and c; there are y and dy besides, x and two gradients in the order of the
  // steps.
  const std::int64_t floats = 8 * (4 + 2 + 2) + 3 * 3, slack = 64 * 1024;
  CHECK(peak_of_training(kLong, true) <= kLong * floats * 4 + slack);
  // Without backward only the gates of all steps, x in the order of the steps, and y.
  CHECK(peak_of_training(kLong, false) <= kLong * (8 * (4 + 1) + 3) * 4 + slack);
  return nullptr;
}

TEST_CASE("10,000 steps fit a stack of 256 KiB and take no more memory than their activations") {
  pthread_attr_t attributes;
  pthread_t thread;
  REQUIRE(pthread_attr_init(&attributes) == 0);
  REQUIRE(pthread_attr_setstacksize(&attributes, 256 * 1024) == 0);
  REQUIRE(pthread_create(&thread, &attributes, run_long_sequences, nullptr) == 0);
  CHECK(pthread_join(thread, nullptr) == 0);
  pthread_attr_destroy(&attributes);
}

TEST_CASE("training steps after the first ask the system for no memory") {
  manual_seed(6);
  nn::LSTM layer(3, 8);
  const auto step = [&] {
    layer.zero_grad();
    backward(sum(square(layer(random_tensor({4, 6, 3}, 1)))));
  };
  step();
  step();
  const std::int64_t before = memory_stats().system_allocations;
  step();
  CHECK(memory_stats().system_allocations == before);
}

TEST_CASE("an empty batch gives an empty result") {
  for (const auto& layer : every_kind(3, 4, true, false))
    CHECK((*layer)(Tensor::zeros({0, 5, 3})).shape() == Shape{0, 5, 4});
}

// ---- layers ---------------------------------------------------------------------------------------------

TEST_CASE("recurrent layers start Glorot uniform, orthogonal, with a forget bias of 1") {
  manual_seed(7);
  const nn::LSTM layer(5, 4);
  manual_seed(7);
  CHECK_SAME_BITS(layer.weight_x.detach(), nn::init::glorot_uniform({16, 5}));
  CHECK_SAME_BITS(layer.weight_h.detach(), nn::init::orthogonal({16, 4}));
  CHECK_SAME_BITS(layer.bias.detach(), Tensor::from({0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0}));
  const nn::GRU gru(5, 4);
  CHECK_SAME_BITS(gru.bias.detach(), Tensor::zeros({12}));
  CHECK_SAME_BITS(gru.bias_h.detach(), Tensor::zeros({4}));
}

TEST_CASE("recurrent layers refuse what does not fit, with the numbers") {
  const std::string hint = ". `in` is the number of features of one step.";
  CHECK_THROWS_TEXT(nn::LSTM(0, 3), ValueError, "LSTM: sizes must be at least 1: in 0, units 3" + hint);
  CHECK_THROWS_TEXT(nn::GRU(2, 0), ValueError, "GRU: sizes must be at least 1: in 2, units 0" + hint);
  CHECK_THROWS_TEXT(nn::RNN(-1, 3), ValueError, "RNN: sizes must be at least 1: in -1, units 3" + hint);

  nn::LSTM lstm(3, 2);
  nn::GRU gru(3, 2);
  const Tensor x = Tensor::zeros({4, 5, 3}), h = Tensor::zeros({4, 2});
  CHECK_THROWS_TEXT(lstm(Tensor::zeros({4, 3})), ShapeError,
                    "lstm: x must have 3 axes, got shape [4, 3].  in LSTM 3 -> 2");
  CHECK_THROWS_TEXT(lstm(Tensor::zeros({4, 0, 3})), ShapeError,
                    "lstm: x has no steps: [4, 0, 3]. Sequences are [N, T, C].  in LSTM 3 -> 2");
  CHECK_THROWS_TEXT(lstm(Tensor::zeros({4, 5, 7})), ShapeError,
                    "lstm: weight_x must have shape [8, 7], got [8, 3].  in LSTM 3 -> 2");
  CHECK_THROWS_TEXT(lstm(x.to(f64)), DTypeError,
                    "lstm: x is f64 but weight_h is f32. Convert one with to().  in LSTM 3 -> 2");
  CHECK_THROWS_TEXT(lstm(x, {.h = h}), ValueError,
                    "lstm: c is missing: give both states or none.  in LSTM 3 -> 2");
  CHECK_THROWS_TEXT(lstm(x, {.c = h}), ValueError,
                    "lstm: h is missing: give both states or none.  in LSTM 3 -> 2");
  CHECK_THROWS_TEXT(gru(x, {.h = h, .c = h}), ValueError, "gru: only lstm has a c.  in GRU 3 -> 2");
  CHECK_THROWS_TEXT(gru(x, {.h = Tensor::zeros({2})}), ShapeError,
                    "gru: h must have shape [4, 2], got [2].  in GRU 3 -> 2");
  CHECK_THROWS_TEXT(
      gru(x, {.mask = Tensor::zeros({4, 6})}), ShapeError,
      "gru: mask must have shape [4, 5], got [4, 6]. One number a step, 0 where there is none.  "
      "in GRU 3 -> 2");
  const Tensor w = Tensor::zeros({2, 2});
  CHECK_THROWS_TEXT(linnet::lstm(x, w, w, w), ShapeError,
                    "lstm: weight_h must have 4 row(s) a column, got [2, 2].");
  CHECK_THROWS_TEXT(linnet::rnn(x, Tensor::zeros({2, 3}), w, {}), ValueError, "rnn: bias is undefined.");
  CHECK_THROWS_TEXT(linnet::rnn(x, Tensor::zeros({2, 3}), {}, {}), ValueError, "rnn: weight_h is undefined.");
  CHECK_THROWS_TEXT(linnet::rnn(x, Tensor::zeros({2, 3}), w, h), ShapeError,
                    "rnn: bias must have shape [2], got [4, 2].");
  CHECK_THROWS_TEXT(linnet::gru(x, gru.weight_x, gru.weight_h, gru.bias, Tensor::zeros({6})), ShapeError,
                    "gru: bias_h must have shape [2], got [6].");
}

}  // namespace
}  // namespace linnet::test
