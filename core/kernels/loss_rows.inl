// SPDX-License-Identifier: Apache-2.0
// The elementwise losses on V, for the namespace that includes this: it has m:: for V. A row has the term of
// (a, b) with its parameter p, and the derivative with respect to a (side 0) or b (side 1).

#define LINNET_ROW   \
  template <class V> \
  [[gnu::always_inline]] static inline V
#define LINNET_SLOPE            \
  template <int kSide, class V> \
  [[gnu::always_inline]] static inline V

/// log(1 + e^z).
LINNET_ROW softplus(V z) { return m::relu(z) + m::log1p(m::exp(-m::abs(z))); }

struct MseRow {
  LINNET_ROW value(V a, V b, V) { return (a - b) * (a - b); }
  LINNET_SLOPE slope(V a, V b, V) {
    const V d = kSide == 0 ? a - b : b - a;
    return d + d;
  }
};

struct MaeRow {
  LINNET_ROW value(V a, V b, V) { return m::abs(a - b); }
  LINNET_SLOPE slope(V a, V b, V) { return m::sign(kSide == 0 ? a - b : b - a); }
};

struct BceRow {
  LINNET_ROW value(V z, V t, V) { return (m::relu(z) - z * t) + m::log1p(m::exp(-m::abs(z))); }
  LINNET_SLOPE slope(V z, V t, V) { return kSide == 0 ? m::sigmoid(z) - t : -z; }
};

/// d^2 / 2 for d = |a - b| <= p, else p (d - p / 2).
struct HuberRow {
  LINNET_ROW value(V a, V b, V p) {
    const V d = m::abs(a - b), near = m::min(d, p);
    return near * (d - V(0.5) * near);
  }
  LINNET_SLOPE slope(V a, V b, V p) { return m::min(m::max(kSide == 0 ? a - b : b - a, -p), p); }
};

/// max(0, 1 - s a) with s = 1 for b > 0, else -1.
struct HingeRow {
  LINNET_ROW value(V a, V b, V) { return m::relu(V(1) - m::where(b > V(0), a, -a)); }
  LINNET_SLOPE slope(V a, V b, V) {
    if constexpr (kSide == 1) return V(0);
    const V s = m::where(b > V(0), V(1), V(-1));
    return m::where(s * a < V(1), -s, V(0));
  }
};

/// t f(z) + (1 - t) f(-z),  f(z) = (1 - sigmoid(z))^p log(1 + e^-z),
/// f'(z) = -(1 - s)^p (p s log(1 + e^-z) + 1 - s),  s = sigmoid(z).
struct FocalRow {
  LINNET_ROW positive(V z, V p) { return m::pow(m::sigmoid(-z), p) * softplus(-z); }
  LINNET_ROW positive_slope(V z, V p) {
    const V rest = m::sigmoid(-z);
    return -m::pow(rest, p) * (p * m::sigmoid(z) * softplus(-z) + rest);
  }
  LINNET_ROW value(V z, V t, V p) { return t * positive(z, p) + (V(1) - t) * positive(-z, p); }
  LINNET_SLOPE slope(V z, V t, V p) {
    if constexpr (kSide == 1) return positive(z, p) - positive(-z, p);
    return t * positive_slope(z, p) - (V(1) - t) * positive_slope(-z, p);
  }
};

/// t (log t - a), 0 where t is 0.
struct KlRow {
  LINNET_ROW value(V a, V t, V) { return m::where(t == V(0), V(0), t * (m::log(t) - a)); }
  LINNET_SLOPE slope(V a, V t, V) {
    return kSide == 0 ? -t : m::where(t == V(0), V(0), (m::log(t) - a) + V(1));
  }
};

/// Nothing where the weight is 0.
LINNET_ROW weighted(V w, V term) { return m::where(w == V(0), V(0), w * term); }

#undef LINNET_ROW
#undef LINNET_SLOPE

/// loop(Row) for every row, in the order of the enum Loss.
#define LINNET_LOSS_ROWS(loop) \
  loop(MseRow), loop(MaeRow), loop(BceRow), loop(HuberRow), loop(HingeRow), loop(FocalRow), loop(KlRow)
