// SPDX-License-Identifier: Apache-2.0
#include "linnet/data/standardiser.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "linnet/core/error.h"
#include "linnet/core/tensor_impl.h"

namespace linnet::data {
namespace {

/// What one channel came to.
struct Channel {
  double sum = 0.0, squares = 0.0;  ///< of values; of their distances from the mean
  double least = std::numeric_limits<double>::infinity(), most = -least;
};

struct Statistics {
  std::vector<Channel> channels;
  std::int64_t count = 0;  ///< of values of each channel

  double mean(std::size_t c) const { return channels[c].sum / static_cast<double>(count); }

  /// Rows [.., channels] of f64, sums in their order; in the second round the means are known.
  void add(const Tensor& x, bool second) {
    const auto width = static_cast<std::int64_t>(channels.size());
    const std::int64_t rows = x.size() / width;
    const double* value = readable<double>(x);
    for (std::int64_t row = 0; row < rows; ++row)
      for (std::size_t c = 0; c < channels.size(); ++c, ++value) {
        Channel& channel = channels[c];
        if (second) {
          const double distance = *value - mean(c);
          channel.squares += distance * distance;
          continue;
        }
        check<ValueError>(std::isfinite(*value), "Standardiser: a value of channel ", c, " is ", *value,
                          ". Every value must be finite.");
        channel.sum += *value;
        channel.least = std::min(channel.least, *value);
        channel.most = std::max(channel.most, *value);
      }
    if (!second) count += rows;
  }

  Standardiser finished() const {
    std::vector<double> means, deviations;
    for (std::size_t c = 0; c < channels.size(); ++c) {
      const bool constant = !(channels[c].least < channels[c].most);
      means.push_back(constant ? channels[c].least : mean(c));
      deviations.push_back(constant ? 1.0 : std::sqrt(channels[c].squares / static_cast<double>(count)));
    }
    return {means, deviations};
  }
};

}  // namespace

Standardiser::Standardiser(std::vector<double> mean, std::vector<double> deviation)
    : mean_(std::move(mean)), deviation_(std::move(deviation)) {
  if (!mean_.empty() || !deviation_.empty()) transform();  // its checks
}

Standardiser Standardiser::fit(const Dataset& training, Constant constant) {
  check<ValueError>(training.size() > 0, "Standardiser: there are no samples to learn from.");
  Statistics statistics;
  const auto take = [&](bool second) {
    over_batches(training, [&](const Batch& some) {
      const Tensor x = some.x.to(f64);
      check<ShapeError>(x.rank() >= 2 && x.dim(-1) > 0,
                        "Standardiser: expected samples [..., channels], got ", x.shape().without(0), ".");
      if (statistics.channels.empty()) statistics.channels.resize(static_cast<std::size_t>(x.dim(-1)));
      statistics.add(x, second);
    });
  };
  take(false);
  for (std::size_t c = 0; c < statistics.channels.size(); ++c)
    check<ValueError>(
        constant == Constant::keep || statistics.channels[c].least < statistics.channels[c].most,
        "Standardiser: channel ", c, " is ", statistics.channels[c].least, " in all ", statistics.count,
        " values. Leave it out, or choose Constant::keep.");
  take(true);
  return statistics.finished();
}

Standardiser Standardiser::fit(const Table& training, Constant constant) {
  check<ValueError>(training.rows() > 0, "Standardiser: there are no rows to learn from.");
  Statistics statistics{.channels = std::vector<Channel>(training.names.size())};
  statistics.add(training.values, false);
  for (std::size_t c = 0; c < training.names.size(); ++c)
    check<IoError>(constant == Constant::keep || statistics.channels[c].least < statistics.channels[c].most,
                   "Standardiser: ", training.path, ": lines ", training.lines.front(), " to ",
                   training.lines.back(), ", column ", training.names[c], ": always ",
                   statistics.channels[c].least, ". Leave it out, or choose Constant::keep.");
  statistics.add(training.values, true);
  return statistics.finished();
}

Tensor Standardiser::operator()(const Tensor& x) const {
  const std::int64_t width = x.rank() > 0 ? x.dim(-1) : 0;
  check<ShapeError>(!empty() && width == static_cast<std::int64_t>(mean_.size()), "Standardiser: expected ",
                    mean_.size(), " channels, got ", x.shape(), ".");
  const Tensor from = x.to(f32);
  Tensor y = Tensor::empty(x.shape());
  Rng unused(RandomKey{});
  const auto as_rows = [&](const Tensor& t) {
    return Pixels{writable<float>(t), t.size() / width, 1, width};
  };
  transform().apply(as_rows(from), as_rows(y), unused);
  return y;
}

State Standardiser::state() const {
  return {{"mean", Tensor::from(mean_)}, {"deviation", Tensor::from(deviation_)}};
}

void Standardiser::load(const State& state) {
  std::vector<double> loaded[2];
  for (int i = 0; i < 2; ++i) {
    const char* name = i == 0 ? "mean" : "deviation";
    const StateValue* value = state.find(name);
    check<StateError>(
        value && value->is_tensor() && value->tensor().dtype() == f64 && value->tensor().rank() == 1,
        "Standardiser: expected a tensor ", name, " of f64 in the state.");
    const auto values = value->tensor().data<double>();
    loaded[i].assign(values.begin(), values.end());
  }
  try {
    *this = Standardiser(loaded[0], loaded[1]);
  } catch (const ValueError& error) {
    fail<StateError>("Standardiser: the state makes no sense: ", error.what());
  }
}

}  // namespace linnet::data
