// SPDX-License-Identifier: Apache-2.0
#pragma once
// The numbers of integer ops, made once when a model is exported: factors, biases in steps of the sum,
// tables. runtime/reference.h says what the board does with them. Private to deploy.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "linnet/core/quantizer.h"
#include "linnet/core/tensor.h"
#include "linnet/runtime/reference.h"

namespace linnet::deploy {

/// The nearest multiplier: factor = value 2^(shift - 31) with 2^30 <= value < 2^31. 0 below 2^-32; the
/// largest from 2^30, where a sum of 1 is out of every range.
lnt_multiplier multiplier(double factor);

/// real = scale q, a row of q for each output.
struct IntegerWeights {
  Tensor q;                   ///< i8, -127..127
  std::vector<float> scales;  ///< one, or one a row

  std::int64_t rows() const { return q.dim(0); }
  std::int64_t terms() const { return q.size() / q.dim(0); }
  double scale(std::int64_t row) const {
    return static_cast<double>(scales[scales.size() > 1 ? static_cast<std::size_t>(row) : 0]);
  }
};

/// The integers of weights that are rounded already: values = scale q.
IntegerWeights integer_weights(const Tensor& values, std::vector<float> scales);

/// What LNT_I8_DENSE and LNT_I8_CONV2D read beside x.
struct IntegerProduct {
  IntegerWeights weights;
  std::vector<lnt_multiplier> factors;  ///< s_x s_w / s_y, one a row
  std::vector<std::int32_t> sums;       ///< bias - zero of x times the sum of the row
};

/// `bias` may be undefined. A row whose bias has 2^30 steps of s_x s_w or more gets a larger s_w.
/// GraphError, naming `who`, when a sum might leave 32 bits.
IntegerProduct integer_product(IntegerWeights weights, const Tensor& bias, const Quantizer& x,
                               const Quantizer& y, const std::string& who);

/// table[q + 128] for a function of one number: f in double precision, rounded as fake_quant does.
Tensor lookup_table(const Quantizer& x, const Quantizer& y, const std::function<Tensor(const Tensor&)>& f);
/// 2^23 e^(-k scale), k = 0 .. 255.
Tensor softmax_table(float scale);
/// 513 entries f((k - 256) / 16) 2^15, of sigmoid and tanh.
Tensor gate_table(double (*f)(double));
double sigmoid_of(double x);
/// In steps of 2^-11, within 16 bits.
Tensor gate_biases(const Tensor& bias);
/// Bits before the point of an LSTM's cell after so many steps, each of which adds less than 1: 0 .. 4.
int cell_bits(std::int64_t steps);

}  // namespace linnet::deploy
