// SPDX-License-Identifier: Apache-2.0
#include "linnet/data/synthetic_digits.h"

#include <algorithm>
#include <span>

#include "linnet/core/error.h"
#include "linnet/core/parallel.h"
#include "linnet/core/random.h"
#include "linnet/core/tensor_impl.h"
#include "linnet/data/pen.h"

namespace linnet::data {
namespace {

constexpr SyntheticDigitsOptions kTrain{.count = 12'000, .seed = 1}, kTest{.count = 2'000, .seed = 2};
constexpr std::int64_t kPixels = kDigitSide * kDigitSide;

const SyntheticDigitsOptions& checked(const SyntheticDigitsOptions& options) {
  check<ValueError>(options.count >= 0, "SyntheticDigits: the count must not be negative: ", options.count,
                    ".");
  return options;
}

Tensor draw(const SyntheticDigitsOptions& options) {
  Tensor images = Tensor::empty({options.count, kDigitSide, kDigitSide, 1}, u8);
  std::uint8_t* pixels = writable<std::uint8_t>(images);
  constexpr std::int64_t kTile = 50, kWorkPerDigit = 100'000;
  parallel_for((options.count + kTile - 1) / kTile, options.count * kWorkPerDigit, [&](std::int64_t tile) {
    for (std::int64_t i = tile * kTile; i < std::min(options.count, (tile + 1) * kTile); ++i) {
      Rng rng(options.seed, static_cast<std::uint64_t>(i));
      draw_digit(static_cast<int>(i % 10), rng, std::span(pixels + i * kPixels, kPixels));
    }
  });
  return images;
}

Tensor labels(std::int64_t count) {
  Tensor y = Tensor::empty({count}, i64);
  for (std::int64_t i = 0; i < count; ++i) writable<std::int64_t>(y)[i] = i % 10;
  return y;
}

}  // namespace

SyntheticDigits::SyntheticDigits(SyntheticDigitsOptions options)
    : TensorDataset(draw(checked(options)), labels(checked(options).count), {.divide_by = 255}) {}
SyntheticDigits::SyntheticDigits(Split split) : SyntheticDigits(split == Split::train ? kTrain : kTest) {}

}  // namespace linnet::data
