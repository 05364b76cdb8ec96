// SPDX-License-Identifier: Apache-2.0
// Kinds of steps: convolutions, pooling, products, embedding, recurrent layers.
#include "random_graph_kinds.h"

namespace linnet::test {
namespace {

Pair pair_at(const GraphStep& s, std::size_t at) { return Pair(s.numbers[at], s.numbers[at + 1]); }
Padding pads_at(const GraphStep& s, std::size_t at) {
  return Padding(s.numbers[at], s.numbers[at + 1], s.numbers[at + 2], s.numbers[at + 3]);
}
// ---- products and windows --------------------------------------------------------------------------------

void draw_window(Draw& draw, const Shape& x, std::int64_t kh, std::int64_t kw, bool dilated, GraphStep& s) {
  const std::int64_t dh = dilated ? draw.any(1, 2) : 1, dw = dilated ? draw.any(1, 2) : 1;
  const std::int64_t rh = (kh - 1) * dh + 1, rw = (kw - 1) * dw + 1;
  std::int64_t pads[4];
  for (int i = 0; i < 4; ++i) pads[i] = draw.any(0, (i < 2 ? rh : rw) - 1);
  if (x[1] + pads[0] + pads[1] < rh) pads[0] = pads[1] = rh - 1;
  if (x[2] + pads[2] + pads[3] < rw) pads[2] = pads[3] = rw - 1;
  s.numbers = {draw.any(1, 2), draw.any(1, 2), dh, dw, pads[0], pads[1], pads[2], pads[3]};
}

void draw_convolution(Draw& draw, const Shape& x, GraphStep& s, std::int64_t groups, std::int64_t outs) {
  const std::int64_t kh = draw.any(1, 3), kw = draw.any(1, 3);
  draw_window(draw, x, kh, kw, true, s);
  s.numbers.push_back(groups);
  s.weights = {draw.weight({outs, kh, kw, x[3] / groups})};
  if (draw.coin()) s.weights.push_back(draw.weight({outs}));
}

Tensor call_conv2d(const GraphStep& s, const Arguments& in) {
  return conv2d(
      in[0], s.weights[0], optional(s, 1),
      {.stride = pair_at(s, 0), .dilation = pair_at(s, 2), .padding = pads_at(s, 4), .groups = s.numbers[8]});
}

void add_convolutions(std::vector<Kind>& kinds) {
  kinds.push_back({"conv2d", 4, 1,
                   [](Draw& draw, const Arguments& in, GraphStep& s) {
                     draw_convolution(draw, in[0].shape(), s, 1, draw.any(1, 37));
                   },
                   call_conv2d});
  kinds.push_back({"conv2d 1x1", 4, 1,
                   [](Draw& draw, const Arguments& in, GraphStep& s) {
                     s.numbers = {1, 1, 1, 1, 0, 0, 0, 0, 1};
                     s.weights = {draw.weight({draw.any(1, 40), 1, 1, in[0].dim(3)})};
                   },
                   call_conv2d});
  kinds.push_back({"conv2d depthwise", 4, 1,
                   [](Draw& draw, const Arguments& in, GraphStep& s) {
                     draw_convolution(draw, in[0].shape(), s, in[0].dim(3), in[0].dim(3) * draw.any(1, 2));
                   },
                   call_conv2d});
  kinds.push_back({"conv2d in groups", 4, 1,
                   [](Draw& draw, const Arguments& in, GraphStep& s) {
                     const std::int64_t c = in[0].dim(3), groups = c % 2 == 0 ? 2 : c % 3 == 0 ? 3 : 1;
                     draw_convolution(draw, in[0].shape(), s, groups,
                                      groups * (draw.coin() ? 16 : draw.any(1, 5)));
                   },
                   call_conv2d});
  kinds.push_back({"conv_transpose2d", 4, 1,
                   [](Draw& draw, const Arguments& in, GraphStep& s) {
                     const std::int64_t c = in[0].dim(3), groups = draw.coin() && c % 2 == 0 ? 2 : 1;
                     const std::int64_t outs = groups * draw.any(1, 4), kh = draw.any(1, 3),
                                        kw = draw.any(1, 3);
                     const std::int64_t stride = draw.any(1, 2);
                     s.numbers = {stride, stride, draw.any(1, 2), 1,     draw.coin() && kh > 1 ? 1 : 0, 0,
                                  0,      0,      stride - 1,     groups};
                     s.weights = {draw.weight({outs, kh, kw, c / groups})};
                     if (draw.coin()) s.weights.push_back(draw.weight({outs}));
                   },
                   [](const GraphStep& s, const Arguments& in) {
                     return conv_transpose2d(in[0], s.weights[0], optional(s, 1),
                                             {.stride = pair_at(s, 0),
                                              .dilation = pair_at(s, 2),
                                              .padding = pads_at(s, 4),
                                              .output_padding = Pair(s.numbers[8], 0),
                                              .groups = s.numbers[9]});
                   }});
  for (const bool max : {true, false})
    kinds.push_back({max ? "max_pool2d" : "avg_pool2d", 4, 1,
                     [](Draw& draw, const Arguments& in, GraphStep& s) {
                       const std::int64_t kh = draw.any(1, 3), kw = draw.any(1, 3);
                       draw_window(draw, in[0].shape(), kh, kw, false, s);
                       s.numbers.insert(s.numbers.end(), {kh, kw});
                     },
                     [max](const GraphStep& s, const Arguments& in) {
                       const Pool2DParams params{
                           .kernel = pair_at(s, 8), .stride = pair_at(s, 0), .padding = pads_at(s, 4)};
                       return max ? max_pool2d(in[0], params) : avg_pool2d(in[0], params);
                     }});
  kinds.push_back({"upsample2d", 4, 1,
                   [](Draw& draw, const Arguments&, GraphStep& s) {
                     s.numbers = {draw.any(1, 8), draw.any(1, 8), draw.any(0, 1)};
                   },
                   [](const GraphStep& s, const Arguments& in) {
                     return upsample2d(in[0], pair_at(s, 0),
                                       s.numbers[2] ? Interpolation::bilinear : Interpolation::nearest);
                   }});
}

void add_products(std::vector<Kind>& kinds) {
  kinds.push_back(
      {"dense", 0, 1,
       [](Draw& draw, const Arguments& in, GraphStep& s) {
         const std::int64_t outs = draw.any(1, 40);
         s.weights = {draw.weight({outs, in[0].shape().back()})};
         if (draw.coin()) s.weights.push_back(draw.weight({outs}));
       },
       [](const GraphStep& s, const Arguments& in) { return dense(in[0], s.weights[0], optional(s, 1)); }});
  kinds.push_back({"matmul", 2, 1,
                   [](Draw& draw, const Arguments& in, GraphStep& s) {
                     s.weights = {draw.weight({in[0].dim(1), draw.any(1, 40)}, 0.5)};
                   },
                   [](const GraphStep& s, const Arguments& in) { return matmul(in[0], s.weights[0]); }});
  kinds.push_back({"embedding", 0, 1,
                   [](Draw& draw, const Arguments&, GraphStep& s) {
                     s.weights = {draw.weight({7, 3}), random_labels({3}, 5, 7)};
                   },
                   [](const GraphStep& s, const Arguments& in) {
                     const Tensor rows = embedding(s.weights[1], s.weights[0]);  // of the graph's own indices
                     return in[0] * mean(rows);
                   }});
}

// ---- recurrent -------------------------------------------------------------------------------------------

void draw_recurrent(Draw& draw, const Arguments& in, GraphStep& s, std::int64_t gates) {
  const std::int64_t units = draw.any(1, 9), c = in[0].dim(2);
  s.numbers = {draw.any(0, 1), draw.any(0, 1), draw.any(0, 1), units};
  s.weights = {draw.weight({gates * units, c}), draw.weight({gates * units, units}),
               draw.weight({gates * units}), draw.weight({units})};
}

RecurrentParams params_of(const GraphStep& s, const Tensor& x, bool cell) {
  RecurrentParams params{.reverse = s.numbers[0] != 0, .sequence = s.numbers[1] != 0};
  if (s.numbers[2] == 0) return params;  // else with a state and a mask that come from x
  params.h = dense(mean(x, 1), Tensor::full({s.numbers[3], x.dim(2)}, 0.1));
  if (cell) params.c = params.h * 0.5;
  params.mask = relu(mean(x, -1));
  return params;
}

void add_recurrent(std::vector<Kind>& kinds) {
  kinds.push_back({"rnn", 3, 1,
                   [](Draw& d, const Arguments& in, GraphStep& s) { draw_recurrent(d, in, s, 1); },
                   [](const GraphStep& s, const Arguments& in) {
                     RecurrentParams params = params_of(s, in[0], false);
                     params.relu = s.numbers[3] % 2 == 0;
                     return rnn(in[0], s.weights[0], s.weights[1], s.weights[2], params);
                   }});
  kinds.push_back({"gru", 3, 1,
                   [](Draw& d, const Arguments& in, GraphStep& s) { draw_recurrent(d, in, s, 3); },
                   [](const GraphStep& s, const Arguments& in) {
                     return gru(in[0], s.weights[0], s.weights[1], s.weights[2], s.weights[3],
                                params_of(s, in[0], false));
                   }});
  kinds.push_back({"lstm", 3, 1,
                   [](Draw& d, const Arguments& in, GraphStep& s) { draw_recurrent(d, in, s, 4); },
                   [](const GraphStep& s, const Arguments& in) {
                     RecurrentParams params = params_of(s, in[0], true);
                     params.cell_row = s.numbers[3] % 3 == 0;
                     return lstm(in[0], s.weights[0], s.weights[1], s.weights[2], params);
                   }});
}

}  // namespace

void add_layer_kinds(std::vector<Kind>& kinds) {
  add_convolutions(kinds);
  add_products(kinds);
  add_recurrent(kinds);
}

}  // namespace linnet::test
