// SPDX-License-Identifier: Apache-2.0
// The update formulas on V, for the namespace that includes this: it has m:: and tiny_to_zero() for V.

// No madd here: the bits are equal on every set, also without fused multiply-add.

/// g += decay w;  v = momentum v + share g;  w -= lr (nesterov ? g + momentum v : v), or lr g without
/// momentum.
template <class V>
struct SgdRow {
  V lr, momentum, share, decay;
  bool nesterov;

  template <class Factors>
  [[gnu::always_inline]] explicit SgdRow(const Factors& f)
      : lr(f.lr),
        momentum(f.momentum),
        share(f.gradient_share),
        decay(f.weight_decay),
        nesterov(f.nesterov) {}

  [[gnu::always_inline]] V plain(V w, V g) const { return w - lr * (g + decay * w); }
  [[gnu::always_inline]] V with_momentum(V w, V g, V& v) const {
    g = g + decay * w;
    v = tiny_to_zero(momentum * v + share * g);
    return w - lr * (nesterov ? g + momentum * v : v);
  }
};

/// m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2;  w -= step m / (sqrt(scale2 v) + eps).
template <class V>
struct AdamRow {
  V beta1, rest1, beta2, rest2, step, scale2, eps, coupled, kept;

  template <class Factors>
  [[gnu::always_inline]] explicit AdamRow(const Factors& f)
      : beta1(f.beta1),
        rest1(f.rest1),
        beta2(f.beta2),
        rest2(f.rest2),
        step(f.step),
        scale2(f.scale2),
        eps(f.eps),
        coupled(f.coupled),
        kept(f.kept) {}

  [[gnu::always_inline]] V update(V w, V g, V& m, V& v) const {
    g = g + coupled * w;
    m = tiny_to_zero(beta1 * m + rest1 * g);
    v = tiny_to_zero(beta2 * v + rest2 * (g * g));
    return kept * w - step * m / (m::sqrt(scale2 * v) + eps);
  }
};
