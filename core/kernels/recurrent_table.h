// SPDX-License-Identifier: Apache-2.0
#pragma once
// One step of a recurrent layer for some sequences at once: all that lies between the matrix products.
//
// G gates of H units: RNN 1; GRU r, z, n; LSTM i, f, g, o. Rows are contiguous unless a stride is named.
//
//   RNN   h = tanh or relu(u),  u = x Wx^T + h' Wh^T + b                    (h', c': the step before)
//   GRU   r, z = sigmoid(u),  a = h' Wh^T + b_h,  n = tanh(x Wx^T + b + r a),  h = n + z (h' - n)
//   LSTM  i, f, o = sigmoid(u),  g = tanh(u),  c = f c' + i g,  h = o tanh(c)
//
// (Hochreiter, Schmidhuber 1997 with the forget gate of Gers 2000; Cho 2014 with the reset after the
// product.)

#include <cstddef>
#include <cstdint>

#include "linnet/core/kernels/isa_table.h"

namespace linnet::kernels {

/// The place in RecurrentKernels.
enum class Cell { rnn_tanh, rnn_relu, gru, lstm };
inline constexpr int kCells = 4;

template <class T>
struct RecurrentStep {
  std::ptrdiff_t rows = 0, units = 0;
  T* gates = nullptr;          ///< [rows, G H] in: x Wx^T; out: i f g o, r z n; RNN leaves it alone
  const T* product = nullptr;  ///< [rows, G H] h' Wh^T
  std::ptrdiff_t product_row = 0;
  const T* bias = nullptr;    ///< [G H]
  const T* bias_h = nullptr;  ///< [H], GRU
  const T* h_before = nullptr;
  T* h = nullptr;
  const T* c_before = nullptr;  ///< LSTM
  T* c = nullptr;               ///< LSTM: c; GRU: a
  T* y = nullptr;               ///< h once more, if given
  std::ptrdiff_t y_row = 0;
  const std::uint8_t* mask = nullptr;  ///< [rows] or null; where 0, h = h' and c = c'
};

/// dh = kept + product + dy is the gradient of h. A masked row passes it on in `kept`.
template <class T>
struct RecurrentGradStep {
  std::ptrdiff_t rows = 0, units = 0;
  T* gates = nullptr;          ///< [rows, G H] in: as the step left it (RNN: anything); out: gradient of u
  const T* product = nullptr;  ///< [rows, H] gradient that came back through Wh from the step after
  std::ptrdiff_t product_row = 0;
  T* kept = nullptr;      ///< [rows, H] and past it; out: the same for the step before
  const T* dy = nullptr;  ///< or null
  std::ptrdiff_t dy_row = 0;
  const T *h_before = nullptr, *h = nullptr;        ///< h' for GRU, h for RNN
  const T *c_before = nullptr, *c_after = nullptr;  ///< LSTM
  T* dc = nullptr;                                  ///< LSTM: gradient of c in, of c' out
  T* a = nullptr;                                   ///< GRU: a in, its gradient out
  T* back = nullptr;                                ///< GRU: [rows, 3 H] gradients of h' Wh^T
  const std::uint8_t* mask = nullptr;
};

template <class T>
struct RecurrentKernels {
  void (*forward[kCells])(const RecurrentStep<T>& step);
  void (*backward[kCells])(const RecurrentGradStep<T>& step);
};
LINNET_DECLARE_TABLE(RecurrentKernels<float>, recurrent)

/// Plain loops; T is double or float.
template <class T>
const RecurrentKernels<T>& naive_recurrent();

}  // namespace linnet::kernels
