// SPDX-License-Identifier: Apache-2.0
// The steps of recurrent_table.h on V, a number of type T or a vector of them, for the namespace that
// includes this: it has m::, madd() and for_vectors().

template <class T, class V>
struct RecurrentSteps {
  using Size = std::ptrdiff_t;

  static V slope_of_sigmoid(V y) { return y * (V(1) - y); }
  static V slope_of_tanh(V y) { return V(1) - y * y; }

  static void copy_row(const T* from, T* to, Size n) {
    for_vectors(n, [=](Size j, auto at) LINNET_INLINE_LAMBDA { at.store(at.load(from + j), to + j); });
  }
  static void clear_row(T* to, Size n) {
    for_vectors(n, [=](Size j, auto at) LINNET_INLINE_LAMBDA { at.store(V(0), to + j); });
  }

  // ---- forward ----------------------------------------------------------------------------------------

  /// True for a masked row n, whose state has gone on as it was.
  static bool carried(const RecurrentStep<T>& s, Size n) {
    if (!s.mask || s.mask[n]) return false;
    const Size place = n * s.units;
    copy_row(s.h_before + place, s.h + place, s.units);
    if (s.c_before) copy_row(s.c_before + place, s.c + place, s.units);
    if (s.y) copy_row(s.h_before + place, s.y + n * s.y_row, s.units);
    return true;
  }

  template <bool kTanh>
  static void rnn(const RecurrentStep<T>& s) {
    for (Size n = 0; n < s.rows; ++n) {
      if (carried(s, n)) continue;
      const T *u = s.gates + n * s.units, *p = s.product + n * s.product_row, *b = s.bias;
      T *h = s.h + n * s.units, *y = s.y ? s.y + n * s.y_row : nullptr;
      for_vectors(s.units, [=](Size j, auto at) LINNET_INLINE_LAMBDA {
        const V sum = (at.load(u + j) + at.load(p + j)) + at.load(b + j);
        const V value = kTanh ? m::tanh(sum) : m::relu(sum);
        at.store(value, h + j);
        if (y) at.store(value, y + j);
      });
    }
  }

  static void gru(const RecurrentStep<T>& s) {
    const Size H = s.units;
    for (Size n = 0; n < s.rows; ++n) {
      if (carried(s, n)) continue;
      T* u = s.gates + n * 3 * H;
      const T *p = s.product + n * s.product_row, *b = s.bias, *b_h = s.bias_h, *before = s.h_before + n * H;
      T *h = s.h + n * H, *inner = s.c + n * H, *y = s.y ? s.y + n * s.y_row : nullptr;
      for_vectors(H, [=](Size j, auto at) LINNET_INLINE_LAMBDA {
        const auto sum = [=](Size k) LINNET_INLINE_LAMBDA {
          return (at.load(u + k) + at.load(p + k)) + at.load(b + k);
        };
        const V r = m::sigmoid(sum(j)), z = m::sigmoid(sum(H + j));
        const V a = at.load(p + 2 * H + j) + at.load(b_h + j);
        const V candidate = m::tanh(madd(r, a, at.load(u + 2 * H + j) + at.load(b + 2 * H + j)));
        const V value = madd(z, at.load(before + j) - candidate, candidate);
        at.store(r, u + j);
        at.store(z, u + H + j);
        at.store(candidate, u + 2 * H + j);
        at.store(a, inner + j);
        at.store(value, h + j);
        if (y) at.store(value, y + j);
      });
    }
  }

  static void lstm(const RecurrentStep<T>& s) {
    const Size H = s.units;
    for (Size n = 0; n < s.rows; ++n) {
      if (carried(s, n)) continue;
      T* u = s.gates + n * 4 * H;
      const T *p = s.product + n * s.product_row, *b = s.bias, *before = s.c_before + n * H;
      T *h = s.h + n * H, *c = s.c + n * H, *y = s.y ? s.y + n * s.y_row : nullptr;
      for_vectors(H, [=](Size j, auto at) LINNET_INLINE_LAMBDA {
        const auto sum = [=](Size k) LINNET_INLINE_LAMBDA {
          return (at.load(u + k) + at.load(p + k)) + at.load(b + k);
        };
        const V i = m::sigmoid(sum(j)), f = m::sigmoid(sum(H + j));
        const V g = m::tanh(sum(2 * H + j)), o = m::sigmoid(sum(3 * H + j));
        const V cell = madd(f, at.load(before + j), i * g);
        const V value = o * m::tanh(cell);
        at.store(i, u + j);
        at.store(f, u + H + j);
        at.store(g, u + 2 * H + j);
        at.store(o, u + 3 * H + j);
        at.store(cell, c + j);
        at.store(value, h + j);
        if (y) at.store(value, y + j);
      });
    }
  }

  // ---- backward ---------------------------------------------------------------------------------------

  /// What arrives at h of row n: kept + product + dy.
  struct Arriving {
    const T *kept, *product, *dy;
    Arriving(const RecurrentGradStep<T>& s, Size n)
        : kept(s.kept + n * s.units),
          product(s.product + n * s.product_row),
          dy(s.dy ? s.dy + n * s.dy_row : nullptr) {}
    template <class At>
    [[gnu::always_inline]] V load(Size j, At at) const {
      const V d = at.load(kept + j) + at.load(product + j);
      return dy ? d + at.load(dy + j) : d;
    }
  };

  /// True for a masked row n, whose gradient has gone past the step.
  static bool passed(const RecurrentGradStep<T>& s, Size n, Size gates) {
    if (!s.mask || s.mask[n]) return false;
    const Arriving dh(s, n);
    T* kept = s.kept + n * s.units;
    for_vectors(s.units, [=](Size j, auto at) LINNET_INLINE_LAMBDA { at.store(dh.load(j, at), kept + j); });
    clear_row(s.gates + n * gates * s.units, gates * s.units);
    if (s.a) clear_row(s.a + n * s.units, s.units);
    if (s.back) clear_row(s.back + n * gates * s.units, gates * s.units);
    return true;
  }

  template <bool kTanh>
  static void rnn_grad(const RecurrentGradStep<T>& s) {
    for (Size n = 0; n < s.rows; ++n) {
      if (passed(s, n, 1)) continue;
      const Arriving dh(s, n);
      const T* h = s.h + n * s.units;
      T *du = s.gates + n * s.units, *kept = s.kept + n * s.units;
      for_vectors(s.units, [=](Size j, auto at) LINNET_INLINE_LAMBDA {
        const V value = at.load(h + j);
        const V slope = kTanh ? slope_of_tanh(value) : m::where(value > V(0), V(1), V(0));
        at.store(dh.load(j, at) * slope, du + j);
        at.store(V(0), kept + j);
      });
    }
  }

  static void gru_grad(const RecurrentGradStep<T>& s) {
    const Size H = s.units;
    for (Size n = 0; n < s.rows; ++n) {
      if (passed(s, n, 3)) continue;
      const Arriving dh(s, n);
      const T* before = s.h_before + n * H;
      T *u = s.gates + n * 3 * H, *back = s.back + n * 3 * H, *inner = s.a + n * H, *kept = s.kept + n * H;
      for_vectors(H, [=](Size j, auto at) LINNET_INLINE_LAMBDA {
        const V r = at.load(u + j), z = at.load(u + H + j), candidate = at.load(u + 2 * H + j);
        const V d = dh.load(j, at);
        const V dn = (d * (V(1) - z)) * slope_of_tanh(candidate);
        const V dz = (d * (at.load(before + j) - candidate)) * slope_of_sigmoid(z);
        const V dr = (dn * at.load(inner + j)) * slope_of_sigmoid(r);
        const V da = dn * r;
        at.store(dr, u + j);
        at.store(dz, u + H + j);
        at.store(dn, u + 2 * H + j);
        at.store(dr, back + j);
        at.store(dz, back + H + j);
        at.store(da, back + 2 * H + j);
        at.store(da, inner + j);
        at.store(d * z, kept + j);
      });
    }
  }

  static void lstm_grad(const RecurrentGradStep<T>& s) {
    const Size H = s.units;
    for (Size n = 0; n < s.rows; ++n) {
      if (passed(s, n, 4)) continue;
      const Arriving dh(s, n);
      const T *before = s.c_before + n * H, *after = s.c_after + n * H;
      T *u = s.gates + n * 4 * H, *dc = s.dc + n * H, *kept = s.kept + n * H;
      for_vectors(H, [=](Size j, auto at) LINNET_INLINE_LAMBDA {
        const V i = at.load(u + j), f = at.load(u + H + j);
        const V g = at.load(u + 2 * H + j), o = at.load(u + 3 * H + j);
        const V d = dh.load(j, at), t = m::tanh(at.load(after + j));
        const V cell = madd(d * o, slope_of_tanh(t), at.load(dc + j));
        at.store((cell * g) * slope_of_sigmoid(i), u + j);
        at.store((cell * at.load(before + j)) * slope_of_sigmoid(f), u + H + j);
        at.store((cell * i) * slope_of_tanh(g), u + 2 * H + j);
        at.store((d * t) * slope_of_sigmoid(o), u + 3 * H + j);
        at.store(cell * f, dc + j);
        at.store(V(0), kept + j);
      });
    }
  }

  static constexpr RecurrentKernels<T> table() {
    return {{rnn<true>, rnn<false>, gru, lstm}, {rnn_grad<true>, rnn_grad<false>, gru_grad, lstm_grad}};
  }
};
