// SPDX-License-Identifier: Apache-2.0
// fake_quant: y = scale clamp(round(x / scale), ...),   dx = dy inside the range, else 0 (straight through:
// Bengio et al., "Estimating or propagating gradients through stochastic neurons", 2013).
#include "linnet/core/kernels/fake_quant.h"

#include <cmath>

#include "linnet/autograd/ops/common.h"
#include "linnet/core/pool_vector.h"
#include "linnet/core/tensor_impl.h"

namespace linnet {
namespace {

using kernels::Extent;
using Quantizers = PoolVector<Quantizer>;

void check_bits(int bits) {
  check<ValueError>(bits >= 2 && bits <= 8, "fake_quant: bits must be in 2..8, got ", bits, ".");
}

template <class Attributes>
Tensor staircase(const Tensor& x, Quantizers by, const Inputs& inputs, Attributes attributes) {
  Tensor y = kernels::fake_quant(x, by);
  return record(Op::fake_quant, y, inputs, attributes,
                [x = saved(x, needed_by(x)), by = std::move(by)](const Tensor& dy, Grads& grad) {
                  if (!grad.wanted(0)) return;
                  grad.add(0, kernels::fake_quant_grad(*x, owned(dy) ? dy : dy.clone(), by));
                });
}

double read(const Tensor& t, std::int64_t i) {
  return t.dtype() == f32 ? static_cast<double>(readable<float>(t)[i]) : readable<double>(t)[i];
}
void write(Tensor& t, std::int64_t i, double value) {
  if (t.dtype() == f32)
    writable<float>(t)[i] = static_cast<float>(value);
  else
    writable<double>(t)[i] = value;
}

void check_range(const Tensor& x, const Tensor& range, bool symmetric) {
  check_float("fake_quant", "x", x);
  check_float("fake_quant", "range", range);
  check_same_dtype("fake_quant", "x", x, "range", range);
  const std::int64_t channels = x.rank() > 0 ? x.dim(0) : 1;
  check<ShapeError>(
      range.rank() == 1 && (symmetric ? range.dim(0) == 1 || range.dim(0) == channels : range.dim(0) == 2),
      "fake_quant: range must have shape ", symmetric ? concat({"[1] or [", channels, "]"}) : "[2]", ", got ",
      range.shape(), ".");
}

/// Moves the range towards what x holds now; a range that has seen nothing takes it over.
void observe(const Tensor& x, Tensor& range, const FakeQuantParams& params) {
  const std::int64_t n = range.size();
  PoolVector<Extent> now(static_cast<std::size_t>(params.symmetric ? n : 1));
  kernels::extents(x, now);
  bool fresh = true;
  for (std::int64_t i = 0; i < n; ++i) fresh = fresh && read(range, i) == 0.0;
  const double m = fresh ? 1.0 : params.momentum;
  for (std::int64_t i = 0; i < n; ++i) {
    const Extent& seen = now[static_cast<std::size_t>(params.symmetric ? i : 0)];
    const double value = params.symmetric ? std::max(-seen.low, seen.high) : i == 0 ? seen.low : seen.high;
    write(range, i, (1.0 - m) * read(range, i) + m * value);
  }
  range.impl()->storage->bump_version();
}

Quantizers quantizers(const Tensor& range, const FakeQuantParams& params) {
  Quantizers all;
  if (!params.symmetric) {
    all.push_back(range_quantizer(read(range, 0), read(range, 1), params.bits));
    return all;
  }
  for (std::int64_t i = 0; i < range.size(); ++i)
    all.push_back(symmetric_quantizer(read(range, i), params.bits));
  return all;
}

}  // namespace

Tensor fake_quant(const Tensor& x, Tensor& range, const FakeQuantParams& params, bool training) {
  check_range(x, range, params.symmetric);
  check_bits(params.bits);
  check<ValueError>(params.momentum > 0.0 && params.momentum <= 1.0,
                    "fake_quant: momentum must be in (0, 1], got ", params.momentum, ".");
  if (training && !params.frozen) observe(x, range, params);
  return staircase(x, quantizers(range, params), {x, range}, [&] {
    return State{{"bits", params.bits},
                 {"symmetric", params.symmetric ? 1 : 0},
                 {"momentum", params.momentum},
                 {"frozen", params.frozen ? 1 : 0}};
  });
}

Tensor fake_quant_dynamic(const Tensor& x, int bits) {
  check_float("fake_quant", "x", x);
  check_bits(bits);
  check<ShapeError>(x.rank() >= 1 && x.dim(0) >= 1, "fake_quant: x must have a sample, got shape ", x.shape(),
                    ".");
  PoolVector<Extent> samples(static_cast<std::size_t>(x.dim(0)));
  kernels::extents(x, samples);
  Quantizers by;
  for (const Extent& sample : samples) by.push_back(range_quantizer(sample.low, sample.high, bits));
  return staircase(x, std::move(by), {x}, [&] { return State{{"bits", bits}}; });
}

}  // namespace linnet
