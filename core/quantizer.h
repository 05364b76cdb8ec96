// SPDX-License-Identifier: Apache-2.0
#pragma once
// The staircase between real numbers and integers of a few bits: real = scale (q - zero), low <= q <= high.
// One definition for training (fake_quant) and for the integers of an exported model. The choice of scale and
// zero is that of TFLite's 8-bit specification.

namespace linnet {

struct Quantizer {
  float scale = 1.0f;
  int zero = 0, low = -128, high = 127;

  friend bool operator==(const Quantizer&, const Quantizer&) = default;
};

/// Of weights whose largest absolute value is `largest`: zero 0, -127 .. 127 for 8 bits. Never a scale below
/// 1e-30: all weights 0 give all integers 0.
Quantizer symmetric_quantizer(double largest, int bits);
/// Of activations from low to high, stretched to hold 0, which becomes an integer exactly.
Quantizer range_quantizer(double low, double high, int bits);

}  // namespace linnet
