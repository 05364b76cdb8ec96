// SPDX-License-Identifier: Apache-2.0
#pragma once
// Bidirectional: two recurrent layers over the same sequences, one from each end.
//
//   nn::Bidirectional both{nn::LSTM(8, 25), nn::LSTM(8, 25, {.reverse = true})};          // -> [N, 50]

#include <memory>

#include "linnet/nn/recurrent.h"

namespace linnet::nn {

enum class Merge { concat, sum };
struct BidirectionalOptions {
  Merge merge = Merge::concat;  ///< of the features: forward's first, then backward's; or their sum
};

struct BidirectionalContext {
  Tensor mask = {};
  RecurrentContext forward = {}, backward = {};  ///< only their states are read
};
struct BidirectionalResult {
  Tensor output;
  RecurrentResult forward, backward;
};

/// ValueError unless the second layer and only it is `reverse`, both or none return sequences, `in` is the
/// same, and, for sum, the units.
///   Shapes: x [N, T, in]  ->  [N, H], or [N, T, H] with return_sequences; H = H1 + H2 for concat.
class Bidirectional : public Layer {
 public:
  /// Layers are moved in, of any kinds. Write braces: in parentheses the compiler may make the layers in any
  /// order, and with it their random weights.
  template <std::derived_from<Recurrent> Forward, std::derived_from<Recurrent> Backward>
  Bidirectional(Forward&& forward, Backward&& backward, const BidirectionalOptions& options = {})
      : Bidirectional(std::make_unique<Forward>(std::move(forward)),
                      std::make_unique<Backward>(std::move(backward)), options) {}
  Bidirectional(std::unique_ptr<Recurrent> forward, std::unique_ptr<Recurrent> backward,
                const BidirectionalOptions& options = {});

  void members(Members& m) override;
  std::string describe() const override;
  Tensor forward(const Tensor& x) override;
  using Layer::operator();
  BidirectionalResult operator()(const Tensor& x, const BidirectionalContext& context);

 private:
  Tensor merged(const Tensor& forward, const Tensor& backward) const;

  std::unique_ptr<Recurrent> forward_, backward_;
  BidirectionalOptions options_;
};

}  // namespace linnet::nn
