// SPDX-License-Identifier: Apache-2.0
#include "linnet/data/transform.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "linnet/core/error.h"
#include "linnet/core/math.h"

namespace linnet::data {
namespace {

void check_probability(const char* op, double p) {
  check<ValueError>(p >= 0.0 && p <= 1.0, op, ": a probability must be in 0..1, got ", p, ".");
}

std::string exact(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.17g", value);
  return text;
}

Shape image_shape(const char* op, const Shape& sample) {
  check<ShapeError>(sample.rank() == 3, op, ": expected images [H, W, C], got ", sample, ".");
  return sample;
}

std::function<Shape(const Shape&)> images_only(const char* op) {
  return [op](const Shape& sample) { return image_shape(op, sample); };
}

/// A whole number in [-most, most].
std::int64_t around_zero(Rng& numbers, std::int64_t most) { return numbers.below(2 * most + 1) - most; }

/// to(y, x) = from(y + dy, x + dx), or `fill` outside.
void shift(const Pixels& from, const Pixels& to, std::int64_t dy, std::int64_t dx, float fill) {
  std::fill_n(to.values, to.height * to.width * to.channels, fill);
  const std::int64_t left = std::max<std::int64_t>(0, -dx), right = std::min(to.width, from.width - dx);
  if (left >= right) return;
  for (std::int64_t y = std::max<std::int64_t>(0, -dy); y < std::min(to.height, from.height - dy); ++y)
    std::copy_n(from.at(y + dy, left + dx), (right - left) * to.channels, to.at(y, left));
}

/// Bilinear value of a channel at (y, x), where everything outside is `fill`.
float sample_at(const Pixels& from, double y, double x, std::int64_t channel, float fill) {
  const double top = std::floor(y), left = std::floor(x), down = y - top, along = x - left;
  const auto value = [&](std::int64_t row, std::int64_t column) {
    const bool inside = row >= 0 && row < from.height && column >= 0 && column < from.width;
    return static_cast<double>(inside ? from.at(row, column)[channel] : fill);
  };
  const auto row = static_cast<std::int64_t>(top), column = static_cast<std::int64_t>(left);
  const double upper = value(row, column) + along * (value(row, column + 1) - value(row, column));
  const double lower = value(row + 1, column) + along * (value(row + 1, column + 1) - value(row + 1, column));
  return static_cast<float>(upper + down * (lower - upper));
}

void rotate(const Pixels& from, const Pixels& to, double turns, float fill) {
  const double s = math::sin_turn(turns), c = math::cos_turn(turns);
  const double y0 = static_cast<double>(from.height - 1) / 2.0,
               x0 = static_cast<double>(from.width - 1) / 2.0;
  for (std::int64_t y = 0; y < to.height; ++y)
    for (std::int64_t x = 0; x < to.width; ++x) {
      const double v = static_cast<double>(y) - y0, u = static_cast<double>(x) - x0;
      for (std::int64_t channel = 0; channel < to.channels; ++channel)
        to.at(y, x)[channel] = sample_at(from, y0 + c * v - s * u, x0 + s * v + c * u, channel, fill);
    }
}

void flip(const Pixels& from, const Pixels& to, bool horizontal, bool vertical) {
  for (std::int64_t y = 0; y < to.height; ++y)
    for (std::int64_t x = 0; x < to.width; ++x)
      std::copy_n(from.at(vertical ? to.height - 1 - y : y, horizontal ? to.width - 1 - x : x), to.channels,
                  to.at(y, x));
}

}  // namespace

Transform normalise(const NormaliseOptions& options) {
  const std::size_t count = options.mean.size();
  check<ValueError>(count >= 1 && options.std.size() == count,
                    "normalise: expected one mean and one std for each channel, got ", count, " and ",
                    options.std.size(), ".");
  std::string text = "normalise";
  std::vector<float> mean, std;
  for (std::size_t i = 0; i < count; ++i) {
    mean.push_back(static_cast<float>(options.mean[i]));
    std.push_back(static_cast<float>(options.std[i]));
    check<ValueError>(std::isfinite(mean.back()) && std::isfinite(std.back()) && std.back() > 0.0f,
                      "normalise: mean must be finite and std above 0, got ", options.mean[i], " and ",
                      options.std[i], ".");
    text += " " + exact(options.mean[i]) + " " + exact(options.std[i]);
  }
  return {.text = text,
          .apply =
              [mean, std](const Pixels& from, const Pixels& to, Rng&) {
                const auto step = static_cast<std::size_t>(mean.size() > 1);
                const std::int64_t points = from.height * from.width;
                for (std::int64_t i = 0; i < points; ++i)
                  for (std::int64_t c = 0; c < from.channels; ++c) {
                    const std::size_t k = static_cast<std::size_t>(c) * step;
                    const std::int64_t at = i * from.channels + c;
                    to.values[at] = (from.values[at] - mean[k]) / std[k];
                  }
              },
          .shape =
              [count](const Shape& sample) {
                check<ShapeError>(count == 1 || sample.dim(-1) == static_cast<std::int64_t>(count),
                                  "normalise: expected samples of ", count, " channels, got ", sample, ".");
                return sample;
              }};
}

Transform random_shift(const RandomShiftOptions& options) {
  check<ValueError>(options.pixels >= 0 && options.pixels < (1 << 30),
                    "random_shift: pixels must be in 0..2^30, got ", options.pixels, ".");
  return {.text = concat({"random_shift ", options.pixels, " ", double{options.fill}}),
          .random = true,
          .apply = [options](const Pixels& from, const Pixels& to, Rng& numbers) {
            const std::int64_t dy = from.height > 1 ? around_zero(numbers, options.pixels) : 0;
            const std::int64_t dx = from.width > 1 ? around_zero(numbers, options.pixels) : 0;
            shift(from, to, dy, dx, options.fill);
          }};
}

Transform random_rotate(const RandomRotateOptions& options) {
  check<ValueError>(options.degrees >= 0.0 && options.degrees <= 180.0,
                    "random_rotate: degrees must be in 0..180, got ", options.degrees, ".");
  return {.text = concat({"random_rotate ", options.degrees, " ", double{options.fill}}),
          .random = true,
          .apply =
              [options](const Pixels& from, const Pixels& to, Rng& numbers) {
                rotate(from, to, (2.0 * numbers.uniform() - 1.0) * options.degrees / 360.0, options.fill);
              },
          .shape = images_only("random_rotate")};
}

Transform crop(const CropOptions& options) {
  check<ValueError>(options.height >= 1 && options.width >= 1,
                    "crop: height and width must be at least 1, got ", options.height, " and ", options.width,
                    ".");
  return {.text = concat({"crop ", options.height, " ", options.width, " ", options.random}),
          .random = options.random,
          .apply =
              [random = options.random](const Pixels& from, const Pixels& to, Rng& numbers) {
                const std::int64_t high = from.height - to.height, wide = from.width - to.width;
                const std::int64_t dy = random ? numbers.below(high + 1) : high / 2;
                const std::int64_t dx = random ? numbers.below(wide + 1) : wide / 2;
                shift(from, to, dy, dx, 0.0f);
              },
          .shape =
              [options](const Shape& sample) {
                image_shape("crop", sample);
                check<ShapeError>(options.height <= sample[0] && options.width <= sample[1], "crop: ", sample,
                                  " is smaller than ", options.height, " x ", options.width, ".");
                return Shape{options.height, options.width, sample[2]};
              }};
}

Transform random_flip(const RandomFlipOptions& options) {
  check_probability("random_flip", options.horizontal);
  check_probability("random_flip", options.vertical);
  return {.text = concat({"random_flip ", options.horizontal, " ", options.vertical}),
          .random = true,
          .apply =
              [options](const Pixels& from, const Pixels& to, Rng& numbers) {
                const bool horizontal = numbers.uniform() < options.horizontal;
                flip(from, to, horizontal, numbers.uniform() < options.vertical);
              },
          .shape = images_only("random_flip")};
}

Transform random_noise(const RandomNoiseOptions& options) {
  check<ValueError>(std::isfinite(options.deviation) && options.deviation >= 0.0,
                    "random_noise: the deviation must be finite and not negative, got ", options.deviation,
                    ".");
  return {.text = "random_noise " + exact(options.deviation),
          .random = true,
          .apply = [deviation = options.deviation](const Pixels& from, const Pixels& to, Rng& numbers) {
            for (std::int64_t i = 0; i < from.height * from.width * from.channels; ++i)
              to.values[i] = from.values[i] + static_cast<float>(deviation * numbers.normal());
          }};
}

Transform cutout(const CutoutOptions& options) {
  check_probability("cutout", options.probability);
  check<ValueError>(options.size >= 0 && options.size < (1 << 30),
                    "cutout: the size must be in 0..2^30, got ", options.size, ".");
  return {.text = concat({"cutout ", options.size, " ", options.probability, " ", double{options.fill}}),
          .random = true,
          .apply =
              [options](const Pixels& from, const Pixels& to, Rng& numbers) {
                std::copy_n(from.values, from.height * from.width * from.channels, to.values);
                if (numbers.uniform() >= options.probability) return;
                const std::int64_t top = numbers.below(from.height) - options.size / 2;
                const std::int64_t left = numbers.below(from.width) - options.size / 2;
                for (std::int64_t y = std::max<std::int64_t>(0, top);
                     y < std::min(to.height, top + options.size); ++y)
                  for (std::int64_t x = std::max<std::int64_t>(0, left);
                       x < std::min(to.width, left + options.size); ++x)
                    std::fill_n(to.at(y, x), to.channels, options.fill);
              },
          .shape = images_only("cutout")};
}

}  // namespace linnet::data
