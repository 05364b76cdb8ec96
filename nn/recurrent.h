// SPDX-License-Identifier: Apache-2.0
#pragma once
// RNN, GRU and LSTM: layers over sequences [N, T, C]. The formulas are in autograd/recurrent.h.
//
//   nn::Sequential model{nn::LSTM(8, 50, {.return_sequences = true}), nn::LSTM(50, 50), nn::Dense(50, 1)};
//
//   nn::LSTM encoder(8, 50), decoder(3, 50, {.return_sequences = true});
//   auto [_, h, c] = encoder(x, {.mask = mask});                  // sequences of several lengths
//   Tensor y = decoder(z, {.h = h, .c = c}).output;
//
// As in Keras a layer returns only the last h unless told otherwise. Layers are stacked in a Sequential, all
// but the last with return_sequences.

#include "linnet/nn/module.h"

namespace linnet::nn {

struct RecurrentOptions {
  bool return_sequences = false;  ///< every h, [N, T, H], in place of the last, [N, H]
  bool reverse = false;           ///< from the last time to the first; results stay at their times
};
struct RnnOptions {
  bool return_sequences = false;
  bool reverse = false;
  bool relu = false;  ///< in place of tanh
};

/// What a call may be given besides x.
struct RecurrentContext {
  Tensor mask = {};       ///< [N, T], any type: 0 where a sequence has no such step
  Tensor h = {}, c = {};  ///< [N, H], the state to start from, zeros unless given; LSTM takes both or none
};
struct RecurrentResult {
  Tensor output;  ///< as forward() returns it; at masked steps the h of the step before is repeated
  Tensor h, c;    ///< [N, H], after the last step that is there; c only of LSTM
};

/// Base of RNN, GRU and LSTM.
///   Shapes: x [N, T, in]  ->  [N, H], or [N, T, H] with return_sequences; T >= 1.
class Recurrent : public Layer {
 public:
  Tensor weight_x;  ///< [G H, in], the gates one after the other; starts Glorot uniform
  Tensor weight_h;  ///< [G H, H], starts orthogonal
  Tensor bias;      ///< [G H], starts at 0; LSTM's forget gate at 1

  std::int64_t inputs() const { return weight_x.dim(1); }
  std::int64_t units() const { return weight_h.dim(1); }
  bool return_sequences() const { return options_.return_sequences; }
  bool reverse() const { return options_.reverse; }

  void members(Members& m) override;
  Tensor forward(const Tensor& x) override;
  using Layer::operator();
  /// With mask and states, and the states at the end; may be traced.
  RecurrentResult operator()(const Tensor& x, const RecurrentContext& context);

 protected:
  /// ValueError for sizes below 1.
  Recurrent(const char* layer, std::int64_t in, std::int64_t units, std::int64_t gates,
            const RecurrentOptions& options);
  std::string describe_as(const char* layer) const;
  /// The op: y, with the row of the last c if that is wanted and there is one.
  virtual Tensor run(const Tensor& x, const RecurrentContext& context, bool cell_row) = 0;
  virtual bool has_cell() const { return false; }

  RecurrentOptions options_;
};

/// h = tanh(x weight_x^T + h' weight_h^T + bias), or relu.
class RNN : public Recurrent {
 public:
  RNN(std::int64_t in, std::int64_t units, const RnnOptions& options = {});
  std::string describe() const override;

 protected:
  Tensor run(const Tensor& x, const RecurrentContext& context, bool cell_row) override;

 private:
  bool relu_;
};

/// Gates r, z, n; the reset is applied after the product with h', which has a bias of its own in n.
class GRU : public Recurrent {
 public:
  GRU(std::int64_t in, std::int64_t units, const RecurrentOptions& options = {});
  Tensor bias_h;  ///< [H], starts at 0
  void members(Members& m) override;
  std::string describe() const override;

 protected:
  Tensor run(const Tensor& x, const RecurrentContext& context, bool cell_row) override;
};

/// Gates i, f, g, o.
class LSTM : public Recurrent {
 public:
  LSTM(std::int64_t in, std::int64_t units, const RecurrentOptions& options = {});
  std::string describe() const override;

 protected:
  Tensor run(const Tensor& x, const RecurrentContext& context, bool cell_row) override;
  bool has_cell() const override { return true; }
};

}  // namespace linnet::nn
