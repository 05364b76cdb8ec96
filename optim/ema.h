// SPDX-License-Identifier: Apache-2.0
#pragma once
// EMA: exponential moving averages of weights, which often evaluate better than the weights that are being
// trained (Polyak, Juditsky: "Acceleration of Stochastic Approximation by Averaging", 1992, for the idea).
//
//   optim::EMA ema(model.parameters(), {.decay = 0.999});
//   ...  adam.step();  ema.update();
//   ema.swap();  evaluate(model);  ema.swap();

#include <cstdint>
#include <string>
#include <vector>

#include "linnet/core/state.h"

namespace linnet::optim {

struct EmaOptions {
  double decay = 0.999;  ///< in [0, 1)
  bool warm_up =
      true;  ///< update t (from 1) has a decay of at most t / (9 + t), so that the start fades soon
};

///   d = min(decay, t / (9 + t));   average += (1 - d) (w - average)
class EMA {
 public:
  /// Averages start as copies of the tensors, whose handles are kept. ValueError for none, undefined or
  /// repeated ones or a decay out of range, DTypeError unless they are f32 or f64.
  explicit EMA(const NamedTensors& tensors, const EmaOptions& options = {});

  /// ValueError while the averages are swapped in; ShapeError, before any change, when a tensor has another
  /// shape or type now.
  void update();
  /// Exchanges the contents of the tensors and the averages, without copying. Not between a forward pass and
  /// its backward. ShapeError as above.
  void swap();
  /// Whether the averages are in the tensors now.
  bool swapped() const { return swapped_; }
  std::int64_t updates() const { return updates_; }

  /// {"updates", "swapped"} and by name the contents that are not in the tensors now: the averages, or the
  /// trained weights while they are swapped out. Shares them.
  State state() const;
  /// All or nothing; StateError with the whole difference.
  void load(const State& state);

 private:
  void check_fit(const char* function) const;

  EmaOptions options_;
  NamedTensors tensors_, averages_;
  std::int64_t updates_ = 0;
  bool swapped_ = false;
};

/// The averages in the tensors until the end of the block; nothing for nullptr or when they are there
/// already.
class AverageScope {
 public:
  explicit AverageScope(EMA* ema) : ema_(ema && !ema->swapped() ? ema : nullptr) {
    if (ema_) ema_->swap();
  }
  ~AverageScope() {
    if (ema_) ema_->swap();
  }
  AverageScope(const AverageScope&) = delete;

 private:
  EMA* ema_;
};

}  // namespace linnet::optim
