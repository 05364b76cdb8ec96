// SPDX-License-Identifier: Apache-2.0
#include "linnet/compress/calibrate_impl.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "linnet/autograd/autograd.h"
#include "linnet/autograd/ops.h"
#include "linnet/core/error.h"
#include "linnet/core/random.h"

namespace linnet::compress {

std::vector<std::int64_t> draw_samples(const data::Dataset& dataset, std::int64_t count, std::uint64_t seed,
                                       std::int64_t skip) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(dataset.size()));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  Rng(seed, 0).shuffle(order.data(), dataset.size());
  const std::int64_t begin = std::min(skip, dataset.size()), end = std::min(begin + count, dataset.size());
  std::vector<std::int64_t> drawn(order.begin() + begin, order.begin() + end);
  std::sort(drawn.begin(), drawn.end());
  return drawn;
}

Tensor as_input(const graph::GraphModule& model, const Tensor& x) {
  const std::vector<int> inputs = model.graph().of_kind(graph::Kind::input);
  check<ValueError>(inputs.size() == 1, "quantize: the model has ", inputs.size(),
                    " inputs. Only models of one can be calibrated.");
  const graph::Value& input = model.graph().values()[static_cast<std::size_t>(inputs[0])];
  return x.to(input.dtype).view(graph::at_batch(input.sizes, x.dim(0)));
}

std::map<int, Histogram> observe(graph::GraphModule& model, std::span<const int> values,
                                 const data::Dataset& dataset) {
  const NoGrad no_grad;
  std::map<int, Histogram> seen;
  const State state = model.state();
  for (int value : values) {  // those that are not computed
    const graph::Value& place = model.graph().values()[static_cast<std::size_t>(value)];
    Histogram& histogram = seen[value];
    if (place.kind == graph::Kind::constant) histogram.add(place.contents.data<float>());
    if (place.kind == graph::Kind::parameter || place.kind == graph::Kind::buffer)
      histogram.add(state[place.name].tensor().data<float>());
  }
  const auto watch = [&](int value, Tensor& contents) {
    if (const auto found = seen.find(value); found != seen.end()) found->second.add(contents.data<float>());
  };
  data::over_batches(dataset, [&](const data::Batch& batch) {
    const Tensor x = as_input(model, batch.x);
    model.forward(std::span(&x, 1), watch);
  });
  return seen;
}

Tensor outputs_of(graph::GraphModule& model, const data::Dataset& dataset) {
  const NoGrad no_grad;
  std::vector<Tensor> parts;
  data::over_batches(dataset,
                     [&](const data::Batch& batch) { parts.push_back(model(as_input(model, batch.x))); });
  return parts.size() == 1 ? parts[0] : concat(parts, 0);
}

double Distance::decibel() const {
  return noise > 0.0 ? 10.0 * std::log10(signal / noise) : std::numeric_limits<double>::infinity();
}

Distance distance(const Tensor& a, const Tensor& b) {
  const auto from = a.data<float>(), to = b.data<float>();
  Distance all;
  for (std::size_t i = 0; i < from.size(); ++i) {
    const double f = from[i], d = f - static_cast<double>(to[i]);
    all.signal += f * f;
    all.noise += d * d;
  }
  return all;
}

}  // namespace linnet::compress
