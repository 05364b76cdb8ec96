// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/kernels/recurrent.h"

#include <algorithm>

#include "linnet/core/kernels/gemm.h"
#include "linnet/core/kernels/loop_nest.h"
#include "linnet/core/kernels/matmul_naive.h"
#include "linnet/core/kernels/reduce.h"
#include "linnet/core/kernels/select.h"
#include "linnet/core/tensor_impl.h"

namespace linnet::kernels {
namespace {

LINNET_FLOAT_TABLE(RecurrentKernels, recurrent, naive_recurrent)

/// Sequences are independent; so many go through all their steps together, on one thread.
constexpr Index kGroupRows = 16;

template <class T>
struct View {
  const T* data;
  Index row, column;
};
template <class T>
View<T> turned(const T* data, Index row) {
  return {data, 1, row};
}
template <class T>
View<T> rows_of(const T* data, Index row) {
  return {data, row, 1};
}

void multiply(Index rows, Index columns, Index terms, View<float> a, View<float> b, float* c) {
  gemm(rows, columns, terms, {a.data, a.row, a.column}, {b.data, b.row, b.column}, c);
}
void multiply(Index rows, Index columns, Index terms, View<double> a, View<double> b, double* c) {
  naive::matmul(rows, columns, terms, a.data, a.row, a.column, b.data, b.row, b.column, c);
}

/// The sizes of a call, and where its steps are.
struct RecurrentPlan {
  explicit RecurrentPlan(const RecurrentCall& call)
      : N(call.x.dim(0)),
        T(call.x.dim(1)),
        C(call.x.dim(2)),
        H(call.weight_h.dim(1)),
        G(gate_count(call.cell)),
        y_rows((call.sequence ? T : 1) + (call.cell_row ? 1 : 0)),
        reverse(call.reverse),
        sequence(call.sequence) {}

  Index time(Index step) const { return reverse ? T - 1 - step : step; }
  /// Row of y that holds h of a step, or -1.
  Index y_place(Index step) const { return sequence ? time(step) : step == T - 1 ? 0 : -1; }

  /// body(first, end) for groups of sequences.
  template <class Body>
  void for_groups(Body body) const {
    const Index groups = (N + kGroupRows - 1) / kGroupRows;
    parallel_for(groups, T * N * G * H * H, [&](std::int64_t group) {
      body(group * kGroupRows, std::min<Index>(N, (group + 1) * kGroupRows));
    });
  }

  Index N, T, C, H, G, y_rows;
  bool reverse, sequence;
};

template <class T>
T* at(const Tensor& t, Index place) {
  return t.defined() ? writable<T>(t) + place : nullptr;
}
const std::uint8_t* mask_at(const Tensor& mask, Index place) {
  return mask.defined() ? readable<std::uint8_t>(mask) + place : nullptr;
}

/// [N, T] of any type as 0 and 1, [T, N] in the order of the steps.
Tensor mask_in_steps(const RecurrentPlan& plan, const Tensor& mask) {
  if (!mask.defined()) return {};
  Tensor steps = Tensor::empty({plan.T, plan.N}, u8);
  std::uint8_t* to = writable<std::uint8_t>(steps);
  dispatch(mask.dtype(), [&](auto zero) {
    const auto* from = readable<decltype(zero)>(mask);
    for (Index s = 0; s < plan.T; ++s)
      for (Index n = 0; n < plan.N; ++n) *to++ = from[n * plan.T + plan.time(s)] != zero;
  });
  return steps;
}

/// x [N, T, C] as [T, N, C] in the order of the steps; zeros where masked, whatever the padding holds.
template <class T>
Tensor in_steps(const RecurrentPlan& plan, const Tensor& x, const Tensor& mask) {
  Tensor steps = Tensor::empty({plan.T, plan.N, plan.C}, x.dtype());
  const T* from = readable<T>(x);
  for_row_tiles(plan.T, plan.N * plan.C, 1, [&](Index first, Index end) {
    T* to = at<T>(steps, first * plan.N * plan.C);
    for (Index s = first; s < end; ++s)
      for (Index n = 0; n < plan.N; ++n, to += plan.C) {
        if (mask.defined() && *mask_at(mask, s * plan.N + n) == 0)
          std::fill_n(to, plan.C, T(0));
        else
          std::copy_n(from + (n * plan.T + plan.time(s)) * plan.C, plan.C, to);
      }
  });
  return steps;
}

/// The way back.
template <class T>
Tensor in_times(const RecurrentPlan& plan, const Tensor& steps) {
  Tensor x = Tensor::empty({plan.N, plan.T, plan.C}, steps.dtype());
  for_row_tiles(plan.T, plan.N * plan.C, 1, [&](Index first, Index end) {
    const T* from = readable<T>(steps) + first * plan.N * plan.C;
    for (Index s = first; s < end; ++s)
      for (Index n = 0; n < plan.N; ++n, from += plan.C)
        std::copy_n(from, plan.C, at<T>(x, (n * plan.T + plan.time(s)) * plan.C));
  });
  return x;
}

/// `rows` rows of H at `to`: those of `state`, or zeros.
template <class T>
void start(const Tensor& state, Index first, Index count, T* to) {
  if (state.defined())
    std::copy_n(readable<T>(state) + first, count, to);
  else
    std::fill_n(to, count, T(0));
}

/// Columns of the small products: whole vectors, or each product would have to pack the rest.
template <class T>
Index padded(Index columns) {
  const Index lanes = std::is_same_v<T, float> ? gemm_table().lanes : 1;
  return (columns + lanes - 1) / lanes * lanes;
}

/// [rows, columns] as [columns, padded(rows)] or [rows, padded(columns)], zeros behind.
template <class T>
Tensor turned_weight(const Tensor& weight) {
  const Index rows = weight.dim(0), columns = weight.dim(1), row = padded<T>(rows);
  Tensor result = row == rows ? Tensor::empty({columns, row}, weight.dtype())
                              : Tensor::zeros({columns, row}, weight.dtype());
  const T* from = readable<T>(weight);
  T* to = writable<T>(result);
  if constexpr (std::is_same_v<T, float>) {
    gemm_table().transpose(from, columns, rows, columns, to, row);
  } else {
    for (Index r = 0; r < rows; ++r)
      for (Index c = 0; c < columns; ++c) to[c * row + r] = from[r * columns + c];
  }
  return result;
}
template <class T>
Tensor padded_weight(const Tensor& weight) {
  const Index rows = weight.dim(0), columns = weight.dim(1), row = padded<T>(columns);
  if (row == columns) return weight;
  Tensor result = Tensor::zeros({rows, row}, weight.dtype());
  for (Index r = 0; r < rows; ++r)
    std::copy_n(readable<T>(weight) + r * columns, columns, writable<T>(result) + r * row);
  return result;
}

// ---- forward --------------------------------------------------------------------------------------------

template <class T>
struct Forward {
  const RecurrentCall& call;
  const RecurrentPlan plan;
  const bool keep;
  RecurrentKept kept;
  Tensor y, product, weight;

  Forward(const RecurrentCall& given, bool keep_all) : call(given), plan(given), keep(keep_all) {
    const DType type = call.x.dtype();
    const Index states = keep ? plan.T + 1 : 2, G = plan.G, H = plan.H, N = plan.N;
    kept.mask = mask_in_steps(plan, call.mask);
    kept.h = Tensor::empty({states, N, H}, type);
    if (call.cell == Cell::lstm) kept.c = Tensor::empty({states, N, H}, type);
    if (call.cell == Cell::gru) kept.c = Tensor::empty({keep ? plan.T : 1, N, H}, type);
    weight = turned_weight<T>(call.weight_h);
    product = Tensor::empty({N, weight.dim(1)}, type);
    const bool one_row = !call.sequence && !call.cell_row;
    y = Tensor::empty(one_row ? Shape{N, H} : Shape{N, plan.y_rows, H}, type);
    kept.gates = Tensor::empty({plan.T, N, G * H}, type);
    const Tensor x = in_steps<T>(plan, call.x, kept.mask);
    multiply(plan.T * N, G * H, plan.C, rows_of(readable<T>(x), plan.C),
             turned(readable<T>(call.weight_x), plan.C), writable<T>(kept.gates));
  }

  /// Where a state lies: one after the other, or, when nothing is kept, in turns.
  Index state_place(Index step, Index row) const {
    return ((keep ? step : step % 2) * plan.N + row) * plan.H;
  }

  RecurrentStep<T> step_at(Index s, Index first, Index end) const {
    const Index GH = plan.G * plan.H, before = state_place(s, first), after = state_place(s + 1, first);
    const bool lstm = call.cell == Cell::lstm;
    RecurrentStep<T> step;
    step.rows = end - first;
    step.units = plan.H;
    step.gates = at<T>(kept.gates, (s * plan.N + first) * GH);
    step.product_row = product.dim(1);
    step.product = at<T>(product, first * step.product_row);
    step.bias = readable<T>(call.bias);
    step.bias_h = at<T>(call.bias_h, 0);
    step.h_before = at<T>(kept.h, before);
    step.h = at<T>(kept.h, after);
    step.c_before = lstm ? at<T>(kept.c, before) : nullptr;
    step.c = at<T>(kept.c, lstm ? after : ((keep ? s : 0) * plan.N + first) * plan.H);
    step.mask = mask_at(kept.mask, s * plan.N + first);
    step.y_row = plan.y_rows * plan.H;
    if (plan.y_place(s) >= 0) step.y = at<T>(y, first * step.y_row + plan.y_place(s) * plan.H);
    return step;
  }

  void run_group(Index first, Index end) const {
    const Index rows = end - first, H = plan.H, columns = product.dim(1);
    start(call.h, first * H, rows * H, at<T>(kept.h, state_place(0, first)));
    if (call.cell == Cell::lstm) start(call.c, first * H, rows * H, at<T>(kept.c, state_place(0, first)));
    const auto forward = recurrent_kernels<T>().forward[static_cast<int>(call.cell)];
    for (Index s = 0; s < plan.T; ++s) {
      const RecurrentStep<T> step = step_at(s, first, end);
      T* sums = at<T>(product, first * columns);
      if (s == 0 && !call.h.defined())
        std::fill_n(sums, rows * columns, T(0));
      else
        multiply(rows, columns, H, rows_of(step.h_before, H), rows_of(readable<T>(weight), columns), sums);
      forward(step);
    }
    if (!call.cell_row) return;
    for (Index n = first; n < end; ++n)
      std::copy_n(at<T>(kept.c, state_place(plan.T, n)), H, at<T>(y, ((n + 1) * plan.y_rows - 1) * H));
  }
};

// ---- backward -------------------------------------------------------------------------------------------

template <class T>
struct Backward {
  const RecurrentCall& call;
  const RecurrentKept& kept;
  const Tensor& dy;
  const RecurrentWanted& wanted;
  const RecurrentPlan plan;
  Tensor gates, inner;  ///< gradients of u and, for GRU, of a
  Tensor past, product, dc, back, weight;

  Backward(const RecurrentCall& given, const RecurrentKept& k, const Tensor& gradient,
           const RecurrentWanted& w, bool overwrite)
      : call(given), kept(k), dy(gradient), wanted(w), plan(given) {
    const DType type = dy.dtype();
    const Shape state{plan.N, plan.H};
    const bool gru = call.cell == Cell::gru;
    gates = !kept.gates.defined() ? Tensor::empty({plan.T, plan.N, plan.G * plan.H}, type)
            : overwrite           ? kept.gates
                                  : kept.gates.clone();
    if (gru) inner = overwrite ? kept.c : kept.c.clone();
    if (gru) back = Tensor::empty({plan.N, plan.G * plan.H}, type);
    if (call.cell == Cell::lstm) dc = Tensor::zeros(state, type);
    past = Tensor::zeros(state, type);
    weight = padded_weight<T>(call.weight_h);
    product = Tensor::zeros({plan.N, weight.dim(1)}, type);
  }

  RecurrentGradStep<T> step_at(Index s, Index first, Index end) const {
    const Index GH = plan.G * plan.H, row = first * plan.H, N = plan.N;
    const Index before = (s * N + first) * plan.H, after = before + N * plan.H;
    RecurrentGradStep<T> step;
    step.rows = end - first;
    step.units = plan.H;
    step.gates = at<T>(gates, (s * N + first) * GH);
    step.product_row = product.dim(1);
    step.product = at<T>(product, first * step.product_row);
    step.kept = at<T>(past, row);
    step.h_before = at<T>(kept.h, before);
    step.h = at<T>(kept.h, after);
    if (call.cell == Cell::lstm) step.c_before = at<T>(kept.c, before), step.c_after = at<T>(kept.c, after);
    step.dc = at<T>(dc, row);
    step.a = at<T>(inner, before);
    step.back = at<T>(back, first * GH);
    step.mask = mask_at(kept.mask, s * N + first);
    step.dy_row = plan.y_rows * plan.H;
    if (plan.y_place(s) >= 0) step.dy = readable<T>(dy) + first * step.dy_row + plan.y_place(s) * plan.H;
    return step;
  }

  void run_group(Index first, Index end) const {
    const Index H = plan.H, GH = plan.G * H, columns = product.dim(1);
    if (call.cell_row)
      for (Index n = first; n < end; ++n)
        std::copy_n(readable<T>(dy) + ((n + 1) * plan.y_rows - 1) * H, H, at<T>(dc, n * H));
    const auto backward = recurrent_kernels<T>().backward[static_cast<int>(call.cell)];
    for (Index s = plan.T - 1; s >= 0; --s) {
      const RecurrentGradStep<T> step = step_at(s, first, end);
      backward(step);
      if (s == 0 && !wanted.h) break;
      multiply(end - first, columns, GH, rows_of<T>(step.back ? step.back : step.gates, GH),
               rows_of(readable<T>(weight), columns), at<T>(product, first * columns));
    }
  }

  Tensor weight_h_gradient() const {
    const Index H = plan.H, GH = plan.G * H, steps = plan.T * plan.N;
    Tensor gradient = Tensor::empty(call.weight_h.shape(), dy.dtype());
    const View<T> h = rows_of(readable<T>(kept.h), H);
    const Index plain = inner.defined() ? GH - H : GH;  // rows of u; the last H of GRU are those of a
    multiply(plain, H, steps, turned(readable<T>(gates), GH), h, writable<T>(gradient));
    if (inner.defined()) multiply(H, H, steps, turned(readable<T>(inner), H), h, at<T>(gradient, plain * H));
    return gradient;
  }

  RecurrentGrads gradients() const {
    const Index C = plan.C, H = plan.H, GH = plan.G * H, steps = plan.T * plan.N;
    RecurrentGrads all;
    if (wanted.weight_x) {
      all.weight_x = Tensor::empty(call.weight_x.shape(), dy.dtype());
      const Tensor x = in_steps<T>(plan, call.x, kept.mask);
      multiply(GH, C, steps, turned(readable<T>(gates), GH), rows_of(readable<T>(x), C),
               writable<T>(all.weight_x));
    }
    if (wanted.weight_h) all.weight_h = weight_h_gradient();
    if (wanted.bias) all.bias = sum(gates.view({steps, GH}), 0);
    if (wanted.bias_h) all.bias_h = sum(inner.view({steps, H}), 0);
    if (wanted.x) {
      const Tensor dx = Tensor::empty({plan.T, plan.N, C}, dy.dtype());
      multiply(steps, C, GH, rows_of(readable<T>(gates), GH), rows_of(readable<T>(call.weight_x), C),
               writable<T>(dx));
      all.x = in_times<T>(plan, dx);
    }
    if (wanted.c) all.c = dc;
    if (wanted.h) {
      all.h = Tensor::empty(past.shape(), dy.dtype());
      T* dh = writable<T>(all.h);
      for (Index n = 0; n < plan.N; ++n)
        for (Index j = 0; j < H; ++j)
          *dh++ = *at<T>(past, n * H + j) + *at<T>(product, n * product.dim(1) + j);
    }
    return all;
  }
};

}  // namespace

Recurrent recurrent(const RecurrentCall& call, bool keep) {
  return dispatch_float("recurrent", call.x.dtype(), [&](auto zero) {
    Forward<decltype(zero)> forward(call, keep);
    forward.plan.for_groups([&](Index first, Index end) { forward.run_group(first, end); });
    if (!keep) return Recurrent{forward.y, {}};
    if (gate_count(call.cell) == 1) forward.kept.gates = {};  // RNN: all that its gradient reads is h
    return Recurrent{forward.y, forward.kept};
  });
}

RecurrentGrads recurrent_grad(const RecurrentCall& call, const RecurrentKept& kept, const Tensor& dy,
                              const RecurrentWanted& wanted, bool overwrite) {
  return dispatch_float("recurrent", dy.dtype(), [&](auto zero) {
    const Backward<decltype(zero)> backward(call, kept, dy, wanted, overwrite);
    backward.plan.for_groups([&](Index first, Index end) { backward.run_group(first, end); });
    return backward.gradients();
  });
}

}  // namespace linnet::kernels
