// SPDX-License-Identifier: Apache-2.0
// The elementwise losses on V, for the namespace that includes this: it has m:: for V.

struct MseRow {
  template <class V>
  [[gnu::always_inline]] static V value(V a, V b) {
    return (a - b) * (a - b);
  }
  template <int kSide, class V>
  [[gnu::always_inline]] static V slope(V a, V b) {
    const V d = kSide == 0 ? a - b : b - a;
    return d + d;
  }
};

struct MaeRow {
  template <class V>
  [[gnu::always_inline]] static V value(V a, V b) {
    return m::abs(a - b);
  }
  template <int kSide, class V>
  [[gnu::always_inline]] static V slope(V a, V b) {
    return m::sign(kSide == 0 ? a - b : b - a);
  }
};

struct BceRow {
  template <class V>
  [[gnu::always_inline]] static V value(V z, V t) {
    return (m::relu(z) - z * t) + m::log1p(m::exp(-m::abs(z)));
  }
  template <int kSide, class V>
  [[gnu::always_inline]] static V slope(V z, V t) {
    return kSide == 0 ? m::sigmoid(z) - t : -z;
  }
};
