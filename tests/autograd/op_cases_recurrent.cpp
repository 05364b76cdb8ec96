// SPDX-License-Identifier: Apache-2.0
// rnn, gru and lstm: with and without states and mask, both directions, all forms of the result.
#include "linnet/autograd/ops.h"
#include "op_cases.h"
#include "op_draws.h"

namespace linnet::test {
namespace {

/// Steps that are there with probability 2/3, anywhere; sometimes a whole sequence is not.
Tensor draw_mask(Rng& rng, const Shape& shape) {
  Tensor mask = Tensor::empty(shape, u8);
  for (std::uint8_t& m : mask.mutable_data<std::uint8_t>()) m = rng.below(3) != 0;
  return mask;
}

struct Form {
  bool states = false, masked = false, relu = false;
};

Tensor call(Op op, const Inputs& in, RecurrentParams params, bool states) {
  const std::size_t weights = op == Op::gru ? 5 : 4;
  if (states) params.h = in[weights];
  if (states && op == Op::lstm) params.c = in[weights + 1];
  if (op == Op::lstm) return lstm(in[0], in[1], in[2], in[3], params);
  if (op == Op::gru) return gru(in[0], in[1], in[2], in[3], in[4], params);
  return rnn(in[0], in[1], in[2], in[3], params);
}

OpExample example(Rng& rng, Op op, const Form& form) {
  const std::int64_t sizes[] = {1, 3, 5, 8, 17}, gates = op == Op::lstm ? 4 : op == Op::gru ? 3 : 1;
  const std::int64_t n = any(rng, 1, 4), steps = any(rng, 1, 5), in = any(rng, 1, 6);
  const std::int64_t units = sizes[rng.below(op == Op::rnn ? 5 : 4)];
  Inputs inputs{draw(rng, {n, steps, in}), draw(rng, {gates * units, in}), draw(rng, {gates * units, units}),
                draw(rng, {gates * units})};
  if (op == Op::gru) inputs.push_back(draw(rng, {units}));
  if (form.states) inputs.push_back(draw(rng, {n, units}));
  if (form.states && op == Op::lstm) inputs.push_back(draw(rng, {n, units}));
  RecurrentParams params{.reverse = coin(rng), .sequence = coin(rng)};
  params.cell_row = op == Op::lstm && coin(rng);
  params.relu = form.relu;
  if (form.masked) params.mask = draw_mask(rng, {n, steps});
  const bool states = form.states;
  return {inputs, [=](const Inputs& given) { return call(op, given, params, states); },
          n * steps * gates * units, 4.0};
}

}  // namespace

void add_recurrent(std::vector<OpCase>& cases) {
  for (const Op op : {Op::rnn, Op::gru, Op::lstm})
    for (const bool states : {false, true})
      for (const bool masked : {false, true}) {
        const std::string text =
            std::string(name(op)) + (states ? ", states" : "") + (masked ? ", mask" : "");
        cases.push_back(
            {op, text, [=](Rng& rng) { return example(rng, op, {.states = states, .masked = masked}); }});
      }
  cases.push_back({Op::rnn, "rnn, relu", [](Rng& rng) {
                     return example(rng, Op::rnn, {.states = coin(rng), .masked = coin(rng), .relu = true});
                   }});
}

}  // namespace linnet::test
