// SPDX-License-Identifier: Apache-2.0
#include "linnet/data/synthetic_digits.h"

#include <algorithm>

#include "linnet/core/error.h"
#include "support/check_close.h"
#include "support/fixtures.h"

using namespace linnet;
using namespace linnet::data;

namespace {

constexpr std::int64_t kPixels = 28 * 28;

std::span<const std::uint8_t> image(const SyntheticDigits& digits, std::int64_t i) {
  return digits.x().data<std::uint8_t>().subspan(static_cast<std::size_t>(i * kPixels), kPixels);
}

}  // namespace

TEST_CASE("the built-in parts have 12,000 and 2,000 digits, each class as often, none in both") {
  const SyntheticDigits training(Split::train), held_out(Split::test);
  CHECK(training.size() == 12000);
  CHECK(held_out.size() == 2000);
  CHECK(training.x().shape() == Shape{12000, 28, 28, 1});
  std::vector<int> counts(10);
  for (const std::int64_t label : training.y().data<std::int64_t>())
    ++counts[static_cast<std::size_t>(label)];
  CHECK(counts == std::vector<int>(10, 1200));

  std::vector<std::string> seen;
  for (const SyntheticDigits* part : {&training, &held_out})
    for (std::int64_t i = 0; i < part->size(); ++i) {
      const auto pixels = image(*part, i);
      seen.emplace_back(pixels.begin(), pixels.end());
    }
  std::sort(seen.begin(), seen.end());
  CHECK(std::adjacent_find(seen.begin(), seen.end()) == seen.end());
}

TEST_CASE("the pixels are the same on every machine, with any number of threads, and for any count") {
  std::vector<std::uint64_t> hashes;
  for (const int threads : {1, 2, 4}) {
    const test::ThreadScope scope(threads);
    hashes.push_back(SyntheticDigits({.count = 500, .seed = 42}).content_hash());
  }
  CHECK(hashes == std::vector<std::uint64_t>(3, hashes.front()));
  CHECK(hashes.front() == 3477333661646932589u);

  const SyntheticDigits few({.count = 10, .seed = 42}), many({.count = 60, .seed = 42});
  for (std::int64_t i = 0; i < 10; ++i) CHECK(std::ranges::equal(image(few, i), image(many, i)));
  CHECK_FALSE(std::ranges::equal(image(many, 0), image(SyntheticDigits({.count = 1, .seed = 43}), 0)));
}

TEST_CASE("a digit lies as in MNIST: in a box of about 20 pixels with its centre of mass in the middle") {
  const SyntheticDigits digits({.count = 1000, .seed = 5});
  for (std::int64_t i = 0; i < digits.size(); ++i) {
    const auto pixels = image(digits, i);
    int top = 28, bottom = -1, left = 28, right = -1;
    double mass = 0.0, x = 0.0, y = 0.0;
    for (int row = 0; row < 28; ++row)
      for (int column = 0; column < 28; ++column) {
        const double here = pixels[static_cast<std::size_t>(28 * row + column)];
        mass += here;
        x += here * column;
        y += here * row;
        if (here < 64) continue;
        top = std::min(top, row), bottom = std::max(bottom, row);
        left = std::min(left, column), right = std::max(right, column);
      }
    REQUIRE(mass > 255 * 15);
    const int longer = std::max(bottom - top, right - left) + 1;
    CHECK(longer >= 18);
    CHECK(longer <= 22);  // 20, and a pen that swells by up to a fifth
    CHECK(std::abs(x / mass - 13.5) < 1.0);
    CHECK(std::abs(y / mass - 13.5) < 1.0);
  }
}

TEST_CASE("no digits are a dataset of none, fewer are refused") {
  CHECK(SyntheticDigits({.count = 0}).size() == 0);
  CHECK_THROWS_TEXT(SyntheticDigits({.count = -1}), ValueError,
                    "SyntheticDigits: the count must not be negative: -1.");
}
