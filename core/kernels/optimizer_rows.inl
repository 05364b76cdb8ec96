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

  [[gnu::always_inline]] V step_by(V w, V m, V v) const {
    return kept * w - step * m / (m::sqrt(scale2 * v) + eps);
  }
  [[gnu::always_inline]] V update(V w, V g, V& m, V& v) const {
    g = g + coupled * w;
    m = tiny_to_zero(beta1 * m + rest1 * g);
    v = tiny_to_zero(beta2 * v + rest2 * (g * g));
    return step_by(w, m, v);
  }
  [[gnu::always_inline]] V update(V w, V g, V& m, V& v, V& v_max) const {
    update(w, g, m, v);
    v_max = m::max(v_max, v);
    return step_by(w, m, v_max);
  }
};

/// m and v as above;  w -= (moment_step m + gradient_step g) / (sqrt(scale2 v) + eps).
template <class V>
struct NAdamRow {
  V beta1, rest1, beta2, rest2, moment_step, gradient_step, scale2, eps, decay;

  template <class Factors>
  [[gnu::always_inline]] explicit NAdamRow(const Factors& f)
      : beta1(f.beta1),
        rest1(f.rest1),
        beta2(f.beta2),
        rest2(f.rest2),
        moment_step(f.moment_step),
        gradient_step(f.gradient_step),
        scale2(f.scale2),
        eps(f.eps),
        decay(f.weight_decay) {}

  [[gnu::always_inline]] V update(V w, V g, V& m, V& v) const {
    g = g + decay * w;
    m = tiny_to_zero(beta1 * m + rest1 * g);
    v = tiny_to_zero(beta2 * v + rest2 * (g * g));
    return w - (moment_step * m + gradient_step * g) / (m::sqrt(scale2 * v) + eps);
  }
};

/// square = alpha square + rest g^2;  mean = alpha mean + rest g;
/// velocity = momentum velocity + g / (sqrt(max(square - mean^2, 0)) + eps);  w -= lr velocity.
template <class V, bool centered, bool with_momentum>
struct RmspropRow {
  V lr, alpha, rest, eps, decay, momentum;

  template <class Factors>
  [[gnu::always_inline]] explicit RmspropRow(const Factors& f)
      : lr(f.lr), alpha(f.alpha), rest(f.rest), eps(f.eps), decay(f.weight_decay), momentum(f.momentum) {}

  [[gnu::always_inline]] V update(V w, V g, V& square, V& mean, V& velocity) const {
    g = g + decay * w;
    square = tiny_to_zero(alpha * square + rest * (g * g));
    V spread = square;
    if constexpr (centered) {
      mean = tiny_to_zero(alpha * mean + rest * g);
      spread = m::max(square - mean * mean, V(0));
    }
    V step = g / (m::sqrt(spread) + eps);
    if constexpr (with_momentum) step = velocity = tiny_to_zero(momentum * velocity + step);
    return w - lr * step;
  }
};

/// sum += g^2;  w -= rate g / (sqrt(sum) + eps).
template <class V>
struct AdagradRow {
  V rate, eps, decay;

  template <class Factors>
  [[gnu::always_inline]] explicit AdagradRow(const Factors& f)
      : rate(f.rate), eps(f.eps), decay(f.weight_decay) {}

  [[gnu::always_inline]] V update(V w, V g, V& sum) const {
    g = g + decay * w;
    sum = sum + g * g;
    return w - rate * g / (m::sqrt(sum) + eps);
  }
};

/// w = kept w - lr sign(beta1 m + rest1 g);  m = beta2 m + rest2 g.
template <class V>
struct LionRow {
  V lr, beta1, rest1, beta2, rest2, kept;

  template <class Factors>
  [[gnu::always_inline]] explicit LionRow(const Factors& f)
      : lr(f.lr), beta1(f.beta1), rest1(f.rest1), beta2(f.beta2), rest2(f.rest2), kept(f.kept) {}

  [[gnu::always_inline]] V update(V w, V g, V& m) const {
    const V direction = m::sign(beta1 * m + rest1 * g);
    m = tiny_to_zero(beta2 * m + rest2 * g);
    return kept * w - lr * direction;
  }
};
