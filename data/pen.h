// SPDX-License-Identifier: Apache-2.0
#pragma once
// The stroke renderer behind SyntheticDigits. Private to data/.

#include <cstdint>
#include <span>

#include "linnet/core/random.h"

namespace linnet::data {

inline constexpr int kDigitSide = 28;

/// Writes `digit` as a random hand would and fills 28 x 28 pixels, white ink (255) on black. Like MNIST: the
/// digit fills a box of 20 pixels and its centre of mass lies in the middle. Everything is drawn from `rng`
/// and computed with + - * / and sqrt, so the pixels are the same on every machine.
void draw_digit(int digit, Rng& rng, std::span<std::uint8_t> pixels);

}  // namespace linnet::data
