// SPDX-License-Identifier: Apache-2.0
#pragma once
// How people write the ten digits: skeletons of pen strokes for SyntheticDigits. Private to data/.

#include <span>
#include <vector>

namespace linnet::data {

/// A point the pen passes through, in a box of about 1 x 1 with y pointing down. At a corner the pen changes
/// direction; elsewhere the path is smooth.
struct Knot {
  double x, y;
  bool corner = false;
};

using Stroke = std::vector<Knot>;

/// One way of writing a digit, and how often it is chosen among the ways of that digit.
struct Glyph {
  double weight;
  double width;  ///< of the written digit, as a part of its height
  std::vector<Stroke> strokes;
};

/// The ways of writing `digit` (0..9).
std::span<const Glyph> glyphs(int digit);

}  // namespace linnet::data
